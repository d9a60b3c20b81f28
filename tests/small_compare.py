"""What the tests of the comparison compare: two engines, small faces, a configuration."""

from __future__ import annotations

import numpy as np

from mxgan.config import RunConfig, TrainConfig, resolve

NAMES = ("mxnet", "pytorch")


def faces(n: int = 24, size: int = 64) -> np.ndarray:
    """Uneven pictures, which even noise is not to a convolution: discs of one colour on another."""
    y, x = np.mgrid[:size, :size] / size
    random = np.random.RandomState(0)
    inside = ((x - 0.5) ** 2 + (y - 0.45) ** 2)[None, :, :, None] < random.uniform(0.02, 0.15, (n, 1, 1, 1))
    colours = random.randint(0, 256, (2, n, 1, 1, 3))
    return (np.where(inside, *colours) + random.randint(-8, 9, (n, size, size, 3))).clip(0, 255).astype(np.uint8)


def config(recipe: str = "gluon-tutorial", **values) -> RunConfig:
    return resolve(TrainConfig(recipe=recipe, seed=1, threads=1, **values))
