"""The PyTorch engine's fast path against the loop as the tutorial writes it."""

import numpy as np
import pytest

pytest.importorskip("torch")

from mxgan import rng
from mxgan.config import RunConfig, TrainConfig, resolve
from mxgan.engines.protocol import Batch
from mxgan.pytorch.engine import Engine
from mxgan.pytorch.model import Options

RECIPES = ("gluon-tutorial", "pytorch-anime")
BATCH = 4


def config(recipe: str, **values) -> RunConfig:
    return resolve(
        TrainConfig(recipe=recipe, size=32, ngf=3, ndf=2, latent=5, batch_size=BATCH, seed=1, threads=1, **values)
    )


def inputs(step: int, recipe: str) -> tuple:
    faces = np.random.RandomState(step).randint(0, 256, (BATCH, 32, 32, 3)).astype(np.uint8)
    z = rng.latents(1, "D step", step, BATCH, 5)
    return faces, z, rng.latents(1, "G step", step, BATCH, 5) if recipe.startswith("pytorch") else None


def train(engine: Engine, recipe: str, steps: int) -> list[dict]:
    return [engine.train_step(Batch(*inputs(step, recipe))).read() for step in range(steps)]


@pytest.mark.parametrize("recipe", RECIPES)
def test_reusing_the_fake_batch_and_freezing_netD_change_no_bit(recipe):
    plain = Engine(config(recipe, plain=True), "cpu")
    quick = Engine(config(recipe), "cpu", options=Options(channels_last=False, products=False))
    assert plain.model.options.channels_last is False
    assert train(quick, recipe, 6) == train(plain, recipe, 6)
    ours, theirs = quick.state(), plain.state()
    for part in theirs.arrays:
        for key, array in theirs.arrays[part].items():
            np.testing.assert_array_equal(ours.arrays[part][key], array, err_msg=f"{part} {key}")


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_default_is_the_plain_loop_to_rounding_in_float64(recipe):
    plain, quick = Engine(config(recipe, plain=True), "cpu", "float64"), Engine(config(recipe), "cpu", "float64")
    ours, theirs = (engine.probe(Batch(*inputs(9, recipe))) for engine in (quick, plain))
    assert ours.losses == pytest.approx(theirs.losses, rel=1e-12)
    assert ours.gradients.keys() == theirs.gradients.keys()
    for key, gradient in theirs.gradients.items():
        np.testing.assert_allclose(ours.gradients[key], gradient, rtol=1e-9, atol=1e-12, err_msg=key)
    for one, other in zip(train(quick, recipe, 5), train(plain, recipe, 5)):
        assert one == pytest.approx(other, rel=1e-9)
    ours, theirs = quick.weights(), plain.weights()
    for net in theirs:
        for key, array in theirs[net].items():
            np.testing.assert_allclose(ours[net][key], array, rtol=0, atol=1e-9, err_msg=f"{net} {key}")
