"""netG's moving average: see `mxgan.recipe.ema`."""

from __future__ import annotations

import copy

import numpy as np
import torch

from mxgan.config import TrainConfig
from mxgan.pytorch import contexts, nets
from mxgan.pytorch.tensors import arrays_of, tensor_of, tensors, trainable, write
from mxgan.recipe import ema


class Average:
    """A net of netG's structure whose weights follow netG's."""

    def __init__(self, netG: torch.nn.Sequential, config: TrainConfig) -> None:
        self._netG, self._config = netG, config
        self._net = copy.deepcopy(netG).requires_grad_(False)
        self._settled = True  # do the running statistics belong to the weights?

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Move towards netG, which has just made its update number ``step``, from 1 on."""
        theirs = trainable(self._netG)
        mine = tensors(self._net)
        torch._foreach_lerp_([mine[name] for name in theirs], list(theirs.values()), ema.share(self._config, step))
        self._settled = False

    @torch.no_grad()
    def settled(self) -> torch.nn.Sequential:
        """The net, its running statistics those of its own features. Not to be written to but by `write`."""
        if not self._settled:
            z = tensor_of(ema.latents(self._config)).to(self._net[0].weight)
            x = z.reshape(*z.shape, 1, 1)
            self._net.eval()
            with contexts.convolutions(tf32=False, deterministic=True):
                for layer in self._net[:-2]:
                    if isinstance(layer, nets.BatchNorm):
                        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
                        layer.running_mean.copy_(mean)
                        layer.running_var.copy_(variance)
                    x = layer(x)
            self._settled = True
        return self._net

    def restart(self) -> None:
        """Become what netG is now."""
        self.write(arrays_of(self._netG), "netG-ema")

    def write(self, arrays: dict[str, np.ndarray], where: str) -> None:
        """Become these arrays. Raises ParamsError where they don't fit; ``where`` names them."""
        write(self._net, arrays, where)
        self._settled = True
