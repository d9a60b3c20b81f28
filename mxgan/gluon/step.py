"""One training step on Gluon, as the tutorial writes it. `mxgan/pytorch/step.py` is the same step in PyTorch.

``model.nets`` are netG and netD as training computes them. ``frozenD`` is netD over the same memory, without gradients
by its weights, which netG's step has no use for. `mxgan.gluon.fast` may compute all three in other, faster forms.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from mxnet import autograd, nd

from mxgan.engines.protocol import Batch
from mxgan.gluon.augment import apply
from mxgan.gluon.contexts import aside
from mxgan.gluon.model import Model


def train_step(model: Model, batch: Batch) -> Any:
    """Update netD, then netG. Returns loss_d, loss_g, score_real and score_fake as (4,), still being computed."""
    loss_d, logit_real, logit_fake, fake = update_netD(model, batch)
    loss_g = update_netG(model, batch, fake)
    if model.ema:
        model.ema.follow(model.updates)
    values = (loss_d, loss_g, nd.sigmoid(logit_real), nd.sigmoid(logit_fake))
    return nd.stack(*(value.mean() for value in values))


def update_netD(model: Model, batch: Batch, step: bool = True) -> tuple[Any, Any, Any, Any]:
    """(1) Update netD: it should tell real faces from fake ones, log D(x) + log(1 - D(G(z))) at its largest.

    Returns the loss, both logits (n, 1), and the fake batch. ``step`` False stops at the gradients.
    """
    netG, netD, _ = model.nets
    real, z = model.images(batch.images), model.latents(batch.z)
    real_seen, fake_seen, _ = batch.augment or (None, None, None)
    with autograd.record():
        with nullcontext() if batch.z_g is None else aside(model.netG):
            fake = netG(z)  # (n, 3, 64, 64)
        logit_real = netD(apply(real, real_seen)).reshape((-1, 1))
        logit_fake = netD(apply(fake.detach(), fake_seen)).reshape((-1, 1))
        loss_d = model.loss.netD(logit_real, logit_fake)
    loss_d.backward()
    model.spectral.pull_back()
    if step:
        model.trainerD.set_learning_rate(model.config.lr_d * batch.rate)
        with model.spectral.unfolded():
            model.trainerD.step(len(real))
    return loss_d, logit_real, logit_fake, fake


def update_netG(model: Model, batch: Batch, fake: Any, step: bool = True) -> Any:
    """(2) Update netG: what it makes should pass for real, log D(G(z)) at its largest. Returns the loss.

    ``fake`` is the batch of netD's step: netG hasn't changed since, so its graph still holds. ``batch.z_g``, where a
    recipe draws latents anew, makes a batch of its own. ``step`` False stops at the gradients.
    """
    netG, _, frozenD = model.nets
    *_, fake_seen = batch.augment or (None, None, None)
    with autograd.record():
        if batch.z_g is not None:
            fake = netG(model.latents(batch.z_g))
        logit = frozenD(apply(fake, fake_seen)).reshape((-1, 1))
        loss_g = model.loss.netG(logit)
    loss_g.backward()
    if step:
        model.trainerG.set_learning_rate(model.config.lr_g * batch.rate)
        model.trainerG.step(len(fake))
    return loss_g
