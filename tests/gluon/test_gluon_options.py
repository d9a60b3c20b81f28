"""What a recipe may add to the tutorial, on the Gluon engine: against closed forms, and against PyTorch in float64."""

from __future__ import annotations

import itertools

import needs
import numpy as np
import pytest

mx = needs.mxnet()

import numpy_gan  # noqa: E402
from mxnet import autograd, nd  # noqa: E402
from small_engines import assert_same  # noqa: E402
from tutorial import tutorial_netD  # noqa: E402

from mxgan import engines, rng  # noqa: E402
from mxgan.config import RunConfig, TrainConfig, resolve  # noqa: E402
from mxgan.engines.protocol import Batch  # noqa: E402
from mxgan.errors import ParamsError  # noqa: E402
from mxgan.gluon import losses, nets  # noqa: E402
from mxgan.gluon.augment import augmented  # noqa: E402
from mxgan.gluon.engine import Engine  # noqa: E402
from mxgan.gluon.model import Options  # noqa: E402
from mxgan.gluon.spectral import SpectralNorm  # noqa: E402
from mxgan.gluon.tensors import tensors  # noqa: E402
from mxgan.recipe import augment, ema  # noqa: E402
from mxgan.recipe.augment import Augmentation  # noqa: E402
from mxgan.weights import save_params  # noqa: E402

BATCH = 8  # a power of two: MXNet divides by the batch in float32
ALL = {"augment": "color,translation,cutout", "spectral_norm": True, "ema": 12, "ema_rampup": 0.5, "lr_d": 4e-4}
EACH = {
    "learning rates": {"lr_g": 1e-4, "lr_d": 4e-4},
    "label smoothing": {"label_smoothing": 0.1},
    "hinge": {"loss": "hinge"},
    "color": {"augment": "color"},
    "translation": {"augment": "translation"},
    "cutout": {"augment": "cutout"},
    "spectral norm": {"spectral_norm": True},
    "average": {"ema": 12, "ema_rampup": 0.5},  # the half-life grows until the third step
    "all, bce": {**ALL, "label_smoothing": 0.1},
    "all, hinge": {**ALL, "loss": "hinge"},
}


def config(recipe: str = "gluon-tutorial", **values) -> RunConfig:
    sizes = {"size": 32, "ngf": 3, "ndf": 2, "latent": 5, "batch_size": BATCH, "threads": 1}
    return resolve(TrainConfig(recipe=recipe, seed=1, **sizes, **values))


def faces(step: int) -> np.ndarray:
    return np.random.RandomState(step).randint(0, 256, (BATCH, 4, 4, 3)).repeat(8, 1).repeat(8, 2).astype(np.uint8)


def batch(config: TrainConfig, step: int) -> tuple:
    """All that a step is given."""
    z, z_g = (rng.latents(1, stream, step, BATCH, config.latent) for stream in ("D step", "G step"))
    return faces(step), z, z_g if config.fresh_latents else None, augment.draw(config, step)


def train(engine: Engine, config: TrainConfig, first: int, last: int) -> list[dict]:
    return [engine.train_step(Batch(*batch(config, step))).read() for step in range(first, last)]


# Each option by itself


def test_the_losses_are_the_papers():
    real, fake = (np.random.RandomState(seed).randn(5, 1) * 3 for seed in (0, 1))
    logits = [nd.array(logit, dtype="float64") for logit in (real, fake)]

    hinge = losses.named("hinge")
    np.testing.assert_allclose(
        hinge.netD(*logits).asnumpy(), (np.maximum(0, 1 - real) + np.maximum(0, 1 + fake))[:, 0], rtol=1e-15
    )
    np.testing.assert_array_equal(hinge.netG(logits[1]).asnumpy(), -fake[:, 0])

    smooth = losses.named("bce", 0.1)
    of_real, of_fake = (1 / (1 + np.exp(-logit)) for logit in (real, fake))
    by_hand = -0.9 * np.log(of_real) - 0.1 * np.log(1 - of_real) - np.log(1 - of_fake)
    np.testing.assert_allclose(smooth.netD(*logits).asnumpy(), by_hand[:, 0], rtol=1e-13)
    np.testing.assert_allclose(smooth.netG(logits[1]).asnumpy(), -np.log(of_fake)[:, 0], rtol=1e-13)


def by_hand(changes: Augmentation, x: np.ndarray) -> np.ndarray:
    """As `mxgan.recipe.augment.Augmentation` defines it."""
    if changes.color is not None:
        of_mean = (1 - changes.contrast.astype(x.dtype)) * x.mean((1, 2, 3))
        x = np.einsum("nij,njhw->nihw", changes.color, x) + (changes.brightness + of_mean)[:, None, None, None]
    if changes.rows is not None:
        x = np.einsum("nih,nchw,nwj->ncij", changes.rows, x, changes.columns)
    return x if changes.mask is None else changes.mask * x


@pytest.mark.parametrize("parts", ["color", "translation", "cutout", "color,cutout", "color,translation,cutout"])
def test_images_and_gradients_go_through_an_augmentation(parts):
    for changes in augment.draw(config(augment=parts), 3):
        x, gradient = np.random.RandomState(0).randn(2, BATCH, 3, 32, 32)
        images = nd.array(x, dtype="float64")
        images.attach_grad()
        with autograd.record():
            seen = augmented(images, changes)
        np.testing.assert_allclose(seen.asnumpy(), by_hand(changes, x), rtol=0, atol=1e-14)
        seen.backward(nd.array(gradient, dtype="float64"))
        # the map is affine, y = A x + b, and its gradient Aᵀ g: <Aᵀ g, d> = <g, A d> for any d
        d = np.random.RandomState(1).randn(*x.shape)
        along = by_hand(changes, d) - by_hand(changes, np.zeros_like(d))
        assert np.sum(images.grad.asnumpy() * d) == pytest.approx(np.sum(gradient * along), rel=1e-12)


def small_netD():
    netD = nets.discriminator(4, 32, dtype="float64")
    netD.cast("float64")
    netD.initialize(mx.init.Normal(0.5))
    return netD, {name: one.data().asnumpy() for name, one in tensors(netD).items()}


def test_spectral_norm_finds_the_largest_singular_value():
    netD, before = small_netD()
    spectral = SpectralNorm(netD, seed=0)
    for _ in range(200):
        with spectral.unfolded():
            for name, one in tensors(netD).items():
                np.testing.assert_array_equal(one.data().asnumpy(), before[name])  # W, as the optimizer sees it
    for name, one in tensors(netD).items():
        if one.data().ndim == 4:
            sigma = np.linalg.norm(before[name].reshape(len(before[name]), -1), 2)
            np.testing.assert_allclose(one.data().asnumpy(), before[name] / sigma, rtol=1e-9)
        else:
            np.testing.assert_array_equal(one.data().asnumpy(), before[name])


def test_spectral_norms_first_iteration_is_the_papers():
    netD, before = small_netD()
    state = SpectralNorm(netD, seed=5).state()
    assert {name.partition(".")[2] for name in state} == {"weight", "u", "v"}
    for name in (name for name, array in before.items() if array.ndim == 4):
        layer, matrix = name.partition(".")[0], before[name].reshape(len(before[name]), -1)
        u = rng.normal(5, f"netD.{layer}.u", (len(matrix),)).astype(np.float64)
        v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
        u = matrix @ v / np.linalg.norm(matrix @ v)
        np.testing.assert_allclose(state[f"{layer}.u"], u, rtol=1e-12)
        np.testing.assert_allclose(state[f"{layer}.v"], v, rtol=1e-12)
        np.testing.assert_array_equal(state[name], before[name])
        folded = tensors(netD)[name].data().asnumpy()
        np.testing.assert_allclose(folded, before[name] / (u @ matrix @ v), rtol=1e-12)


def test_the_gradient_goes_through_sigma():
    netD, before = small_netD()
    spectral = SpectralNorm(netD, seed=0)
    state, random = spectral.state(), np.random.RandomState(2)
    by_folded = {name: random.randn(*array.shape) for name, array in before.items()}
    for name, one in tensors(netD).items():
        if one.grad_req != "null":
            one.grad()[:] = nd.array(by_folded[name], dtype="float64")
    spectral.pull_back()
    for name in (name for name, array in before.items() if array.ndim == 4):
        u, v = (state[f"{name.partition('.')[0]}.{word}"] for word in "uv")

        def loss(w, name=name, u=u, v=v):
            return np.sum(by_folded[name] * w) / (u @ w.reshape(len(w), -1) @ v)

        gradient = tensors(netD)[name].grad().asnumpy()
        for _ in range(3):
            d = random.randn(*gradient.shape)
            numeric = (loss(before[name] + 1e-5 * d) - loss(before[name] - 1e-5 * d)) / 2e-5
            assert np.sum(gradient * d) == pytest.approx(numeric, rel=1e-7)
    np.testing.assert_array_equal(tensors(netD)["3.gamma"].grad().asnumpy(), by_folded["3.gamma"])


def test_the_average_has_its_own_statistics():
    settings = config(**EACH["average"])
    engine = Engine(settings, "cpu", "float64")
    train(engine, settings, 1, 4)
    weights = engine.weights()["netG-ema"]
    wanted = numpy_gan.settled(weights, ema.latents(settings))
    for name, array in weights.items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-12, atol=1e-14, err_msg=name)
    assert (weights["1.running_var"] != engine.weights()["netG"]["1.running_var"]).all()


# In the engine


@pytest.mark.parametrize("recipe", ["gluon-tutorial", "pytorch-anime"])
@pytest.mark.parametrize("options", ["all, bce", "all, hinge"])
def test_what_is_exact_changes_no_bit_with_all_options(options, recipe):
    settings = config(recipe, **EACH[options])
    plain = Engine(config(recipe, plain=True, **EACH[options]), "cpu")
    quick = Engine(settings, "cpu", options=Options(products=False, unbiased=False))
    assert train(quick, settings, 1, 5) == train(plain, settings, 1, 5)
    assert_same(quick.state().arrays, plain.state().arrays)


@pytest.mark.parametrize("recipe", ["gluon-tutorial", "pytorch-anime"])
@pytest.mark.parametrize("plain", [False, True])
def test_a_run_with_all_options_goes_on_bit_for_bit(plain, recipe):
    settings = config(recipe, plain=plain, **EACH["all, hinge"])
    straight = Engine(settings, "cpu")
    train(straight, settings, 1, 4)
    state = straight.state()
    assert set(state.arrays) == {"netG", "netD", "adamG", "adamD", "netG-ema", "spectral"}
    logged = train(straight, settings, 4, 7)
    fresh, used = Engine(settings, "cpu"), Engine(settings, "cpu")
    train(used, settings, 7, 9)
    for engine in (fresh, used):
        engine.load_state(state)
        assert_same(engine.state().arrays, state.arrays)
        assert train(engine, settings, 4, 7) == logged
        assert_same(engine.state().arrays, straight.state().arrays)


def test_a_probe_and_pictures_change_nothing_with_all_options():
    settings = config(**EACH["all, hinge"])
    one, two = Engine(settings, "cpu"), Engine(settings, "cpu")
    train(one, settings, 1, 4)
    train(two, settings, 1, 3)
    before = two.state().arrays
    two.probe(Batch(*batch(settings, 9)))
    two.generate(rng.latents(0, "samples", 0, 7, 5))
    two.discriminate(faces(9))
    assert_same(two.state().arrays, before)
    train(two, settings, 3, 4)
    assert_same(one.state().arrays, two.state().arrays)


def test_pictures_come_from_the_average():
    settings = config(**EACH["average"])
    engine = Engine(settings, "cpu")
    assert_same({"net": engine.weights()["netG-ema"]}, {"net": engine.weights()["netG"]})
    train(engine, settings, 1, 4)
    weights = engine.weights()
    assert list(weights) == ["netG", "netD", "netG-ema"]
    z = rng.latents(0, "samples", 0, 9, 5)
    other = Engine(config(), "cpu")
    for name, same in (("netG-ema", True), ("netG", False)):
        other.load_weights({"netG": weights[name]})
        assert np.array_equal(other.forward(z), engine.forward(z)) is same


def test_an_average_begins_with_the_weights_that_a_run_begins_with():
    settings, other = config(**EACH["average"]), Engine(config(), "cpu")
    train(other, config(), 1, 3)
    weights = {"netG": other.weights()["netG"]}
    engine = Engine(settings, "cpu")
    engine.load_weights(weights)
    assert_same({"netG": engine.weights()["netG-ema"]}, weights)


def test_other_weights_begin_with_a_spectral_norm_of_their_own():
    settings = config(**EACH["all, hinge"])
    engine, other = Engine(settings, "cpu"), Engine(config(), "cpu")
    train(engine, settings, 1, 3)
    train(other, config(), 1, 3)
    engine.load_weights(other.weights())
    weights, state = other.weights()["netD"], engine.state().arrays
    netD = nets.discriminator(2, 32)
    netD.initialize()
    for name, one in tensors(netD).items():
        one.set_data(nd.array(weights[name]))
    afresh = SpectralNorm(netD, settings.seed).state()
    assert_same({"spectral": state["spectral"]}, {"spectral": afresh})
    netD_now = {name: one.data().asnumpy() for name, one in tensors(netD).items()}
    assert_same({"netD": state["netD"]}, {"netD": netD_now})


def test_a_state_without_what_the_run_has_is_refused():
    plain = Engine(config(), "cpu").state()
    for option, name in (("average", "netG-ema"), ("spectral norm", "spectral")):
        with pytest.raises(ParamsError, match=f"{name}: .*without 0.weight"):
            Engine(config(**EACH[option]), "cpu").load_state(plain)


@pytest.mark.parametrize("recipe", ["gluon-tutorial", "pytorch-anime"])
def test_netDs_file_loads_into_the_tutorials_net(recipe, tmp_path):
    settings = config(recipe, spectral_norm=True)
    engine = Engine(settings, "cpu")
    train(engine, settings, 1, 4)
    save_params(tmp_path / "netD.params", engine.weights()["netD"])
    netD = tutorial_netD(settings.bias, settings.first_norm)
    netD.load_parameters(str(tmp_path / "netD.params"), ctx=mx.cpu())
    logits = netD(nd.array(faces(9).transpose(0, 3, 1, 2)) / 127.5 - 1).asnumpy()
    np.testing.assert_array_equal(engine.discriminate(faces(9)), logits.reshape(-1))
    singular = [
        np.linalg.norm(array.reshape(len(array), -1), 2)
        for array in engine.weights()["netD"].values()
        if array.ndim == 4
    ]
    assert 0.99 < min(singular) <= max(singular) < 2  # four power iterations, not yet at the largest


# Against PyTorch


def deviation(name: str, a: np.ndarray, b: np.ndarray, arrays: dict) -> float:
    """max|a - b| / max|b|; max|a - b| where the true value is arbitrary.

    Such are the bias in front of a BatchNorm, which takes any constant out again, and the running mean that follows it.
    """
    layer, word = name.rsplit(".", 2)[-2:]
    head = name[: -len(f"{layer}.{word}")]
    idle = (word.startswith("bias") and f"{head}{int(layer) + 1}.gamma" in arrays) or (
        word == "running_mean" and f"{head}{int(layer) - 1}.bias" in arrays
    )
    difference = np.abs(a - b).max()  # 0 where the hinge loss' gradients by netD's last bias cancel
    return float(difference / (1 if idle else np.abs(b).max())) if difference else 0.0


@pytest.mark.parametrize(
    ("options", "recipe", "plain"),
    [
        *itertools.product(EACH, ["gluon-tutorial"], [False, True]),
        *itertools.product(["all, bce", "all, hinge"], ["pytorch-anime"], [False, True]),
    ],
)
def test_gluon_is_pytorch_in_float64(options, recipe, plain):
    pytest.importorskip("torch")
    settings = config(recipe, plain=plain, **EACH[options])
    ours, theirs = (engines.build(engines.Choice(name, "cpu", ""), settings, "float64") for name in engines.TRAINERS)
    worst = {}
    for step in range(1, 6):
        one, two = (engine.probe(Batch(*batch(settings, step))) for engine in (ours, theirs))
        assert one.losses == pytest.approx(two.losses, rel=1e-9)
        assert one.gradients.keys() == two.gradients.keys()
        for name, gradient in two.gradients.items():
            worst[f"gradient {name}"] = deviation(name, one.gradients[name], gradient, two.gradients)
        assert train(ours, settings, step, step + 1)[0] == pytest.approx(
            train(theirs, settings, step, step + 1)[0], rel=1e-9
        )
    one, two = ours.state(), theirs.state()
    assert one.counts == two.counts
    assert one.arrays.keys() == two.arrays.keys()
    for part in ("netG", "netD", "netG-ema", "spectral"):
        assert one.arrays.get(part, {}).keys() == two.arrays.get(part, {}).keys()
        for name, array in two.arrays.get(part, {}).items():
            worst[f"{part} {name}"] = deviation(name, one.arrays[part][name], array, two.arrays[part])
    theirs.load_state(one)  # biases that a BatchNorm takes out again are in its running mean too, five steps late
    images, z = faces(9), rng.latents(1, "samples", 0, BATCH, settings.latent)
    for name, argument in (("forward", z), ("discriminate", images)):
        a, b = (getattr(engine, name)(argument) for engine in (ours, theirs))
        worst[name] = np.abs(a - b).max() / np.abs(b).max()
    assert {name: value for name, value in worst.items() if not value < 1e-9} == {}
