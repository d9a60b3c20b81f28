"""The Gluon engine against the tutorial's own loop on plain MXNet (bit for bit); more in tests/test_both_engines.py."""

import needs
import numpy as np
import pytest

mx = needs.mxnet()

import numpy_gan  # noqa: E402
from mxnet import autograd, gluon, nd  # noqa: E402
from small_engines import BATCH, RECIPES, assert_same, config, faces, latents, train  # noqa: E402
from tutorial import tutorial_netD, tutorial_netG  # noqa: E402

from mxgan import pixels, rng  # noqa: E402
from mxgan.engines.protocol import Batch  # noqa: E402
from mxgan.gluon.engine import Engine  # noqa: E402
from mxgan.gluon.model import Options  # noqa: E402
from mxgan.weights import save_params  # noqa: E402


def tutorial_nets(recipe: str, weights, folder) -> tuple:
    """Built by hand and filled by MXNet's own load_parameters from files that mxgan wrote."""
    settings = config(recipe)
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
    z = rng.latents(0, "samples", 0, 9, 5)
    np.testing.assert_array_equal(engine.forward(z), netG(nd.array(z).reshape((9, 5, 1, 1))).asnumpy())


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_probe_gives_losses_and_gradients_at_the_weights_as_they_are(recipe):
    engine = Engine(config(recipe), "cpu", "float64")
    netG, netD = (numpy_gan.Network(engine.weights()[name], name == "netG") for name in ("netG", "netD"))
    probe = engine.probe(Batch(faces(0), *latents(0, recipe)))
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
    np.testing.assert_array_equal(engine.model.images(every_value).asnumpy(), pixels.from_uint8(every_value))
    assert engine.model.images(every_value).asnumpy().min() == -1
    assert engine.model.images(every_value).asnumpy().max() == 1
