"""The PyTorch anime-face notebooks' networks and training loop, as written.

The discriminator ends in a sigmoid. Its step doesn't detach the fake batch. The generator's step draws fresh latents
and computes the discriminator's gradients too. Each loss and score is read by ``.item()``. One thing differs: batches
are in memory as normalised floats, where the notebooks' DataLoader decodes files beside the loop.

`train` is a generator: each ``next()`` is one step of the loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

LATENT = 128


def networks() -> tuple[nn.Sequential, nn.Sequential]:
    """The generator and the discriminator, with PyTorch's own initial weights."""
    discriminator = nn.Sequential(
        # in: 3 x 64 x 64
        nn.Conv2d(3, 64, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.2, inplace=True),
        # out: 64 x 32 x 32
        nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2, inplace=True),
        # out: 128 x 16 x 16
        nn.Conv2d(128, 256, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(256),
        nn.LeakyReLU(0.2, inplace=True),
        # out: 256 x 8 x 8
        nn.Conv2d(256, 512, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(512),
        nn.LeakyReLU(0.2, inplace=True),
        # out: 512 x 4 x 4
        nn.Conv2d(512, 1, kernel_size=4, stride=1, padding=0, bias=False),
        # out: 1 x 1 x 1
        nn.Flatten(),
        nn.Sigmoid(),
    )
    generator = nn.Sequential(
        # in: latent_size x 1 x 1
        nn.ConvTranspose2d(LATENT, 512, kernel_size=4, stride=1, padding=0, bias=False),
        nn.BatchNorm2d(512),
        nn.ReLU(True),
        # out: 512 x 4 x 4
        nn.ConvTranspose2d(512, 256, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(256),
        nn.ReLU(True),
        # out: 256 x 8 x 8
        nn.ConvTranspose2d(256, 128, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(True),
        # out: 128 x 16 x 16
        nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(True),
        # out: 64 x 32 x 32
        nn.ConvTranspose2d(64, 3, kernel_size=4, stride=2, padding=1, bias=False),
        nn.Tanh(),
        # out: 3 x 64 x 64
    )
    return generator, discriminator


def train(faces: np.ndarray, batch_size: int) -> Iterator[None]:
    """Train for ever on faces (uint8 NHWC), a step each time it is asked for the next value."""
    images = torch.from_numpy(faces.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1).contiguous()
    batches = images[: len(images) // batch_size * batch_size].split(batch_size)
    generator, discriminator = networks()
    opt_d = torch.optim.Adam(discriminator.parameters(), lr=0.0002, betas=(0.5, 0.999))
    opt_g = torch.optim.Adam(generator.parameters(), lr=0.0002, betas=(0.5, 0.999))
    while True:
        for real_images in batches:
            train_discriminator(generator, discriminator, real_images, opt_d)
            train_generator(generator, discriminator, batch_size, opt_g)
            yield


def train_discriminator(generator: Any, discriminator: Any, real_images: Any, opt_d: Any) -> tuple[float, float, float]:
    """The notebooks' function of that name."""
    # Clear discriminator gradients
    opt_d.zero_grad()

    # Pass real images through discriminator
    real_preds = discriminator(real_images)
    real_targets = torch.ones(real_images.size(0), 1)
    real_loss = F.binary_cross_entropy(real_preds, real_targets)
    real_score = torch.mean(real_preds).item()

    # Generate fake images
    latent = torch.randn(real_images.size(0), LATENT, 1, 1)
    fake_images = generator(latent)

    # Pass fake images through discriminator
    fake_targets = torch.zeros(fake_images.size(0), 1)
    fake_preds = discriminator(fake_images)
    fake_loss = F.binary_cross_entropy(fake_preds, fake_targets)
    fake_score = torch.mean(fake_preds).item()

    # Update discriminator weights
    loss = real_loss + fake_loss
    loss.backward()
    opt_d.step()
    return loss.item(), real_score, fake_score


def train_generator(generator: Any, discriminator: Any, batch_size: int, opt_g: Any) -> float:
    """The notebooks' function of that name."""
    # Clear generator gradients
    opt_g.zero_grad()

    # Generate fake images
    latent = torch.randn(batch_size, LATENT, 1, 1)
    fake_images = generator(latent)

    # Try to fool the discriminator
    preds = discriminator(fake_images)
    targets = torch.ones(batch_size, 1)
    loss = F.binary_cross_entropy(preds, targets)

    # Update generator weights
    loss.backward()
    opt_g.step()
    return loss.item()


def wait() -> None:
    """PyTorch computes on the CPU as it is asked: nothing to wait for."""
