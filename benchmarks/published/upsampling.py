"""Generators that start with Linear and a reshape and grow by upsampling and convolutions, or by pixel shuffle."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .kinds import Published


class Upsampling(nn.Module):
    """Nearest upsampling and convolutions; BatchNorm2d(c, 0.8), where 0.8 is the epsilon."""

    def __init__(self, latent: int = 100, a: int = 128, b: int = 64, start: int = 7, channels: int = 1) -> None:
        super().__init__()
        self.a, self.start = a, start
        self.l1 = nn.Sequential(nn.Linear(latent, a * start * start))
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(a),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(a, a, 3, stride=1, padding=1),
            nn.BatchNorm2d(a, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(a, b, 3, stride=1, padding=1),
            nn.BatchNorm2d(b, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(b, channels, 3, stride=1, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        x = self.l1(z)
        return self.conv_blocks(x.view(x.shape[0], self.a, self.start, self.start))


class Bilinear(nn.Module):
    """F.interpolate, bilinear, between 5x5 convolutions; a sigmoid."""

    def __init__(self, latent: int = 48, d: int = 8) -> None:
        super().__init__()
        self.dense = nn.Linear(latent, d * 4 * 16)
        self.convs = nn.ModuleList(
            [nn.Conv2d(a, b, 5, 1, 2, bias=False) for a, b in ((d * 4, d * 4), (d * 4, d * 2), (d * 2, d))]
        )
        self.bns = nn.ModuleList([nn.BatchNorm2d(c) for c in (d * 4, d * 2, d)])
        self.last = nn.Conv2d(d, 3, 5, padding=2)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.dense(z)).view(z.shape[0], -1, 4, 4)
        for conv, bn in zip(self.convs, self.bns):
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = F.relu(bn(conv(x)))
        return torch.sigmoid(self.last(x))


class Shuffled(nn.Module):
    """Convolutions and pixel shuffle, PReLU."""

    def __init__(self, latent: int = 64, d: int = 16) -> None:
        super().__init__()
        self.d = d
        self.head = nn.Linear(latent, d * 64, bias=False)
        self.head_bn = nn.BatchNorm1d(d * 64)
        self.head_act = nn.PReLU()
        self.up1 = nn.Sequential(
            nn.Conv2d(d, d * 4, 3, 1, 1, bias=False), nn.PixelShuffle(2), nn.BatchNorm2d(d), nn.PReLU(d)
        )
        self.up2 = nn.Sequential(
            nn.Conv2d(d, d * 2, 3, 1, 1, bias=False), nn.PixelShuffle(2), nn.BatchNorm2d(d // 2), nn.PReLU(d // 2)
        )
        self.tail = nn.Conv2d(d // 2, 3, 7, 1, 3)

    def forward(self, z: Tensor) -> Tensor:
        x = self.head_act(self.head_bn(self.head(z))).view(-1, self.d, 8, 8)
        return torch.tanh(self.tail(self.up2(self.up1(x))))


class View(nn.Module):
    """A reshape as a layer: (n, c * h * w) to (n, c, h, w)."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.view(-1, *self.shape)


def viewed() -> nn.Module:
    """One Sequential with a reshape of its own class inside, InstanceNorm and upsampling."""
    layers: list[nn.Module] = [nn.Linear(64, 32 * 16), View(32, 4, 4)]
    for a, b in ((32, 24), (24, 16), (16, 8)):
        layers += [
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(a, b, 3, 1, 1),
            nn.InstanceNorm2d(b, affine=True),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.Conv2d(8, 3, 3, 1, 1), nn.Tanh())


NETS = [
    Published(
        "upsample-28",
        Upsampling,
        "upsampling, eps 0.8",
        100,
        28,
        1,
        as_map=False,
        work=0.25,
        discriminator="dropout",
        known="PyTorch-GAN DCGAN",
    ),
    Published(
        "upsample-small-32",
        lambda: Upsampling(64, 24, 12, 8, 3),
        "upsampling, eps 0.8, other widths",
        64,
        32,
        as_map=False,
    ),
    Published(
        "bilinear-32",
        Bilinear,
        "bilinear upsampling, kernels of 5, Sigmoid",
        48,
        32,
        end="sigmoid",
        as_map=False,
        init="torch",
    ),
    Published("shuffle-32", Shuffled, "PixelShuffle, PReLU", 64, 32, as_map=False, init="torch"),
    Published(
        "viewed-32", viewed, "a reshape of its own class, InstanceNorm, upsampling", 64, 32, as_map=False, init="torch"
    ),
]
