"""netG and netD of the MXNet Gluon DCGAN tutorial (Radford et al. 2016, arXiv:1511.06434).

A shape is channels × height × width, after the layers above it. Layers count from 0 and activations count too, so the
parameters are named 0.weight, 0.bias, 1.gamma, ..., as ``save_parameters`` writes them.
"""

from __future__ import annotations

from mxnet.gluon import nn

WIDTHS = {32: (4, 2, 1), 64: (8, 4, 2, 1), 128: (16, 8, 4, 2, 1)}  # netG's channels in units of ngf; netD's reversed


def generator(
    latent: int = 150, ngf: int = 64, size: int = 64, bias: bool = True, channels: int = 3
) -> nn.HybridSequential:
    """Latents (n, latent, 1, 1) to images (n, channels, size, size) in [-1, 1].

    ``bias``: have the transposed convolutions one (the Gluon tutorial) or not (the PyTorch notebooks)?
    Raises ValueError for a size other than 32, 64, 128. latent and size fix the input and output; shapes for size 64:
    """
    first, *rest = _widths(ngf, size)
    netG = nn.HybridSequential()
    with netG.name_scope():
        # latent × 1 × 1
        netG.add(nn.Conv2DTranspose(first, 4, 1, 0, use_bias=bias, in_channels=latent))
        netG.add(nn.BatchNorm(in_channels=first))
        netG.add(nn.Activation("relu"))
        # (ngf·8) × 4 × 4
        last = first
        for width in rest:
            netG.add(nn.Conv2DTranspose(width, 4, 2, 1, use_bias=bias, in_channels=last))
            netG.add(nn.BatchNorm(in_channels=width))
            netG.add(nn.Activation("relu"))
            # (ngf·4) × 8 × 8, then (ngf·2) × 16 × 16, then ngf × 32 × 32
            last = width
        netG.add(nn.Conv2DTranspose(channels, 4, 2, 1, use_bias=bias, in_channels=last))
        netG.add(nn.Activation("tanh"))
        # channels × 64 × 64
    return netG


def discriminator(
    ndf: int = 64,
    size: int = 64,
    bias: bool = True,
    first_norm: bool = False,
    channels: int = 3,
    dtype: str = "float32",
) -> nn.HybridSequential:
    """Images (n, channels, size, size) in [-1, 1] to logits (n, 1, 1, 1): the sigmoid is the loss's.

    ``first_norm``: BatchNorm after the first convolution (the PyTorch notebooks) or not (the Gluon tutorial)?
    ``dtype`` float64 takes an exact LeakyReLU. Raises ValueError for a size other than 32, 64, 128. Shapes for size 64:
    """
    first, *rest = reversed(_widths(ndf, size))
    netD = nn.HybridSequential()
    with netD.name_scope():
        # channels × 64 × 64
        netD.add(nn.Conv2D(first, 4, 2, 1, use_bias=bias, in_channels=channels))
        if first_norm:
            netD.add(nn.BatchNorm(in_channels=first))
        netD.add(_leaky_relu(dtype))
        # ndf × 32 × 32
        last = first
        for width in rest:
            netD.add(nn.Conv2D(width, 4, 2, 1, use_bias=bias, in_channels=last))
            netD.add(nn.BatchNorm(in_channels=width))
            netD.add(_leaky_relu(dtype))
            # (ndf·2) × 16 × 16, then (ndf·4) × 8 × 8, then (ndf·8) × 4 × 4
            last = width
        netD.add(nn.Conv2D(1, 4, 1, 0, use_bias=bias, in_channels=last))
        # 1 × 1 × 1
    return netD


def _widths(unit: int, size: int) -> list[int]:
    if size not in WIDTHS:
        raise ValueError(f"size {size}: one of {', '.join(map(str, WIDTHS))}")
    return [unit * multiple for multiple in WIDTHS[size]]


def _leaky_relu(dtype: str) -> nn.HybridBlock:
    if dtype == "float32":
        return nn.LeakyReLU(0.2)
    # MXNet's LeakyReLU computes in float32 whatever it is given; this one keeps float64's digits.
    return nn.HybridLambda(lambda F, x: F.where(x > 0, x, 0.2 * x))
