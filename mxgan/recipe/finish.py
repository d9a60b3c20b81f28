"""How a run ends: learning rates that fall to zero, and no color among netD's augmentations any more.

Falling rates let both networks come to rest, as CycleGAN's do (Zhu et al. 2017, arXiv:1703.10593). Color keeps the
pictures' colours apart at first, but hides from netD how brightness is spread; without it, netG learns that last.
What each brings is in benchmarks/quality.md. A step's place in the run decides, so a resumed run goes on exactly.
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
    """What both learning rates are multiplied by at ``step`` of ``steps``: 1, and in the finish linearly towards 0."""
    first, last = plan(config, steps)
    return 1.0 if step < first else (last + 1 - step) / (last + 1 - first)


def settings(config: RunConfig, step: int, steps: int) -> RunConfig:
    """``config`` as it holds at ``step`` of ``steps``: in the finish without color."""
    if step < plan(config, steps).first:
        return config
    parts = [part for part in config.augment.split(",") if part != "color"]
    return dataclasses.replace(config, augment=",".join(parts))
