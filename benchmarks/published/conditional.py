"""Generators that are given a class beside the latent."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .kinds import Published
from .plain import up


class EmbeddedConcat(nn.Module):
    """The class's embedding beside the latent, then a DCGAN."""

    def __init__(self, latent: int = 50, classes: int = 5, size: int = 12, d: int = 12) -> None:
        super().__init__()
        self.embed = nn.Embedding(classes, size)
        layers = up(latent + size, d * 4, 4, 1, 0) + up(d * 4, d * 2) + up(d * 2, d)
        self.net = nn.Sequential(*layers, nn.ConvTranspose2d(d, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        embedding = self.embed(labels).unsqueeze(2).unsqueeze(3)
        return self.net(torch.cat([z, embedding], dim=1))


class EmbeddedProduct(nn.Module):
    """The class's embedding times the latent, then Linear, upsampling and convolutions."""

    def __init__(self, latent: int = 40, classes: int = 6, a: int = 24, b: int = 12, start: int = 8) -> None:
        super().__init__()
        self.a, self.start = a, start
        self.label_emb = nn.Embedding(classes, latent)
        self.l1 = nn.Sequential(nn.Linear(latent, a * start * start))
        layers: list[nn.Module] = [nn.BatchNorm2d(a)]
        for x, y in ((a, a), (a, b)):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(x, y, 3, stride=1, padding=1), nn.BatchNorm2d(y, 0.8)]
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.conv_blocks = nn.Sequential(*layers, nn.Conv2d(b, 1, 3, stride=1, padding=1), nn.Tanh())

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        x = self.l1(torch.mul(self.label_emb(labels), noise))
        return self.conv_blocks(x.view(x.shape[0], self.a, self.start, self.start))


class TwoBranches(nn.Module):
    """Latent and one-hot class each through a transposed convolution of its own, then joined."""

    def __init__(self, d: int = 8) -> None:
        super().__init__()
        self.deconv1_1 = nn.ConvTranspose2d(100, d * 2, 4, 1, 0)
        self.deconv1_1_bn = nn.BatchNorm2d(d * 2)
        self.deconv1_2 = nn.ConvTranspose2d(10, d * 2, 4, 1, 0)
        self.deconv1_2_bn = nn.BatchNorm2d(d * 2)
        self.deconv2 = nn.ConvTranspose2d(d * 4, d * 2, 4, 2, 1)
        self.deconv2_bn = nn.BatchNorm2d(d * 2)
        self.deconv3 = nn.ConvTranspose2d(d * 2, d, 4, 2, 1)
        self.deconv3_bn = nn.BatchNorm2d(d)
        self.deconv4 = nn.ConvTranspose2d(d, 1, 4, 2, 1)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        x = F.relu(self.deconv1_1_bn(self.deconv1_1(z)))
        y = F.relu(self.deconv1_2_bn(self.deconv1_2(label[:, :, None, None])))
        x = torch.cat([x, y], 1)
        x = F.relu(self.deconv2_bn(self.deconv2(x)))
        x = F.relu(self.deconv3_bn(self.deconv3(x)))
        return torch.tanh(self.deconv4(x))


class OneHotConcat(nn.Module):
    """The one-hot class beside the latent; kernels of 3 and 4 without padding."""

    def __init__(self, d: int = 16) -> None:
        super().__init__()
        sizes = [(74, d * 4, 3, 2), (d * 4, d * 2, 4, 1), (d * 2, d, 3, 2)]
        blocks = [nn.Sequential(*up(a, b, k, s, 0, bias=True)) for a, b, k, s in sizes]
        self.gen = nn.Sequential(*blocks, nn.Sequential(nn.ConvTranspose2d(d, 1, 4, 2), nn.Tanh()))

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        x = torch.cat([z.flatten(1), label], dim=1)
        return self.gen(x.view(len(x), -1, 1, 1))


class LinearConcat(nn.Module):
    """A square embedding beside the latent, Linear, transposed convolutions, Sigmoid."""

    def __init__(self, latent: int = 32, classes: int = 4, d: int = 16) -> None:
        super().__init__()
        self.d = d
        self.embed = nn.Embedding(classes, classes)
        self.linear = nn.Linear(latent + classes, d * 49)
        layers = [nn.ConvTranspose2d(d, d // 2, 4, 2, 1), nn.BatchNorm2d(d // 2), nn.ReLU(inplace=True)]
        layers += [nn.ConvTranspose2d(d // 2, d // 2, 4, 2, 1), nn.BatchNorm2d(d // 2), nn.ReLU(inplace=True)]
        self.conv = nn.Sequential(*layers, nn.ConvTranspose2d(d // 2, 1, 3, 1, 1), nn.Sigmoid())

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        x = torch.cat([z, self.embed(labels)], dim=1)
        return self.conv(self.linear(x).view(-1, self.d, 7, 7))


NETS = [
    Published("class-concat-32", EmbeddedConcat, "embedding beside the latent", 50, 32, classes=5, labels="index"),
    Published(
        "class-product-32",
        EmbeddedProduct,
        "embedding times the latent, eps 0.8",
        40,
        32,
        1,
        as_map=False,
        classes=6,
        labels="index",
    ),
    Published(
        "class-branches-32",
        TwoBranches,
        "one-hot through layers of its own",
        100,
        32,
        1,
        classes=10,
        labels="one-hot",
        known="znxlwm cDCGAN MNIST (32 px)",
    ),
    Published(
        "class-onehot-28",
        OneHotConcat,
        "one-hot beside the latent",
        64,
        28,
        1,
        as_map=False,
        classes=10,
        labels="one-hot",
        known="GANs Specialization, conditional DCGAN (28 px)",
    ),
    Published(
        "class-linear-28",
        LinearConcat,
        "embedding beside the latent, Linear, Sigmoid",
        32,
        28,
        1,
        "sigmoid",
        as_map=False,
        classes=4,
        labels="index",
        init="torch",
    ),
]
