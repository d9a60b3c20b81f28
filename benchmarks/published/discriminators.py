"""Discriminators to train against and to be saved beside the generators, in the kinds that public files hold."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import spectral_norm
from torch.nn.utils.parametrizations import spectral_norm as spectral_parametrization


class Discriminator(nn.Module):
    """Halves the image with strided convolutions down to 4 pixels or fewer, then one number: logits (n,).

    ``kind``: "plain" (BatchNorm, a convolution at the end), "spectral" and "parametrized" (both ways in which PyTorch
    keeps a spectral norm), "instance" (InstanceNorm and Linear) or "dropout" (BatchNorm after the activation, Linear).
    """

    def __init__(self, kind: str, size: int, channels: int, width: int = 8, classes: int = 0) -> None:
        super().__init__()
        self.classes = classes
        wrap = {"spectral": spectral_norm, "parametrized": spectral_parametrization}.get(kind, lambda layer: layer)
        layers: list[nn.Module] = []
        inside = channels + classes
        while size > 4:
            layers.append(wrap(nn.Conv2d(inside, width, 4, 2, 1, bias=kind != "plain")))
            first = inside == channels + classes
            if kind == "plain" and not first:
                layers.append(nn.BatchNorm2d(width))
            if kind == "instance" and not first:
                layers.append(nn.InstanceNorm2d(width, affine=True))
            layers.append(nn.LeakyReLU(0.2))
            if kind == "dropout":
                layers += [nn.Dropout2d(0.25), nn.BatchNorm2d(width, 0.8)]
            inside, width, size = width, min(width * 2, 64), size // 2
        if kind == "plain":
            layers.append(nn.Conv2d(inside, 1, size, 1, 0, bias=False))
        else:
            layers += [nn.Flatten(), wrap(nn.Linear(inside * size * size, 1))]
        self.main = nn.Sequential(*layers)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        if self.classes:
            planes = nn.functional.one_hot(labels, self.classes).float()[:, :, None, None]
            x = torch.cat([x, planes.expand(-1, -1, *x.shape[2:])], 1)
        return self.main(x).flatten()
