"""What a run works with, once everything that was asked for has turned out to be possible."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from mxgan import rng
from mxgan.config import RunConfig, TrainConfig, resolve
from mxgan.engines.protocol import Engine, Team
from mxgan.errors import SettingError
from mxgan.faces import Faces
from mxgan.processes import Alone
from mxgan.recipe import finish
from mxgan.training import batches
from mxgan.training.log import Mark
from mxgan.training.run_dir import RunDir
from mxgan.words import counted

SAMPLES = 64  # faces in a picture of samples


class Length(NamedTuple):
    """How long a run is."""

    per_epoch: int  # steps
    steps: int  # in all

    @property
    def epochs(self) -> int:
        """Passes over the faces; the last may be a part of one."""
        return math.ceil(self.steps / self.per_epoch)


@dataclass(frozen=True)
class Setup:
    """A run that is ready to make its steps."""

    config: RunConfig
    run: RunDir
    faces: Faces
    engine: Engine
    length: Length
    written: dict[str, Any]  # what config.json says
    team: Team = field(default_factory=Alone)  # the processes that share each batch

    def reals(self) -> np.ndarray:
        """As many real faces as a picture of samples has: the first of the run's own order, uint8 NHWC."""
        return self.faces.images[rng.order(self.config.seed, 0, len(self.faces.images))[:SAMPLES]]


@dataclass(frozen=True)
class Start:
    """Where the steps begin: after ``step``, when the log was at ``mark``. ``notes`` are lines for the user."""

    step: int = 0
    mark: Mark = field(default_factory=Mark)
    notes: tuple[str, ...] = ()


def too_few(faces: Faces) -> str:
    """What is wrong with a batch larger than the data, and what to do."""
    left_out = ""
    if faces.skipped:
        total = counted(len(faces.images) + len(faces.skipped), "file")
        left_out = f" ({len(faces.skipped)} of {total} skipped: `mxgan faces check {faces.source}` says why)"
    has = f"which has {counted(len(faces.images), 'face')}{left_out}"
    return f"larger than the data, {has}; give a smaller one, or more faces"


def length(config: TrainConfig, faces: Faces) -> Length:
    """How long the run is. Raises MxganError where the faces are too few, or its finish would have no steps."""
    run = resolve(config)
    count = len(faces.images)
    if run.batch_size > count:
        raise SettingError("batch_size", run.batch_size, too_few(faces))
    per_epoch = batches.steps_per_epoch(count, run.batch_size)
    steps = config.steps or config.passes * per_epoch
    if run.finish and not finish.plan(run, steps):
        raise SettingError("finish", run.finish, f"of {counted(steps, 'step')} that is none; give a larger share, or 0")
    return Length(per_epoch, steps)
