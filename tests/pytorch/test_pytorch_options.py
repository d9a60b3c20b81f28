"""The options of training on the PyTorch engine: against NumPy in float64, and on from a state bit for bit."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import numpy_gan  # noqa: E402
import numpy_options  # noqa: E402

from mxgan import rng  # noqa: E402
from mxgan.config import RunConfig, TrainConfig, resolve  # noqa: E402
from mxgan.engines.protocol import Batch, State  # noqa: E402
from mxgan.errors import ParamsError  # noqa: E402
from mxgan.pytorch.engine import Engine  # noqa: E402
from mxgan.pytorch.model import Options  # noqa: E402
from mxgan.recipe import augment, ema  # noqa: E402

BATCH = 4
PARTS = {
    "rates": {"lr_g": 1e-4, "lr_d": 4e-4},
    "smoothing": {"label_smoothing": 0.1},
    "hinge": {"loss": "hinge"},
    "color": {"augment": "color"},
    "translation": {"augment": "translation"},
    "cutout": {"augment": "cutout"},
    "spectral": {"spectral_norm": True},
    "average": {"ema": 6.0, "ema_rampup": 1.0},
}
ALL = {
    **PARTS["rates"], **PARTS["hinge"], "augment": "color,translation,cutout", **PARTS["spectral"], **PARTS["average"],
}  # fmt: skip
EACH = pytest.mark.parametrize("values", [*PARTS.values(), ALL], ids=[*PARTS, "all"])


def config(recipe="gluon-tutorial", **values) -> RunConfig:
    sizes = {"size": 32, "ngf": 3, "ndf": 2, "latent": 5, "batch_size": BATCH, "seed": 1, "threads": 1}
    return resolve(TrainConfig(recipe=recipe, **sizes, **values))


def inputs(config: RunConfig, step: int) -> tuple:
    faces = np.random.RandomState(step).randint(0, 256, (BATCH, 32, 32, 3)).astype(np.uint8)
    z, z_g = (rng.latents(1, stream, step, BATCH, 5) for stream in ("D step", "G step"))
    return faces, z, z_g if config.fresh_latents else None, augment.draw(config, step)


def train(engine: Engine, config: RunConfig, first: int, last: int) -> list[dict]:
    return [engine.train_step(Batch(*inputs(config, step))).read() for step in range(first, last)]


def in_numpy(engine: Engine, config: RunConfig) -> tuple:
    """netG, netD and the options of a new engine."""
    arrays = engine.state().arrays
    netG = numpy_gan.Network(arrays["netG"], True, config.lr_g)
    netD = numpy_gan.Network(arrays["netD"], False, config.lr_d)
    convolutions = {name: w for name, w in arrays.get("spectral", {}).items() if name.endswith("weight")}
    return (
        netG,
        netD,
        numpy_options.Options(
            config.loss,
            config.label_smoothing,
            numpy_options.Spectral(netD, convolutions, 1) if convolutions else None,
            numpy_options.Average(netG, config.ema, config.ema_rampup) if config.ema else None,
        ),
    )


def assert_same(one: dict, two: dict) -> None:
    """The same names, and under each the same bytes."""
    assert one.keys() == two.keys()
    for group in one:
        assert one[group].keys() == two[group].keys()
        for name, array in one[group].items():
            np.testing.assert_array_equal(array, two[group][name], err_msg=f"{group} {name}")


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize("recipe", ["gluon-tutorial", "pytorch-anime"])
@EACH
def test_training_is_numpys_in_float64(values, recipe, plain):
    wanted = config(recipe, plain=plain, **values)
    engine = Engine(wanted, "cpu", "float64")
    netG, netD, options = in_numpy(engine, wanted)
    for step in range(2):  # in the third, MXNet reads its learning rate one float32 unit off
        ours = engine.train_step(Batch(*inputs(wanted, step))).read()
        assert ours == pytest.approx(numpy_gan.step(netG, netD, *inputs(wanted, step), options), rel=1e-9)
    theirs = {"netG": netG.arrays, "netD": netD.arrays}
    if options.average:
        theirs["netG-ema"] = numpy_gan.settled(options.average.arrays, ema.latents(wanted))
    weights = engine.weights()
    assert weights.keys() == theirs.keys()
    for name, arrays in weights.items():
        for key, array in arrays.items():
            np.testing.assert_allclose(array, theirs[name][key], rtol=1e-9, atol=1e-9, err_msg=f"{name} {key}")
    if options.spectral:
        kept = engine.state().arrays["spectral"]
        for name, w in options.spectral.weights.items():
            np.testing.assert_allclose(kept[name], w, rtol=1e-9, atol=1e-9)
            for word, vectors in (("u", options.spectral.u), ("v", options.spectral.v)):
                np.testing.assert_allclose(kept[f"{name.split('.')[0]}.{word}"], vectors[name], rtol=1e-8, atol=1e-9)


@EACH
def test_gradients_are_those_of_what_is_trained_and_probing_changes_nothing(values):
    wanted = config("pytorch-anime", **values)
    one, two = Engine(wanted, "cpu", "float64"), Engine(wanted, "cpu", "float64")
    before = one.state()
    probe = one.probe(Batch(*inputs(wanted, 0)))
    assert_same(one.state().arrays, before.arrays)
    train(two, wanted, 0, 1)  # at the first step Adam's m is half the gradient
    for key, moment in two.state().arrays["adamD"].items():
        if key.endswith(".m"):
            np.testing.assert_allclose(probe.gradients[f"netD.{key[:-2]}"] / 2, moment, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@EACH
def test_a_resumed_engine_goes_on_bit_for_bit(values, plain):
    wanted = config(plain=plain, **values)
    straight = Engine(wanted, "cpu")
    train(straight, wanted, 0, 3)
    state = straight.state()
    logged = train(straight, wanted, 3, 6)
    fresh, used = Engine(wanted, "cpu"), Engine(wanted, "cpu")
    train(used, wanted, 6, 8)
    for engine in (fresh, used):
        engine.load_state(state)
        assert_same(engine.state().arrays, state.arrays)
        assert train(engine, wanted, 3, 6) == logged
        assert_same(engine.state().arrays, straight.state().arrays)


def test_spectral_norm_finds_the_largest_singular_value_and_netD_is_divided_by_it():
    wanted = config(spectral_norm=True)
    engine = Engine(wanted, "cpu", "float64")
    for _ in range(300):
        with engine.model.spectral.unfolded():
            pass
    for name, folded in engine.weights()["netD"].items():
        if folded.ndim == 4:
            w = engine.state().arrays["spectral"][name].reshape(len(folded), -1)
            largest = np.linalg.svd(w, compute_uv=False)[0]
            np.testing.assert_allclose(folded.reshape(w.shape), w / largest, rtol=1e-6)
    tutorial = Engine(config(), "cpu", "float64")  # what is saved loads into the tutorial's net
    tutorial.load_weights({"netD": engine.weights()["netD"]})
    images = inputs(wanted, 0)[0]
    np.testing.assert_array_equal(tutorial.discriminate(images), engine.discriminate(images))


def test_pictures_are_the_averages():
    wanted = config(ema=6.0, ema_rampup=1.0)
    engine, tutorial = Engine(wanted, "cpu"), Engine(config(), "cpu")
    z = rng.latents(0, "samples", 0, 7, 5)
    np.testing.assert_array_equal(engine.forward(z), tutorial.forward(z))  # before the first step they are netG's
    train(engine, wanted, 0, 4)
    train(tutorial, config(), 0, 4)
    weights = engine.weights()
    assert_same({"netG": weights["netG"]}, {"netG": tutorial.weights()["netG"]})  # training doesn't see it
    assert (engine.forward(z) != tutorial.forward(z)).any()
    tutorial.load_weights({"netG": weights["netG-ema"]})
    np.testing.assert_array_equal(engine.forward(z), tutorial.forward(z))
    np.testing.assert_array_equal(engine.generate(z), tutorial.generate(z))
    engine.load_weights({"netG": weights["netG"]})  # it begins anew with what it averages
    assert_same({"netG": engine.weights()["netG-ema"]}, {"netG": weights["netG"]})
    engine.load_weights(dict(reversed(weights.items())))
    assert_same(engine.weights(), weights)


def test_a_state_without_what_the_run_needs_is_refused():
    state = Engine(config(), "cpu").state()
    for values, name in (({"ema": 6.0}, "netG-ema"), ({"spectral_norm": True}, "spectral")):
        engine = Engine(config(**values), "cpu")
        with pytest.raises(ParamsError, match=rf"^{name}: .* without 0\.weight"):
            engine.load_state(state)
        arrays = engine.state().arrays
        wrong = {**arrays, name: {**arrays[name], "0.weight": np.zeros(2, np.float32)}}
        with pytest.raises(ParamsError, match=rf"^{name}: 0\.weight is \(2,\)"):
            engine.load_state(State(wrong, state.counts))


@EACH
def test_bfloat16_and_every_layout_train_beside_float32(values):
    wanted = config(**values)
    exact = train(Engine(wanted, "cpu"), wanted, 0, 3)
    for options, apart in ((Options("bfloat16"), 0.1), (Options(channels_last=False, products=False), 1e-3)):
        engine = Engine(wanted, "cpu", options=options)
        for ours, theirs in zip(train(engine, wanted, 0, 3), exact):
            assert ours == pytest.approx(theirs, abs=apart)
        assert {array.dtype for arrays in engine.state().arrays.values() for array in arrays.values()} == {
            np.dtype(np.float32)
        }
