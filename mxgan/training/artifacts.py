"""What a run writes between its steps: pictures, curves, weights, checkpoints. A full disk doesn't end the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Optional

import numpy as np

from mxgan import rng
from mxgan.engines.protocol import State
from mxgan.errors import MxganError
from mxgan.training import checkpoint, monitor, validation
from mxgan.training.board import Board
from mxgan.training.log import StepLog
from mxgan.training.progress import Progress
from mxgan.training.run_dir import BEST, RunDir
from mxgan.training.setup import Setup
from mxgan.training.validation import Score, Scorer

WEIGHTS = ("netG", "netD", "netG-ema")  # of a state: what the run directory holds beside the checkpoints


class Saver:
    """Writes into the run directory, when asked and, for checkpoints, when it is time."""

    def __init__(self, setup: Setup, log: StepLog, progress: Progress, board: Optional[Board] = None) -> None:
        config, count = setup.config, len(setup.faces.images)
        self._config, self._run, self._engine, self._written = config, setup.run, setup.engine, setup.written
        self._log, self._progress, self._board = log, progress, board
        self._reals = setup.reals()
        self._fixed = rng.latents(config.seed, "samples", 0, len(self._reals), config.latent)
        self._scorer = Scorer(config, setup.faces.images) if count >= validation.LEAST else None
        self._best: dict[str, np.ndarray] = {}  # netG's arrays at its best, until they are written
        self._saved = time.monotonic()

    def save(self, step: int, epoch_end: bool, scored: bool, finish: bool) -> bool:
        """Samples, weights, a checkpoint and curves after ``step``, scored if ``scored``; did all of it work?

        ``finish``: it is the last step of a finish. The log must be identical whether or not the run was stopped, so
        only the end of an epoch leaves a line there, and that of a finish its score. Raises NonFinite where a weight
        isn't finite: such weights are never saved.
        """
        state = self._state(step)
        samples = self._engine.generate(self._fixed)
        if epoch_end and len(samples) > 1:
            self._log.add_variety(step, monitor.variety(samples, self._reals))
        if scored and self._scorer is not None:
            value = self._scorer.score(self._engine.generate)
            self._log.add_score(Score(step, value, finish))
            best = validation.best(self._log.scores)
            if best and best.step == step:
                self._best = best_of(state)
        written = self._files(step, state, samples)
        # before the curves, which take longest and lose nothing: they are drawn again from the log
        return all([written, self._checkpoint(step, state), self._try(self._run.save_curves)])

    def save_checkpoint(self, step: int) -> None:
        """A checkpoint alone. Raises NonFinite as `save` does."""
        self._checkpoint(step, self._state(step))

    def save_files(self, step: int) -> bool:
        """As `save`, without a checkpoint: there is one of ``step``. Did all of it work?"""
        written = self._files(step, self._state(step), self._engine.generate(self._fixed))
        return all([written, self._try(self._run.save_curves)])

    def due(self) -> bool:
        """Is the last checkpoint ``checkpoint_minutes`` old?"""
        return time.monotonic() - self._saved >= 60 * self._config.checkpoint_minutes

    def _files(self, step: int, state: State, samples: np.ndarray) -> bool:
        if self._board is not None:
            self._board.add_samples(step, samples)
        weights = {name: state.arrays[name] for name in WEIGHTS if name in state.arrays}
        done = [
            self._try(lambda: self._run.save_samples(step, samples)),
            self._try(lambda: self._run.save_weights(weights)),
        ]
        if self._best:
            done.append(self._try(lambda: self._run.save_weights({BEST: self._best})))
            self._best = {} if done[-1] else self._best
        return all(done)

    def _checkpoint(self, step: int, state: State) -> bool:
        self._saved = time.monotonic()

        def write() -> None:
            try:
                mark = self._log.file.mark()
            except OSError as error:
                raise MxganError(f"{self._run.log}: can't be written ({error.strerror or error})") from error
            checkpoint.save(self._run.checkpoints, checkpoint.Checkpoint(step, state, mark, self._written))
            checkpoint.prune(self._run.checkpoints, step, self._log.scores)

        return self._try(write)

    def _state(self, step: int) -> State:
        self._log.flush()
        state = self._engine.state()
        for net, arrays in state.arrays.items():
            bad = [name for name, array in arrays.items() if not np.isfinite(array).all()]
            if bad:
                self._log.fail(step, f"{net} {', '.join(bad)}")
        return state

    def _try(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except (MxganError, OSError) as error:
            self._progress.say(f"warning: {error}; what was saved before is kept")
            return False
        return True


def best_of(state: State) -> dict[str, np.ndarray]:
    """The arrays of the generator that makes a run's pictures: netG's average where there is one."""
    return state.arrays.get("netG-ema", state.arrays["netG"])


def restore_best(run: RunDir, scores: Sequence[Score], say: Callable[[str], None]) -> None:
    """Make netG-best.params what it was when ``scores`` were all, the steps after them being lost.

    Written anew from the kept checkpoint of the best, removed where nothing was scored yet. Where that checkpoint can't
    be read the file is left as it is, and ``say`` told so. Raises MxganError or OSError where it can't be written.
    """
    best = validation.best(scores)
    if best is None:
        (run.path / f"{BEST}.params").unlink(missing_ok=True)
        return
    try:
        kept = checkpoint.load(run.checkpoints / f"{best.step:06d}")
    except MxganError as error:
        as_good = validation.shown(best.value)
        say(f"warning: {error}: {BEST}.params is left as it is, until a score is as good as {as_good}")
        return
    run.save_weights({BEST: best_of(kept.state)})
