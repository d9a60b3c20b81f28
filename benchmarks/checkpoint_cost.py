"""The share of a run's time that checkpoints take, at default settings.

    python benchmarks/checkpoint_cost.py --engine mxnet

One process trains the default recipe at full size, batch 64, and saves checkpoints in between as a run does: it takes
the state from the engine, checks that it is finite, writes it and flushes it. Steps and checkpoints take turns, so that
a busy machine slows both. An epoch of 6,000 faces has 94 steps and one checkpoint; there is another every ten minutes.
Prints one JSON object; the share is a ratio of medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mxgan import config as configuration
from mxgan import engines, rng
from mxgan.engines.protocol import Batch, Engine
from mxgan.training import batches, checkpoint
from mxgan.training.log import Mark

MOST = 0.02  # share allowed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="mxnet", choices=("mxnet", "pytorch"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    asked = configuration.TrainConfig(engine=options.engine)
    config = configuration.resolve(asked)
    engine = engines.build(engines.choose(options.engine, "cpu"), config)
    n, latent = config.batch_size, config.latent
    images = rng.generator(0, "painted").integers(0, 256, (n, config.size, config.size, 3), np.uint8)
    z = rng.latents(0, "D step", 1, n, latent)
    steps, saves = [], []
    with tempfile.TemporaryDirectory(dir=".") as name:  # on a disk, as runs are; /tmp may be memory
        folder = Path(name) / "checkpoints"
        for number in range(options.rounds + 1):
            steps.append(seconds(lambda: [engine.train_step(Batch(images, z)).read() for _ in range(2)]) / 2)
            saves.append(seconds(lambda number=number: save(engine, folder, number)))
        size = sum(file.stat().st_size for file in next(folder.iterdir()).iterdir())
    step, saving = (statistics.median(times[1:]) for times in (steps, saves))  # the first of each warms up
    per_epoch = batches.steps_per_epoch(6000, n)
    epoch = per_epoch * step
    share = saving / epoch + saving / (60 * asked.checkpoint_minutes)
    result = {
        "engine": options.engine,
        "step_s": round(step, 3),
        "checkpoint_s": round(saving, 3),
        "checkpoint_mb": round(size / 1e6, 1),
        "steps_per_epoch": per_epoch,
        "epoch_s": round(epoch, 1),
        "share": round(share, 5),
    }
    print(json.dumps(result, indent=2))
    sys.exit(share >= MOST)


def save(engine: Engine, folder: Path, step: int) -> None:
    """Save one checkpoint as `mxgan.training.artifacts` does."""
    state = engine.state()
    assert all(np.isfinite(array).all() for arrays in state.arrays.values() for array in arrays.values())
    step += max(state.counts.values())
    checkpoint.save(folder, checkpoint.Checkpoint(step, state, Mark(), {}))
    checkpoint.prune(folder, step)


def seconds(work) -> float:
    """How long ``work()`` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
