"""Which images make up which step: a function of (seed, step), so that any step can be drawn alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Optional

import numpy as np

from mxgan import noise


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Steps in one pass over n images: the short last batch counts, filled up."""
    return math.ceil(n / batch_size)


def indices(seed: int, n: int, batch_size: int, first: int, last: int) -> Iterator[np.ndarray]:
    """The image indices, int64 (batch_size,), of the steps ``first`` .. ``last`` - 1, counted from 0.

    A short last batch of an epoch is filled from the start of the same order, as MXNet's NDArrayIter does.
    """
    steps = steps_per_epoch(n, batch_size)
    order, drawn = np.empty(0, np.int64), -1
    for step in range(first, last):
        epoch, batch = divmod(step, steps)
        if epoch != drawn:
            order, drawn = noise.order(seed, epoch, n), epoch
        yield np.take(order, range(batch * batch_size, (batch + 1) * batch_size), mode="wrap")


def ahead(images: np.ndarray, order: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(indices, their images) for each of ``order``; the next are read from disk while the caller computes."""
    with ThreadPoolExecutor(1, "faces") as reader:
        ready: Optional[tuple[np.ndarray, Future]] = None
        for chosen in order:
            following = chosen, reader.submit(images.__getitem__, chosen)
            if ready is not None:
                yield ready[0], ready[1].result()
            ready = following
        if ready is not None:
            yield ready[0], ready[1].result()
