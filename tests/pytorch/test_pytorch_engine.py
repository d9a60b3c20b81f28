"""The PyTorch engine against the notebooks' own loop and against NumPy in float64."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import numpy_gan  # noqa: E402

from mxgan import noise, pixels  # noqa: E402
from mxgan.config import TrainConfig, resolve  # noqa: E402
from mxgan.engines import State  # noqa: E402
from mxgan.errors import MxganError, ParamsError  # noqa: E402
from mxgan.pytorch import nets, runtime  # noqa: E402
from mxgan.pytorch.engine import Engine, Options, forward_of  # noqa: E402
from mxgan.pytorch.tensors import write  # noqa: E402
from mxgan.weights import recognise  # noqa: E402

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


def notebook_step(netG, netD, real, z, z_g) -> dict[str, torch.Tensor]:
    """The notebooks' step up to its updates: sigmoid, then binary cross entropy; the fake batch isn't detached."""
    bce = torch.nn.functional.binary_cross_entropy
    losses = {}
    pred_fake, pred_real = netD(netG(z)).sigmoid(), netD(real).sigmoid()
    losses["loss_d"] = bce(pred_real, torch.ones_like(pred_real)) + bce(pred_fake, torch.zeros_like(pred_fake))
    losses["loss_d"].backward()
    gradients = {f"netD.{name}": p.grad.clone() for name, p in netD.named_parameters()}
    netG.zero_grad()
    netD.zero_grad()
    pred = netD(netG(z_g)).sigmoid()
    losses["loss_g"] = bce(pred, torch.ones_like(pred))
    losses["loss_g"].backward()
    gradients.update({f"netG.{name}": p.grad.clone() for name, p in netG.named_parameters()})
    return {**{name: loss.detach() for name, loss in losses.items()}, **gradients}


def test_losses_and_gradients_are_those_of_the_notebooks_loop():
    engine = Engine(config("pytorch-anime"), "cpu", "float64")
    netG, netD = nets.generator(5, 3, 32).double(), nets.discriminator(2, 32).double()
    for net, name in ((netG, "netG"), (netD, "netD")):
        write(net, engine.weights()[name], name)
    z, z_g = latents(0, "pytorch-anime")
    real = torch.from_numpy(faces(0).transpose(0, 3, 1, 2) / 127.5 - 1)
    tensors = (torch.from_numpy(one).double().reshape(BATCH, 5, 1, 1) for one in (z, z_g))
    theirs = notebook_step(netG, netD, real, *tensors)

    probe = engine.probe(faces(0), z, z_g)
    words = {"gamma": "weight", "beta": "bias"}
    for name, value in {**probe.losses, **probe.gradients}.items():
        head, _, word = name.rpartition(".")
        their = theirs[f"{head}.{words.get(word, word)}" if head else name]
        np.testing.assert_allclose(value, their.numpy(), rtol=1e-9, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("recipe", RECIPES)
def test_training_is_numpys_in_float64(recipe, size):
    engine = Engine(config(recipe, size), "cpu", "float64")
    netG, netD = (numpy_gan.Network(engine.weights()[name], name == "netG") for name in ("netG", "netD"))
    for step in range(2):  # in the third, MXNet reads its learning rate one float32 unit off, and this engine follows
        ours = engine.train_step(faces(step, size), *latents(step, recipe)).read()
        assert ours == pytest.approx(numpy_gan.step(netG, netD, faces(step, size), *latents(step, recipe)), rel=1e-11)
    for name, net in (("netG", netG), ("netD", netD)):
        for key, array in engine.weights()[name].items():
            np.testing.assert_allclose(array, net.arrays[key], rtol=1e-9, atol=1e-9, err_msg=f"{name} {key}")
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


def test_a_state_that_does_not_fit_is_refused():
    engine = Engine(config(), "cpu")
    train(engine, "gluon-tutorial", 0, 1)
    state = engine.state()
    without = {name: array for name, array in state.arrays["adamG"].items() if name != "0.weight.m"}
    with pytest.raises(ParamsError, match=r"adamG: .*without 0\.weight\.m"):
        engine.load_state(State({**state.arrays, "adamG": without}, state.counts))
    with pytest.raises(ParamsError, match=r"netG: 0\.bias is \(2,\)"):
        engine.load_weights({"netG": {**state.arrays["netG"], "0.bias": np.zeros(2, np.float32)}})


@pytest.mark.parametrize("recipe", RECIPES)
def test_batchnorms_statistics_move_three_times_in_netD_and_once_in_netG(recipe):
    engine = Engine(config(recipe), "cpu")
    before = engine.weights()
    train(engine, recipe, 0, 1)
    after = engine.weights()
    for net, moves in (("netG", 1), ("netD", 3)):
        for name in (name for name in before[net] if name.endswith("running_var")):
            # a running variance starts at 1 and each move leaves 0.9 of it, plus 0.1 of a batch's
            assert (before[net][name] == 1).all()
            assert (after[net][name] > 0.9**moves - 1e-6).all(), name
            assert (after[net][name] != before[net][name]).all(), name


def test_pictures_do_not_depend_on_what_stands_beside_them():
    engine = Engine(config(size=64), "cpu")
    z = noise.latents(0, "generate", 0, 64, 5)
    together = engine.forward(z)
    assert (together.shape, together.dtype) == ((64, 3, 64, 64), np.float32)
    for index in (0, 17, 63):
        np.testing.assert_allclose(engine.forward(z[index : index + 1])[0], together[index], atol=1e-6)
    images = engine.generate(z)
    assert (images.shape, images.dtype) == ((64, 64, 64, 3), np.uint8)


def test_generating_judging_and_probing_change_nothing():
    one, two = Engine(config(), "cpu"), Engine(config(), "cpu")
    train(one, "gluon-tutorial", 0, 2)
    train(two, "gluon-tutorial", 0, 1)
    two.generate(noise.latents(0, "samples", 0, 7, 5))
    assert two.discriminate(faces(9)).shape == (BATCH,)
    two.probe(faces(9), *latents(9, "gluon-tutorial"))
    train(two, "gluon-tutorial", 1, 2)
    assert_same(one.state().arrays, two.state().arrays)


def test_real_images_reach_the_network_as_pixels_says():
    engine = Engine(config(), "cpu")
    every_value = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    np.testing.assert_array_equal(engine._images(every_value).numpy(), pixels.from_uint8(every_value))


def test_the_layout_changes_no_digit_that_matters():
    one = Engine(config(), "cpu", "float64")
    two = Engine(config(), "cpu", "float64", Options(channels_last=False))
    for ours, theirs in zip(train(one, "gluon-tutorial", 0, 3), train(two, "gluon-tutorial", 0, 3)):
        assert ours == pytest.approx(theirs, rel=1e-12)


def test_bfloat16_trains_beside_float32_and_generates_as_it():
    """Autocast: weights and statistics stay float32, and what is generated from weights doesn't change at all."""
    exact, fast = Engine(config(), "cpu"), Engine(config(precision="bfloat16"), "cpu")
    assert (exact.options.precision, fast.options.precision) == ("tf32", "bfloat16")
    for ours, theirs in zip(train(fast, "gluon-tutorial", 0, 3), train(exact, "gluon-tutorial", 0, 3)):
        assert ours == pytest.approx(theirs, abs=0.05)
    assert {array.dtype for array in fast.weights()["netG"].values()} == {np.dtype(np.float32)}
    fast.load_weights(exact.weights())
    z = noise.latents(0, "samples", 0, 7, 5)
    np.testing.assert_array_equal(fast.forward(z), exact.forward(z))


def test_deterministic_algorithms_on_request():
    engine = Engine(config(deterministic=True), "cpu")
    try:
        assert torch.are_deterministic_algorithms_enabled()
        assert train(engine, "gluon-tutorial", 0, 2) == train(Engine(config(), "cpu"), "gluon-tutorial", 0, 2)
    finally:
        torch.use_deterministic_algorithms(False)


def test_a_generator_read_from_a_file_gives_what_the_engine_gave():
    for recipe in RECIPES:
        engine = Engine(config(recipe), "cpu")
        train(engine, recipe, 0, 2)
        z = noise.latents(0, "samples", 0, 7, 5)
        net = recognise(engine.weights()["netG"], "netG", "generator")
        np.testing.assert_array_equal(forward_of(net, "cpu")(z), engine.forward(z))


def test_a_generator_of_another_size_is_refused_with_what_was_found():
    layers = torch.nn.Sequential(
        torch.nn.ConvTranspose2d(5, 4, 4, 1, 0, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
        torch.nn.ConvTranspose2d(4, 2, 4, 2, 1, bias=False), torch.nn.BatchNorm2d(2), torch.nn.ReLU(),
        torch.nn.ConvTranspose2d(2, 3, 4, 2, 1, bias=False),
    )  # fmt: skip
    arrays = {name: tensor.numpy() for name, tensor in layers.state_dict().items()}
    with pytest.raises(ParamsError, match=r"makes 16×16 pixels: size 16: one of 32, 64, 128"):
        forward_of(recognise(arrays, "small.pth", "generator"), "cpu")


class OneGpu:
    """What torch.cuda says on a machine with one GPU."""

    capability, architectures = (9, 0), ("sm_80", "sm_90")

    def __init__(self, patch) -> None:
        patch.setattr(runtime, "_version", lambda: "2.9.1")
        patch.setattr(torch.version, "cuda", "12.8")
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.cuda, "device_count", lambda: 1)
        patch.setattr(torch.cuda, "get_device_capability", lambda number: self.capability)
        patch.setattr(torch.cuda, "get_arch_list", lambda: list(self.architectures))


def test_gpus_are_counted_and_known(monkeypatch):
    gpu = OneGpu(monkeypatch)
    assert runtime.gpu_problem(0) is None
    assert runtime.device("gpu") == torch.device("cuda", 0)
    assert runtime.gpu_problem(3) == "there is no GPU 3: this machine has 1 GPU, numbered from 0"
    with pytest.raises(MxganError, match=r"--ctx gpu:3: there is no GPU 3: this machine has 1 GPU"):
        runtime.device("gpu:3")
    for capability, architectures, runs in (
        ((8, 9), ("sm_80", "sm_90"), True),  # the same family
        ((7, 0), ("sm_75", "sm_90"), False),
        ((12, 0), ("sm_90",), False),
        ((12, 0), ("sm_90", "compute_90"), True),  # compiled by the driver
        ((9, 0), ("sm_90a",), True),
    ):
        gpu.capability, gpu.architectures = capability, architectures
        assert (runtime.gpu_problem(0) is None) == runs, (capability, architectures)


def test_a_cpu_build_says_so(monkeypatch):
    monkeypatch.setattr(runtime, "_version", lambda: "2.13.0+cpu")
    assert runtime.gpu_problem(0).startswith("this is a CPU build of PyTorch (2.13.0+cpu): install")


def test_threads(monkeypatch):
    before = torch.get_num_threads()
    try:
        runtime.load(1)
        assert torch.get_num_threads() == 1
        runtime.load()
        assert torch.get_num_threads() == 1  # as many as were set, unless that's too many
        torch.set_num_threads(2)
        monkeypatch.setattr(runtime.cores, "available", lambda: 1)
        runtime.load()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
