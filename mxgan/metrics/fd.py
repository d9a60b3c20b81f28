"""Fréchet distance of two sets of features, each modelled as a Gaussian.

Heusel et al. 2017, arXiv:1706.08500 (FID, where the features are Inception's): |m1 - m2|² + tr(C1 + C2 - 2 √(C1 C2)).
Small n biases it upward: compare only numbers of the same n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mxgan.errors import MxganError
from mxgan.words import counted

LEAST = 2  # features that have a covariance
CHUNK = 4096  # features at a time in float64


@dataclass(frozen=True)
class Gaussian:
    """Mean (d,) and covariance (d, d), float64, the latter over n - 1."""

    mean: np.ndarray
    covariance: np.ndarray


def fit(features: np.ndarray) -> Gaussian:
    """The Gaussian of features (n, d). Raises MxganError for fewer than two."""
    if len(features) < LEAST:
        raise MxganError(f"Fréchet distance: {counted(len(features), 'feature')}: no covariance; at least {LEAST}")
    mean = features.mean(axis=0, dtype=np.float64)
    products = np.zeros((len(mean), len(mean)))
    for first in range(0, len(features), CHUNK):
        centred = features[first : first + CHUNK] - mean
        products += centred.T @ centred
    return Gaussian(mean, products / (len(features) - 1))


def distance(one: Gaussian, other: Gaussian) -> float:
    """The Fréchet distance, computed with symmetric matrices only, so that a singular covariance does no harm.

    With C1 = A Aᵀ the eigenvalues of C1 C2 are those of Aᵀ C2 A: real, and never negative except by rounding.
    """
    values, vectors = np.linalg.eigh(one.covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    shared = np.linalg.eigvalsh(root.T @ other.covariance @ root)
    gap = one.mean - other.mean
    traces = np.trace(one.covariance) + np.trace(other.covariance)
    return float(np.maximum(0, gap @ gap + traces - 2 * np.sqrt(np.clip(shared, 0, None)).sum()))
