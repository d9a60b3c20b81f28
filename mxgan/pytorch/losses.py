"""The losses of netD and netG, means over the batch, from netD's logits (n, 1)."""

from __future__ import annotations

from typing import Union

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import relu


class CrossEntropy:
    """The notebooks': sigmoid and binary cross entropy. Real faces' label is 1 - ``label_smoothing``."""

    def __init__(self, label_smoothing: float = 0) -> None:
        self._real = 1 - label_smoothing

    def netD(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """netD should tell the two apart."""
        return bce(real, torch.full_like(real, self._real)) + bce(fake, torch.zeros_like(fake))

    def netG(self, fake: torch.Tensor) -> torch.Tensor:
        """What netG makes should pass for real."""
        return bce(fake, torch.ones_like(fake))


class Hinge:
    """Lim and Ye 2017, arXiv:1705.02894: netD has no more to gain from a logit beyond 1 on its right side of 0."""

    def netD(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """netD should tell the two apart."""
        return relu(1 - _wide(real)).mean() + relu(1 + _wide(fake)).mean()

    def netG(self, fake: torch.Tensor) -> torch.Tensor:
        """What netG makes should pass for real."""
        return -_wide(fake).mean()


def named(loss: str, label_smoothing: float = 0) -> Union[CrossEntropy, Hinge]:
    """The loss that a configuration calls ``bce`` or ``hinge``."""
    return Hinge() if loss == "hinge" else CrossEntropy(label_smoothing)


def _wide(logit: torch.Tensor) -> torch.Tensor:
    """Losses are float32 where the networks compute in bfloat16; autocast does so for the cross entropy alone."""
    return logit.float() if logit.dtype is torch.bfloat16 else logit
