"""What a run writes between its steps: pictures, curves, weights, checkpoints. A full disk doesn't end the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from mxgan import noise
from mxgan.config import TrainConfig
from mxgan.engines import Engine, State
from mxgan.errors import MxganError
from mxgan.training import checkpoint, watch
from mxgan.training.progress import Progress
from mxgan.training.run_dir import RunDir
from mxgan.training.step_log import StepLog

WEIGHTS = {"netG": "netG", "netD": "netD", "emaG": "netG-ema"}  # a state's arrays, and what their file is called


class Saver:
    """Writes into the run directory, when asked and, for checkpoints, when it is time."""

    def __init__(
        self,
        config: TrainConfig,
        run: RunDir,
        engine: Engine,
        reals: np.ndarray,
        log: StepLog,
        progress: Progress,
        written: dict[str, Any],
    ) -> None:
        """``written``: what config.json says, which each checkpoint holds too."""
        self._config, self._run, self._engine, self._reals = config, run, engine, reals
        self._log, self._progress, self._written = log, progress, written
        self._fixed = noise.latents(config.seed, "samples", 0, len(reals), config.latent)
        self._saved = time.monotonic()

    def save(self, step: int, epoch_end: bool) -> bool:
        """Samples, weights, a checkpoint and curves after ``step``; did all of it work?

        Only the end of an epoch leaves a line in the log: where a run is stopped must not show in it.
        Raises NonFinite where a weight isn't finite: such weights are never saved.
        """
        state = self._state(step)
        samples = self._engine.generate(self._fixed)
        if epoch_end and len(samples) > 1:
            self._log.add_variety(step, watch.variety(samples, self._reals), self._progress)
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
        weights = {name: state.arrays[key] for key, name in WEIGHTS.items() if key in state.arrays}
        return all(
            [
                self._try(lambda: self._run.save_samples(step, samples)),
                self._try(lambda: self._run.save_weights(weights)),
            ]
        )

    def _checkpoint(self, step: int, state: State) -> bool:
        self._saved = time.monotonic()

        def write() -> None:
            try:
                mark = self._log.file.mark()
            except OSError as error:
                raise MxganError(f"{self._run.log}: can't be written ({error.strerror or error})") from error
            checkpoint.save(self._run.checkpoints, checkpoint.Checkpoint(step, state, mark, self._written))
            checkpoint.prune(self._run.checkpoints, step)

        return self._try(write)

    def _state(self, step: int) -> State:
        self._log.flush(self._progress)
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
