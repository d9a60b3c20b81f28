"""Generators that known.json knows: transposed convolutions from a latent of 1x1 pixels."""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .kinds import Published


def up(
    inside: int, outside: int, kernel: int = 4, stride: int = 2, padding: int = 1, bias: bool = False
) -> list[nn.Module]:
    """Transposed convolution, BatchNorm, ReLU."""
    layer = nn.ConvTranspose2d(inside, outside, kernel, stride, padding, bias=bias)
    return [layer, nn.BatchNorm2d(outside), nn.ReLU(True)]


def dcgan(latent: int, widths: list[int], bias: bool = False) -> list[nn.Module]:
    """The DCGAN's stages without its last layer: 1 pixel to 4, then doubled for each further width."""
    layers = up(latent, widths[0], 4, 1, 0, bias)
    for inside, outside in zip(widths, widths[1:]):
        layers += up(inside, outside, bias=bias)
    return layers


class Main(nn.Module):
    """A Sequential called main."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


def examples() -> nn.Module:
    return Main(*dcgan(100, [64, 32, 16, 8]), nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False), nn.Tanh())


def cifar() -> nn.Module:
    return Main(*dcgan(100, [64, 32, 16, 8]), nn.ConvTranspose2d(8, 3, 1, 1, 0, bias=False), nn.Tanh())


def mnist_cropped() -> nn.Module:
    return Main(*dcgan(100, [64, 32, 16, 8]), nn.ConvTranspose2d(8, 1, 1, 1, 2, bias=False), nn.Tanh())


def bare_sequential() -> nn.Module:
    return nn.Sequential(*dcgan(128, [64, 32, 16, 8]), nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False), nn.Tanh())


class Nested(nn.Module):
    """A Sequential of Sequentials called net; the last layer stands alone."""

    def __init__(self, latent: int, widths: list[int], last_bias: bool) -> None:
        super().__init__()
        blocks = [nn.Sequential(*up(latent, widths[0], 4, 1, 0))]
        blocks += [nn.Sequential(*up(a, b)) for a, b in zip(widths, widths[1:])]
        self.net = nn.Sequential(*blocks, nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1, bias=last_bias), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z)


class LeakyBlocks(nn.Module):
    """Blocks in a Sequential called model, one LeakyReLU shared by all of them, bias in the last layer alone."""

    def __init__(self, latent: int = 100, widths: tuple[int, ...] = (32, 16, 8)) -> None:
        super().__init__()
        act = nn.LeakyReLU(0.2)
        ins, outs = (latent, *widths[:-1]), widths
        blocks = []
        for i, (a, b) in enumerate(zip(ins, outs)):
            layer = nn.ConvTranspose2d(a, b, 4, 2 if i else 1, 1 if i else 0, bias=False)
            blocks.append(nn.Sequential(layer, nn.BatchNorm2d(b), act))
        blocks.append(nn.Sequential(nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1), nn.Tanh()))
        self.model = nn.Sequential(*blocks)

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z.view(-1, z.size(1), 1, 1))


class Functional(nn.Module):
    """Layers as attributes, activations as functions, biases everywhere."""

    def __init__(self, d: int = 8) -> None:
        super().__init__()
        self.deconv1 = nn.ConvTranspose2d(100, d * 8, 4, 1, 0)
        self.deconv1_bn = nn.BatchNorm2d(d * 8)
        self.deconv2 = nn.ConvTranspose2d(d * 8, d * 4, 4, 2, 1)
        self.deconv2_bn = nn.BatchNorm2d(d * 4)
        self.deconv3 = nn.ConvTranspose2d(d * 4, d * 2, 4, 2, 1)
        self.deconv3_bn = nn.BatchNorm2d(d * 2)
        self.deconv4 = nn.ConvTranspose2d(d * 2, d, 4, 2, 1)
        self.deconv4_bn = nn.BatchNorm2d(d)
        self.deconv5 = nn.ConvTranspose2d(d, 3, 4, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.deconv1_bn(self.deconv1(z)))
        x = F.relu(self.deconv2_bn(self.deconv2(x)))
        x = F.relu(self.deconv3_bn(self.deconv3(x)))
        x = F.relu(self.deconv4_bn(self.deconv4(x)))
        return torch.tanh(self.deconv5(x))


def seven_four_three() -> nn.Module:
    layers = up(100, 256, 7, 1, 0) + up(256, 128) + up(128, 64)
    return Main(*layers, nn.ConvTranspose2d(64, 1, 3, 1, 1, bias=False), nn.Tanh())


class Course(nn.Module):
    """Kernels of 3 and 4 without padding: 1, 3, 6, 13, 28 pixels."""

    def __init__(self, latent: int = 64, d: int = 16) -> None:
        super().__init__()
        sizes = [(latent, d * 4, 3, 2), (d * 4, d * 2, 4, 1), (d * 2, d, 3, 2)]
        blocks = [nn.Sequential(*up(a, b, k, s, 0, bias=True)) for a, b, k, s in sizes]
        self.gen = nn.Sequential(*blocks, nn.Sequential(nn.ConvTranspose2d(d, 1, 4, 2), nn.Tanh()))

    def forward(self, z: Tensor) -> Tensor:
        return self.gen(z.view(len(z), -1, 1, 1))


def wasserstein(norm: bool = True, d: int = 8) -> nn.Module:
    """Module names that hold sizes."""
    net: OrderedDict[str, nn.Module] = OrderedDict()

    def stage(where: str, a: int, b: int, stride: int, padding: int) -> None:
        net[f"{where}:{a}-{b}:convt"] = nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False)
        if norm:
            net[f"{where}:{b}:batchnorm"] = nn.BatchNorm2d(b)
        net[f"{where}:{b}:relu"] = nn.ReLU(True)

    stage("initial", 100, d * 8, 1, 0)
    for a, b in ((d * 8, d * 4), (d * 4, d * 2), (d * 2, d)):
        stage("pyramid", a, b, 2, 1)
    net[f"final:{d}-3:convt"] = nn.ConvTranspose2d(d, 3, 4, 2, 1, bias=False)
    net["final:3:tanh"] = nn.Tanh()
    made = Main()
    made.main = nn.Sequential(net)
    return made


NETS = [
    Published("examples-64", examples, "pytorch/examples", 100, 64, known="pytorch/examples DCGAN"),
    Published("cifar-32", cifar, "last kernel 1", 100, 32, known="csinva CIFAR DCGAN (32 px)"),
    Published(
        "mnist-28", mnist_cropped, "last kernel 1, padding 2 crops", 100, 28, 1, known="csinva MNIST DCGAN (28 px)"
    ),
    Published(
        "bare-64",
        bare_sequential,
        "a bare Sequential",
        128,
        64,
        known="a bare Sequential, as in the anime-face notebooks",
    ),
    Published(
        "nested-64",
        lambda: Nested(100, [64, 32, 16, 8], False),
        "nested Sequentials",
        100,
        64,
        known="Aladdin Persson's DCGAN",
    ),
    Published(
        "nested-bias-64",
        lambda: Nested(128, [64, 32, 16, 8], True),
        "bias in the last layer alone",
        128,
        64,
        discriminator="instance",
        known="Aladdin Persson's WGAN-GP",
    ),
    Published(
        "leaky-blocks-32", LeakyBlocks, "LeakyReLU 0.2, shared", 100, 32, known="TorchGAN DCGANGenerator (32 px)"
    ),
    Published("functional-64", Functional, "functional activations, biases", 100, 64, known="znxlwm DCGAN"),
    Published(
        "kernel7-28",
        seven_four_three,
        "kernels 7, 4, 4, 3",
        100,
        28,
        1,
        work=0.4,
        known="key-protected-classification MNIST generator (28 px)",
    ),
    Published("course-28", Course, "kernels 3 and 4, no padding", 64, 28, 1, known="GANs Specialization DCGAN (28 px)"),
    Published(
        "wasserstein-64",
        wasserstein,
        "sizes in the names",
        100,
        64,
        discriminator="spectral",
        known="WassersteinGAN DCGAN_G (64 px), names with colons",
    ),
]
