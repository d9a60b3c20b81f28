"""netG's moving average on Gluon; `mxgan.recipe.ema` says how fast it moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mxnet.gluon.nn import BatchNorm

from mxgan.config import RunConfig
from mxgan.gluon import nets
from mxgan.gluon.tensors import arrays, place, tensors, to_tensor, trainable, write
from mxgan.recipe import ema


class EMA:
    """A network of netG's build whose weights follow netG's."""

    def __init__(self, netG: Any, config: RunConfig) -> None:
        weight = netG[0].weight
        self._device, self._dtype = weight.list_ctx()[0], weight.dtype
        self._netG, self._config = netG, config
        net = nets.generator(config.latent, config.ngf, config.size, config.bias)
        self._net = place(net, self._device, self._dtype)
        self.restart()

    def follow(self, update: int) -> None:
        """Move towards netG, which has just made its update number ``update``, from 1 on."""
        mine, share = tensors(self._net), ema.share(self._config, update)
        for name, theirs in trainable(self._netG).items():
            weight = mine[name].data()
            difference = theirs.data() - weight
            difference *= share
            weight += difference
        self._settled = False

    def settled(self) -> Any:
        """The network, its running statistics measured on its own features. Only `write` may change it."""
        if not self._settled:
            z = ema.latents(self._config)
            x = to_tensor(z, self._device, self._dtype).reshape((*z.shape, 1, 1))
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
        self.write(arrays(self._netG), "netG-ema")

    def write(self, values: Mapping[str, np.ndarray], where: str) -> None:
        """Become these arrays. Raises ParamsError where they don't fit; ``where`` names them."""
        write(self._net, values, where)
        self._settled = True  # do the running statistics belong to the weights?
