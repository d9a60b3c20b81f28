"""One training step on PyTorch, as the notebooks write it. `mxgan/gluon/step.py` is the same step in Gluon.

``model.nets`` are netG and netD as training computes them. ``frozenD`` is netD over the same memory, without gradients
by its weights, which netG's step has no use for. `mxgan.pytorch.fast` may compute all three in other, faster forms.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch

from mxgan.engines.protocol import Batch
from mxgan.pytorch.augment import apply
from mxgan.pytorch.contexts import aside
from mxgan.pytorch.model import Model


def train_step(model: Model, batch: Batch) -> torch.Tensor:
    """Update netD, then netG. Returns loss_d, loss_g, score_real and score_fake as (4,); a GPU still computes them."""
    loss_d, logit_real, logit_fake, fake = update_netD(model, batch)
    loss_g = update_netG(model, batch, fake)
    if model.ema:
        model.ema.follow(model.updates)
    scores = (logit.detach().to(model.dtype).sigmoid().mean() for logit in (logit_real, logit_fake))
    return torch.stack([loss_d.detach(), loss_g.detach(), *scores])


def update_netD(
    model: Model, batch: Batch, step: bool = True
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """(1) Update netD: it should tell real faces from fake ones, log D(x) + log(1 - D(G(z))) at its largest.

    Returns the loss, both logits (n, 1), and the fake batch. ``step`` False stops at the gradients.
    """
    netG, netD, _ = model.nets
    real, z = model.images(batch.images), model.latents(batch.z)
    real_seen, fake_seen, _ = batch.augment or (None, None, None)
    model.netD.zero_grad()
    with model.autocast():
        with nullcontext() if batch.z_g is None else aside(model.netG):
            fake = netG(z)  # (n, 3, 64, 64)
        # The fake batch first: MXNet moves running statistics in the backward pass, so in reverse order
        logit_fake = netD(apply(fake.detach(), fake_seen))
        logit_real = netD(apply(real, real_seen))
        loss_d = model.loss.netD(logit_real, logit_fake)
    loss_d.backward()
    model.spectral.pull_back()
    if step:
        with model.spectral.unfolded():
            model.trainerD.step(batch.rate)
    return loss_d, logit_real, logit_fake, fake


def update_netG(model: Model, batch: Batch, fake: torch.Tensor, step: bool = True) -> torch.Tensor:
    """(2) Update netG: what it makes should pass for real, log D(G(z)) at its largest. Returns the loss.

    ``fake`` is the batch of netD's step: netG hasn't changed since, so its graph still holds. ``batch.z_g``, where a
    recipe draws latents anew, makes a batch of its own. ``step`` False stops at the gradients.
    """
    netG, _, frozenD = model.nets
    *_, fake_seen = batch.augment or (None, None, None)
    model.netG.zero_grad()
    with model.autocast():
        if batch.z_g is not None:
            fake = netG(model.latents(batch.z_g))
        logit = frozenD(apply(fake, fake_seen))
        loss_g = model.loss.netG(logit)
    loss_g.backward()
    if step:
        model.trainerG.step(batch.rate)
    return loss_g
