"""How a run ends: its learning rates fall to zero, and netD's augmentation drops color.

Falling rates let both networks come to rest, as CycleGAN's do (Zhu et al. 2017, arXiv:1703.10593). At first, color
keeps the pictures' colours varied, but it hides the distribution of brightness from netD; without it, netG learns that
last. benchmarks/quality.md says what each part brings. Only the step's number counts, so a resumed run goes on exactly.
"""

from __future__ import annotations

import dataclasses

from mxgan.config import TrainConfig


def begins(config: TrainConfig, steps: int) -> int:
    """The first step (from 1 on) of the finish of a run of ``steps``; ``steps`` + 1 if it has none.

    ``config`` is resolved: its ``finish`` is the share of the steps.
    """
    return steps + 1 - round(config.finish * steps)


def rate(config: TrainConfig, step: int, steps: int) -> float:
    """The factor of both learning rates at ``step`` of ``steps``: 1, then falling linearly towards 0 in the finish."""
    first = begins(config, steps)
    return 1.0 if step < first else (steps + 1 - step) / (steps + 1 - first)


def settings(config: TrainConfig, step: int, steps: int) -> TrainConfig:
    """``config`` at ``step`` of ``steps``: without color in the finish."""
    if step < begins(config, steps):
        return config
    parts = [part for part in config.augment.split(",") if part != "color"]
    return dataclasses.replace(config, augment=",".join(parts))
