"""The losses of both networks, from netD's logits."""

from __future__ import annotations

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import relu


def of_netD(real: torch.Tensor, fake: torch.Tensor, loss: str, smoothing: float) -> torch.Tensor:
    """netD's: ``bce``, where the real label is 1 - ``smoothing``, or ``hinge`` (Lim & Ye 2017, arXiv:1705.02894)."""
    if loss == "hinge":
        return relu(1 - _wide(real)).mean() + relu(1 + _wide(fake)).mean()
    return bce(real, torch.full_like(real, 1 - smoothing)) + bce(fake, torch.zeros_like(fake))


def of_netG(fake: torch.Tensor, loss: str) -> torch.Tensor:
    """netG's: what it makes should pass for real."""
    return -_wide(fake).mean() if loss == "hinge" else bce(fake, torch.ones_like(fake))


def _wide(logit: torch.Tensor) -> torch.Tensor:
    """Losses are float32 where the networks compute in bfloat16."""
    return logit.float() if logit.dtype is torch.bfloat16 else logit
