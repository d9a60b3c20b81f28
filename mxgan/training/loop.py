"""The loop: any engine's steps, one after the other. `mxgan.training.start` begins a run or goes on with one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from mxgan.engines.protocol import Batch
from mxgan.errors import TrainingError
from mxgan.recipe import finish
from mxgan.training import batches, ending, log, signals, validation
from mxgan.training.advice import Advice
from mxgan.training.artifacts import Saver, restore_best
from mxgan.training.board import Board
from mxgan.training.log import StepLog
from mxgan.training.progress import Progress
from mxgan.training.run import Run
from mxgan.training.setup import Setup, Start
from mxgan.words import counted


def run(setup: Setup, start: Start, advice: Advice) -> Run:
    """Make the steps after ``start``, in the run's folder, and write down how they ended.

    ``advice``: in whose words the user is told how to go on.
    Raises TrainingError where a number isn't finite, or where the last step's files can't be written.
    """
    path, length = setup.run.path, setup.length
    notes = list(start.notes)
    earlier = _earlier_records(setup, start, notes)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(contextlib.closing(log.LogFile(setup.run.log, start.mark.bytes)))
        progress = stack.enter_context(Progress(start.step, length.steps, length.epochs))
        stop = stack.enter_context(signals.watch())
        board = Board(path, start.step, progress.say) if setup.config.tensorboard else None
        if board is not None:
            stack.callback(board.close)
        step_log = StepLog(file, earlier, length.per_epoch, setup.config.batch_size, progress, board)
        ending.greet(setup, notes, progress)
        if start.step == length.steps:
            done = f"all {counted(length.steps, 'step')} are done already"
            progress.say(f"{done}; to go on: {advice.longer(path, length.steps)}")
        if step_log.scores:
            progress.scored(step_log.scores[-1].value)
        with ending.told_by_state_json(setup.run, start.step, length.steps, progress):
            step = _make_steps(setup, start.step, Saver(setup, step_log, progress, board), step_log, progress, stop)
        progress.close()
        ending.write_state(setup.run, step, length.steps, progress)
        ending.say_goodbye(setup, step, step_log.scores, advice, progress)
    return Run(path, step, stop.signal if step < length.steps else 0, length.steps)


def _make_steps(
    setup: Setup, start: int, saver: Saver, step_log: StepLog, progress: Progress, stop: signals.Stop
) -> int:
    """Make the steps after ``start``; returns how many are done, fewer than planned when stopped."""
    config, engine = setup.config, setup.engine
    per_epoch, steps = setup.length
    has_finish = bool(finish.plan(config, steps))
    step, whole = start, True
    if start == steps:
        whole = saver.save_files(step)  # its checkpoint was written, perhaps not all else

    for (step, indices), batch in _batches(setup, start):
        step_log.add(step, indices, engine.train_step(batch))
        stop.signal = setup.team.agreed(stop.signal)
        if stop.signal:
            progress.say(f"stopping: saving after step {step} (once more stops at once)")
        last = step == steps or bool(stop.signal)
        epoch_end = step % per_epoch == 0
        if last or epoch_end:
            finish_end = has_finish and step == steps
            due = epoch_end and validation.is_due(step, config.evaluate_every, per_epoch)
            # The end of a finish is scored wherever in an epoch it falls
            scored = due or (finish_end and config.evaluate_every > 0)
            whole = saver.save(step, epoch_end, scored, finish_end)
        elif saver.due():
            saver.save_checkpoint(step)
        if last:
            break
    if not whole:
        raise TrainingError(f"{setup.run.path}: the last step's files can't all be written; make room, then resume")
    return step


def follow(setup: Setup, start: int) -> Run:
    """Make the steps after ``start`` with the others of a team. The first process does all else."""
    done = start
    with signals.watch() as stop:
        for (done, _), batch in _batches(setup, start):  # noqa: B007  # the last one counts
            setup.engine.train_step(batch)
            stop.signal = setup.team.agreed(stop.signal)
            if stop.signal:
                break
    stopped = stop.signal if done < setup.length.steps else 0
    return Run(setup.run.path, done, stopped, setup.length.steps)


def _batches(setup: Setup, start: int) -> Iterator[tuple[tuple[int, np.ndarray], Batch]]:
    """((step, its faces' indices), this process's share of the batch) for each step after ``start``."""
    config, images, steps = setup.config, setup.faces.images, setup.length.steps
    part = setup.team.place.share(config.batch_size)

    def inputs(place: tuple[int, np.ndarray]) -> Batch:
        return batches.share(batches.inputs(config, place[0], steps, images[place[1]]), part)

    order = enumerate(batches.indices(config.seed, len(images), config.batch_size, start, steps), start + 1)
    return batches.ahead(inputs, order)


def _earlier_records(setup: Setup, start: Start, notes: list[str]) -> list[dict]:
    """The log's records up to where the run goes on; the best netG becomes what it was then. May add to ``notes``."""
    path = setup.run.log
    known = log.begins_as(path, start.mark)
    earlier = log.read_log(path, start.mark.bytes)
    if not known:
        notes.append(f"warning: {path} isn't what it was: some of its lines are lost; the run itself is whole")
    if known or validation.of(earlier):
        restore_best(setup.run, validation.of(earlier), notes.append)
    return earlier
