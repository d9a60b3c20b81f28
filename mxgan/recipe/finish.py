"""How a run ends: learning rates that fall to zero, and no color among netD's augmentations any more.

Falling rates let both networks come to rest, as CycleGAN's do (Zhu et al. 2017, arXiv:1703.10593). Color keeps the
pictures' colours apart at first, but hides from netD how brightness is spread; without it, netG learns that last.
What each brings is in benchmarks/quality.md. A step's place in the run decides, so a resumed run goes on exactly.
"""

from __future__ import annotations

import dataclasses

from mxgan.config import TrainConfig


def begins(config: TrainConfig, steps: int) -> int:
    """The first step, from 1 on, of the end of a run of ``steps``; ``steps`` + 1 where it has none.

    ``config`` is resolved: its ``finish`` is the share of the steps.
    """
    return steps + 1 - round(config.finish * steps)


def rate(config: TrainConfig, step: int, steps: int) -> float:
    """What both learning rates are multiplied with at ``step`` of ``steps``: 1, and at the end linearly towards 0."""
    first = begins(config, steps)
    return 1.0 if step < first else (steps + 1 - step) / (steps + 1 - first)


def settings(config: TrainConfig, step: int, steps: int) -> TrainConfig:
    """``config`` as it holds at ``step`` of ``steps``: at the end without color."""
    if step < begins(config, steps):
        return config
    parts = [part for part in config.augment.split(",") if part != "color"]
    return dataclasses.replace(config, augment=",".join(parts))
