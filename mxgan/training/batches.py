"""What each step is made of, images and noise: a function of (seed, step), so that any step can be drawn alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Optional, TypeVar

import numpy as np

from mxgan import augment, finish, noise
from mxgan.config import TrainConfig
from mxgan.engines import Augment

T, U = TypeVar("T"), TypeVar("U")


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


def inputs(
    config: TrainConfig, step: int, steps: int, images: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Optional[np.ndarray], Augment]:
    """What `mxgan.engines.Engine.train_step` takes at ``step`` of ``steps``, from 1 on: images, z, z_g and augment.

    ``images``: the step's faces, uint8 NHWC, as they are in the data. ``config`` is resolved.
    """
    config = finish.settings(config, step, steps)
    streams = ("D step", "G step") if config.settings.fresh_latents else ("D step",)
    latents = [noise.latents(config.seed, stream, step, config.batch_size, config.latent) for stream in streams]
    z, z_g = (*latents, None)[:2]
    return augment.mirrored(config, step, images), z, z_g, augment.draw(config, step)
