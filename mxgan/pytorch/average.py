"""netG's moving average, which makes better pictures than netG itself: its steps' noise averages out."""

from __future__ import annotations

import copy

import torch

from mxgan.config import TrainConfig
from mxgan.pytorch.tensors import tensors


class Average:
    """A net of netG's structure whose every tensor, running statistics included, follows netG's.

    After half_life images, half of what it was is left; at first sooner, for what netG was then is worth nothing
    (Karras et al. 2020, arXiv:2006.06676: a ramp-up in proportion to the images seen).
    """

    def __init__(self, netG: torch.nn.Sequential, config: TrainConfig) -> None:
        self._netG = netG
        self.net = copy.deepcopy(netG).requires_grad_(False)
        self._batch, self._half_life, self._rampup = config.batch_size, config.ema, config.ema_rampup

    def restart(self) -> None:
        """Become what netG is now."""
        for mine, theirs in zip(*self._both()):
            mine.copy_(theirs)

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Move towards netG, which has just made its update number ``step``, from 1 on."""
        half_life = max(min(self._half_life, self._rampup * step * self._batch), 1e-8)
        kept = 0.5 ** (self._batch / half_life)
        torch._foreach_lerp_(*self._both(), 1 - kept)

    def _both(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        mine, theirs = (list(tensors(net).values()) for net in (self.net, self._netG))
        return mine, [tensor.detach() for tensor in theirs]
