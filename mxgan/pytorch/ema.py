"""netG's moving average on PyTorch; `mxgan.recipe.ema` says how fast it moves."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch

from mxgan.config import RunConfig
from mxgan.pytorch import contexts, nets
from mxgan.pytorch.tensors import arrays, tensors, to_tensor, trainable, write
from mxgan.recipe import ema


class EMA:
    """A network of netG's build whose weights follow netG's."""

    def __init__(self, netG: torch.nn.Sequential, config: RunConfig) -> None:
        self._netG, self._config = netG, config
        self._net = copy.deepcopy(netG).requires_grad_(False)
        self._settled = True  # do the running statistics belong to the weights?

    @torch.no_grad()
    def follow(self, update: int) -> None:
        """Move towards netG, which has just made its update number ``update``, from 1 on."""
        mine, theirs = tensors(self._net), trainable(self._netG)
        torch._foreach_lerp_([mine[name] for name in theirs], list(theirs.values()), ema.share(self._config, update))
        self._settled = False

    @torch.no_grad()
    def settled(self) -> torch.nn.Sequential:
        """The network, its running statistics measured on its own features. Only `write` may change it."""
        if not self._settled:
            z, weight = ema.latents(self._config), next(self._net.parameters())
            x = to_tensor(z, weight.device, weight.dtype).reshape(*z.shape, 1, 1)
            self._net.eval()
            with contexts.convolutions(tf32=False, deterministic=True):
                for layer in list(self._net)[:-2]:
                    if isinstance(layer, nets.BatchNorm):
                        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
                        layer.running_mean.copy_(mean)
                        layer.running_var.copy_(variance)
                    x = layer(x)
            self._settled = True
        return self._net

    def restart(self) -> None:
        """Become what netG is now."""
        self.write(arrays(self._netG), "netG-ema")

    def write(self, values: Mapping[str, np.ndarray], where: str) -> None:
        """Become these arrays. Raises ParamsError where they don't fit; ``where`` names them."""
        write(self._net, values, where)
        self._settled = True
