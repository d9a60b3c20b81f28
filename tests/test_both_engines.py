"""What both engines promise: NumPy's training in float64, exact resumes, pictures that depend on nothing else."""

import dataclasses
import importlib

import needs
import numpy as np
import numpy_gan
import pytest
from small_engines import BATCH, RECIPES, assert_same, config, faces, latents, train

from mxgan import rng
from mxgan.config import TrainConfig, resolve
from mxgan.engines.protocol import Batch, State
from mxgan.errors import ParamsError


@pytest.fixture(params=["mxnet", "pytorch"])
def Engine(request):
    """An engine's class; without its framework the test is skipped."""
    if request.param == "mxnet":
        needs.mxnet()
        from mxgan.gluon.engine import Engine
    else:
        pytest.importorskip("torch")
        from mxgan.pytorch.engine import Engine
    return Engine


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("recipe", RECIPES)
def test_training_is_numpys_in_float64(Engine, recipe, size):
    engine = Engine(config(recipe, size), "cpu", "float64")
    netG, netD = (numpy_gan.Network(engine.weights()[name], name == "netG") for name in ("netG", "netD"))
    for step in range(2):  # in the third, MXNet reads its learning rate one float32 unit off: 1e-11 in a weight
        ours = engine.train_step(Batch(faces(step, size), *latents(step, recipe))).read()
        assert ours == pytest.approx(numpy_gan.step(netG, netD, faces(step, size), *latents(step, recipe)), rel=1e-11)
    for name, net in (("netG", netG), ("netD", netD)):
        # a bias that feeds a BatchNorm has a gradient of 0, of which Adam sees rounding alone; a mean follows it
        idle = {
            key
            for layer in net.layers
            if f"{layer + 1}.gamma" in net.arrays
            for key in (f"{layer}.bias", f"{layer + 1}.running_mean")
        }
        for key, array in engine.weights()[name].items():
            atol = 1e-9 if key in idle else 1e-15
            np.testing.assert_allclose(array, net.arrays[key], rtol=1e-12, atol=atol, err_msg=f"{name} {key}")
    moments = engine.state().arrays["adamG"]
    np.testing.assert_allclose(moments["0.weight.m"], netG.moments["0.weight"][0], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(moments["0.weight.v"], netG.moments["0.weight"][1], rtol=1e-9, atol=1e-20)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_rate_multiplies_both_learning_rates(Engine, recipe):
    given = config(recipe)
    one = Engine(given, "cpu")
    two = Engine(dataclasses.replace(given, lr_g=given.lr_g / 4, lr_d=given.lr_d / 4), "cpu")

    def step(engine, number: int, rate: float) -> None:
        engine.train_step(Batch(faces(number), *latents(number, recipe), rate=rate)).read()

    for number in range(3):
        step(one, number, 0.25)
        step(two, number, 1)
    assert_same(one.state().arrays, two.state().arrays)
    for number, rate in ((3, 1), (4, 0.25)):  # a rate is its step's alone
        step(one, number, rate)
        step(two, number, 4 * rate)
    assert_same(one.state().arrays, two.state().arrays)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_resumed_engine_goes_on_bit_for_bit(Engine, recipe):
    straight = Engine(config(recipe), "cpu")
    train(straight, recipe, 0, 3)
    state = straight.state()
    assert state.counts == {"adamG": 3, "adamD": 3}
    logged = train(straight, recipe, 3, 6)

    fresh, used = Engine(config(recipe), "cpu"), Engine(config(recipe), "cpu")
    train(used, recipe, 6, 8)
    for engine in (fresh, used):
        engine.load_state(state)
        assert train(engine, recipe, 3, 6) == logged
        assert engine.state().counts == straight.state().counts
        assert_same(engine.state().arrays, straight.state().arrays)


def test_a_state_from_before_the_first_step_makes_a_used_engine_new(Engine):
    engine = Engine(config(), "cpu")
    new = engine.state()
    assert new.counts == {"adamG": 0, "adamD": 0}
    logged = train(engine, "gluon-tutorial", 0, 3)
    engine.load_state(new)
    assert_same(engine.state().arrays, new.arrays)
    assert train(engine, "gluon-tutorial", 0, 3) == logged


def test_a_state_holds_both_moments_of_every_trained_array(Engine):
    engine = Engine(config(), "cpu")
    train(engine, "gluon-tutorial", 0, 1)
    arrays = engine.state().arrays
    for net, adam in (("netG", "adamG"), ("netD", "adamD")):
        trained = {name: array.shape for name, array in arrays[net].items() if "running" not in name}
        wanted = {f"{name}.{moment}": shape for name, shape in trained.items() for moment in "mv"}
        assert {name: array.shape for name, array in arrays[adam].items()} == wanted


def test_a_state_that_does_not_fit_is_refused(Engine):
    engine = Engine(config(), "cpu")
    train(engine, "gluon-tutorial", 0, 1)
    state = engine.state()
    without = {name: array for name, array in state.arrays["adamG"].items() if name != "0.weight.m"}
    with pytest.raises(ParamsError, match=r"adamG: .*without 0\.weight\.m"):
        engine.load_state(State({**state.arrays, "adamG": without}, state.counts))
    with pytest.raises(ParamsError, match=r"netG: 0\.bias is \(2,\)"):
        engine.load_weights({"netG": {**state.arrays["netG"], "0.bias": np.zeros(2, np.float32)}})


def test_batchnorms_statistics_move_three_times_in_netD_and_once_in_netG(Engine):
    engine = Engine(config(), "cpu")
    before = engine.weights()
    train(engine, "gluon-tutorial", 0, 1)
    after = engine.weights()
    for net, moves in (("netG", 1), ("netD", 3)):
        # a running variance starts at 1 and each move leaves 0.9 of it; these networks' own variances are below 0.2
        for name in (name for name in before[net] if name.endswith("running_var")):
            assert (before[net][name] == 1).all()
            assert (after[net][name] > 0.9**moves - 1e-6).all(), name
            assert (after[net][name] < 0.9**moves + 0.1 * moves).all(), name


def test_pictures_do_not_depend_on_what_stands_beside_them(Engine):
    engine = Engine(config(size=64), "cpu")
    train_size_64 = engine.train_step(Batch(faces(0, 64), *latents(0, "gluon-tutorial"))).read()
    assert np.isfinite(list(train_size_64.values())).all()
    z = rng.latents(0, "generate", 0, 64, 5)
    together = engine.forward(z)
    assert (together.shape, together.dtype) == ((64, 3, 64, 64), np.float32)
    for index in (0, 17, 63):
        alone = engine.forward(z[index : index + 1])[0]
        np.testing.assert_allclose(alone, together[index], rtol=0, atol={"mxnet": 0, "pytorch": 1e-6}[engine.name])
    images = engine.generate(z)
    assert (images.shape, images.dtype) == ((64, 64, 64, 3), np.uint8)
    np.testing.assert_array_equal(images, np.rint((together + 1) * 127.5).transpose(0, 2, 3, 1).astype(np.uint8))


def test_generating_and_judging_change_nothing(Engine):
    one, two = Engine(config(), "cpu"), Engine(config(), "cpu")
    train(one, "gluon-tutorial", 0, 2)
    train(two, "gluon-tutorial", 0, 1)
    two.generate(rng.latents(0, "samples", 0, 7, 5))
    assert two.discriminate(faces(9)).shape == (BATCH,)
    two.probe(Batch(faces(9), *latents(9, "gluon-tutorial")))
    train(two, "gluon-tutorial", 1, 2)
    assert_same(one.state().arrays, two.state().arrays)


def test_the_last_layers_bias_alone_decides_where_netG_has_no_weights(Engine):
    engine = Engine(config(), "cpu")
    arrays = {name: np.zeros_like(array) for name, array in engine.weights()["netG"].items()}
    arrays["9.bias"] = np.array([-20, 0, 20], np.float32)
    engine.load_weights({"netG": arrays})
    assert (engine.generate(np.ones((2, 5), np.float32)) == [0, 128, 255]).all()  # rint(127.5) is even


def test_engines_of_one_seed_start_alike_and_of_two_don_t(Engine):
    weights = [Engine(config(), "cpu").weights(), Engine(config(), "cpu").weights()]
    assert_same(*weights)
    other = resolve(TrainConfig(size=32, ngf=3, ndf=2, latent=5, batch_size=BATCH, seed=2))
    assert not np.array_equal(Engine(other, "cpu").weights()["netG"]["0.weight"], weights[0]["netG"]["0.weight"])


@pytest.mark.parametrize("recipe", RECIPES)
def test_netGs_step_computes_no_gradients_of_netDs_weights(Engine, recipe):
    """The saving that no bit of a result shows: netD's gradients are still what netD's own step left."""
    engine = Engine(config(recipe), "cpu")
    train(engine, recipe, 0, 2)
    package = type(engine).__module__.rpartition(".")[0]
    step, state = (importlib.import_module(f"{package}.{name}") for name in ("step", "state"))
    batch = Batch(faces(2), *latents(2, recipe))
    *_, fake = step.update_netD(engine.model, batch, update=False)
    before = state.gradients(engine.model, "netD")
    step.update_netG(engine.model, batch, fake, update=False)
    assert_same({"netD": before}, {"netD": state.gradients(engine.model, "netD")})
    assert any(gradient.any() for gradient in before.values())
