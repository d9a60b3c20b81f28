"""The faces of a set that are least like the others, in a network's features."""

from __future__ import annotations

import numpy as np

from mxgan import rng
from mxgan.metrics import extractors, prdc, reals

EXTRACTOR = "efficientnet-lite0"
MOST = 2000  # faces that are looked at: a random choice of a larger set


def check() -> None:
    """Raise ImportError with what to type where the extra ``metrics`` is missing."""
    extractors.check(EXTRACTOR)
    prdc.searcher()


def oddest(images: np.ndarray, n: int, seed: int = 0, progress: bool = True) -> list[tuple[int, float]]:
    """The n faces farthest from their 5th nearest neighbour: (number, distance), the farthest first.

    ``images``: uint8 (N, S, S, 3). Raises what `check` raises; empty for fewer faces than have such neighbours.
    """
    if len(images) < prdc.LEAST:
        return []
    chosen = np.sort(rng.order(seed, 0, len(images))[:MOST])
    batches = (images[chosen[first : first + reals.BATCH]] for first in range(0, len(chosen), reals.BATCH))
    extractor = extractors.load(EXTRACTOR)
    distances = prdc.radii(reals.collect(batches, len(chosen), extractor, "looking for the oddest", progress))
    return [(int(chosen[i]), float(distances[i])) for i in np.argsort(-distances, kind="stable")[:n]]
