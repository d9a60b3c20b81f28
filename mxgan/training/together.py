"""A run that several processes train: the first one writes it, and tells the others what it is.

The others compute. They read no run directory, so their hosts needn't share a disk; but each opens the faces itself.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mxgan import engines
from mxgan.config import TrainConfig, parse_ctx, resolve
from mxgan.engines.protocol import State, Team
from mxgan.errors import MxganError
from mxgan.faces import open_faces
from mxgan.processes import Place
from mxgan.training import loop, provenance
from mxgan.training.run import Run
from mxgan.training.run_dir import RunDir
from mxgan.training.setup import Length, Setup

RESTARTS = "TORCHELASTIC_RESTART_COUNT"  # torchrun's: how often it has started the processes anew
OF_EACH = ("out", "ctx", "threads")  # settings in which processes may differ


@dataclass(frozen=True)
class Word:
    """What the first process tells the others of the run."""

    path: str
    config: TrainConfig
    ctx: str
    step: int
    length: Length
    state: State
    versions: dict[str, str]


class Answer(NamedTuple):
    """What each process says to that."""

    fingerprint: str = ""  # of its faces
    error: str = ""


def placed(config: TrainConfig, place: Place) -> TrainConfig:
    """``config`` for one process of several: PyTorch, on the GPU of its number on this host."""
    if place.count == 1:
        return config
    place.share(resolve(config).batch_size)
    ctx = f"gpu:{place.local}" if config.ctx == "gpu" else config.ctx
    return dataclasses.replace(config, engine="pytorch", ctx=ctx)


def same(team: Team, values: dict[str, Any]) -> None:
    """Raise MxganError, on all, unless all processes were asked for the same run; it names the first difference."""
    mine = {name: value for name, value in values.items() if name not in OF_EACH}
    first, *others = team.told(mine)
    for rank, other in enumerate(others, 1):
        for name in sorted({*first, *other}):
            if first.get(name) != other.get(name):
                raise MxganError(
                    f"rank {rank} was asked for {name} {other.get(name)!r}, rank 0 for {first.get(name)!r}: "
                    "start all processes with the same command"
                )


def lead(setup: Setup, config: TrainConfig, step: int) -> None:
    """Tell the others what the run is and where it begins. Raises MxganError, on all, where one can't follow."""
    if setup.team.place.count == 1:
        return
    engine, versions = setup.engine, provenance.versions(setup.engine)
    word = Word(str(setup.run.path), config, engine.ctx, step, setup.length, engine.state(), versions)
    setup.team.from_first(word)
    _check(setup.team.told(Answer(setup.faces.fingerprint)))


def follow(team: Team) -> Run:
    """Compute a run that the first process leads, to its end. Raises as `lead`, and Deserted where one is gone."""
    word: Word = team.from_first(None)
    config = dataclasses.replace(word.config, ctx=_own(word.ctx, team.place))
    faces, engine, error = None, None, ""
    try:
        faces = open_faces(config.data, config.size, config.fit, unique=config.unique)
        choice = engines.choose(config.engine, config.ctx, config.threads)
        engine = engines.build(choice, resolve(config), team=team)
        error = _other_versions(provenance.versions(engine), word.versions)
    except (MxganError, ImportError) as problem:
        error = str(problem)
    _check(team.told(Answer(faces.fingerprint if faces else "", error)))
    assert faces is not None and engine is not None  # else there was an error
    engine.load_state(word.state)
    setup = Setup(resolve(config), RunDir(Path(word.path)), faces, engine, word.length, {}, team)
    return loop.follow(setup, word.step)


def restarted() -> bool:
    """Has torchrun started the processes of this run anew, after one of them had ended?"""
    return os.environ.get(RESTARTS, "0") != "0"


def _own(ctx: str, place: Place) -> str:
    return f"gpu:{place.local}" if parse_ctx(ctx)[0] == "gpu" else ctx


def _other_versions(mine: dict[str, str], firsts: dict[str, str]) -> str:
    for name, version in firsts.items():
        if mine.get(name) != version:
            return f"{name} {mine.get(name)}, and {version} on rank 0: install the same on all"
    return ""


def _check(answers: list[Answer]) -> None:
    for rank, answer in enumerate(answers):
        if answer.error:
            raise MxganError(f"rank {rank}: {answer.error}")
        if answer.fingerprint != answers[0].fingerprint:
            raise MxganError(
                f"rank {rank} has other faces (fingerprint {answer.fingerprint[:8]}) than rank 0 "
                f"({answers[0].fingerprint[:8]}): give all processes the same data"
            )
