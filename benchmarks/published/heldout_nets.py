"""The held-out generators by name: PyTorch's, and some more that need a class of their own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .heldout import (
    Block,
    ChannelsLast,
    Convolutions,
    Decoder,
    Gen,
    NormEnd,
    PaddedUpsampling,
    Spectral,
    Straight,
    book,
    leaky,
    named,
    rows,
    segment,
    two_scales,
)
from .kinds import Published
from .plain import Main


class Residual(nn.Module):
    """Two convolutions added to what a transposed one gives, then BatchNorm and ReLU: conv1_1, conv1_2, ..."""

    def __init__(self, latent: int = 48, d: int = 12) -> None:
        super().__init__()
        self.convt1 = nn.ConvTranspose2d(latent, d * 2, 8, 1, 0, bias=False)
        self.conv1_1 = nn.Conv2d(d * 2, d * 2, 3, padding=1)
        self.bn1_res_1 = nn.BatchNorm2d(d * 2)
        self.conv1_2 = nn.Conv2d(d * 2, d * 2, 3, padding=1)
        self.bn1_res_2 = nn.BatchNorm2d(d * 2)
        self.bn1 = nn.BatchNorm2d(d * 2)
        self.convt2 = nn.ConvTranspose2d(d * 2, d, 4, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(d)
        self.convt3 = nn.ConvTranspose2d(d, 3, 4, 2, 1, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        x = self.convt1(z)
        y = self.conv1_2(F.relu(self.bn1_res_1(self.conv1_1(x))))
        x = F.relu(self.bn1(x + self.bn1_res_2(y)))
        return torch.tanh(self.convt3(F.relu(self.bn2(self.convt2(x)))))


class Labels(nn.Module):
    """A square embedding before the latents, Linear, upsampling, epsilon 0.8: as many conditional notebooks do."""

    def __init__(self, latent: int = 40, classes: int = 6, d: int = 16) -> None:
        super().__init__()
        self.d = d
        self.label_emb = nn.Embedding(classes, classes)
        self.l1 = nn.Sequential(nn.Linear(latent + classes, d * 64))
        layers: list[nn.Module] = [nn.BatchNorm2d(d)]
        for a, b in ((d, d), (d, d // 2)):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, 1, 1), nn.BatchNorm2d(b, 0.8), leaky()]
        self.conv_blocks = nn.Sequential(*layers, nn.Conv2d(d // 2, 1, 3, 1, 1), nn.Tanh())

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        x = self.l1(torch.cat((self.label_emb(labels), z), -1))
        return self.conv_blocks(x.view(-1, self.d, 8, 8))


class Doubled(nn.Module):
    """Kernels of 2 double, two convolutions of 3 follow: double1.0, ..."""

    def __init__(self, latent: int = 40, d: int = 16) -> None:
        super().__init__()
        self.start = nn.Sequential(nn.Linear(latent, d * 64), nn.ReLU())
        self.d = d
        for i, (a, b) in enumerate(((d, d), (d, d // 2)), 1):
            self.add_module(f"up{i}", nn.ConvTranspose2d(a, b, 2, stride=2))
            layers: list[nn.Module] = []
            for _ in range(2):
                layers += [nn.Conv2d(b, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True)]
            self.add_module(f"double{i}", nn.Sequential(*layers))
        self.outc = nn.Conv2d(d // 2, 3, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.start(z).view(-1, self.d, 8, 8)
        return torch.tanh(self.outc(self.double2(self.up2(self.double1(self.up1(x))))))


FOUR = ((1, 0), (2, 1), (2, 1), (2, 1))


def dcgan(latent: int, *widths: int) -> tuple[tuple[int, ...], ...]:
    """(in, out, 4, stride, padding) for each width."""
    return tuple((a, b, 4, 2 if i else 1, 1 if i else 0) for i, (a, b) in enumerate(zip((latent, *widths), widths)))


def last(width: int, channels: int = 3, bias: bool = False, end: bool = True) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=bias)]
    return [*layers, nn.Tanh()] if end else layers


def projected() -> nn.Module:
    layers = rows((48, 24, 5, 2, 2, 1), (24, 12, 5, 2, 2, 1), bias=True)
    start = [nn.BatchNorm2d(48), nn.ReLU()]
    return Straight(64, (48, 4, 4), *start, *layers, nn.ConvTranspose2d(12, 3, 5, 2, 2, 1), nn.Tanh())


def from_one_pixel() -> nn.Module:
    """A Linear layer to one pixel, kernels of 3 without padding, a last one of 2: 3, 5, 11, 13, 27, 28."""
    settings = ((128, 32, 3, 2), (32, 32, 3, 1), (32, 16, 3, 2), (16, 16, 3, 1), (16, 8, 3, 2))
    return Straight(48, (128, 1, 1), *rows(*settings), nn.ConvTranspose2d(8, 1, 2, 1), nn.Tanh())


def threes() -> nn.Module:
    """Kernels of 3 without padding, cut to 28 by the last: 3, 7, 15, 28."""
    settings = ((64, 32, 3, 2), (32, 16, 3, 2), (16, 8, 3, 2))
    return Main(*rows(*settings), nn.ConvTranspose2d(8, 1, 2, 2, 1, bias=False), nn.Tanh())


def unflattened() -> nn.Module:
    layers = [nn.Linear(40, 24 * 49), nn.BatchNorm1d(24 * 49), nn.LeakyReLU(0.2), nn.Unflatten(1, (24, 7, 7))]
    layers += rows((24, 16, 3, 2, 1, 1), (16, 8, 3, 2, 1, 1), act=lambda: nn.LeakyReLU(0.2), bias=True)
    return nn.Sequential(*layers, nn.Conv2d(8, 1, 3, padding=1), nn.Tanh())


def blocks() -> nn.Module:
    sizes = ((64, 32, 1, 0), (32, 16, 2, 1), (16, 8, 2, 1), (8, 3, 2, 1))
    return nn.Sequential(*(Block(*size, last=size[1] == 3) for size in sizes))


def unscaled() -> nn.Module:
    layers = rows(*dcgan(48, 40, 20, 10))
    layers = [
        nn.BatchNorm2d(one.num_features, affine=False) if isinstance(one, nn.BatchNorm2d) else one for one in layers
    ]
    return Gen(*layers, *last(10))


def make(name: str, build: object, special: str, *sizes: int, **more: object) -> Published:
    return Published(name, build, special, *sizes, **more)  # type: ignore[arg-type]


FLAT = {"as_map": False, "init": "torch"}
NETS = [
    make("held-mixed-28", Convolutions, "plain and transposed convolutions in turn, norms last", 50, 28, 1, **FLAT),
    make("held-decoder-32", Decoder, "two Linear, kernels of 3, no norm, Sigmoid", 32, 32, end="sigmoid", **FLAT),
    make("held-straight-28", lambda: Straight(40, (32, 7, 7), *rows((32, 16, 4, 2, 1)), *last(16, 1, True)),
         "no activation after Linear", 40, 28, 1, **FLAT),
    make("held-norm-end-32", NormEnd, "BatchNorm before the tanh", 64, 32),
    make("held-leaky-main-64", lambda: Main(*rows(*dcgan(100, 64, 32, 16, 8), act=leaky), *last(8)),
         "LeakyReLU in main", 100, 64),
    make("held-one-pixel-28", from_one_pixel, "Linear to one pixel, kernels of 3", 48, 28, 1, **FLAT),
    make("held-segments-64", lambda: Gen(segment(64, 64, 1, 0), segment(64, 32, 2, 1), segment(32, 16, 2, 1),
         segment(16, 8, 2, 1), *last(8, bias=True)), "segments with LeakyReLU", 64, 64),
    make("held-two-scales-28", two_scales, "kernels of 4 with output padding, a kernel of 2", 48, 28, 1, **FLAT),
    make("held-no-norm-28", lambda: Gen(*rows((32, 32, 4, 1, 0), (32, 16, 3, 2, 1), (16, 8, 4, 2, 1),
         act=nn.LeakyReLU, bias=True, norm=False), *last(8, 1, True, end=False)),
         "no norm, LeakyReLU 0.01, no end", 32, 28, 1, "none", init="torch"),
    make("held-projected-32", projected, "Linear and BatchNorm2d, kernels of 5", 64, 32, **FLAT),
    make("held-residual-32", Residual, "residual additions in forward", 48, 32),
    make("held-bias-bug-64", lambda: Main(*rows(*dcgan(64, 64, 32, 16, 8), bias=True,
         more=lambda: nn.Dropout2d(0.2)), *last(8, bias=True)), "dropout between norm and ReLU", 64, 64),
    make("held-threes-28", threes, "kernels of 3 without padding, one of 2 with", 64, 28, 1),
    make("held-unflatten-28", unflattened, "Unflatten in a Sequential, LeakyReLU", 40, 28, 1, **FLAT),
    make("held-blocks-32", blocks, "blocks of named layers, Sigmoid", 64, 32, end="sigmoid"),
    make("held-equal-128", lambda: Main(*rows(*dcgan(64, 64, 32, 16, 16, 8)), *last(8)),
         "two widths alike, 128 px", 64, 128, work=0.7),
    make("held-padded-32", PaddedUpsampling, "replicated edges, eps 1e-3, Sigmoid", 40, 32, end="sigmoid", **FLAT),
    make("held-channels-last-32", ChannelsLast, "a reshape to (H, W, C)", 40, 32, **FLAT),
    make("held-elu-32", lambda: Main(*rows((40, 48, 4, 1, 0), (48, 24, 3, 2, 1, 1), (24, 12, 3, 2, 1, 1),
         act=nn.ELU, bias=True), nn.ConvTranspose2d(12, 3, 3, 2, 1, 1), nn.Tanh()), "ELU, kernels of 3", 40, 32),
    make("held-silu-32", lambda: Gen(*rows(*dcgan(40, 40, 20, 10), act=nn.SiLU), *last(10)), "SiLU", 40, 32),
    make("held-class-32", Labels, "label first, Linear, eps 0.8", 40, 32, 1, as_map=False, classes=6, labels="index"),
    make("held-book-96", book, "last kernel 5, stride 3", 64, 96, work=0.7),
    make("held-spectral-64", Spectral, "spectral norm in the generator", 64, 64, as_map=False, init="torch"),
    make("held-unscaled-32", unscaled, "BatchNorm without scale and shift", 48, 32, init="torch"),
    make("held-doubled-32", Doubled, "kernels of 2, two convolutions each", 40, 32, **FLAT),
    make("held-stride4-64", lambda: Main(*rows((48, 48, 4, 1, 0), (48, 16, 8, 4, 2)),
         nn.ConvTranspose2d(16, 3, 8, 4, 2), nn.Tanh()), "kernels of 8, strides of 4", 48, 64),
    make("held-named-32", named, "layers by name in an OrderedDict, LeakyReLU", 48, 32),
    make("held-uniform-32", lambda: Gen(*rows(*dcgan(32, 48, 24, 12)), *last(12)),
         "uniform latents, flat", 32, 32, latents="uniform", as_map=False),
    make("held-leaky1-64", lambda: Main(*rows(*dcgan(64, 48, 24, 12, 6), act=lambda: nn.LeakyReLU(0.1)), *last(6)),
         "LeakyReLU 0.1", 64, 64),
    make("held-small-16", lambda: Gen(*rows(*dcgan(20, 24, 12)), *last(12, 1)), "16 px, grey", 20, 16, 1),
]  # fmt: skip
