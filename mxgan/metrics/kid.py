"""Kernel distance of two sets of features: the squared MMD with a polynomial kernel, estimated without bias.

Bińkowski et al. 2018, arXiv:1801.01401 (KID, where the features are Inception's): k(x, y) = (x·y / d + 1)³; the mean
over random subsets of both sets. Equal distributions give 0 on average, so it can be slightly negative.
"""

from __future__ import annotations

import numpy as np

from mxgan import rng
from mxgan.errors import MxganError
from mxgan.words import counted

SUBSETS = 20
SUBSET_SIZE = 1000  # features of each set in a subset; all of them if there are fewer
LEAST = 2


def distance(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> float:
    """MMD² of features (n, d) and (m, d), the mean over `SUBSETS` subsets that ``seed`` chooses.

    Raises MxganError for fewer than two features in a set.
    """
    size = min(SUBSET_SIZE, len(real), len(fake))
    if size < LEAST:
        raise MxganError(f"kernel distance: {counted(size, 'feature')} in a set; at least {LEAST}")
    found = []
    for subset in range(SUBSETS):
        random = rng.generator(seed, "kid subsets", subset)
        x, y = (some[random.choice(len(some), size, replace=False)] for some in (real, fake))
        found.append(mmd2(x, y))
    return float(np.mean(found))


def mmd2(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased estimate for two sets of the same size, (n, d): no feature is paired with itself."""
    n = len(x)
    own = sum(kernel.sum(dtype=np.float64) - np.trace(kernel, dtype=np.float64) for kernel in (_k(x, x), _k(y, y)))
    return float(own / (n * (n - 1)) - 2 * _k(x, y).mean(dtype=np.float64))


def _k(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    base = x @ y.T / x.shape[1] + 1
    return base * base * base  # NumPy's ** 3 takes ten times as long
