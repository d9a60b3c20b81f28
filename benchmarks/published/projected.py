"""Generators that start with Linear and a reshape, then transposed convolutions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .kinds import Published


class FullyConnected(nn.Module):
    """Two Linear layers with BatchNorm1d, then two transposed convolutions: 28 pixels."""

    def __init__(self, latent: int = 62, hidden: int = 96, d: int = 24, start: int = 7) -> None:
        super().__init__()
        self.d, self.start = d, start
        flat = d * start * start
        first = [nn.Linear(latent, hidden), nn.BatchNorm1d(hidden), nn.ReLU()]
        self.fc = nn.Sequential(*first, nn.Linear(hidden, flat), nn.BatchNorm1d(flat), nn.ReLU())
        middle = [nn.ConvTranspose2d(d, d // 2, 4, 2, 1), nn.BatchNorm2d(d // 2), nn.ReLU()]
        self.deconv = nn.Sequential(*middle, nn.ConvTranspose2d(d // 2, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.deconv(self.fc(z).view(-1, self.d, self.start, self.start))


def deconv(a: int, b: int, norm: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)]
    return nn.Sequential(*layers, *([nn.BatchNorm2d(b)] if norm else []))


class Course(nn.Module):
    """Linear without activation, then named stages with functional activations."""

    def __init__(self, d: int = 8) -> None:
        super().__init__()
        self.d = d
        self.fc = nn.Linear(100, d * 8 * 2 * 2)
        self.deconv1 = deconv(d * 8, d * 4)
        self.deconv2 = deconv(d * 4, d * 2)
        self.deconv3 = deconv(d * 2, d)
        self.deconv4 = deconv(d, 3, norm=False)

    def forward(self, z: Tensor) -> Tensor:
        x = self.fc(z).view(-1, self.d * 8, 2, 2)
        x = F.relu(self.deconv3(F.relu(self.deconv2(F.relu(self.deconv1(x))))))
        return torch.tanh(self.deconv4(x))


class KernelsOfFive(nn.Module):
    """Linear without bias and BatchNorm1d, kernels of 5 with output padding."""

    def __init__(self, latent: int = 64, d: int = 8) -> None:
        super().__init__()
        self.l1 = nn.Sequential(nn.Linear(latent, d * 8 * 16, bias=False), nn.BatchNorm1d(d * 8 * 16), nn.ReLU())
        blocks: list[nn.Module] = []
        for a, b in ((d * 8, d * 4), (d * 4, d * 2), (d * 2, d)):
            layer = nn.ConvTranspose2d(a, b, 5, 2, padding=2, output_padding=1, bias=False)
            blocks.append(nn.Sequential(layer, nn.BatchNorm2d(b), nn.ReLU()))
        last = nn.ConvTranspose2d(d, 3, 5, 2, padding=2, output_padding=1)
        self.l2_5 = nn.Sequential(*blocks, last, nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        y = self.l1(z)
        return self.l2_5(y.view(y.size(0), -1, 4, 4))


class GreyWasserstein(nn.Module):
    """BatchNorm2d right after the reshape; a sigmoid for one channel."""

    def __init__(self, latent: int = 64, d: int = 8, start: int = 4) -> None:
        super().__init__()
        self.d, self.start = d, start
        self.fc = nn.Linear(latent, start * start * d * 8)
        self.bn0 = nn.BatchNorm2d(d * 8)
        self.bn1 = nn.BatchNorm2d(d * 4)
        self.deconv1 = nn.ConvTranspose2d(d * 8, d * 4, kernel_size=4, stride=2, padding=1)
        self.bn2 = nn.BatchNorm2d(d * 2)
        self.deconv2 = nn.ConvTranspose2d(d * 4, d * 2, kernel_size=4, stride=2, padding=1)
        self.bn3 = nn.BatchNorm2d(d)
        self.deconv3 = nn.ConvTranspose2d(d * 2, d, kernel_size=4, stride=2, padding=1)
        self.deconv4 = nn.ConvTranspose2d(d, 1, kernel_size=3, stride=1, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.bn0(self.fc(z).view(z.size(0), self.d * 8, self.start, self.start)))
        x = F.relu(self.bn1(self.deconv1(x)))
        x = F.relu(self.bn2(self.deconv2(x)))
        x = F.relu(self.bn3(self.deconv3(x)))
        return torch.sigmoid(self.deconv4(x))


class KernelsOfTwo(nn.Module):
    """Kernels of 2, stride 2: no padding at all."""

    def __init__(self, d: int = 16) -> None:
        super().__init__()
        self.d = d
        self.preprocess = nn.Sequential(nn.Linear(128, 64 * d), nn.BatchNorm1d(64 * d), nn.ReLU(True))
        self.block1 = nn.Sequential(nn.ConvTranspose2d(4 * d, 2 * d, 2, stride=2), nn.BatchNorm2d(2 * d), nn.ReLU(True))
        self.block2 = nn.Sequential(nn.ConvTranspose2d(2 * d, d, 2, stride=2), nn.BatchNorm2d(d), nn.ReLU(True))
        self.deconv_out = nn.ConvTranspose2d(d, 3, 2, stride=2)
        self.tanh = nn.Tanh()

    def forward(self, z: Tensor) -> Tensor:
        x = self.preprocess(z).view(-1, 4 * self.d, 4, 4)
        return self.tanh(self.deconv_out(self.block2(self.block1(x))))


def flat_sequential() -> nn.Module:
    """One Sequential with Unflatten inside; dropout, which is off when generating."""
    layers = [nn.Linear(32, 128), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(128, 24 * 49), nn.LeakyReLU(0.2)]
    layers += [nn.Unflatten(1, (24, 7, 7)), nn.ConvTranspose2d(24, 12, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.1)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(12, 1, 4, 2, 1), nn.Sigmoid())


NETS = [
    Published(
        "linear-28",
        FullyConnected,
        "two Linear, BatchNorm1d, latents 0..1",
        62,
        28,
        1,
        latents="uniform01",
        as_map=False,
    ),
    Published(
        "linear-course-32",
        Course,
        "Linear to 2x2",
        100,
        32,
        latents="uniform",
        as_map=False,
        known="Udacity face generation",
        discriminator="dropout",
    ),
    Published(
        "linear-kernel5-64", KernelsOfFive, "kernels of 5", 64, 64, as_map=False, known="LynnHo DCGAN v0 (kernels of 5)"
    ),
    Published(
        "linear-grey-32",
        GreyWasserstein,
        "Sigmoid, grey, BatchNorm2d after the reshape",
        64,
        32,
        1,
        "sigmoid",
        as_map=False,
        known="kuc2477 WGAN-GP, grey",
        discriminator="instance",
    ),
    Published(
        "linear-kernel2-32",
        KernelsOfTwo,
        "kernels of 2",
        128,
        32,
        as_map=False,
        known="caogang WGAN-GP CIFAR-10 (kernels of 2)",
    ),
    Published(
        "flat-28",
        flat_sequential,
        "Unflatten, dropout, Sigmoid, no norm",
        32,
        28,
        1,
        "sigmoid",
        as_map=False,
        init="torch",
        discriminator="spectral",
    ),
]
