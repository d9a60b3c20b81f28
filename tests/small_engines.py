"""Both networks at a size that trains in no time, and what the tests of the engines do with them."""

from __future__ import annotations

import numpy as np

from mxgan import rng
from mxgan.config import RunConfig, TrainConfig, resolve
from mxgan.engines.protocol import Batch, Engine

RECIPES = ("gluon-tutorial", "pytorch-anime")
BATCH = 4


def config(recipe="gluon-tutorial", size=32, **values) -> RunConfig:
    return resolve(TrainConfig(recipe=recipe, size=size, ngf=3, ndf=2, latent=5, batch_size=BATCH, seed=1, **values))


def faces(step: int, size: int = 32) -> np.ndarray:
    return np.random.RandomState(step).randint(0, 256, (BATCH, size, size, 3)).astype(np.uint8)


def latents(step: int, recipe: str) -> tuple:
    z = rng.latents(1, "D step", step, BATCH, 5)
    return z, rng.latents(1, "G step", step, BATCH, 5) if recipe.startswith("pytorch") else None


def train(engine: Engine, recipe: str, first: int, last: int) -> list[dict]:
    return [engine.train_step(Batch(faces(step), *latents(step, recipe))).read() for step in range(first, last)]


def assert_same(one, two) -> None:
    """The same names, and under each the same bytes."""
    assert one.keys() == two.keys()
    for net in one:
        assert one[net].keys() == two[net].keys()
        for name, array in one[net].items():
            assert array.dtype == two[net][name].dtype
            np.testing.assert_array_equal(array, two[net][name], err_msg=f"{net} {name}")
