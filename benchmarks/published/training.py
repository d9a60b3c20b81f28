"""The PyTorch generators' training: a GAN in its plainest form."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .discriminators import Discriminator
from .kinds import Published
from .reals import reals

BATCH, REALS, RATE, BETAS = 32, 512, 1e-3, (0.5, 0.999)


def initialize(module: nn.Module) -> None:
    """Normal(0.02) weights, as in the DCGAN paper; gammas around 1."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def rate(step: int, steps: int) -> float:
    """The learning rate: constant, then down to 0 in the last 40 %, for running statistics to catch up with weights."""
    return RATE * min(1.0, (steps - step) / (0.4 * steps))


def inputs(net: Published, z: np.ndarray, labels: np.ndarray) -> tuple[Tensor, ...]:
    """What the generator's forward takes."""
    latents = torch.from_numpy(z)
    if net.as_map:
        latents = latents[:, :, None, None]
    if not net.classes:
        return (latents,)
    classes = torch.from_numpy(labels)
    return (latents, F.one_hot(classes, net.classes).float() if net.labels == "one-hot" else classes)


def train(net: Published, steps: int) -> tuple[nn.Module, nn.Module, list[torch.optim.Adam]]:
    """Generator and discriminator after ``steps`` steps, in inference mode, and their optimizers."""
    torch.manual_seed(net.seed)
    rng = np.random.default_rng(net.seed)
    netG = net.build()
    netD = Discriminator(net.discriminator, net.size, net.channels, classes=net.classes)
    if net.init == "dcgan":
        netG.apply(initialize)
        if net.discriminator == "plain":
            netD.apply(initialize)
    images, labels = reals(REALS, net.size, net.channels, net.classes)
    images = images if net.end == "sigmoid" else images * 2 - 1
    adams = [torch.optim.Adam(module.parameters(), lr=RATE, betas=BETAS) for module in (netG, netD)]
    for step in range(steps):
        for adam in adams:
            adam.param_groups[0]["lr"] = rate(step, steps)
        chosen = rng.integers(0, REALS, BATCH)
        classes = torch.from_numpy(labels[chosen])
        fake = netG(*inputs(net, net.draw(rng, BATCH), labels[chosen]))
        real_score, fake_score = netD(torch.from_numpy(images[chosen]), classes), netD(fake.detach(), classes)
        adams[1].zero_grad()
        (F.softplus(-real_score) + F.softplus(fake_score)).mean().backward()
        adams[1].step()
        adams[0].zero_grad()
        F.softplus(-netD(fake, classes)).mean().backward()
        adams[0].step()
    with torch.no_grad():  # running statistics need about 100 batches to forget how they began
        for _ in range(100 - steps):
            netG(*inputs(net, net.draw(rng, BATCH), labels[rng.integers(0, REALS, BATCH)]))
    return netG.eval(), netD.eval(), adams
