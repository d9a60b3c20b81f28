"""The Gluon tutorial's networks and training loop written plainly in PyTorch eager, and its generator in eval mode.

Nothing is tuned: PyTorch's default layout and torch.optim.Adam. netG's step generates the fake batch again and computes
netD's gradients too. The accuracy is read once a step.

`train` and `generate` are generators: each ``next()`` is one step, or one pass over the latents.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

LATENT = 150


def networks(ngf: int = 64, ndf: int = 64, nc: int = 3) -> tuple[nn.Sequential, nn.Sequential]:
    """netG and netD, initialized with Normal(0.02)."""
    netG = nn.Sequential(
        nn.ConvTranspose2d(LATENT, ngf * 8, 4, 1, 0),
        nn.BatchNorm2d(ngf * 8),
        nn.ReLU(),
        nn.ConvTranspose2d(ngf * 8, ngf * 4, 4, 2, 1),
        nn.BatchNorm2d(ngf * 4),
        nn.ReLU(),
        nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1),
        nn.BatchNorm2d(ngf * 2),
        nn.ReLU(),
        nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1),
        nn.BatchNorm2d(ngf),
        nn.ReLU(),
        nn.ConvTranspose2d(ngf, nc, 4, 2, 1),
        nn.Tanh(),
    )
    netD = nn.Sequential(
        nn.Conv2d(nc, ndf, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(ndf, ndf * 2, 4, 2, 1),
        nn.BatchNorm2d(ndf * 2),
        nn.LeakyReLU(0.2),
        nn.Conv2d(ndf * 2, ndf * 4, 4, 2, 1),
        nn.BatchNorm2d(ndf * 4),
        nn.LeakyReLU(0.2),
        nn.Conv2d(ndf * 4, ndf * 8, 4, 2, 1),
        nn.BatchNorm2d(ndf * 8),
        nn.LeakyReLU(0.2),
        nn.Conv2d(ndf * 8, 1, 4, 1, 0),
        nn.Flatten(),
    )
    for net in (netG, netD):
        for layer in net:
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(layer.weight, 0.0, 0.02)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # every layer has one
    return netG, netD


def train(faces: np.ndarray, batch_size: int) -> Iterator[None]:
    """Train for ever on faces (uint8 NHWC), a step each time it is asked for the next value."""
    images = torch.from_numpy(faces.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1).contiguous()
    batches = images[: len(images) // batch_size * batch_size].split(batch_size)
    netG, netD = networks()
    loss = nn.BCEWithLogitsLoss()
    trainerG = torch.optim.Adam(netG.parameters(), lr=0.0002, betas=(0.5, 0.999))
    trainerD = torch.optim.Adam(netD.parameters(), lr=0.0002, betas=(0.5, 0.999))
    real_label, fake_label = torch.ones(batch_size, 1), torch.zeros(batch_size, 1)
    while True:
        for data in batches:
            # (1) Update D network
            latent_z = torch.randn(batch_size, LATENT, 1, 1)
            trainerD.zero_grad()
            output_real = netD(data)
            fake = netG(latent_z)
            output_fake = netD(fake.detach())
            errD = loss(output_real, real_label) + loss(output_fake, fake_label)
            errD.backward()
            trainerD.step()
            ((output_real > 0).float().mean() + (output_fake <= 0).float().mean()).item()

            # (2) Update G network
            trainerG.zero_grad()
            errG = loss(netD(netG(latent_z)), real_label)
            errG.backward()
            trainerG.step()
            yield


def generate(latents: np.ndarray, batch_size: int) -> Iterator[None]:
    """Generate a picture of every latent (n, latent), in batches, each time it is asked for the next value."""
    netG, _ = networks()
    netG.eval()
    z = torch.from_numpy(latents).reshape(*latents.shape, 1, 1)
    while True:
        with torch.no_grad():
            for batch in z.split(batch_size):
                netG(batch)
        yield


def wait() -> None:
    """PyTorch computes on the CPU as it is asked: nothing to wait for."""
