"""One training step of the anime-face and CelebA notebooks. `mxgan/gluon/step.py` is the same step in Gluon.

It makes two savings: netG's step goes on with netD's fake batch, and computes no gradients of netD's weights. With
``--plain`` it makes neither. ``model.nets`` are netG and netD as training computes them, perhaps in the faster forms of
`mxgan.pytorch.fast`; ``frozenD`` is netD as netG's step uses it: the same memory, without gradients.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch

from mxgan.engines.protocol import Batch
from mxgan.pytorch.augment import augmented
from mxgan.pytorch.contexts import unrecorded
from mxgan.pytorch.model import Model


def train_step(model: Model, batch: Batch) -> torch.Tensor:
    """Update netD, then netG. Returns loss_d, loss_g, score_real and score_fake in one tensor, on the device."""
    loss_d, logit_real, logit_fake, fake = update_netD(model, batch)
    loss_g = update_netG(model, batch, fake)
    if model.ema:
        model.ema.follow(model.updates)
    scores = (logit.detach().to(model.dtype).sigmoid().mean() for logit in (logit_real, logit_fake))
    return model.mean(torch.stack([loss_d.detach(), loss_g.detach(), *scores]))


def update_netD(
    model: Model, batch: Batch, update: bool = True
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """(1) Update netD: maximize log D(x) + log(1 - D(G(z))), that is, tell real faces from fake ones.

    Returns the loss, a mean over the batch, both logits (n, 1), and the fake batch. With ``update`` False it stops
    after computing the gradients.
    """
    netG, netD, _ = model.nets
    real, z = model.images(batch.images), model.latents(batch.z)
    augment_real, augment_fake, _ = batch.augment or (None, None, None)
    model.netD.zero_grad()
    with model.autocast():
        with nullcontext() if batch.z_g is None else unrecorded(model.netG):
            fake = netG(z)  # (n, 3, 64, 64)
        # detach: netD's loss must not reach netG, whose graph update_netG still needs. The fake batch comes first,
        # as MXNet updates running statistics in the backward pass
        logit_fake = netD(augmented(fake.detach(), augment_fake))
        logit_real = netD(augmented(real, augment_real))
        loss_d = model.loss.netD(logit_real, logit_fake)
    loss_d.backward()
    model.average(model.trainerD)
    model.spectral.pull_back()  # nothing without spectral norm
    if update:
        with model.spectral.unfolded():
            model.trainerD.step(batch.rate)  # batch.rate: a factor of the learning rate
    return loss_d, logit_real, logit_fake, fake


def update_netG(model: Model, batch: Batch, fake: torch.Tensor, update: bool = True) -> torch.Tensor:
    """(2) Update netG: maximize log D(G(z)), that is, make fake faces pass for real. Returns the loss, a mean.

    ``fake`` is the batch of netD's step: netG hasn't changed since, so its graph is still valid. Where ``batch.z_g``
    has fresh latents, they make a batch of their own instead.
    """
    netG, _, frozenD = model.nets
    *_, augment_fake = batch.augment or (None, None, None)
    model.netG.zero_grad()
    with model.autocast():
        if batch.z_g is not None:
            fake = netG(model.latents(batch.z_g))
        logit = frozenD(augmented(fake, augment_fake))
        loss_g = model.loss.netG(logit)
    loss_g.backward()
    model.average(model.trainerG)
    if update:
        model.trainerG.step(batch.rate)
    return loss_g
