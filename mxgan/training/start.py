"""A run begins: `train` starts one, `resume` goes on exactly where one stopped. `loop` makes the steps."""

from __future__ import annotations

import dataclasses
import difflib
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from mxgan import config as configuration
from mxgan import engines, run_names
from mxgan.config import TrainConfig, resolve
from mxgan.engines.protocol import Engine, Team, Weights
from mxgan.errors import Interrupted, MxganError, ParamsError, in_shell
from mxgan.faces import Faces, open_faces
from mxgan.training import board, checkpoint, loop, provenance, resuming, run_dir, starting_weights, together
from mxgan.training.advice import Advice
from mxgan.training.log import Mark
from mxgan.training.run import Run
from mxgan.training.setup import Length, Setup, Start, length

OTHER_WORDS = {  # for settings, elsewhere
    "lr": "lr_g and lr_d", "learning_rate": "lr_g and lr_d", "device": "ctx", "gpu": "ctx='gpu'", "backend": "engine",
    "image_size": "size", "resolution": "size", "nz": "latent", "z_dim": "latent", "workers": "threads",
    "folder": "data or out", "output": "out", "path": "data or out",
}  # fmt: skip


def train(config: Union[TrainConfig, str, os.PathLike, None] = None, **settings: Any) -> Run:
    """Train on faces; everything made is in the run directory, which is the returned run's ``path``.

    ``config``: a TrainConfig, or its data alone. ``settings``: any of its settings, beside it or instead of it, as in
    ``train("photos", epochs=5)``.
    Raises MxganError before anything is written where the configuration, the data, the weights or the engine is wrong,
    TrainingError where the run itself goes wrong, and Interrupted, a KeyboardInterrupt that has the ``run``, where
    Ctrl-C or a notebook's stop button ended it after it was saved. SIGTERM saves too, and raises SystemExit.
    """
    return _or_interrupted(begin(asked(config, settings), Advice()))


def begin(config: TrainConfig, advice: Advice) -> Run:
    """What `train` does, with an end by Ctrl-C or SIGTERM as a run that says so. ``advice``: how its user goes on."""
    team = engines.join(config.engine)
    config = together.placed(config, team.place)
    together.same(team, configuration.to_json(config))
    if together.restarted() and config.out and run_names.is_run(Path(config.out)):
        return _go_on(team, config.out, {}, advice)
    if not team.place.first:
        return together.follow(team)
    config, faces, engine, steps, weights, notes = prepared(config, open_faces, team)
    run = run_dir.create(config)
    with run_dir.locked(run):
        run_dir.check_out(config.out)  # nobody has been faster
        run.remove_leftovers()  # of one that was killed here before it was a run
        written = {**configuration.to_json(config), **provenance.collect(engine, faces, team.place.count)}
        setup = Setup(resolve(config), run, faces, engine, steps, written, team)
        together.lead(setup, config, 0)
        run.save_reals(setup.reals())
        if faces.skipped:
            run.write_lines("skipped.txt", [f"{skipped.path}: {skipped.reason}" for skipped in faces.skipped])
        run.write_json("config.json", written)  # the last: from here on it is a run, which can be resumed
        if weights:  # the file may change until a resume
            checkpoint.save(run.checkpoints, checkpoint.Checkpoint(0, engine.state(), Mark(), written))
        return loop.run(setup, Start(notes=notes), advice)


class Prepared(NamedTuple):
    """What a new run begins with, all of it checked."""

    config: TrainConfig  # with what the weights and the engine decided
    faces: Faces
    engine: Engine
    length: Length
    weights: Weights  # that netG begins with; empty: they are drawn
    notes: tuple[str, ...]  # lines for the user


def prepared(config: TrainConfig, look: Callable[..., Faces], team: Optional[Team] = None) -> Prepared:
    """Check everything that ``config`` asks for, and build the engine; nothing is written but what ``look`` writes.

    ``look``: `open_faces`, or `survey`. ``team``: those who share each batch. Raises MxganError as `train` does.
    """
    run_dir.check_out(config.out)
    if config.tensorboard:
        board.check()
    config, weights, told = starting_weights.read(config)
    choice = engines.choose_trainer(config)
    line = choice.line(config.ctx)
    config = engines.as_computed(config, choice.ctx)
    faces = look(config.data, config.size, config.fit, unique=config.unique)
    steps = length(config, faces)
    engine = engines.build(choice, resolve(config), team=team)
    _begin_with(weights, engine, config)
    return Prepared(config, faces, engine, steps, weights, (line, *told))


def resume(path: Union[str, os.PathLike], changes: Optional[Mapping[str, Any]] = None, **settings: Any) -> Run:
    """Go on with a run from its newest sound checkpoint, bit for bit as if it had never stopped.

    ``path``: its folder, the name that ``mxgan runs`` prints, or ``last``. ``settings``: what is to change, by
    `TrainConfig`'s names, as in ``resume("faces", steps=2000)``; ``changes``: the same as a dict. ``epochs`` or
    ``steps``, ``finish``, ``checkpoint_minutes``, ``evaluate_every``, ``tensorboard`` and the place of the ``data`` may
    change, and ``engine``, ``ctx`` and ``threads``, after which the run is no longer bit-exact.
    Raises MxganError with the difference where a change, or the data, would make it another run; where the run isn't
    one, is at work, or has no sound checkpoint left; Interrupted as `train` does.
    """
    if not isinstance(changes, (Mapping, type(None))):
        raise MxganError(f"{changes!r}: settings are given by name, as in resume(run, steps=2000)")
    changes = {**(changes or {}), **settings}
    _check_names(changes)
    wanted = TrainConfig(**changes)  # refuses what no run can have
    changes = {name: getattr(wanted, name) for name in changes}
    shown = run_names.from_here(path.path) if isinstance(path, Run) else path
    return _or_interrupted(go_on(shown, changes, Advice()))


def go_on(path: Union[str, os.PathLike], changes: Mapping[str, Any], advice: Advice) -> Run:
    """What `resume` does with sound ``changes``, and an end by Ctrl-C or SIGTERM as `begin` does."""
    team = engines.join(changes.get("engine", "auto"))
    together.same(team, {"run": str(path), **changes})
    return _go_on(team, path, changes, advice)


def _go_on(team: Team, path: Union[str, os.PathLike], changes: Mapping[str, Any], advice: Advice) -> Run:
    if not team.place.first:
        return together.follow(team)
    run = run_dir.existing(path)
    with run_dir.locked(run):
        plan = resuming.plan(run, dict(changes))
        team.place.share(resolve(plan.config).batch_size)
        engine = engines.build(plan.choice, resolve(plan.config), team=team)
        if plan.saved:
            engine.load_state(plan.saved.state)
        else:
            _begin_with(starting_weights.read(plan.config).weights, engine, plan.config)
        written, notes = resuming.written(plan, provenance.collect(engine, plan.faces, team.place.count))
        run.remove_leftovers()
        run.write_json("config.json", written)
        setup = Setup(resolve(plan.config), run, plan.faces, engine, plan.length, written, team)
        together.lead(setup, plan.config, plan.step)
        return loop.run(setup, Start(plan.step, plan.saved.log if plan.saved else Mark(), notes), advice)


def _or_interrupted(run: Run) -> Run:
    """The run, unless a signal stopped it: what comes after a call from Python must not go on as if it had finished."""
    lasting = dataclasses.replace(run, path=Path(os.path.abspath(run.path)))  # the caller may go to another folder
    if run.stopped_by == signal.SIGINT:
        done = f"stopped after step {run.step:,} of {run.steps:,}, saved"
        raise Interrupted(f"{done}; {Advice().resume(run.path)} goes on", lasting)
    if run.stopped_by:
        raise SystemExit(128 + run.stopped_by)
    return lasting


def asked(config: Union[TrainConfig, str, os.PathLike, None], settings: Mapping[str, Any]) -> TrainConfig:
    """One TrainConfig of what `train` was given. Raises MxganError where that can't be."""
    _check_names(settings)
    if isinstance(config, TrainConfig):
        return dataclasses.replace(config, **settings)
    if config is None:
        return TrainConfig(**settings)
    if not isinstance(config, (str, os.PathLike)):
        raise MxganError(f"train takes a TrainConfig, or data as in train('photos'), not {type(config).__name__}")
    if "data" in settings:
        raise MxganError(f"data {settings['data']!r} and {config!r}: give one of the two")
    return TrainConfig(data=os.fspath(config), **settings)


def _check_names(settings: Mapping[str, Any]) -> None:
    known = [field.name for field in dataclasses.fields(TrainConfig)]
    for name in settings:
        if name not in known:
            close = OTHER_WORDS.get(name) or " ".join(difflib.get_close_matches(name, known, n=1))
            hint = f"did you mean {close}?" if close else f"one of {', '.join(known)}"
            raise MxganError(f"{name}: no setting of a run; {hint}")


def _begin_with(weights: Weights, engine: Engine, config: TrainConfig) -> None:
    try:
        engine.load_weights(weights)
    except ParamsError as error:
        raise ParamsError(f"--weights {config.weights}: not this run's netG: {in_shell(error)}") from error
