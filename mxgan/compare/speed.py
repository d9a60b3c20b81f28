"""What a step and a picture cost on each engine, in separate processes that are warmed up and take turns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mxgan import rng
from mxgan.compare.worker import Worker
from mxgan.config import RunConfig
from mxgan.training import batches

WARM_UP = 2  # steps that aren't timed: the first ones choose and compile kernels
ROUNDS = 7
STEPS = 2  # of an engine in a round
PICTURES = 256  # of an engine in a round, in batches of 64


def measure(
    config: RunConfig, steps: int, images: np.ndarray, workers: Mapping[str, Worker], say: Callable[[str], None]
) -> dict[str, Any]:
    """The speed of training and generating, and the peak memory, of each engine. ``steps``: of the run that is timed.

    The engines take turns, so that other work on the machine slows both. Every second round has the reverse order.
    Keys of each engine: step_images_per_s, generate_images_per_s (each with median, quartiles as low and high, and
    rounds), seconds_a_step (median), peak_memory_bytes (of a process that trains and generates).
    """
    batch = batches.inputs(config, 1, steps, images[: config.batch_size])
    z = rng.samples(config.seed, 0, 64, config.latent)
    for worker in workers.values():
        for _ in range(WARM_UP):
            worker.train(batch)
        worker.seconds_to_generate(z)
    trained: dict[str, list[float]] = {name: [] for name in workers}
    pictures: dict[str, list[float]] = {name: [] for name in workers}
    for turn in range(ROUNDS):
        for name in list(workers) if turn % 2 == 0 else list(workers)[::-1]:
            seconds = sum(workers[name].train(batch)[1] for _ in range(STEPS))
            trained[name].append(STEPS * config.batch_size / seconds)
            seconds = sum(workers[name].seconds_to_generate(z) for _ in range(PICTURES // len(z)))
            pictures[name].append(PICTURES / seconds)
        say(f"speed: round {turn + 1} of {ROUNDS}")
    return {
        name: {
            "step_images_per_s": _spread(trained[name]),
            "seconds_a_step": config.batch_size / statistics.median(trained[name]),
            "generate_images_per_s": _spread(pictures[name]),
            "peak_memory_bytes": worker.peak_memory(),
        }
        for name, worker in workers.items()
    }


def _spread(rates: list[float]) -> dict[str, Any]:
    low, median, high = np.percentile(rates, (25, 50, 75))
    return {"median": float(median), "low": float(low), "high": float(high), "rounds": rates}
