"""Generators kept apart from those that the assumptions were tuned on: other ways to build, name and number layers.

Written after what small public repositories do, a few lines of each read and none copied. `check` on them says how
often a file opens right that nobody had in mind. Once a setting has been tuned on them, they are held out no longer.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Callable, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

from .plain import Main


class Gen(nn.Module):
    """A Sequential called gen; z may come flat."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.gen = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.gen(z.view(z.shape[0], -1, 1, 1))


def rows(
    *settings: tuple[int, ...],
    act: Callable[[], nn.Module] = nn.ReLU,
    bias: bool = False,
    norm: bool = True,
    more: Optional[Callable[[], nn.Module]] = None,
) -> list[nn.Module]:
    """Transposed convolution, BatchNorm, (another layer,) activation; ``settings``: in, out, kernel, stride, ..."""
    layers: list[nn.Module] = []
    for setting in settings:
        layers.append(nn.ConvTranspose2d(*setting, bias=bias))
        layers += [nn.BatchNorm2d(setting[1])] if norm else []
        layers += [more()] if more else []
        layers.append(act())
    return layers


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)


def segment(a: int, b: int, stride: int, padding: int) -> nn.Module:
    return nn.Sequential(*rows((a, b, 4, stride, padding), act=leaky))


class Convolutions(nn.Module):
    """Transposed and plain convolutions in turn, without padding; norms after activations; norms named first."""

    def __init__(self, latent: int = 50) -> None:
        super().__init__()
        self.fc1 = nn.Linear(latent, 324)
        self.batchnorm1 = nn.BatchNorm2d(24)
        self.batchnorm2 = nn.BatchNorm2d(24)
        self.batchnorm3 = nn.BatchNorm2d(16)
        self.conv1 = nn.ConvTranspose2d(4, 24, 3, stride=2)
        self.conv2 = nn.Conv2d(24, 24, 3)
        self.conv3 = nn.ConvTranspose2d(24, 16, 3, stride=2)
        self.conv4 = nn.Conv2d(16, 1, 8)

    def forward(self, z: Tensor) -> Tensor:
        x = F.leaky_relu(self.fc1(z)).view(-1, 4, 9, 9)
        x = self.batchnorm1(F.leaky_relu(self.conv1(x)))
        x = self.batchnorm2(F.leaky_relu(self.conv2(x)))
        x = self.batchnorm3(F.leaky_relu(self.conv3(x)))
        return torch.tanh(self.conv4(x))


class Decoder(nn.Module):
    """A variational autoencoder's decoder: two Linear layers, kernels of 3 with output padding, no norm, Sigmoid."""

    def __init__(self, latent: int = 32, wide: bool = True) -> None:
        super().__init__()
        self.fc1 = nn.Linear(latent, 128)
        self.fc2 = nn.Linear(128, 1024)
        self.deconv1 = nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1)
        self.deconv2 = nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1)
        self.deconv3 = nn.ConvTranspose2d(16, 3, 3, stride=2, padding=1, output_padding=1)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.fc2(F.relu(self.fc1(z)))).view(-1, 64, 4, 4)
        return torch.sigmoid(self.deconv3(F.relu(self.deconv2(F.relu(self.deconv1(x))))))


class Straight(nn.Module):
    """A Linear layer with nothing after it, then ``net``."""

    def __init__(self, latent: int, start: tuple[int, int, int], *layers: nn.Module) -> None:
        super().__init__()
        self.start = start
        self.fc = nn.Linear(latent, start[0] * start[1] * start[2])
        self.net = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.net(self.fc(z).view(-1, self.start[0], self.start[1], self.start[2]))


class NormEnd(nn.Module):
    """A BatchNorm of the images before the tanh; every convolution followed by its norm."""

    def __init__(self, latent: int = 64, d: int = 12) -> None:
        super().__init__()
        sizes = ((latent, d * 4, 1, 0), (d * 4, d * 2, 2, 1), (d * 2, d, 2, 1), (d, 3, 2, 1))
        for i, (a, b, stride, padding) in enumerate(sizes, 1):
            self.add_module(f"deconv{i}", nn.ConvTranspose2d(a, b, 4, stride, padding))
            self.add_module(f"batch_norm{i}", nn.BatchNorm2d(b))

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.batch_norm1(self.deconv1(z)))
        x = F.relu(self.batch_norm2(self.deconv2(x)))
        x = F.relu(self.batch_norm3(self.deconv3(x)))
        return torch.tanh(self.batch_norm4(self.deconv4(x)))


class PaddedUpsampling(nn.Module):
    """Nearest upsampling, replicated edges, unpadded convolutions, epsilon 1e-3, LeakyReLU, Sigmoid."""

    def __init__(self, latent: int = 40, d: int = 16) -> None:
        super().__init__()
        self.d = d
        self.d1 = nn.Linear(latent, d * 2 * 16)
        for i, (a, b) in enumerate(((d * 2, d * 2), (d * 2, d), (d, 3)), 1):
            self.add_module(f"up{i}", nn.UpsamplingNearest2d(scale_factor=2))
            self.add_module(f"pd{i}", nn.ReplicationPad2d(1))
            self.add_module(f"d{i + 1}", nn.Conv2d(a, b, 3, 1))
            if b > 3:
                self.add_module(f"bn{i + 5}", nn.BatchNorm2d(b, 1e-3))
        self.leakyrelu = nn.LeakyReLU(0.2)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.d1(z)).view(-1, self.d * 2, 4, 4)
        x = self.leakyrelu(self.bn6(self.d2(self.pd1(self.up1(x)))))
        x = self.leakyrelu(self.bn7(self.d3(self.pd2(self.up2(x)))))
        return torch.sigmoid(self.d4(self.pd3(self.up3(x))))


class ChannelsLast(nn.Module):
    """Ported from TensorFlow: the Linear layer's numbers are (height, width, channels)."""

    def __init__(self, latent: int = 40, d: int = 24) -> None:
        super().__init__()
        self.d = d
        self.fc = nn.Linear(latent, d * 64)
        self.bn0 = nn.BatchNorm1d(d * 64)
        self.conv1 = nn.ConvTranspose2d(d, d // 2, 5, 2, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(d // 2)
        self.conv2 = nn.ConvTranspose2d(d // 2, 3, 5, 2, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.bn0(self.fc(z))).reshape(-1, 8, 8, self.d).permute(0, 3, 1, 2)
        return torch.tanh(self.conv2(F.relu(self.bn1(self.conv1(x)))))


class Block(nn.Module):
    """Convolution, norm or nothing, activation or Sigmoid, each by name."""

    def __init__(self, a: int, b: int, stride: int, padding: int, last: bool = False) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False)
        self.batchnorm = nn.Identity() if last else nn.BatchNorm2d(b)
        self.activation = nn.Sigmoid() if last else nn.ReLU(True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.batchnorm(self.conv(x)))


class Spectral(nn.Module):
    """Blocks l1, l2, ... of a convolution with spectral norm, BatchNorm and ReLU, and ``last``."""

    def __init__(self, latent: int = 64, d: int = 8) -> None:
        super().__init__()
        sizes = ((latent, d * 8, 1, 0), (d * 8, d * 4, 2, 1), (d * 4, d * 2, 2, 1), (d * 2, d, 2, 1))
        for i, (a, b, stride, padding) in enumerate(sizes, 1):
            conv = spectral_norm(nn.ConvTranspose2d(a, b, 4, stride, padding))
            self.add_module(f"l{i}", nn.Sequential(conv, nn.BatchNorm2d(b), nn.ReLU()))
        self.last = nn.Sequential(nn.ConvTranspose2d(d, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.last(self.l4(self.l3(self.l2(self.l1(z.view(z.shape[0], -1, 1, 1))))))


def two_scales() -> nn.Module:
    """Kernels of 4 with padding 2 and output padding: 8, 15, 29, 28 pixels."""
    layers = [nn.ConvTranspose2d(24, 16, 4, 2, 2, 1), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    layers += [nn.ConvTranspose2d(16, 8, 4, 2, 2, 1), nn.BatchNorm2d(8), nn.ReLU(inplace=True)]
    return Straight(48, (24, 8, 8), nn.ReLU(), *layers, nn.Conv2d(8, 1, 2), nn.Tanh())


def book() -> nn.Module:
    """A last kernel of 5 with a stride of 3: 96 pixels."""
    sizes = ((64, 64, 4, 1, 0), (64, 32, 4, 2, 1), (32, 16, 4, 2, 1), (16, 8, 4, 2, 1))
    return Main(*rows(*sizes), nn.ConvTranspose2d(8, 3, 5, 3, 1, bias=False), nn.Tanh())


def named() -> nn.Module:
    """An OrderedDict of names: block by block, activations among them."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (a, b, s, p) in enumerate(((48, 32, 1, 0), (32, 16, 2, 1), (16, 8, 2, 1)), 1):
        layers[f"upconv_{i}"] = nn.ConvTranspose2d(a, b, 4, s, p)
        layers[f"norm_{i}"] = nn.BatchNorm2d(b)
        layers[f"lrelu_{i}"] = leaky()
    return nn.Sequential(layers | {"to_image": nn.ConvTranspose2d(8, 3, 4, 2, 1), "squash": nn.Tanh()})
