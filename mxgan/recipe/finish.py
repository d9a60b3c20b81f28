"""How a run ends: its learning rates fall to zero, and netD's augmentation drops color.

Falling rates let both networks come to rest, as CycleGAN's do (Zhu et al. 2017, arXiv:1703.10593). At first, color
keeps the pictures' colours varied, but it hides the distribution of brightness from netD; without it, netG learns that
last. benchmarks/quality.md says what each part brings. Only the step's number counts, so a resumed run goes on exactly.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from mxgan.config import RunConfig


class FinishPlan(NamedTuple):
    """Which steps of a run are its finish, counted from 1; false where there are none."""

    first: int
    last: int  # of the run

    def __bool__(self) -> bool:
        return self.first <= self.last

    def __str__(self) -> str:
        return f"steps {self.first} to {self.last}" if self else "none"


def plan(config: RunConfig, steps: int) -> FinishPlan:
    """The finish of a run of ``steps``: the share of them that ``config.finish`` asks for."""
    return FinishPlan(steps + 1 - round(config.finish * steps), steps)


def rate(config: RunConfig, step: int, steps: int) -> float:
    """The factor of both learning rates at ``step`` of ``steps``: 1, then falling linearly towards 0 in the finish."""
    first, last = plan(config, steps)
    return 1.0 if step < first else (last + 1 - step) / (last + 1 - first)


def settings(config: RunConfig, step: int, steps: int) -> RunConfig:
    """``config`` at ``step`` of ``steps``: without color in the finish."""
    if step < plan(config, steps).first:
        return config
    parts = [part for part in config.augment.split(",") if part != "color"]
    return dataclasses.replace(config, augment=",".join(parts))
