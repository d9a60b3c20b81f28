"""The training loop: any engine, any data, one run directory."""

from __future__ import annotations

import math
import platform
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import __version__, engines, noise
from mxgan.config import TrainConfig, resolve, to_json
from mxgan.errors import MxganError
from mxgan.faces import Faces, open_faces
from mxgan.training import batches, run_dir, signals
from mxgan.training.progress import Progress

SAMPLES = 64  # faces in a picture of samples
RATE_STEPS = 20  # images/s is a mean over this many steps


@dataclass(frozen=True)
class Run:
    """A run that has ended: where it is, how far it came, and the signal that stopped it (0: it finished)."""

    path: Path
    step: int
    stopped_by: int = 0


@dataclass(frozen=True)
class Plan:
    """How many steps a run has, and how many of them make an epoch."""

    steps: int
    per_epoch: int

    @property
    def epochs(self) -> int:
        return math.ceil(self.steps / self.per_epoch)

    def epoch(self, step: int) -> int:
        """The epoch, from 1, that the step (from 1) belongs to."""
        return math.ceil(step / self.per_epoch)


def train(config: TrainConfig) -> Run:
    """Train as ``config`` says; everything made is in the run directory, whose path is returned.

    Raises MxganError before anything is written where the configuration, the data, the weights or the engine is wrong.
    """
    config = resolve(config)
    run_dir.check_out(config.out)
    weights = _starting_weights(config)
    choice = engines.choose(config.engine, config.ctx)
    faces = open_faces(config.data, config.size, config.fit)
    plan = _plan(config, len(faces.images))
    engine = engines.build(choice, config)
    engine.load_weights(weights)

    run = run_dir.create(config)
    run.write_json("config.json", {**to_json(config), **_circumstances(engine, faces)})
    run.save_reals(faces.images[noise.order(config.seed, 0, len(faces.images))[:SAMPLES]])
    if faces.skipped:
        run.write_lines("skipped.txt", [f"{skipped.path}: {skipped.reason}" for skipped in faces.skipped])
    with Progress(0, plan.steps, plan.epochs) as progress, signals.watch() as stop:
        progress.say(f"{run.path}: {config.recipe}, {plan.steps} steps of {config.batch_size} faces, {faces.source}")
        progress.say(f"engine {engine.name} on {engine.ctx}: {choice.why}")
        if faces.skipped:
            progress.say(f"{len(faces.skipped)} files skipped: {run.path / 'skipped.txt'} says which and why")
        step = _steps(config, plan, engine, faces.images, run, progress, stop)
    return Run(run.path, step, stop.signal)


def _steps(
    config: TrainConfig,
    plan: Plan,
    engine: engines.Engine,
    images: np.ndarray,
    run: run_dir.RunDir,
    progress: Progress,
    stop: signals.Stop,
) -> int:
    """Run the steps; returns how many are done, fewer than planned when stopped."""
    fixed = noise.latents(config.seed, "samples", 0, SAMPLES, config.latent)
    log = _Log(config, plan, run, progress)
    step = 0
    for picks in batches.indices(config.seed, len(images), config.batch_size, 0, plan.steps):
        step += 1
        z = noise.latents(config.seed, "D step", step, config.batch_size, config.latent)
        z_g = None
        if config.settings.fresh_latents:
            z_g = noise.latents(config.seed, "G step", step, config.batch_size, config.latent)
        log.add(step, engine.train_step(images[picks], z, z_g))
        last = step == plan.steps or bool(stop.signal)
        if last or step % plan.per_epoch == 0:
            log.flush()
            run.save_weights(engine.weights())
            run.save_samples(step, engine.generate(fixed))
            run.save_curves()
        if last:
            break
    return step


class _Log:
    """Steps on their way into log.jsonl and onto the screen.

    A step's numbers are read after the next one has been handed to the engine: the engine never idles for the sake of
    the log, and never runs more than one step ahead of it.
    """

    def __init__(self, config: TrainConfig, plan: Plan, run: run_dir.RunDir, progress: Progress) -> None:
        self._config, self._plan, self._run, self._progress = config, plan, run, progress
        self._pending: Optional[tuple[int, engines.Stats]] = None
        self._start = time.monotonic()
        self._ends = deque([self._start], maxlen=RATE_STEPS + 1)

    def add(self, step: int, stats: engines.Stats) -> None:
        self.flush()
        self._pending = step, stats

    def flush(self) -> None:
        if self._pending is None:
            return
        (step, stats), self._pending = self._pending, None
        numbers = stats.read()
        self._ends.append(time.monotonic())
        seconds = self._ends[-1] - self._ends[0]
        record = {
            "step": step,
            "epoch": self._plan.epoch(step),
            **numbers,
            "images_per_s": round((len(self._ends) - 1) * self._config.batch_size / seconds, 1),
            "seconds": round(self._ends[-1] - self._start, 3),
        }
        self._run.append(record)
        self._progress.show(record)


def _plan(config: TrainConfig, n: int) -> Plan:
    if config.batch_size > n:
        raise MxganError(f"batch_size {config.batch_size}: larger than the data, which has {n} faces")
    per_epoch = batches.steps_per_epoch(n, config.batch_size)
    return Plan(config.steps or config.epochs * per_epoch, per_epoch)


def _starting_weights(config: TrainConfig) -> dict[str, Any]:
    if config.weights is None:
        return {}
    from mxgan.weights import load_net

    return {"netG": load_net(config.weights, "generator").arrays}


def _circumstances(engine: engines.Engine, faces: Faces) -> dict[str, Any]:
    """What else decides the outcome: versions, machine, data."""
    names = {"mxnet": "mxnet", "pytorch": "torch"}
    framework = sys.modules[names[engine.name]]
    return {
        "ran_on": {"engine": engine.name, "ctx": engine.ctx, "machine": platform.machine()},
        "versions": {
            "mxgan": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            names[engine.name]: framework.__version__,
        },
        "faces": {"count": len(faces.images), "skipped": len(faces.skipped), "fingerprint": faces.fingerprint},
    }
