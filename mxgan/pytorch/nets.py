"""netG and netD of the PyTorch anime-face and CelebA notebooks (Radford et al. 2016, arXiv:1511.06434).

A shape is channels × height × width, after the layers above it. Layers count from 0 and activations count too, so the
arrays are named 0.weight, 0.bias, 1.weight, ..., as ``torch.save(netG.state_dict(), ...)`` writes them; apart from
BatchNorm's words for gamma and beta those are Gluon's names.
"""

from __future__ import annotations

from typing import Optional

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from mxgan.config import SIZES
from mxgan.pytorch import sync
from mxgan.pytorch.team import Team

# MXNet's momentum 0.9 is a float32, and PyTorch counts the other way round: the share of the new.
MOMENTUM = 1 - float(np.float32(0.9))


class BatchNorm(nn.BatchNorm2d):
    """BatchNorm whose running variance is MXNet's: the biased one, where PyTorch's own divides by n - 1.

    Epsilon 1e-5 and everything else are PyTorch's. ``moves``: do the running statistics follow the batches? ``team``:
    processes whose batches count as one; None: this process's batch alone.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-5, momentum=MOMENTUM)
        self.running_mean: torch.Tensor
        self.running_var: torch.Tensor
        self.moves = True
        self.team: Optional[Team] = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(x)
        if self.team is not None:
            y, mean, variance = sync.batch_norm(x, self.weight, self.bias, self.eps, self.team)
            self._move(mean, variance)
            return y
        # Momentum 1 leaves the batch's own statistics in these, with no second pass over the data.
        mean, variance = torch.zeros_like(self.running_mean), torch.zeros_like(self.running_var)
        y = F.batch_norm(x, mean, variance, self.weight, self.bias, True, 1.0, self.eps)
        n = x.numel() // x.shape[1]
        self._move(mean, variance * ((n - 1) / n))
        return y

    def _move(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        """Let the running statistics follow a batch's, the variance being the biased one."""
        if self.moves:
            self.running_mean.lerp_(mean, MOMENTUM)
            self.running_var.lerp_(variance, MOMENTUM)


def generator(latent: int = 128, ngf: int = 64, size: int = 64, bias: bool = False, channels: int = 3) -> nn.Sequential:
    """Latents (n, latent, 1, 1) to images (n, channels, size, size) in [-1, 1].

    ``bias``: have the transposed convolutions one (the Gluon tutorial) or not (the notebooks)?
    Raises ValueError for a size other than 32, 64, 128. latent and size fix the input and output; shapes for size 64:
    """
    first, *rest = _widths(ngf, size)
    layers = [
        # latent × 1 × 1
        nn.ConvTranspose2d(latent, first, 4, 1, 0, bias=bias),
        BatchNorm(first),
        nn.ReLU(inplace=True),
        # (ngf·8) × 4 × 4
    ]
    last = first
    for width in rest:
        layers += [
            nn.ConvTranspose2d(last, width, 4, 2, 1, bias=bias),
            BatchNorm(width),
            nn.ReLU(inplace=True),
            # (ngf·4) × 8 × 8, then (ngf·2) × 16 × 16, then ngf × 32 × 32
        ]
        last = width
    layers += [
        nn.ConvTranspose2d(last, channels, 4, 2, 1, bias=bias),
        nn.Tanh(),
        # channels × 64 × 64
    ]
    return nn.Sequential(*layers)


def discriminator(
    ndf: int = 64, size: int = 64, bias: bool = False, first_norm: bool = True, channels: int = 3
) -> nn.Sequential:
    """Images (n, channels, size, size) in [-1, 1] to logits (n, 1).

    The notebooks end in a sigmoid and take its binary cross entropy. Both in one, BCE-with-logits, is the same function
    and can't overflow, so the sigmoid is the loss's.
    ``first_norm``: BatchNorm after the first convolution (the notebooks) or not (the Gluon tutorial)?
    Raises ValueError for a size other than 32, 64, 128. Shapes for size 64:
    """
    first, *rest = reversed(_widths(ndf, size))
    layers = [
        # channels × 64 × 64
        nn.Conv2d(channels, first, 4, 2, 1, bias=bias),
        *([BatchNorm(first)] if first_norm else []),
        nn.LeakyReLU(0.2, inplace=True),
        # ndf × 32 × 32
    ]
    last = first
    for width in rest:
        layers += [
            nn.Conv2d(last, width, 4, 2, 1, bias=bias),
            BatchNorm(width),
            nn.LeakyReLU(0.2, inplace=True),
            # (ndf·2) × 16 × 16, then (ndf·4) × 8 × 8, then (ndf·8) × 4 × 4
        ]
        last = width
    layers += [
        nn.Conv2d(last, 1, 4, 1, 0, bias=bias),
        # 1 × 1 × 1
        nn.Flatten(),
    ]
    return nn.Sequential(*layers)


def _widths(unit: int, size: int) -> list[int]:
    """netG's channels from its first layer on, halving down to ``unit``; netD's are these reversed."""
    if size not in SIZES:
        raise ValueError(f"size {size}: one of {', '.join(map(str, SIZES))}")
    multiples = [size // 8]
    while multiples[-1] > 1:
        multiples.append(multiples[-1] // 2)
    return [unit * multiple for multiple in multiples]
