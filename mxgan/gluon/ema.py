"""netG's moving average: see `mxgan.recipe.ema`."""

from __future__ import annotations

import numpy as np
from mxnet.gluon.nn import BatchNorm, HybridSequential

from mxgan.config import TrainConfig
from mxgan.gluon import runtime
from mxgan.gluon.tensors import parameters, trainable, write
from mxgan.recipe import ema


class Average:
    """Moves the weights of ``net`` towards those of ``netG``, which is of the same build."""

    def __init__(self, netG: HybridSequential, net: HybridSequential, config: TrainConfig) -> None:
        self._netG, self._mine, self._net, self._config = parameters(netG), parameters(net), net, config
        self._moving = list(trainable(netG))
        self._settled = True  # do the running statistics belong to the weights?

    def follow(self, step: int) -> None:
        """Move towards netG, which has just made its update number ``step``, from 1 on."""
        share = ema.share(self._config, step)
        for name in self._moving:
            mine = self._mine[name].data()
            difference = self._netG[name].data() - mine
            difference *= share
            mine += difference
        self._settled = False

    def settled(self) -> HybridSequential:
        """The net, its running statistics those of its own features. Not to be written to but by `write`."""
        if not self._settled:
            weight = self._mine["0.weight"].data()
            z = ema.latents(self._config)
            x = runtime.array(z, weight.context, weight.dtype).reshape((*z.shape, 1, 1))
            *normed, _, _ = self._net
            for layer in normed:
                if isinstance(layer, BatchNorm):
                    mean = x.mean((0, 2, 3))
                    layer.running_mean.set_data(mean)
                    layer.running_var.set_data((x - mean.reshape((1, -1, 1, 1))).square().mean((0, 2, 3)))
                x = layer(x)
            self._settled = True
        return self._net

    def restart(self) -> None:
        """Become what netG is now."""
        for name, parameter in self._netG.items():
            self._mine[name].set_data(parameter.data())
        self._settled = True

    def write(self, arrays: dict[str, np.ndarray], where: str) -> None:
        """Become these arrays. Raises ParamsError where they don't fit; ``where`` names them."""
        write(self._net, arrays, where)
        self._settled = True
