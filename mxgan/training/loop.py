"""The training loop: any engine, any data, one run directory; `resume` goes on exactly where a run stopped."""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import config as configuration
from mxgan import engines, noise
from mxgan.config import TrainConfig
from mxgan.errors import MxganError, TrainingError
from mxgan.faces import Faces, open_faces
from mxgan.training import batches, checkpoint, circumstances, log_file, resuming, run_dir, signals
from mxgan.training.progress import Progress
from mxgan.training.saving import Saver
from mxgan.training.step_log import NonFinite, StepLog

SAMPLES = 64  # faces in a picture of samples


@dataclass(frozen=True)
class Run:
    """A run that has ended: where it is, how far it came, and the signal that stopped it (0: it finished)."""

    path: Path
    step: int
    stopped_by: int = 0


@dataclass(frozen=True)
class Setup:
    """What a run works with, once everything the user asked for has turned out to be possible."""

    config: TrainConfig
    run: run_dir.RunDir
    faces: Faces
    engine: engines.Engine
    per_epoch: int  # steps
    steps: int


def train(config: TrainConfig) -> Run:
    """Train as ``config`` says; everything made is in the run directory, whose path is returned.

    Raises MxganError before anything is written where the configuration, the data, the weights or the engine is wrong,
    and TrainingError where the run itself goes wrong.
    """
    config = configuration.resolve(config)
    run_dir.check_out(config.out)
    weights = _starting_weights(config)
    choice = engines.choose(config.engine, config.ctx, config.threads)
    faces = open_faces(config.data, config.size, config.fit)
    per_epoch, steps = _length(config, faces)
    engine = engines.build(choice, config)
    engine.load_weights(weights)

    run = run_dir.create(config)
    with run_dir.locked(run):
        run.write_json("config.json", {**configuration.to_json(config), **circumstances.collect(engine, faces)})
        run.save_reals(_reals(config, faces))
        if faces.skipped:
            run.write_lines("skipped.txt", [f"{skipped.path}: {skipped.reason}" for skipped in faces.skipped])
        setup = Setup(config, run, faces, engine, per_epoch, steps)
        if weights:
            checkpoint.save(run.checkpoints, 0, engine.state(), {"log_bytes": 0})  # the file may change until a resume
        return _run(setup, 0, 0, [f"engine {engine.name} on {engine.ctx}: {choice.why}"])


def resume(path: str | Path, changes: Optional[dict[str, Any]] = None) -> Run:
    """Go on with the run at ``path`` from its newest sound checkpoint, bit for bit as if it had never stopped.

    ``changes``: settings to change, by `TrainConfig`'s names. Raises MxganError with the difference where one of them,
    or the data, would make it another run; where the run isn't one, is at work, or has no sound checkpoint left.
    """
    run = run_dir.RunDir(Path(path))
    if not (run.path / "config.json").is_file():
        raise MxganError(f"--resume {path}: no run directory (it has no config.json); give the folder of a run")
    with run_dir.locked(run):
        config = resuming.changed(configuration.load(run.path / "config.json"), changes or {})
        written = run.read_json("config.json")
        notes: list[str] = []
        saved = checkpoint.newest(run.checkpoints, notes.append)
        choice = engines.choose(config.engine, config.ctx, config.threads)
        faces = open_faces(config.data, config.size, config.fit)
        _check_same_faces(faces, written)
        per_epoch, steps = _length(config, faces)
        start = saved.step if saved else 0
        if steps < start:
            raise MxganError(f"--resume {path}: the run is at step {start} already, past the {steps} asked for")
        engine = engines.build(choice, config)
        if saved:
            engine.load_state(saved.state)
        now = circumstances.collect(engine, faces)
        different = resuming.inexact(written, now)
        if different:
            notes.append(f"warning: from here on not bit for bit the run it was ({'; '.join(different)})")
        run.remove_leftovers()
        run.write_json("config.json", {**configuration.to_json(config), **now})
        setup = Setup(config, run, faces, engine, per_epoch, steps)
        notes.append(f"going on after step {start}" if saved else "no checkpoint yet: starting at the first step")
        return _run(setup, start, saved.facts["log_bytes"] if saved else 0, notes)


def _run(setup: Setup, start: int, log_bytes: int, notes: list[str]) -> Run:
    """Run the steps after ``start``, and write down how it ended."""
    config, run = setup.config, setup.run
    earlier = log_file.read(run.log, log_bytes)
    log = StepLog(log_file.LogFile(run.log, log_bytes), earlier, setup.per_epoch, config.batch_size)
    epochs = math.ceil(setup.steps / setup.per_epoch)
    with contextlib.closing(log.file), Progress(start, setup.steps, epochs) as progress, signals.watch() as stop:
        progress.say(f"{run.path}: {config.recipe}, {setup.steps} steps of {config.batch_size} faces, {config.data}")
        if setup.faces.skipped:
            progress.say(f"{len(setup.faces.skipped)} files skipped: {run.path / 'skipped.txt'} says which and why")
        for note in notes:
            progress.say(note)
        state: dict[str, Any] = {"state": "running", "step": start, "steps": setup.steps, "pid": os.getpid()}
        run.write_json("state.json", state)
        try:
            step = _steps(setup, start, log, progress, stop)
        except NonFinite as error:
            run.write_json("failed.json", {"step": error.step, "indices": error.indices.tolist(), "why": str(error)})
            run.write_json("state.json", {**state, "state": "failed", "step": error.step, "why": str(error)})
            raise
        run.write_json("state.json", {**state, "state": "stopped" if step < setup.steps else "finished", "step": step})
        if step < setup.steps:
            progress.say(f"stopped after step {step} of {setup.steps}; to go on: mxgan train --resume {run.path}")
        progress.say(
            f"pictures {run.path / 'samples'}, curves {run.path / 'curves.png'}, weights {run.path / 'netG.params'}"
        )
        progress.say(f"new faces: mxgan generate --weights {run.path} --out faces.png")
    return Run(run.path, step, stop.signal if step < setup.steps else 0)


def _steps(setup: Setup, start: int, log: StepLog, progress: Progress, stop: signals.Stop) -> int:
    """Run the steps; returns how many are done, fewer than planned when stopped."""
    config, engine, images = setup.config, setup.engine, setup.faces.images
    saver = Saver(config, setup.run, engine, _reals(config, setup.faces), log, progress)
    step = start
    if start == setup.steps:  # its checkpoint was written, perhaps not all else
        saver.save(step, np.empty(0, np.int64), epoch_end=False)
    for indices in batches.indices(config.seed, len(images), config.batch_size, start, setup.steps):
        step += 1
        z = noise.latents(config.seed, "D step", step, config.batch_size, config.latent)
        z_g = None
        if config.settings.fresh_latents:
            z_g = noise.latents(config.seed, "G step", step, config.batch_size, config.latent)
        log.add(step, indices, engine.train_step(images[indices], z, z_g), progress)
        last = step == setup.steps or bool(stop.signal)
        epoch_end = step % setup.per_epoch == 0
        if last or epoch_end:
            whole = saver.save(step, indices, epoch_end)
            if last and not whole:
                raise TrainingError(
                    f"{setup.run.path}: the last step's files can't all be written; make room, then resume"
                )
        elif saver.due():
            saver.save_checkpoint(step, indices)
        if last:
            break
    return step


def _length(config: TrainConfig, faces: Faces) -> tuple[int, int]:
    """Steps in an epoch, and in the run."""
    if config.batch_size > len(faces.images):
        raise MxganError(f"batch_size {config.batch_size}: larger than the data, which has {len(faces.images)} faces")
    per_epoch = batches.steps_per_epoch(len(faces.images), config.batch_size)
    return per_epoch, config.steps or config.epochs * per_epoch


def _reals(config: TrainConfig, faces: Faces) -> np.ndarray:
    """As many real faces as there are in a picture of samples: the first of the run's own order."""
    return faces.images[noise.order(config.seed, 0, len(faces.images))[:SAMPLES]]


def _starting_weights(config: TrainConfig) -> dict[str, Any]:
    if config.weights is None:
        return {}
    from mxgan.weights import load_net

    return {"netG": load_net(config.weights, "generator").arrays}


def _check_same_faces(faces: Faces, written: dict[str, Any]) -> None:
    """Raise MxganError unless these are the faces that the run began with."""
    before = written.get("faces", {})
    if faces.fingerprint != before.get("fingerprint"):
        raise MxganError(
            f"data {faces.source}: not the faces that the run began with ({before.get('count')} then, "
            f"{len(faces.images)} now, fingerprint {before.get('fingerprint')} then, {faces.fingerprint} now): "
            "that is another run, start it anew with --out"
        )
