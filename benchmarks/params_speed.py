"""How long mxgan and MXNet take for their first load of a 16 MB generator.

    python benchmarks/params_speed.py [--runs 15]

Each run is a fresh process that imports the program, then times one load. The file is the same, in the system's cache,
and the two programs take turns. MXNet must be installed. Expect a ratio of about 1.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import tempfile

import numpy as np

from mxgan import machine
from mxgan.bench.jobs import generator_shapes
from mxgan.config import RECIPES
from mxgan.weights import params_file

TIMED = "import time; t = time.perf_counter(); arrays = load({path!r}); print(time.perf_counter() - t)"
OURS = "from mxgan.weights.params_file import load_params as load; " + TIMED
MXNETS = "from mxgan.gluon import runtime; load = runtime.load().nd.load; " + TIMED


def make_generator(path: str) -> None:
    """The tutorial's netG with random values, as `save_parameters` names it."""
    random = np.random.default_rng(0)
    shapes = generator_shapes(RECIPES["gluon-tutorial"].latent)
    params_file.save_params(path, {name: random.standard_normal(shape, np.float32) for name, shape in shapes.items()})


def seconds(code: str, path: str) -> float:
    """One load in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code.format(path=path)], check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "netG.params")
        make_generator(path)
        size = os.path.getsize(path)
        seconds(OURS, path), seconds(MXNETS, path)  # bring both programs and the file into the cache
        times = np.array([(seconds(OURS, path), seconds(MXNETS, path)) for _ in range(runs)]) * 1000
    here = machine.describe()
    print(f"{datetime.date.today()}, {here['processor']}, {here['cores_usable']} cores, Python {here['python']}")
    print(f"first load of {size / 2**20:.1f} MiB, {runs} fresh processes each, in turns, milliseconds:")
    for name, column in zip(("mxgan", "MXNet"), times.T):
        low, median, high = np.percentile(column, [25, 50, 75])
        print(f"  {name}  median {median:.1f}, middle half {low:.1f} to {high:.1f}, best {column.min():.1f}")
    ratios = times[:, 0] / times[:, 1]
    low, median, high = np.percentile(ratios, [25, 50, 75])
    print(f"  ratio  of medians {np.median(times[:, 0]) / np.median(times[:, 1]):.2f}; ", end="")
    print(f"pair by pair {median:.2f}, middle half {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()
