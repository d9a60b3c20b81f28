"""What a run writes between its steps: pictures, curves, weights, checkpoints. A full disk doesn't end the run."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from mxgan import noise
from mxgan.config import TrainConfig
from mxgan.engines import Engine, State
from mxgan.errors import MxganError
from mxgan.training import checkpoint, watch
from mxgan.training.progress import Progress
from mxgan.training.run_dir import RunDir
from mxgan.training.step_log import NonFinite, StepLog


class Saver:
    """Writes into the run directory, when asked and, for checkpoints, when it is time."""

    def __init__(
        self, config: TrainConfig, run: RunDir, engine: Engine, reals: np.ndarray, log: StepLog, progress: Progress
    ) -> None:
        self._config, self._run, self._engine, self._reals = config, run, engine, reals
        self._log, self._progress = log, progress
        self._fixed = noise.latents(config.seed, "samples", 0, len(reals), config.latent)
        self._saved = time.monotonic()

    def save(self, step: int, indices: np.ndarray, epoch_end: bool) -> bool:
        """Samples, weights, curves and a checkpoint after ``step``; did all of it work?

        Only the end of an epoch leaves a line in the log: where a run is stopped must not show in it.
        Raises NonFinite (``indices`` are the step's images) where a weight isn't finite: such weights are never saved.
        """
        state = self._state(step, indices)
        samples = self._engine.generate(self._fixed)
        if epoch_end:
            self._log.add_variety(step, watch.variety(samples, self._reals), self._progress)
        return all(
            [
                self._try(lambda: self._run.save_samples(step, samples)),
                self._try(lambda: self._run.save_weights({name: state.arrays[name] for name in ("netG", "netD")})),
                self._try(self._run.save_curves),
                self._checkpoint(step, state),
            ]
        )

    def save_checkpoint(self, step: int, indices: np.ndarray) -> None:
        """A checkpoint alone. Raises NonFinite as `save` does."""
        self._checkpoint(step, self._state(step, indices))

    def due(self) -> bool:
        """Is the last checkpoint ``checkpoint_minutes`` old?"""
        return time.monotonic() - self._saved >= 60 * self._config.checkpoint_minutes

    def _checkpoint(self, step: int, state: State) -> bool:
        self._saved = time.monotonic()
        facts = {"config": self._run.read_json("config.json")}

        def write() -> None:
            try:
                self._log.file.sync()
            except OSError as error:
                raise MxganError(f"{self._run.log}: can't be flushed ({error})") from error
            checkpoint.save(self._run.checkpoints, step, state, {"log_bytes": self._log.file.size, **facts})
            checkpoint.prune(self._run.checkpoints)

        return self._try(write)

    def _state(self, step: int, indices: np.ndarray) -> State:
        self._log.flush(self._progress)
        state = self._engine.state()
        for net, arrays in state.arrays.items():
            bad = [name for name, array in arrays.items() if not np.isfinite(array).all()]
            if bad:
                raise NonFinite(step, indices, f"{net} {', '.join(bad)}")
        return state

    def _try(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except (MxganError, OSError) as error:
            self._progress.say(f"warning: {error}; what was saved before is kept, the run goes on")
            return False
        return True
