"""Precision, recall, density and coverage of generated faces, from nearest neighbours in feature space.

Kynkäänniemi et al. 2019, arXiv:1904.06991 (precision, recall), and Naeem et al. 2020, arXiv:2002.09797 (density,
coverage). A feature's ball reaches to its k-th nearest neighbour in its own set:

- precision: the share of generated features inside the ball of a real one. Are they faces?
- recall: the share of real features inside the ball of a generated one. Is every kind of face made?
- density: in how many real balls a generated feature lies, over k. As precision, but an outlier counts for little.
- coverage: the share of real balls with a generated feature inside. As recall, but outliers count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mxgan.errors import MissingPackage, MxganError
from mxgan.words import counted

K = 5
LEAST = K + 1  # features: each needs K others
CHUNK_MB = 256  # of distances in memory at once


def prdc(real: np.ndarray, fake: np.ndarray, k: int = K) -> dict[str, float]:
    """The four numbers for features (n, d) and (m, d). Raises MxganError for sets of k or fewer.

    Raises MissingPackage without scikit-learn.
    """
    if min(len(real), len(fake)) <= k:
        raise MxganError(
            f"precision and recall: {counted(min(len(real), len(fake)), 'feature')} in a set; at least {k + 1}"
        )
    reach_real, reach_fake = radii(real, k), radii(fake, k)
    reached = np.zeros(len(real), bool)  # real features inside a generated one's ball
    nearest = np.full(len(real), np.inf)  # generated feature, its distance
    inside = []  # of how many real balls, for each generated feature
    for first, distances in _chunks(fake, real):
        inside.append((distances < reach_real).sum(axis=1))
        reached |= (distances < reach_fake[first : first + len(distances), None]).any(axis=0)
        np.minimum(nearest, distances.min(axis=0), out=nearest)
    counts = np.concatenate(inside)
    return {
        "precision": float((counts > 0).mean()),
        "recall": float(reached.mean()),
        "density": float(counts.mean() / k),
        "coverage": float((nearest < reach_real).mean()),
    }


def radii(features: np.ndarray, k: int = K) -> np.ndarray:
    """The distance of each feature to its k-th nearest neighbour among the others."""
    return neighbours(features, features, k + 1)[0][:, k]  # the nearest is itself, at 0


def neighbours(features: np.ndarray, among: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances and places of the k nearest of ``among`` for each feature, nearest first: two arrays (n, k)."""
    return searcher()(n_neighbors=k, algorithm="brute").fit(among).kneighbors(features)


def searcher() -> Any:
    """scikit-learn's NearestNeighbors. Raises MissingPackage where it isn't installed."""
    try:
        from sklearn.neighbors import NearestNeighbors
    except ImportError as error:
        raise MissingPackage("neighbour searches need scikit-learn", "metrics") from error
    return NearestNeighbors


def _chunks(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, distances) of x to all of y, as many rows at once as fit into `CHUNK_MB`."""
    from sklearn.metrics import pairwise_distances_chunked

    first = 0
    for distances in pairwise_distances_chunked(x, y, working_memory=CHUNK_MB):
        yield first, distances
        first += len(distances)
