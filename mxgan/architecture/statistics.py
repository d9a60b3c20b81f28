"""What a BatchNorm has seen: its running mean and variance are those of its true input, so they tell a wrong one.

The network is computed up to a BatchNorm on latents as in training. Its input then has means and variances that must be
the running ones, but for sampling and the last steps of training. A wrong activation, stride, epsilon or latent
distribution before it moves them.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

LATENTS = 256  # drawn at first; later layers see fewer of them, so that each costs about `WORK`
WORK = 4e7  # multiplications a layer
FITS, CONTRADICTS = 0.15, 0.5  # largest misfit below, above which the statistics agree and disagree


def misfit(x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> Optional[float]:
    """How far x (n, channels, ...) is from what a BatchNorm with this running mean and variance saw.

    0 where they agree; 0.5 is half a standard deviation or a factor of 2 in variance, in a typical channel. None where
    the statistics are still those of an untrained network.
    """
    mean, var = mean.astype(np.float64), var.astype(np.float64)
    if (not mean.any() and (var == 1).all()) or not (np.isfinite(mean).all() and np.isfinite(var).all()):
        return None
    axes = (0, *range(2, x.ndim))
    seen_mean, seen_var = x.mean(axis=axes, dtype=np.float64), x.var(axis=axes, dtype=np.float64)
    if not (np.isfinite(seen_mean).all() and np.isfinite(seen_var).all()):
        return 9.0
    var, small = np.maximum(var, 0), 1e-3 * float(np.median(np.maximum(var, 0))) + 1e-12
    shift = (seen_mean - mean) ** 2 / (var + seen_var + small) * 2
    scale = np.log((seen_var + small) / (var + small)) ** 2
    each = np.sort(np.minimum(shift, 9.0) + np.minimum(scale, 9.0))
    return float(each[: max(1, int(len(each) * 0.9))].mean())  # without the few channels that are all but dead


def enough(x: np.ndarray, weights: int, pixels: int) -> np.ndarray:
    """The first samples of x: as many as a layer of so many weights at so many pixels may cost."""
    most = int(WORK / max(weights * pixels, 1))
    return x[: min(len(x), max(most, 12))]
