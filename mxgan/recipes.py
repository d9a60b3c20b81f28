"""The recipes: what each published build of the DCGAN fixes, and ours. `mxgan.config` says what a run makes of one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What a build of the DCGAN fixes. The defaults are common to all published ones."""

    source: str
    latent: int
    bias: bool  # do the convolutions have one?
    first_norm: bool  # BatchNorm after netD's first convolution?
    init: str  # how the convolutions' weights start, one of INITS (`mxgan.recipe.initial`)
    fresh_latents: bool  # does the G step draw its own latents, or use the D step's?
    batch_size: int
    epochs: int
    ngf: int = 64
    ndf: int = 64
    lr_g: float = 2e-4
    lr_d: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    loss: str = "bce"
    label_smoothing: float = 0
    spectral_norm: bool = False
    augment: str = ""
    flip: bool = False
    ema: float = 0
    ema_rampup: float = 0.05
    finish: float = 0


RECIPES = {
    "gluon-tutorial": Recipe(
        "the MXNet Gluon DCGAN tutorial",
        latent=150, bias=True, first_norm=False, init="normal", fresh_latents=False, batch_size=64, epochs=10,
    ),
    "pytorch-anime": Recipe(
        "the PyTorch anime-face notebooks",
        latent=128, bias=False, first_norm=True, init="uniform", fresh_latents=True, batch_size=128, epochs=25,
    ),
    "pytorch-celeba": Recipe(
        "the PyTorch CelebA notebook",
        latent=128, bias=False, first_norm=True, init="uniform", fresh_latents=True, batch_size=128, epochs=25,
    ),
    "mxgan": Recipe(
        "the Gluon tutorial, trained for better pictures",
        latent=150, bias=True, first_norm=False, init="smooth", fresh_latents=False, batch_size=64, epochs=10,
        lr_g=3e-4, lr_d=3e-4, augment="color,translation", ema=10000,
    ),
}  # fmt: skip
DEFAULT_RECIPE = "mxgan"
