"""The training loop: any engine, any data, one run directory; `resume` goes on exactly where a run stopped."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import config as configuration
from mxgan import engines, rng
from mxgan.config import TrainConfig
from mxgan.engines.protocol import Batch, Engine, Weights
from mxgan.errors import MxganError, ParamsError, TrainingError
from mxgan.faces import Faces, open_faces
from mxgan.recipe import finish
from mxgan.training import artifacts, batches, checkpoint, log_file, provenance, resuming, run_dir, signals, validation
from mxgan.training.artifacts import Saver
from mxgan.training.progress import Progress
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
    engine: Engine
    per_epoch: int  # steps
    steps: int
    written: dict[str, Any]  # what config.json says


def train(config: TrainConfig) -> Run:
    """Train as ``config`` says; everything made is in the run directory, whose path is returned.

    Raises MxganError before anything is written where the configuration, the data, the weights or the engine is wrong,
    and TrainingError where the run itself goes wrong.
    """
    config = configuration.resolve(config)
    run_dir.check_out(config.out)
    weights = _starting_weights(config)
    choice = engines.choose_trainer(config)
    faces = open_faces(config.data, config.size, config.fit)
    per_epoch, steps = _length(config, faces)
    engine = engines.build(choice, config)
    _begin_with(weights, engine, config)

    run = run_dir.create(config)
    with run_dir.locked(run):
        run_dir.check_out(config.out)  # nobody has been faster
        run.remove_leftovers()  # of one that was killed here before it was a run
        run.save_reals(_reals(config, faces))
        if faces.skipped:
            run.write_lines("skipped.txt", [f"{skipped.path}: {skipped.reason}" for skipped in faces.skipped])
        written = {**configuration.to_json(config), **provenance.collect(engine, faces)}
        run.write_json("config.json", written)  # the last: from here on it is a run, which can be resumed
        setup = Setup(config, run, faces, engine, per_epoch, steps, written)
        if weights:  # the file may change until a resume
            checkpoint.save(run.checkpoints, checkpoint.Checkpoint(0, engine.state(), log_file.Mark(), written))
        return _run(setup, 0, log_file.Mark(), [f"engine {engine.name} on {engine.ctx}: {choice.why}"])


def resume(path: str | Path, changes: Optional[dict[str, Any]] = None) -> Run:
    """Go on with the run at ``path`` from its newest sound checkpoint, bit for bit as if it had never stopped.

    ``changes``: settings to change, by `TrainConfig`'s names. Raises MxganError with the difference where one of them,
    or the data, would make it another run; where the run isn't one, is at work, or has no sound checkpoint left.
    """
    changes = changes or {}
    run = run_dir.existing(Path(path))
    with run_dir.locked(run):
        before = run.read_json("config.json")
        config = resuming.changed(configuration.load(run.path / "config.json"), changes)
        notes: list[str] = []
        saved = checkpoint.newest(run.checkpoints, notes.append)
        if saved:
            resuming.check_same_run(before, saved.config)
        run_as = resuming.as_it_ran(config, changes, before)
        choice = engines.choose_trainer(run_as)
        faces = _same_faces(config, before)
        per_epoch, steps = _length(config, faces)
        start = saved.step if saved else 0
        if steps < start:
            raise MxganError(f"--resume {path}: the run is at step {start} already, past the {steps} asked for")
        made_as = configuration.resolve(configuration.from_json(saved.config)) if saved else config
        if steps == start and config.finish not in (0, made_as.finish):
            raise MxganError(f"finish {config.finish}: the run's {steps} steps are all made; give more --steps for it")
        engine = engines.build(choice, run_as)
        if saved:
            engine.load_state(saved.state)
        else:
            _begin_with(_starting_weights(config), engine, config)
        now = provenance.collect(engine, faces)
        because = resuming.inexact(before, now)
        if start < steps:
            because += resuming.replanned((made_as, _length(made_as, faces)[1]), (config, steps), start)
        if because:
            notes.append(f"warning: from step {start + 1} on not bit for bit the run it was ({'; '.join(because)})")
        failed = run.state()
        if failed.get("state") == "failed":
            notes.append(f"warning: it failed before ({failed.get('why')}) and will again unless something changes")
        written = resuming.written(config, before, now, start, because)
        run.remove_leftovers()
        run.write_json("config.json", written)
        setup = Setup(config, run, faces, engine, per_epoch, steps, written)
        notes.append(f"going on after step {start}" if saved else "no checkpoint yet: starting at the first step")
        return _run(setup, start, saved.log if saved else log_file.Mark(), notes)


def _run(setup: Setup, start: int, mark: log_file.Mark, notes: list[str]) -> Run:
    """Run the steps after ``start``, when the log was at ``mark``, and write down how it ended."""
    config, run = setup.config, setup.run
    known = log_file.is_as(run.log, mark)
    earlier = log_file.read(run.log, mark.bytes)
    if not known:
        notes.append(f"warning: {run.log} isn't what it was: some of its lines are lost; the run itself is whole")
    if known or validation.of(earlier):
        artifacts.restore_best(run, validation.of(earlier), notes.append)
    log = StepLog(log_file.LogFile(run.log, mark.bytes), earlier, setup.per_epoch, config.batch_size)
    epochs = math.ceil(setup.steps / setup.per_epoch)
    with contextlib.closing(log.file), Progress(start, setup.steps, epochs) as progress, signals.watch() as stop:
        progress.say(f"{run.path}: {config.recipe}, {setup.steps} steps of {config.batch_size} faces, {config.data}")
        if setup.faces.skipped:
            progress.say(f"{len(setup.faces.skipped)} files skipped: {run.path / 'skipped.txt'} says which and why")
        if config.evaluate_every and len(setup.faces.images) < validation.LEAST:
            notes.append(f"no scores: they need {validation.LEAST} faces, there are {len(setup.faces.images)}")
        for note in notes:
            progress.say(note)
        if log.scores:
            progress.scored(log.scores[-1].value)
        state: dict[str, Any] = {"state": "running", "step": start, "steps": setup.steps, "pid": os.getpid()}
        _write_down(run, "state.json", state, progress)
        try:
            step = _steps(setup, start, log, progress, stop)
        except NonFinite as error:
            failed = {**state, "state": "failed", "step": error.step, "why": str(error)}
            _write_down(run, "state.json", failed, progress)
            raise _failed(run, error, progress) from error
        except Exception as error:  # no room for the last files, not enough memory: `mxgan runs` tells why it ended
            why = str(error).partition("\n")[0] or type(error).__name__  # MXNet's have a stack trace below
            _write_down(run, "state.json", {**state, "state": "failed", "why": why}, progress)
            raise
        ended = "stopped" if step < setup.steps else "finished"
        _write_down(run, "state.json", {**state, "state": ended, "step": step}, progress)
        if step < setup.steps:
            again = f"mxgan train --resume {shlex.quote(str(run.path))}"
            progress.say(f"stopped after step {step} of {setup.steps}; to go on: {again}")
        best = validation.best(log.scores)
        if best and best.step < step:
            last = log.scores[-1]
            progress.say(
                f"best score {best.value} at step {best.step}, last {last.value} at step {last.step}: new faces come "
                f"from {run.path / run_dir.BEST}.params, of step {best.step}"
            )
        progress.say(
            f"pictures {run.path / 'samples'}, curves {run.path / 'curves.png'}, weights {run.path / 'netG.params'}"
        )
        progress.say(f"new faces: mxgan generate --weights {run.path} --out faces.png")
    return Run(run.path, step, stop.signal if step < setup.steps else 0)


def _steps(setup: Setup, start: int, log: StepLog, progress: Progress, stop: signals.Stop) -> int:
    """Run the steps; returns how many are done, fewer than planned when stopped."""
    config, engine, images = setup.config, setup.engine, setup.faces.images
    scorer = validation.Scorer(config, images) if len(images) >= validation.LEAST else None
    saver = Saver(config, setup.run, engine, _reals(config, setup.faces), log, progress, setup.written, scorer)
    step, whole = start, True
    if start == setup.steps:
        progress.say("all steps are done already: to go on, give more --epochs or --steps")
        whole = saver.save_files(step)  # its checkpoint was written, perhaps not all else

    def read(place: tuple[int, np.ndarray]) -> Batch:
        return batches.inputs(config, place[0], setup.steps, images[place[1]])

    order = enumerate(batches.indices(config.seed, len(images), config.batch_size, start, setup.steps), start + 1)
    for (step, indices), inputs in batches.ahead(read, order):
        stats = engine.train_step(inputs)
        log.add(step, indices, stats, progress)
        if stop.signal:
            progress.say(f"stopping: saving after step {step} (once more stops at once)")
        last = step == setup.steps or bool(stop.signal)
        epoch_end = step % setup.per_epoch == 0
        if last or epoch_end:
            finished = step == setup.steps >= finish.begins(config, setup.steps)
            due = epoch_end and validation.is_due(step, config.evaluate_every, setup.per_epoch)
            # the end of a finish is scored wherever in an epoch it falls
            whole = saver.save(step, epoch_end, due or (finished and config.evaluate_every > 0), finished)
        elif saver.due():
            saver.save_checkpoint(step)
        if last:
            break
    if not whole:
        raise TrainingError(f"{setup.run.path}: the last step's files can't all be written; make room, then resume")
    return step


def _write_down(run: run_dir.RunDir, name: str, value: dict[str, Any], progress: Progress) -> None:
    """Write what `mxgan runs` tells of a run. On a full disk it goes on, or ends, without."""
    try:
        run.write_json(name, value)
    except MxganError as error:
        progress.say(f"warning: {error}")


def _failed(run: run_dir.RunDir, error: NonFinite, progress: Progress) -> TrainingError:
    """What the user is told; the images of the step go into failed.json."""
    images = dict(zip(("indices", "indices_before"), (indices.tolist() for indices in reversed(error.indices))))
    _write_down(run, "failed.json", {"step": error.step, "why": str(error), **images}, progress)
    kept = checkpoint.steps(run.checkpoints)
    last = f"the checkpoint of step {kept[-1]} is kept" if kept else "there is no checkpoint yet"
    return TrainingError(
        f"{run.path}: {error}; {last}; "
        f"look at the images whose indices are in {run.path / 'failed.json'}, or start anew with another --seed, a "
        "larger --batch-size or other --weights"
    )


def _length(config: TrainConfig, faces: Faces) -> tuple[int, int]:
    """Steps in an epoch, and in the run."""
    if config.batch_size > len(faces.images):
        raise MxganError(f"batch_size {config.batch_size}: larger than the data, which has {len(faces.images)} faces")
    per_epoch = batches.steps_per_epoch(len(faces.images), config.batch_size)
    steps = config.steps or config.epochs * per_epoch
    if config.finish and finish.begins(config, steps) > steps:
        raise MxganError(f"finish {config.finish}: of {steps} steps that is none; give a larger share, or 0")
    return per_epoch, steps


def _reals(config: TrainConfig, faces: Faces) -> np.ndarray:
    """As many real faces as there are in a picture of samples: the first of the run's own order."""
    return faces.images[rng.order(config.seed, 0, len(faces.images))[:SAMPLES]]


def _starting_weights(config: TrainConfig) -> dict[str, Any]:
    if config.weights is None:
        return {}
    from mxgan.weights import check_finite, load_net

    net = load_net(config.weights, "generator")
    check_finite(net, config.weights)
    return {"netG": net.arrays}


def _begin_with(weights: Weights, engine: Engine, config: TrainConfig) -> None:
    try:
        engine.load_weights(weights)
    except ParamsError as error:
        raise ParamsError(f"--weights {config.weights}: not this run's netG: {error}") from error


def _same_faces(config: TrainConfig, written: dict[str, Any]) -> Faces:
    """The faces that the run began with. Raises MxganError if they aren't there, or are others."""
    try:
        faces = open_faces(config.data, config.size, config.fit)
    except MxganError as error:
        raise MxganError(f"{error}; if the run's faces are elsewhere now, say where with --data") from error
    before = resuming.part(written, "faces")
    if faces.fingerprint != before.get("fingerprint"):
        raise MxganError(
            f"data {faces.source}: not the faces that the run began with ({before.get('count')} then, "
            f"{len(faces.images)} now, fingerprint {before.get('fingerprint')} then, {faces.fingerprint} now): "
            "that is another run, start it anew with --out"
        )
    return faces
