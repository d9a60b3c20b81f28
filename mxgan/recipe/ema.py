"""netG's moving average (EMA) in numbers: how fast it moves, and what its running statistics are measured on.

Its weights follow netG's as in StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676). Its running statistics don't: the
average of statistics isn't the statistics of the average. They are measured on separate latents whenever the average
is used, as BigGAN does before it generates (Brock et al. 2019, arXiv:1809.11096, "standing statistics").
"""

from __future__ import annotations

import numpy as np

from mxgan import rng
from mxgan.config import RunConfig

LATENTS = 256


def share(config: RunConfig, step: int) -> float:
    """How far the average moves towards netG after update number ``step`` (from 1 on), as a share of their distance.

    After a half-life, half of the old average is left. The half-life is ``ema`` images, or ``ema_rampup`` times the
    images seen so far if that is less, so that the initial weights are soon forgotten.
    """
    half_life = min(config.ema, config.ema_rampup * step * config.batch_size)
    return 1 - 0.5 ** (config.batch_size / max(half_life, 1e-8))


def latents(config: RunConfig) -> np.ndarray:
    """The latents that the running statistics are measured on: float32 (256, latent), the same throughout a run."""
    return rng.latents(config.seed, "statistics", 0, LATENTS, config.latent)
