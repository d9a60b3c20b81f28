"""Transposed convolutions that no table knows: other activations, epsilons, ends, widths, sizes, norms and namings."""

from __future__ import annotations

from collections import OrderedDict
from typing import Callable, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .kinds import Published
from .plain import Main, dcgan, up


def stack(
    latent: int,
    widths: list[int],
    channels: int = 3,
    act: Callable[[int], nn.Module] = lambda width: nn.ReLU(True),
    norm: Optional[Callable[[int], nn.Module]] = nn.BatchNorm2d,
    bias: bool = False,
    last_bias: Optional[bool] = None,
    end: Optional[nn.Module] = None,
) -> list[nn.Module]:
    """A DCGAN with everything else than the order of its layers chosen."""
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(zip([latent, *widths], widths)):
        layers.append(nn.ConvTranspose2d(a, b, 4, 2 if i else 1, 1 if i else 0, bias=bias))
        if norm is not None:
            layers.append(norm(b))
        layers.append(act(b))
    last = nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1, bias=bias if last_bias is None else last_bias)
    return [*layers, last, *([end] if end is not None else [])]


def leaky(slope: float) -> Callable[[int], nn.Module]:
    return lambda width: nn.LeakyReLU(slope, inplace=True)


class Layers(nn.Module):
    """A Sequential called layers."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class Lists(nn.Module):
    """Convolutions and norms in two ModuleLists, LeakyReLU's default slope."""

    def __init__(self, latent: int = 48, widths: tuple[int, ...] = (40, 24, 12)) -> None:
        super().__init__()
        pairs = list(zip((latent, *widths), widths))
        self.ups = nn.ModuleList(
            [nn.ConvTranspose2d(a, b, 4, 2 if i else 1, 1 if i else 0) for i, (a, b) in enumerate(pairs)]
        )
        self.norms = nn.ModuleList([nn.BatchNorm2d(b) for b in widths])
        self.to_rgb = nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        for conv, norm in zip(self.ups, self.norms):
            z = F.leaky_relu(norm(conv(z)))
        return torch.tanh(self.to_rgb(z))


class Numbered(nn.Module):
    """conv1, bn1, ...: the order of the attributes is not that of the data; epsilon 1e-3."""

    def __init__(self, d: int = 12, eps: float = 1e-3) -> None:
        super().__init__()
        self.conv1 = nn.ConvTranspose2d(64, d * 4, 4, 1, 0, bias=False)
        self.conv2 = nn.ConvTranspose2d(d * 4, d * 2, 4, 2, 1, bias=False)
        self.conv3 = nn.ConvTranspose2d(d * 2, d, 4, 2, 1, bias=False)
        self.conv4 = nn.ConvTranspose2d(d, 3, 4, 2, 1, bias=True)
        self.bn1 = nn.BatchNorm2d(d * 4, eps=eps, momentum=0.2)
        self.bn2 = nn.BatchNorm2d(d * 2, eps=eps, momentum=0.2)
        self.bn3 = nn.BatchNorm2d(d, eps=eps, momentum=0.2)
        self.act = nn.ReLU()

    def forward(self, z: Tensor) -> Tensor:
        x = self.act(self.bn1(self.conv1(z)))
        x = self.act(self.bn2(self.conv2(x)))
        x = self.act(self.bn3(self.conv3(x)))
        return torch.tanh(self.conv4(x))


class TanhOutside(nn.Module):
    """Blocks with names of their own; the module holds no end activation, forward applies it."""

    def __init__(self, latent: int = 64, d: int = 8, channels: int = 3) -> None:
        super().__init__()
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        for name, a, b, stride, padding in (
            ("project", latent, d * 8, 1, 0),
            ("grow8", d * 8, d * 4, 2, 1),
            ("grow16", d * 4, d * 2, 2, 1),
            ("grow32", d * 2, d, 2, 1),
        ):
            conv = nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False)
            blocks[name] = nn.Sequential(OrderedDict(conv=conv, norm=nn.BatchNorm2d(b), act=nn.ReLU(inplace=True)))
        self.blocks = nn.Sequential(blocks)
        self.out = nn.ConvTranspose2d(d, channels, 4, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.out(self.blocks(z)))


class NormLast(nn.Module):
    """BatchNorm after the activation."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(((32, 48), (48, 24), (24, 12))):
            layers += [nn.ConvTranspose2d(a, b, 4, 2 if i else 1, 1 if i else 0), nn.ReLU(), nn.BatchNorm2d(b)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.ConvTranspose2d(12, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.head(self.body(z))


def extra_layers() -> nn.Module:
    """3x3 convolutions between the doublings, and as the last layer."""
    layers = up(64, 64, 4, 1, 0) + up(64, 32)
    layers += [nn.Conv2d(32, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(True)]
    layers += [*up(32, 16), nn.Conv2d(16, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True)]
    return Main(*layers, *up(16, 8), nn.Conv2d(8, 3, 3, 1, 1), nn.Tanh())


def five_wide(bias: bool = True) -> nn.Module:
    """Kernels of 5 with output padding, and of 3 with output padding at the end."""
    layers = up(40, 48, 4, 1, 0, bias)
    for a, b in ((48, 24), (24, 12)):
        layers += [nn.ConvTranspose2d(a, b, 5, 2, 2, output_padding=1, bias=bias), nn.BatchNorm2d(b), nn.ReLU(True)]
    return Layers(*layers, nn.ConvTranspose2d(12, 3, 3, 2, 1, output_padding=1, bias=bias), nn.Tanh())


def instance(affine: bool) -> Callable[[int], nn.Module]:
    return lambda width: nn.InstanceNorm2d(width, affine=affine)


W64, W32 = [64, 32, 16, 8], [40, 20, 10]
NETS = [
    Published(
        "decoy-leaky-64",
        lambda: Main(*stack(100, W64, act=leaky(0.2), end=nn.Tanh())),
        "pytorch/examples's arrays with LeakyReLU",
        100,
        64,
    ),
    Published(
        "decoy-sigmoid-64",
        lambda: Main(*stack(100, W64, end=nn.Sigmoid())),
        "pytorch/examples's arrays with Sigmoid",
        100,
        64,
        end="sigmoid",
    ),
    Published(
        "decoy-eps-64",
        lambda: Main(*stack(100, W64, norm=lambda w: nn.BatchNorm2d(w, 0.8), end=nn.Tanh())),
        "pytorch/examples's arrays with eps 0.8",
        100,
        64,
    ),
    Published(
        "leaky-bias-128",
        lambda: Layers(*stack(64, [64, 32, 16, 8, 4], act=leaky(0.2), bias=True, end=nn.Tanh())),
        "LeakyReLU, bias, 128 px",
        64,
        128,
        work=0.7,
    ),
    Published(
        "lists-32",
        Lists,
        "ModuleLists, LeakyReLU 0.01, widths of no pattern",
        48,
        32,
        init="torch",
        discriminator="dropout",
    ),
    Published(
        "sigmoid-64",
        lambda: Layers(*stack(64, W64, bias=True, end=nn.Sigmoid())),
        "Sigmoid, biases",
        64,
        64,
        end="sigmoid",
        latents="uniform",
    ),
    Published("eps-1e-3-32", Numbered, "eps 1e-3", 64, 32),
    Published("tanh-outside-64", TanhOutside, "tanh in forward, named blocks", 64, 64, discriminator="parametrized"),
    Published("no-end-32", lambda: Layers(*stack(32, W32, end=None)), "no end activation", 32, 32, end="none"),
    Published("norm-last-32", NormLast, "BatchNorm after ReLU", 32, 32),
    Published(
        "rgba-64",
        lambda: Main(*stack(64, W64, channels=4, last_bias=True, end=nn.Tanh())),
        "4 channels, bias in the last layer alone",
        64,
        64,
        4,
    ),
    Published(
        "grey-16",
        lambda: Layers(*stack(16, [24, 12], channels=1, end=nn.Tanh())),
        "16 px, grey",
        16,
        16,
        1,
        init="torch",
    ),
    Published(
        "widths-88421-128",
        lambda: Main(*stack(50, [32, 32, 16, 8, 4], end=nn.Tanh())),
        "widths 8 8 4 2 1",
        50,
        128,
        work=0.7,
    ),
    Published(
        "no-last-bias-64",
        lambda: Layers(*stack(100, W64, bias=True, last_bias=False, end=nn.Tanh())),
        "bias in all layers but the last",
        100,
        64,
    ),
    Published(
        "selu-64",
        lambda: Main(*stack(64, W64, act=lambda w: nn.SELU(), norm=None, end=nn.Tanh())),
        "SELU, no norm",
        64,
        64,
        init="torch",
    ),
    Published(
        "elu-32", lambda: Layers(*stack(64, W32, act=lambda w: nn.ELU(), bias=True, end=nn.Tanh())), "ELU", 64, 32
    ),
    Published(
        "prelu-32",
        lambda: Layers(*stack(64, W32, act=lambda w: nn.PReLU(w), end=nn.Tanh())),
        "PReLU, a slope a channel",
        64,
        32,
    ),
    Published(
        "prelu-shared-32",
        lambda: Layers(*stack(64, W32, act=lambda w: nn.PReLU(), end=nn.Tanh())),
        "PReLU, one slope a layer",
        64,
        32,
    ),
    Published(
        "instance-affine-32",
        lambda: Layers(*stack(64, [40, 20, 10], norm=instance(True), end=nn.Tanh())),
        "InstanceNorm with arrays",
        64,
        32,
    ),
    Published(
        "instance-32",
        lambda: Layers(*stack(64, [40, 20, 10], norm=instance(False), end=nn.Tanh())),
        "InstanceNorm without arrays",
        64,
        32,
    ),
    Published("extra-layers-32", extra_layers, "3x3 convolutions between", 64, 32),
    Published("kernel5-32", five_wide, "kernels 5 and 3, output padding", 40, 32),
    Published(
        "dcgan-256",
        lambda: Main(*dcgan(64, [64, 32, 16, 8, 4, 4]), nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False), nn.Tanh()),
        "256 px",
        64,
        256,
        work=0.2,
    ),
]
