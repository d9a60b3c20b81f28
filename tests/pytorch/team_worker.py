"""Five steps of small runs in float64, alone or as one of several processes: a script for test_team.py.

    python team_worker.py FOLDER RUNS

RUNS: JSON, settings of `TrainConfig` by name. What each run comes to, (losses, gradients, arrays), is pickled into
FOLDER, in a file named by the process's rank.
"""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import torch

from mxgan import processes
from mxgan.config import TrainConfig, resolve
from mxgan.pytorch.engine import Engine
from mxgan.pytorch.team import Team
from mxgan.training import batches

STEPS, BATCH = 5, 8


def run(settings, place, team):
    config = resolve(TrainConfig(**{"ngf": 8, "ndf": 8, "batch_size": BATCH, "seed": 3, **settings}))
    engine = Engine(config, "cpu", "float64", team=team)
    images = np.random.RandomState(0).randint(0, 256, (STEPS, BATCH, 64, 64, 3), np.uint8)
    losses, gradients = [], []
    for step, faces in enumerate(images, 1):
        batch = batches.share(batches.inputs(config, step, STEPS, faces), place.share(BATCH))
        gradients.append(engine.probe(batch).gradients)
        losses.append(engine.train_step(batch).read())
    return losses, gradients, engine.state().arrays


def main(folder: str, runs: str) -> None:
    torch.set_num_threads(1)
    place = processes.here()
    team = Team(place) if place.count > 1 else None
    found = {name: run(settings, place, team) for name, settings in json.loads(runs).items()}
    Path(folder, f"{place.rank}.pickle").write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
