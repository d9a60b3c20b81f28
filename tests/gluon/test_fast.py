"""The fast path against the loop as the tutorial writes it: the same bits where it says so, else the same numbers."""

from dataclasses import replace

import needs
import numpy as np
import pytest

mx = needs.mxnet()

from mxgan import rng  # noqa: E402
from mxgan.config import RunConfig, TrainConfig, resolve  # noqa: E402
from mxgan.engines.protocol import Batch  # noqa: E402
from mxgan.gluon import fast, nets  # noqa: E402
from mxgan.gluon.engine import Engine  # noqa: E402
from mxgan.gluon.model import PLAIN, Options  # noqa: E402
from mxgan.gluon.tensors import tensors  # noqa: E402

RECIPES = ("gluon-tutorial", "pytorch-anime")
BATCH = 4
EXACT = Options(products=False, unbiased=False)
ONE_BY_ONE = {
    **{name: replace(PLAIN, **{name: True}) for name in ("reuse", "freeze", "static")},
    "all that are exact": EXACT,
}


def config(recipe: str, **values) -> RunConfig:
    sizes = {"size": 32, "ngf": 3, "ndf": 2, "latent": 5, "batch_size": BATCH}
    return resolve(TrainConfig(recipe=recipe, seed=1, **{**sizes, **values}))


def inputs(step: int, recipe: str, size: int = 32) -> tuple:
    faces = np.random.RandomState(step).randint(0, 256, (BATCH, size, size, 3)).astype(np.uint8)
    z = rng.latents(1, "D step", step, BATCH, 5)
    return faces, z, rng.latents(1, "G step", step, BATCH, 5) if recipe.startswith("pytorch") else None


def train(engine: Engine, recipe: str, steps: int, size: int = 32) -> list[dict]:
    return [engine.train_step(Batch(*inputs(step, recipe, size))).read() for step in range(steps)]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_what_is_exact_changes_no_bit(name, recipe):
    plain, quick = Engine(config(recipe, plain=True), "cpu"), Engine(config(recipe), "cpu", options=ONE_BY_ONE[name])
    assert plain.model.options == PLAIN
    assert train(quick, recipe, 6) == train(plain, recipe, 6)
    ours, theirs = quick.state(), plain.state()
    assert ours.counts == theirs.counts
    for part in theirs.arrays:
        assert ours.arrays[part].keys() == theirs.arrays[part].keys()
        for key, array in theirs.arrays[part].items():
            np.testing.assert_array_equal(ours.arrays[part][key], array, err_msg=f"{part} {key}")


def test_biases_that_are_zero_stay_zero_and_others_are_added():
    engine = Engine(config("gluon-tutorial"), "cpu", "float64")
    train(engine, "gluon-tutorial", 3)
    weights = engine.weights()["netG"]
    assert not weights["0.bias"].any() and not weights["3.bias"].any() and weights["9.bias"].all()  # 9: the last layer
    biased = {**weights, "3.bias": np.linspace(-1, 1, len(weights["3.bias"]))}
    quick, plain = (Engine(config("gluon-tutorial", plain=value), "cpu", "float64") for value in (False, True))
    for engine in (quick, plain):
        engine.load_weights({"netG": biased})
    for one, other in zip(train(quick, "gluon-tutorial", 5), train(plain, "gluon-tutorial", 5)):
        assert one == pytest.approx(other, rel=1e-9)
    for key, array in plain.weights()["netG"].items():
        np.testing.assert_allclose(quick.weights()["netG"][key], array, rtol=0, atol=1e-9, err_msg=key)


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("recipe", RECIPES)
def test_the_default_is_the_plain_loop_to_rounding_in_float64(recipe, size):
    plain = Engine(config(recipe, size=size, plain=True), "cpu", "float64")
    quick = Engine(config(recipe, size=size), "cpu", "float64")
    assert quick.model.options == Options()
    ours, theirs = (engine.probe(Batch(*inputs(9, recipe, size))) for engine in (quick, plain))
    assert ours.losses == pytest.approx(theirs.losses, rel=1e-12)
    for key, gradient in theirs.gradients.items():
        np.testing.assert_allclose(ours.gradients[key], gradient, rtol=1e-9, atol=1e-12, err_msg=key)
    for one, other in zip(train(quick, recipe, 5, size), train(plain, recipe, 5, size)):
        assert one == pytest.approx(other, rel=1e-9)
    ours, theirs = quick.weights(), plain.weights()
    for net in theirs:
        for key, array in theirs[net].items():
            np.testing.assert_allclose(ours[net][key], array, rtol=0, atol=1e-9, err_msg=f"{net} {key}")


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_default_is_the_same_in_every_run(recipe):
    one, two = Engine(config(recipe), "cpu"), Engine(config(recipe), "cpu")
    assert train(one, recipe, 4) == train(two, recipe, 4)


@pytest.mark.parametrize("bias", [True, False])
def test_the_fast_networks_are_the_written_ones_over_the_same_parameters(bias):
    def generator(net):
        return fast.generator(net, product=True, biased=fast._has_biases(net))

    for net, quick_one, x in (
        (nets.generator(5, 3, 32, bias), generator, mx.nd.random.normal(shape=(4, 5, 1, 1))),
        (nets.discriminator(2, 32, bias), fast.discriminator, mx.nd.random.normal(shape=(4, 3, 32, 32))),
    ):
        net.initialize(mx.init.Normal(0.5))
        quick = quick_one(net)
        assert {id(parameter) for parameter in quick.collect_params().values()} == {
            id(parameter) for parameter in tensors(net).values()
        }
        np.testing.assert_allclose(quick(x).asnumpy(), net(x).asnumpy(), rtol=1e-4, atol=1e-5)
        assert quick(x).shape == net(x).shape


def test_pictures_come_from_the_written_networks_bit_for_bit():
    plain, quick = Engine(config("gluon-tutorial", plain=True), "cpu"), Engine(config("gluon-tutorial"), "cpu")
    z = rng.latents(0, "samples", 0, 9, 5)
    np.testing.assert_array_equal(quick.forward(z), plain.forward(z))
    faces = inputs(0, "gluon-tutorial")[0]
    np.testing.assert_array_equal(quick.discriminate(faces), plain.discriminate(faces))
