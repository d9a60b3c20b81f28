"""What a run says as it begins, and how its end is written down and told."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mxgan.errors import Deserted, MxganError, TrainingError
from mxgan.training import board, checkpoint, validation
from mxgan.training.advice import Advice
from mxgan.training.log import NonFinite
from mxgan.training.progress import Progress
from mxgan.training.run_dir import RunDir
from mxgan.training.setup import Setup
from mxgan.weights.of_run import weights_file
from mxgan.words import counted


def greet(setup: Setup, notes: Sequence[str], progress: Progress) -> None:
    """Say what the run is, and what the user should know before it goes on."""
    config, run, count = setup.config, setup.run, len(setup.faces.images)
    data = setup.written["data"]
    steps, faces = counted(setup.length.steps, "step"), counted(config.batch_size, "face")
    progress.say(f"{run.path}: {config.recipe}, {steps} of {faces}, {data}")
    if setup.faces.skipped:
        progress.say(
            f"{counted(len(setup.faces.skipped), 'file')} skipped: {run.path / 'skipped.txt'} says which and why"
        )
    if config.tensorboard:
        progress.say(f"for TensorBoard: {run.path / board.FOLDER}; tensorboard --logdir {shlex.quote(str(run.path))}")
    for note in notes:
        progress.say(note)
    if config.evaluate_every and count < validation.LEAST:
        progress.say(f"no scores: they need {validation.LEAST} faces, and the data has {count}")


@contextmanager
def told_by_state_json(run: RunDir, start: int, steps: int, progress: Progress) -> Iterator[None]:
    """In this block state.json says that the run is at work, and after an error why it failed.

    Numbers that aren't finite become a TrainingError, which says where to look.
    """
    state: dict[str, Any] = {"state": "running", "step": start, "steps": steps, "pid": os.getpid()}
    _write(run, "state.json", state, progress)
    try:
        yield
    except NonFinite as error:
        _write(run, "state.json", {**state, "state": "failed", "step": error.step, "why": str(error)}, progress)
        raise _failed(run, error, progress) from error
    except Deserted as error:  # nothing is wrong with the run: state.json says of it what it says of a killed one
        raise _deserted(run, error) from error
    except Exception as error:  # no room for the last files, not enough memory: `mxgan runs` tells why it ended
        why = str(error).partition("\n")[0] or type(error).__name__  # MXNet's have a stack trace below
        _write(run, "state.json", {**state, "state": "failed", "why": why}, progress)
        raise


def write_state(run: RunDir, step: int, steps: int, progress: Progress) -> None:
    """Write down that the run ended after ``step``: finished, or stopped before all its ``steps``."""
    state = "stopped" if step < steps else "finished"
    _write(run, "state.json", {"state": state, "step": step, "steps": steps, "pid": os.getpid()}, progress)


def say_goodbye(
    setup: Setup, step: int, scores: Sequence[validation.Score], advice: Advice, progress: Progress
) -> None:
    """Say how to go on, where everything is and, as the last line, how good it is and what `generate` takes of it."""
    run, steps = setup.run, setup.length.steps
    if step < steps:
        progress.say(f"stopped after step {step:,} of {steps:,}; to go on: {advice.resume(run.path)}")
    progress.say(f"pictures {run.path / 'samples'}, curves {run.path / 'curves.png'}")
    score, best = _no_scores(setup, step), validation.best(scores)
    if best:
        last = f"; last {validation.shown(scores[-1].value)} at step {scores[-1].step}" if best != scores[-1] else ""
        score = f"best {validation.told(best)}{last}"
    progress.say(f"{score}; new faces from {weights_file(run.path)}: {advice.generate(run.path)}")


def _no_scores(setup: Setup, step: int) -> str:
    """Why a run without scores has none after ``step``; that its faces are too few, `greet` has said."""
    every, per_epoch = setup.config.evaluate_every, setup.length.per_epoch
    if not every:
        return "no scores, as asked"
    first = math.ceil(every / per_epoch) * per_epoch
    if step >= first or len(setup.faces.images) < validation.LEAST:
        return "no scores"
    return f"no scores yet: the first comes after {counted(first, 'step')}"


def _deserted(run: RunDir, error: Deserted) -> Deserted:
    kept = checkpoint.steps(run.checkpoints)
    last = f"the checkpoint of step {kept[-1]} is kept" if kept else "there is no checkpoint yet"
    return Deserted(f"{run.path}: {error}; {last}; resume the run")


def _failed(run: RunDir, error: NonFinite, progress: Progress) -> TrainingError:
    """What the user is told; the images of the step go into failed.json."""
    images = dict(zip(("indices", "indices_before"), (indices.tolist() for indices in reversed(error.indices))))
    _write(run, "failed.json", {"step": error.step, "why": str(error), **images}, progress)
    kept = checkpoint.steps(run.checkpoints)
    last = f"the checkpoint of step {kept[-1]} is kept" if kept else "there is no checkpoint yet"
    return TrainingError(
        f"{run.path}: {error}; {last}; "
        f"look at the images whose indices are in {run.path / 'failed.json'}, or start anew with another seed, a "
        "larger batch or other starting weights"
    )


def _write(run: RunDir, name: str, value: dict[str, Any], progress: Progress) -> None:
    """Write what `mxgan runs` tells of a run. On a full disk the run goes on, or ends, without it."""
    try:
        run.write_json(name, value)
    except MxganError as error:
        progress.say(f"warning: {error}")
