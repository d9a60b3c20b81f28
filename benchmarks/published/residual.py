"""Generators with residual blocks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .kinds import Published


class NearestBlock(nn.Module):
    """Two convolutions that the module holds twice, by name and in a Sequential; the bypass has no arrays."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, 1, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, padding=1)
        before = [nn.BatchNorm2d(width), nn.ReLU(), nn.Upsample(scale_factor=2)]
        self.model = nn.Sequential(*before, self.conv1, nn.BatchNorm2d(width), nn.ReLU(), self.conv2)
        self.bypass = nn.Upsample(scale_factor=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) + self.bypass(x)


class Nearest(nn.Module):
    def __init__(self, latent: int = 64, width: int = 16) -> None:
        super().__init__()
        self.width = width
        self.dense = nn.Linear(latent, 16 * width)
        self.final = nn.Conv2d(width, 3, 3, stride=1, padding=1)
        blocks = [NearestBlock(width) for _ in range(3)]
        self.model = nn.Sequential(*blocks, nn.BatchNorm2d(width), nn.ReLU(), self.final, nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.model(self.dense(z).view(-1, self.width, 4, 4))


class BilinearBlock(nn.Module):
    """Norms first, bilinear upsampling, a 1x1 convolution as the shortcut."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(a, b, 3, 1, padding=1)
        self.c2 = nn.Conv2d(b, b, 3, 1, padding=1)
        self.b1 = nn.BatchNorm2d(a)
        self.b2 = nn.BatchNorm2d(b)
        self.activation = nn.ReLU(True)
        self.c_sc = nn.Conv2d(a, b, 1, 1, padding=0)

    def grow(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.c1(self.grow(self.activation(self.b1(x.clone()))))
        return self.c2(self.activation(self.b2(h))) + self.c_sc(self.grow(x))


class Bilinear(nn.Module):
    def __init__(self, latent: int = 64, width: int = 16) -> None:
        super().__init__()
        self.l1 = nn.Linear(latent, 16 * width)
        self.block2 = BilinearBlock(width, width)
        self.block3 = BilinearBlock(width, width)
        self.block4 = BilinearBlock(width, width)
        self.b5 = nn.BatchNorm2d(width)
        self.c5 = nn.Conv2d(width, 3, 3, 1, padding=1)
        self.activation = nn.ReLU(True)

    def forward(self, z: Tensor) -> Tensor:
        h = self.l1(z)
        h = h.view(z.shape[0], -1, 4, 4)
        h = self.block4(self.block3(self.block2(h)))
        return torch.tanh(self.c5(self.activation(self.b5(h))))


class Skip(nn.Module):
    """Two convolutions with InstanceNorm, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.in1 = nn.InstanceNorm2d(width, affine=True)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.in2 = nn.InstanceNorm2d(width, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.in2(self.conv2(F.relu(self.in1(self.conv1(x)))))


class Mixed(nn.Module):
    """Transposed convolutions and BatchNorm, with residual blocks between."""

    def __init__(self, latent: int = 48, d: int = 12) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.ConvTranspose2d(latent, d * 4, 4, 1, 0), nn.BatchNorm2d(d * 4), nn.LeakyReLU(0.1))
        widths = (d * 4, d * 2, d)
        self.ups = nn.ModuleList([nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:])])
        self.skips = nn.ModuleList([Skip(b) for b in widths[1:]])
        self.rgb = nn.Sequential(nn.ConvTranspose2d(d, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        x = self.stem(z)
        for up, skip in zip(self.ups, self.skips):
            x = skip(F.leaky_relu(up(x), 0.1))
        return self.rgb(x)


NETS = [
    Published(
        "residual-nearest-32",
        Nearest,
        "residual, nearest, arrays with two names",
        64,
        as_map=False,
        work=0.6,
        init="torch",
        discriminator="spectral",
        known="SN-GAN by Cosgrove (ResNet)",
    ),
    Published(
        "residual-bilinear-32",
        Bilinear,
        "residual, bilinear, 1x1 shortcut",
        64,
        as_map=False,
        work=0.6,
        init="torch",
        known="mimicry DCGAN (32 px)",
    ),
    Published("residual-mixed-32", Mixed, "residual with InstanceNorm, LeakyReLU 0.1", 48, init="torch"),
]
