"""What a run trains on PyTorch: both networks, an Adam for each, the loss, and what a recipe adds to the notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np
import torch

from mxgan.config import RunConfig
from mxgan.pytorch import fast, losses, nets, runtime
from mxgan.pytorch.adam import Adam
from mxgan.pytorch.ema import EMA
from mxgan.pytorch.spectral import SpectralNorm
from mxgan.pytorch.team import Team
from mxgan.pytorch.tensors import place, tensors, to_tensor, trainable, write
from mxgan.recipe import initial


@dataclass(frozen=True)
class Options:
    """How PyTorch computes in training. Pictures of the same weights never depend on these."""

    precision: str = "tf32"  # of convolutions: float32; tf32 (on CUDA; float32 elsewhere); bfloat16, by autocast, with
    #                          float32 weights, statistics and losses
    deterministic: bool = False  # CUDA: the same bits in every run, at some cost in speed. The CPU is always so
    reuse: bool = True  # netG's step goes on with the fake batch of netD's, where they have the same latents
    freeze: bool = True  # netG's step computes no gradients of netD's weights, which it wouldn't use
    channels_last: bool = True  # the layout that convolutions are fastest in
    products: bool = True  # CPU: some layers as matrix products (`mxgan.pytorch.fast`): changes float32's last bits


PLAIN = Options(reuse=False, freeze=False, channels_last=False, products=False)  # the notebooks'


class Model:
    """Freshly drawn networks, ready for `mxgan.pytorch.step`.

    ``netG`` and ``netD`` are the notebooks': what weights files hold and pictures come from. ``nets`` are the forms of
    them that training computes. ``team``: the processes that share each batch; None: this one has it all.
    """

    def __init__(self, config: RunConfig, ctx: str, dtype: str, options: Options, team: Optional[Team] = None) -> None:
        self.config, self.options, self.dtype, self.team = config, options, getattr(torch, dtype), team
        self.device = runtime.device(ctx)
        netG = nets.generator(config.latent, config.ngf, config.size, config.bias)
        self.netG = place(netG, self.device, self.dtype)
        netD = nets.discriminator(config.ndf, config.size, config.bias, config.first_norm)
        self.netD = place(netD, self.device, self.dtype)
        for name, net in (("netG", self.netG), ("netD", self.netD)):
            shapes = {key: tuple(tensor.shape) for key, tensor in tensors(net).items()}
            write(net, initial.draw(config, name, shapes), name)
            if not options.channels_last:
                net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # as in `place`
        self.nets = fast.forms(self.netG, self.netD, options)
        self.loss = losses.named(config.loss, config.label_smoothing)
        self.trainerG, self.trainerD = (
            Adam(trainable(net), lr, config.beta1, config.beta2)
            for net, lr in ((self.netG, config.lr_g), (self.netD, config.lr_d))
        )
        self.spectral = SpectralNorm(self.netD, config.seed, config.spectral_norm)
        self.ema: Optional[EMA] = EMA(self.netG, config) if config.ema else None
        if config.sync_batchnorm:
            for layer in (layer for net in self.nets for layer in net if isinstance(layer, nets.BatchNorm)):
                layer.team = team

    @property
    def updates(self) -> int:
        """How many updates netG has made."""
        return self.trainerG.count

    def average(self, adam: Adam) -> None:
        """The gradients of one network become those of the whole batch, of which other processes have their shares."""
        if self.team is not None:
            self.team.average(adam.parameters)

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Means over this process's share of a batch become those over the whole."""
        return values if self.team is None else self.team.mean(values)

    def autocast(self) -> torch.autocast:
        """Where the precision is bfloat16, convolutions in this block compute in it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16")

    def images(self, images: np.ndarray) -> torch.Tensor:
        """uint8 NHWC to float NCHW in [-1, 1], on the device: a quarter of the bytes travel."""
        batch = to_tensor(images, self.device, torch.uint8).permute(0, 3, 1, 2)
        layout = torch.preserve_format if self.options.channels_last else torch.contiguous_format
        return batch.to(self.dtype, memory_format=layout) / 127.5 - 1

    def latents(self, z: np.ndarray) -> torch.Tensor:
        """(n, latent) to (n, latent, 1, 1), on the device."""
        return to_tensor(z, self.device, self.dtype).reshape(*z.shape, 1, 1)
