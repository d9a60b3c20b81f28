"""What a run trains on Gluon: both networks, a Trainer for each, the loss, and what a recipe adds to the tutorial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from mxnet import gluon

from mxgan.config import RunConfig
from mxgan.gluon import fast, losses, nets, runtime
from mxgan.gluon.ema import EMA
from mxgan.gluon.spectral import SpectralNorm
from mxgan.gluon.tensors import place, tensors, to_tensor, write
from mxgan.recipe import initial


@dataclass(frozen=True)
class Options:
    """Which parts of the tutorial's loop are computed differently. The first three change no bit of any result."""

    reuse: bool = True  # netG's step goes on with the fake batch of netD's, where they have the same latents
    freeze: bool = True  # netG's step computes no gradients of netD's weights, which it wouldn't use
    static: bool = True  # MXNet plans each network's memory once
    products: bool = True  # netG's first layer and netD's last are matrix products: changes the last bits
    unbiased: bool = True  # netG's biases in front of a BatchNorm aren't added while they are zero: likewise


PLAIN = Options(reuse=False, freeze=False, static=False, products=False, unbiased=False)  # the tutorial's


class Model:
    """Freshly drawn networks, ready for `mxgan.gluon.step`.

    ``netG`` and ``netD`` are the tutorial's: what weights files hold and pictures come from. ``nets`` are the forms of
    them that training computes.
    """

    def __init__(self, config: RunConfig, ctx: str, dtype: str, options: Options) -> None:
        self.config, self.options, self.dtype = config, options, dtype
        self.device = runtime.context(ctx)
        netG = nets.generator(config.latent, config.ngf, config.size, config.bias)
        self.netG = place(netG, self.device, dtype)
        self.netD = place(self._discriminator(), self.device, dtype)
        for name, net in (("netG", self.netG), ("netD", self.netD)):
            shapes = {key: parameter.shape for key, parameter in tensors(net).items()}
            write(net, initial.draw(config, name, shapes), name)
            if options.static:
                net.hybridize(static_alloc=True, static_shape=True)
        self._frozenD = self.netD
        if options.freeze:
            self._frozenD = fast.frozen(self.netD, place(self._discriminator(), self.device, dtype))
        self.choose_forms()
        self.loss = losses.named(config.loss, config.label_smoothing)
        adam = {"beta1": config.beta1, "beta2": config.beta2}
        self.trainerG, self.trainerD = (
            gluon.Trainer(list(tensors(net).values()), "adam", {"learning_rate": lr, **adam})
            for net, lr in ((self.netG, config.lr_g), (self.netD, config.lr_d))
        )
        self.spectral = SpectralNorm(self.netD, config.seed, config.spectral_norm)
        self.ema: Optional[EMA] = EMA(self.netG, config) if config.ema else None

    def choose_forms(self) -> None:
        """Compute netG and netD in the forms that fit their numbers: after these were set from outside."""
        self.nets = fast.forms(self.netG, self.netD, self._frozenD, self.options)

    @property
    def updates(self) -> int:
        """How many updates netG has made."""
        return self.trainerG._optimizer.num_update

    def images(self, images: np.ndarray) -> Any:
        """uint8 NHWC to float NCHW in [-1, 1], on the device: a quarter of the bytes travel."""
        batch = to_tensor(images, self.device, "uint8").astype(self.dtype)
        return batch.transpose((0, 3, 1, 2)) / 127.5 - 1

    def latents(self, z: np.ndarray) -> Any:
        """(n, latent) to (n, latent, 1, 1), on the device."""
        return to_tensor(z, self.device, self.dtype).reshape((*z.shape, 1, 1))

    def _discriminator(self) -> Any:
        config = self.config
        return nets.discriminator(config.ndf, config.size, config.bias, config.first_norm, dtype=self.dtype)
