"""What each step is made of, images and noise: a function of (seed, step), so that any step can be drawn alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Optional, TypeVar

import numpy as np

from mxgan import rng
from mxgan.config import RunConfig
from mxgan.engines.protocol import Batch
from mxgan.recipe import augment, finish

T = TypeVar("T")
U = TypeVar("U")


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
            order, drawn = rng.order(seed, epoch, n), epoch
        yield np.take(order, range(batch * batch_size, (batch + 1) * batch_size), mode="wrap")


def ahead(read: Callable[[T], U], order: Iterable[T]) -> Iterator[tuple[T, U]]:
    """(one, what ``read`` makes of it) for each of ``order``; the next is being read while the caller computes."""
    with ThreadPoolExecutor(1, "faces") as reader:
        ready: Optional[tuple[T, Future]] = None
        for one in order:
            following = one, reader.submit(read, one)
            if ready is not None:
                yield ready[0], ready[1].result()
            ready = following
        if ready is not None:
            yield ready[0], ready[1].result()


def share(batch: Batch, part: slice) -> Batch:
    """One process's part of a step's batch."""

    def of(augmentation: augment.Augmentation) -> augment.Augmentation:
        arrays = vars(augmentation)
        return augment.Augmentation(**{name: None if a is None else a[part] for name, a in arrays.items()})

    changes = batch.augment and (of(batch.augment[0]), of(batch.augment[1]), of(batch.augment[2]))
    z_g = None if batch.z_g is None else batch.z_g[part]
    return Batch(batch.images[part], batch.z[part], z_g, changes, batch.rate)


def inputs(config: RunConfig, step: int, steps: int, images: np.ndarray) -> Batch:
    """What an engine's ``train_step`` takes at ``step`` of ``steps``, from 1 on.

    ``images``: the step's faces, uint8 NHWC, as they are in the data.
    """
    now = finish.settings(config, step, steps)

    def latents(stream: str) -> np.ndarray:
        return rng.latents(now.seed, stream, step, now.batch_size, now.latent)

    return Batch(
        images=augment.mirrored(now, step, images),
        z=latents("D step"),
        z_g=latents("G step") if now.fresh_latents else None,
        augment=augment.draw(now, step),
        rate=finish.rate(config, step, steps),
    )
