"""The PyTorch engine against the notebooks' own loop; more in tests/test_both_engines.py."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from small_engines import BATCH, RECIPES, config, faces, latents, train  # noqa: E402

from mxgan import pixels, rng  # noqa: E402
from mxgan.engines.protocol import Batch  # noqa: E402
from mxgan.errors import MxganError  # noqa: E402
from mxgan.pytorch import nets, runtime  # noqa: E402
from mxgan.pytorch.engine import Engine  # noqa: E402
from mxgan.pytorch.graph import forward_of  # noqa: E402
from mxgan.pytorch.model import Options  # noqa: E402
from mxgan.pytorch.tensors import write  # noqa: E402
from mxgan.weights import recognise  # noqa: E402
from mxgan.weights.dcgan import graph_of  # noqa: E402


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

    probe = engine.probe(Batch(faces(0), z, z_g))
    words = {"gamma": "weight", "beta": "bias"}
    for name, value in {**probe.losses, **probe.gradients}.items():
        head, _, word = name.rpartition(".")
        their = theirs[f"{head}.{words.get(word, word)}" if head else name]
        np.testing.assert_allclose(value, their.numpy(), rtol=1e-9, atol=1e-15, err_msg=name)


def test_real_images_reach_the_network_as_pixels_says():
    engine = Engine(config(), "cpu")
    every_value = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    np.testing.assert_array_equal(engine.model.images(every_value).numpy(), pixels.from_uint8(every_value))


def test_the_layout_changes_no_digit_that_matters():
    one = Engine(config(), "cpu", "float64")
    two = Engine(config(), "cpu", "float64", Options(channels_last=False))
    for ours, theirs in zip(train(one, "gluon-tutorial", 0, 3), train(two, "gluon-tutorial", 0, 3)):
        assert ours == pytest.approx(theirs, rel=1e-12)


def test_bfloat16_trains_beside_float32_and_generates_as_it():
    """Autocast: weights and statistics stay float32, and what is generated from weights doesn't change at all."""
    exact, fast = Engine(config(), "cpu"), Engine(config(precision="bfloat16"), "cpu")
    assert (exact.model.options.precision, fast.model.options.precision) == ("tf32", "bfloat16")
    for ours, theirs in zip(train(fast, "gluon-tutorial", 0, 3), train(exact, "gluon-tutorial", 0, 3)):
        assert ours == pytest.approx(theirs, abs=0.05)
    assert {array.dtype for array in fast.weights()["netG"].values()} == {np.dtype(np.float32)}
    fast.load_weights(exact.weights())
    z = rng.latents(0, "samples", 0, 7, 5)
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
        z = rng.latents(0, "samples", 0, 7, 5)
        graph = graph_of(recognise(engine.weights()["netG"], "netG", "generator"))
        np.testing.assert_array_equal(forward_of(graph, "cpu")(z), engine.forward(z))


def test_a_generator_of_another_size_gives_what_pytorch_gives():
    layers = torch.nn.Sequential(
        torch.nn.ConvTranspose2d(5, 4, 4, 1, 0, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
        torch.nn.ConvTranspose2d(4, 2, 4, 2, 1, bias=False), torch.nn.BatchNorm2d(2), torch.nn.ReLU(),
        torch.nn.ConvTranspose2d(2, 3, 4, 2, 1, bias=False),
    )  # fmt: skip
    arrays = {name: tensor.numpy() for name, tensor in layers.state_dict().items()}
    z = rng.latents(0, "samples", 0, 7, 5)
    images = forward_of(graph_of(recognise(arrays, "small.pth", "generator")), "cpu")(z)
    with torch.no_grad():
        theirs = torch.tanh(layers.eval()(torch.from_numpy(z)[:, :, None, None])).numpy()
    assert images.shape == (7, 3, 16, 16)
    np.testing.assert_allclose(images, theirs, atol=1e-6)


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
    with pytest.raises(MxganError, match=r"ctx 'gpu:3': there is no GPU 3: this machine has 1 GPU"):
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
        runtime.prepare()
        assert torch.get_num_threads() == 1  # as many as were set, unless that's too many
        torch.set_num_threads(2)
        monkeypatch.setattr(runtime.machine, "usable_cores", lambda: 1)
        runtime.load()
        assert torch.get_num_threads() == 2  # nobody asked for another number
        runtime.prepare()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
