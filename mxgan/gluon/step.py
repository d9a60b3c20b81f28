"""One training step of the Gluon tutorial. `mxgan/pytorch/step.py` is the same step in PyTorch.

It makes two savings: netG's step goes on with netD's fake batch, and computes no gradients of netD's weights. With
``--plain`` it makes neither. ``model.nets`` are netG and netD as training computes them, perhaps in the faster forms of
`mxgan.gluon.fast`; ``frozenD`` is netD as netG's step uses it: the same memory, without gradients.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from mxnet import autograd, nd

from mxgan.engines.protocol import Batch
from mxgan.gluon.augment import augmented
from mxgan.gluon.contexts import unrecorded
from mxgan.gluon.model import Model


def train_step(model: Model, batch: Batch) -> Any:
    """Update netD, then netG. Returns loss_d, loss_g, score_real and score_fake in one array, still being computed."""
    loss_d, logit_real, logit_fake, fake = update_netD(model, batch)
    loss_g = update_netG(model, batch, fake)
    if model.ema:
        model.ema.follow(model.updates)
    values = (loss_d, loss_g, nd.sigmoid(logit_real), nd.sigmoid(logit_fake))
    return nd.stack(*(value.mean() for value in values))


def update_netD(model: Model, batch: Batch, update: bool = True) -> tuple[Any, Any, Any, Any]:
    """(1) Update netD: maximize log D(x) + log(1 - D(G(z))), that is, tell real faces from fake ones.

    Returns the loss, a value for each sample, both logits (n, 1), and the fake batch. With ``update`` False it stops
    after computing the gradients.
    """
    netG, netD, _ = model.nets
    real, z = model.images(batch.images), model.latents(batch.z)
    augment_real, augment_fake, _ = batch.augment or (None, None, None)
    with autograd.record():
        with nullcontext() if batch.z_g is None else unrecorded(model.netG):
            fake = netG(z)  # (n, 3, 64, 64)
        # detach: netD's loss must not reach netG, whose graph update_netG still needs
        logit_real = netD(augmented(real, augment_real)).reshape((-1, 1))
        logit_fake = netD(augmented(fake.detach(), augment_fake)).reshape((-1, 1))
        loss_d = model.loss.netD(logit_real, logit_fake)
    loss_d.backward()
    model.spectral.pull_back()  # nothing without spectral norm
    if update:
        model.trainerD.set_learning_rate(model.config.lr_d * batch.rate)
        with model.spectral.unfolded():
            model.trainerD.step(len(real))  # divides the gradients, summed over the batch
    return loss_d, logit_real, logit_fake, fake


def update_netG(model: Model, batch: Batch, fake: Any, update: bool = True) -> Any:
    """(2) Update netG: maximize log D(G(z)), that is, make fake faces pass for real. Returns the loss of each sample.

    ``fake`` is the batch of netD's step: netG hasn't changed since, so its graph is still valid. Where ``batch.z_g``
    has fresh latents, they make a batch of their own instead.
    """
    netG, _, frozenD = model.nets
    *_, augment_fake = batch.augment or (None, None, None)
    with autograd.record():
        if batch.z_g is not None:
            fake = netG(model.latents(batch.z_g))
        logit = frozenD(augmented(fake, augment_fake)).reshape((-1, 1))
        loss_g = model.loss.netG(logit)
    loss_g.backward()
    if update:
        model.trainerG.set_learning_rate(model.config.lr_g * batch.rate)
        model.trainerG.step(len(fake))
    return loss_g
