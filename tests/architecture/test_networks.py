"""State dicts of generators that no recipe makes: PyTorch's own pictures, with no option, to one grey level."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch_nets as nets  # noqa: E402
from torch import nn  # noqa: E402

from mxgan.architecture.wishes import Wishes  # noqa: E402


def leaky():
    return nn.LeakyReLU(0.2)


def upsampling(latent=32, d=16, channels=1, start=7, eps=0.8, kernel=3):
    """As PyTorch-GAN's dcgan.py: BatchNorm first, upsampling, LeakyReLU, and its epsilon that is 0.8 by mistake."""
    layers = [nn.BatchNorm2d(d)]
    for a, b in ((d, d), (d, d // 2)):
        layers += [
            nn.Upsample(scale_factor=2),
            nn.Conv2d(a, b, kernel, 1, kernel // 2),
            nn.BatchNorm2d(b, eps),
            leaky(),
        ]
    layers += [nn.Conv2d(d // 2, channels, kernel, 1, kernel // 2), nn.Tanh()]
    return nets.Projected(latent, (d, start, start), nn.Sequential(*layers))


def kernels():
    """7, 5 and 3: 7, 14, 28 pixels."""
    rows = [(32, 24, 7, 1, 0, 0), (24, 16, 5, 2, 2, 1), (16, 8, 3, 2, 1, 1)]
    layers = []
    for a, b, kernel, stride, padding, more in rows:
        layers += [nn.ConvTranspose2d(a, b, kernel, stride, padding, more, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    return nets.Main(*layers, nn.ConvTranspose2d(8, 1, 3, 1, 1), nn.Tanh())


def linear_start(norm):
    body = [nn.ConvTranspose2d(24, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU()]
    body += [nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 3, 3, 1, 1), nn.Tanh()]
    return nets.Projected(32, (24, 8, 8), nn.Sequential(*body), norm)


# name: (network, latent, z as a map of one pixel)
DETECTED = {
    "ReLU": (lambda: nets.Main(*nets.stack()), 24, True),
    "LeakyReLU": (lambda: nets.Main(*nets.stack(act=leaky)), 24, True),
    "LeakyReLU and biases": (lambda: nets.stack(act=leaky, biases="all"), 24, True),
    "eps 0.8": (lambda: nets.stack(eps=0.8), 24, True),
    "eps 0.8 and LeakyReLU": (lambda: nets.Main(*nets.stack(act=leaky, eps=0.8, biases="last")), 24, True),
    "the arrays of pytorch/examples, with LeakyReLU": (
        lambda: nets.Main(*nets.stack(100, (64, 32, 16, 8), act=leaky)), 100, True),
    "bias in the last layer alone": (lambda: nets.stack(biases="last"), 24, True),
    "bias in all layers but the last": (lambda: nets.stack(biases="all but the last"), 24, True),
    "16 pixels": (lambda: nets.Main(*nets.stack(16, (24, 12), channels=1)), 16, True),
    "256 pixels": (lambda: nets.Main(*nets.stack(16, (24, 16, 12, 8, 8, 4))), 16, True),
    "4 channels": (lambda: nets.Main(*nets.stack(channels=4, biases="last")), 24, True),
    "widths 8 4 4 2 1": (lambda: nets.Main(*nets.stack(20, (32, 16, 16, 8, 4))), 20, True),
    "kernels 7, 5 and 3": (kernels, 32, True),
    "Linear": (lambda: linear_start(False), 32, False),
    "Linear and BatchNorm1d": (lambda: linear_start(True), 32, False),
    "upsampling, LeakyReLU, eps 0.8": (upsampling, 32, False),
    "upsampling, kernel 5": (lambda: upsampling(kernel=5, eps=1e-5, channels=3, start=4), 32, False),
}  # fmt: skip


def saved(tmp_path, case, table=DETECTED):
    """(file, PyTorch's pictures) of a case."""
    build, latent, as_map = table[case]
    net = nets.trained(build(), latent, as_map)
    path = tmp_path / "netG.pth"
    torch.save(net.state_dict(), path)
    return path, nets.pictures(net, latent, as_map)


@pytest.mark.parametrize("case", list(DETECTED))
def test_its_pictures_are_pytorchs(tmp_path, case):
    path, wanted = saved(tmp_path, case)
    generator, found, warned = nets.read(path)
    nets.assert_same(found, wanted)
    assert warned == []
    assert generator.read.told[0].startswith("the network: ")


def test_what_was_assumed_is_said_and_how_to_say_otherwise(tmp_path):
    path, _ = saved(tmp_path, "bias in the last layer alone")
    (line,) = nets.read(path)[0].read.told
    for words in ("assumed: ReLU, tanh at the end, eps 1e-05, stride 1 2 2 2", "--activation", "--eps", "--layout"):
        assert words in line


def test_a_sigmoid_end_leaves_no_trace_in_the_file_so_it_is_an_assumption_and_an_option(tmp_path):
    net = nets.trained(nets.Main(*nets.stack(end=nn.Sigmoid())), 24)
    torch.save(net.state_dict(), tmp_path / "netG.pth")
    wanted = nets.pictures(net, 24, end="sigmoid")
    generator, found, _ = nets.read(tmp_path / "netG.pth")
    assert "tanh at the end" in generator.read.told[0]
    assert np.abs(found.astype(int) - wanted).max() > 25
    assert generator.read.cautions == generator.read.told  # which `nets.read` has seen as a warning
    generator, found, _ = nets.read(tmp_path / "netG.pth", Wishes(output="sigmoid"))
    nets.assert_same(found, wanted)
    assert "tanh at the end" not in generator.read.told[0]


def test_uniform_latents_are_seen_in_the_first_running_statistics(tmp_path):
    net = nets.stack(biases="last")
    nets.trained(net, 24)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
        for seed in range(8):
            net.train()(torch.rand(64, 24, 1, 1, generator=torch.Generator().manual_seed(seed)) * 2 - 1)
    torch.save(net.eval().state_dict(), tmp_path / "netG.pth")
    generator, found, _ = nets.read(tmp_path / "netG.pth")
    assert generator.uniform
    assert "uniform latents" in generator.read.told[0]
    nets.assert_same(found, nets.pictures(net, 24))


@pytest.mark.slow
def test_running_statistics_that_no_network_explains_are_a_warning(tmp_path):
    net = nets.trained(nets.Main(*nets.stack()), 24)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean += 30 * module.running_var.sqrt()
    torch.save(net.state_dict(), tmp_path / "netG.pth")
    _, _, warned = nets.read(tmp_path / "netG.pth")
    assert len(warned) == 1
    assert "confirm nothing" in warned[0]


@pytest.mark.parametrize("how", ["times", "first", "last"])
def test_a_labels_vector_times_the_latents_or_beside_them(tmp_path, how):
    net = nets.trained(nets.Labelled(how), 20)
    torch.save(net.state_dict(), tmp_path / "netG.pth")
    generator, found, warned = nets.read(tmp_path / "netG.pth")
    assert (generator.classes, generator.latent, warned) == (5, 20, [])
    said = {"times": "latents times the label's vector", "first": "before the latents", "last": "after the latents"}
    assert said[how] in generator.read.told[0]
    nets.assert_same(found, nets.pictures(net, 20))
