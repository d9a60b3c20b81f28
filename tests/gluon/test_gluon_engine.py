"""The Gluon engine against the tutorial's own loop on plain MXNet (bit for bit) and against NumPy in float64."""

import needs
import numpy as np
import pytest

mx = needs.mxnet()

import numpy_gan  # noqa: E402
from mxnet import autograd, gluon, nd  # noqa: E402
from mxnet.gluon import nn  # noqa: E402

from mxgan import noise, pixels  # noqa: E402
from mxgan.config import TrainConfig, resolve  # noqa: E402
from mxgan.engines import State  # noqa: E402
from mxgan.errors import ParamsError  # noqa: E402
from mxgan.gluon.engine import Engine, Options  # noqa: E402
from mxgan.weights import save_params  # noqa: E402

RECIPES = ("gluon-tutorial", "pytorch-anime")
BATCH = 4


def config(recipe="gluon-tutorial", size=32, **values) -> TrainConfig:
    return resolve(TrainConfig(recipe=recipe, size=size, ngf=3, ndf=2, latent=5, batch_size=BATCH, seed=1, **values))


def faces(step: int, size: int = 32) -> np.ndarray:
    return np.random.RandomState(step).randint(0, 256, (BATCH, size, size, 3)).astype(np.uint8)


def latents(step: int, recipe: str) -> tuple:
    z = noise.latents(1, "D step", step, BATCH, 5)
    return z, noise.latents(1, "G step", step, BATCH, 5) if recipe.startswith("pytorch") else None


def train(engine: Engine, recipe: str, first: int, last: int) -> list[dict]:
    return [engine.train_step(faces(step), *latents(step, recipe)).read() for step in range(first, last)]


def assert_same(one, two) -> None:
    """The same names, and under each the same bytes."""
    assert one.keys() == two.keys()
    for net in one:
        assert one[net].keys() == two[net].keys()
        for name, array in one[net].items():
            assert array.dtype == two[net][name].dtype
            np.testing.assert_array_equal(array, two[net][name], err_msg=f"{net} {name}")


# The tutorial's networks and loop, as https://mxnet.apache.org's DCGAN page and the PyTorch notebooks write them.


def tutorial_netG(bias: bool) -> nn.Sequential:
    netG = nn.Sequential()
    with netG.name_scope():
        netG.add(nn.Conv2DTranspose(3 * 4, 4, 1, 0, use_bias=bias))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        netG.add(nn.Conv2DTranspose(3 * 2, 4, 2, 1, use_bias=bias))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        netG.add(nn.Conv2DTranspose(3, 4, 2, 1, use_bias=bias))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        netG.add(nn.Conv2DTranspose(3, 4, 2, 1, use_bias=bias))
        netG.add(nn.Activation("tanh"))
    return netG


def tutorial_netD(bias: bool, first_norm: bool) -> nn.Sequential:
    netD = nn.Sequential()
    with netD.name_scope():
        netD.add(nn.Conv2D(2, 4, 2, 1, use_bias=bias))
        if first_norm:
            netD.add(nn.BatchNorm())
        netD.add(nn.LeakyReLU(0.2))
        netD.add(nn.Conv2D(2 * 2, 4, 2, 1, use_bias=bias))
        netD.add(nn.BatchNorm())
        netD.add(nn.LeakyReLU(0.2))
        netD.add(nn.Conv2D(2 * 4, 4, 2, 1, use_bias=bias))
        netD.add(nn.BatchNorm())
        netD.add(nn.LeakyReLU(0.2))
        netD.add(nn.Conv2D(1, 4, 1, 0, use_bias=bias))
    return netD


def tutorial_nets(recipe: str, weights, folder) -> tuple:
    """Built by hand and filled by MXNet's own load_parameters from files that mxgan wrote."""
    settings = config(recipe).settings
    nets = tutorial_netG(settings.bias), tutorial_netD(settings.bias, settings.first_norm)
    for net, name in zip(nets, ("netG", "netD")):
        save_params(folder / f"{name}.params", weights[name])
        net.load_parameters(str(folder / f"{name}.params"), ctx=mx.cpu())
    return nets


def tutorial_loop(netG, netD, recipe: str, steps: int) -> list[dict]:
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    adam = {"learning_rate": 0.0002, "beta1": 0.5}
    trainerG = gluon.Trainer(netG.collect_params(), "adam", adam)
    trainerD = gluon.Trainer(netD.collect_params(), "adam", adam)
    real_label, fake_label = nd.ones((BATCH, 1)), nd.zeros((BATCH, 1))
    logged = []
    for step in range(steps):
        data = nd.array(pixels.from_uint8(faces(step)))
        z, z_g = (None if z is None else nd.array(z).reshape((BATCH, 5, 1, 1)) for z in latents(step, recipe))

        with autograd.record():
            output = netD(data).reshape((-1, 1))
            errD_real = loss(output, real_label)
            fake = netG(z)
            output_fake = netD(fake.detach()).reshape((-1, 1))
            errD_fake = loss(output_fake, fake_label)
            errD = errD_real + errD_fake
            errD.backward()
        trainerD.step(BATCH)

        with autograd.record():
            fake = netG(z if z_g is None else z_g)
            errG = loss(netD(fake).reshape((-1, 1)), real_label)
            errG.backward()
        trainerG.step(BATCH)
        values = {"loss_d": errD, "loss_g": errG, "score_real": output.sigmoid(), "score_fake": output_fake.sigmoid()}
        logged.append({name: float(value.mean().asscalar()) for name, value in values.items()})
    return logged


@pytest.mark.parametrize("recipe", RECIPES)
def test_training_is_the_tutorials_bit_for_bit(recipe, tmp_path):
    engine = Engine(config(recipe), "cpu", options=Options(products=False, unbiased=False))
    netG, netD = tutorial_nets(recipe, engine.weights(), tmp_path)

    assert train(engine, recipe, 0, 5) == tutorial_loop(netG, netD, recipe, 5)

    theirs = {}
    for net, name in ((netG, "netG"), (netD, "netD")):
        net.save_parameters(str(tmp_path / "after.params"))
        theirs[name] = {key: array.asnumpy() for key, array in nd.load(str(tmp_path / "after.params")).items()}
    assert_same(engine.weights(), theirs)
    z = noise.latents(0, "samples", 0, 9, 5)
    np.testing.assert_array_equal(engine.forward(z), netG(nd.array(z).reshape((9, 5, 1, 1))).asnumpy())


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("recipe", RECIPES)
def test_training_is_numpys_in_float64(recipe, size):
    engine = Engine(config(recipe, size), "cpu", "float64")
    netG, netD = (numpy_gan.Network(engine.weights()[name], name == "netG") for name in ("netG", "netD"))
    for step in range(2):  # in the third, MXNet reads its learning rate one float32 unit off: 1e-11 in a weight
        ours = engine.train_step(faces(step, size), *latents(step, recipe)).read()
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
def test_a_resumed_engine_goes_on_bit_for_bit(recipe):
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


def test_a_state_from_before_the_first_step_makes_a_used_engine_new():
    engine = Engine(config(), "cpu")
    new = engine.state()
    assert new.counts == {"adamG": 0, "adamD": 0}
    logged = train(engine, "gluon-tutorial", 0, 3)
    engine.load_state(new)
    assert_same(engine.state().arrays, new.arrays)
    assert train(engine, "gluon-tutorial", 0, 3) == logged


def test_a_state_holds_both_moments_of_every_trained_array():
    engine = Engine(config(), "cpu")
    train(engine, "gluon-tutorial", 0, 1)
    arrays = engine.state().arrays
    for net, adam in (("netG", "adamG"), ("netD", "adamD")):
        trained = {name: array.shape for name, array in arrays[net].items() if "running" not in name}
        wanted = {f"{name}.{moment}": shape for name, shape in trained.items() for moment in "mv"}
        assert {name: array.shape for name, array in arrays[adam].items()} == wanted


def test_a_state_that_does_not_fit_is_refused():
    engine = Engine(config(), "cpu")
    train(engine, "gluon-tutorial", 0, 1)
    state = engine.state()
    without = {name: array for name, array in state.arrays["adamG"].items() if name != "0.weight.m"}
    with pytest.raises(ParamsError, match=r"adamG: .*without 0\.weight\.m"):
        engine.load_state(State({**state.arrays, "adamG": without}, state.counts))
    with pytest.raises(ParamsError, match=r"netG: 0\.bias is \(2,\)"):
        engine.load_weights({"netG": {**state.arrays["netG"], "0.bias": np.zeros(2, np.float32)}})


def test_batchnorms_statistics_move_three_times_in_netD_and_once_in_netG():
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


def test_pictures_do_not_depend_on_what_stands_beside_them():
    engine = Engine(config(size=64), "cpu")
    train_size_64 = engine.train_step(faces(0, 64), *latents(0, "gluon-tutorial")).read()
    assert np.isfinite(list(train_size_64.values())).all()
    z = noise.latents(0, "generate", 0, 64, 5)
    together = engine.forward(z)
    assert (together.shape, together.dtype) == ((64, 3, 64, 64), np.float32)
    for index in (0, 17, 63):
        np.testing.assert_array_equal(engine.forward(z[index : index + 1])[0], together[index])
    images = engine.generate(z)
    assert (images.shape, images.dtype) == ((64, 64, 64, 3), np.uint8)
    np.testing.assert_array_equal(images, np.rint((together + 1) * 127.5).transpose(0, 2, 3, 1).astype(np.uint8))


def test_generating_and_judging_change_nothing():
    one, two = Engine(config(), "cpu"), Engine(config(), "cpu")
    train(one, "gluon-tutorial", 0, 2)
    train(two, "gluon-tutorial", 0, 1)
    two.generate(noise.latents(0, "samples", 0, 7, 5))
    assert two.discriminate(faces(9)).shape == (BATCH,)
    two.probe(faces(9), *latents(9, "gluon-tutorial"))
    train(two, "gluon-tutorial", 1, 2)
    assert_same(one.state().arrays, two.state().arrays)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_probe_gives_losses_and_gradients_at_the_weights_as_they_are(recipe):
    engine = Engine(config(recipe), "cpu", "float64")
    netG, netD = (numpy_gan.Network(engine.weights()[name], name == "netG") for name in ("netG", "netD"))
    probe = engine.probe(faces(0), *latents(0, recipe))
    losses, of_d = numpy_gan.netD_gradients(netG, netD, faces(0), latents(0, recipe)[0])
    z_of_g = latents(0, recipe)[recipe.startswith("pytorch")]
    loss_g, of_g = numpy_gan.netG_gradients(netG, netD, z_of_g)
    assert probe.losses == pytest.approx({"loss_d": losses["loss_d"], "loss_g": loss_g}, rel=1e-14)
    by_hand = {f"{net}.{name}": g for net, of in (("netD", of_d), ("netG", of_g)) for name, g in of.items()}
    assert probe.gradients.keys() == by_hand.keys()
    for name, gradient in by_hand.items():
        np.testing.assert_allclose(probe.gradients[name], gradient, rtol=1e-10, atol=1e-12, err_msg=name)


def test_real_images_reach_the_network_as_pixels_says():
    engine = Engine(config(), "cpu")
    every_value = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    np.testing.assert_array_equal(engine._images(every_value).asnumpy(), pixels.from_uint8(every_value))
    assert engine._images(every_value).asnumpy().min() == -1
    assert engine._images(every_value).asnumpy().max() == 1


def test_the_last_layers_bias_alone_decides_where_netG_has_no_weights():
    engine = Engine(config(), "cpu")
    arrays = {name: np.zeros_like(array) for name, array in engine.weights()["netG"].items()}
    arrays["9.bias"] = np.array([-20, 0, 20], np.float32)
    engine.load_weights({"netG": arrays})
    assert (engine.generate(np.ones((2, 5), np.float32)) == [0, 128, 255]).all()  # rint(127.5) is even


def test_engines_of_one_seed_start_alike_and_of_two_don_t():
    weights = [Engine(config(), "cpu").weights(), Engine(config(), "cpu").weights()]
    assert_same(*weights)
    other = resolve(TrainConfig(size=32, ngf=3, ndf=2, latent=5, batch_size=BATCH, seed=2))
    assert not np.array_equal(Engine(other, "cpu").weights()["netG"]["0.weight"], weights[0]["netG"]["0.weight"])
