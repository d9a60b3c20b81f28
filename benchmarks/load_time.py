"""How long it takes until a generator's first pictures are there, in this checkout and in another.

    python benchmarks/load_time.py --against ../other-checkout netG.params [--engine mxnet] [--runs 9]

A run is a fresh process that imports the framework, then times the program's own import, `load_generator` and the
first 64 pictures. The two checkouts take turns. A ratio below 1 says that this one is faster.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parents[1]
CODE = """
import importlib, sys, time
file, engine = sys.argv[1:]
if engine == "onnx":
    import onnx, onnxruntime
else:
    importlib.import_module({"mxnet": "mxgan.gluon.runtime", "pytorch": "mxgan.pytorch.runtime"}[engine]).load()
start = time.perf_counter()
import mxgan.sampling
imported = time.perf_counter()
generator = mxgan.sampling.load_generator(file, engine, "cpu")
loaded = time.perf_counter()
generator.sample(64)
print(mxgan.__file__, imported - start, loaded - imported, time.perf_counter() - start)
"""
WHAT = ("import", "load", "import, load and 64 pictures")


def seconds(checkout: Path, file: Path, engine: str) -> list[float]:
    """The seconds of each of `WHAT`, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling all files in each run isn't what a user waits for
    command = [sys.executable, "-c", CODE, str(file), engine]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd="/")
    where, *times = done.stdout.split()
    if not Path(where).is_relative_to(checkout):
        raise SystemExit(f"{where} was imported, not {checkout}'s")
    return [float(time) for time in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--against", type=Path, required=True, help="another checkout of mxgan")
    parser.add_argument("--engine", action="append", choices=("mxnet", "pytorch", "onnx"), help="default: all three")
    parser.add_argument("--runs", type=int, default=9)
    asked = parser.parse_args()
    file, other = asked.file.resolve(), asked.against.resolve()
    for engine in asked.engine or ("mxnet", "pytorch", "onnx"):
        seconds(HERE, file, engine), seconds(other, file, engine)  # brings all files into the cache
        times: dict[Path, list] = {HERE: [], other: []}
        for run in range(asked.runs):
            for checkout in (HERE, other) if run % 2 else (other, HERE):
                times[checkout].append(seconds(checkout, file, engine))
        medians = (np.median(times[checkout], axis=0) * 1000 for checkout in (HERE, other))
        for what, ours, theirs in zip(WHAT, *medians):
            print(f"{engine}, {what}: {ours:.1f} ms here, {theirs:.1f} ms there; ratio {ours / theirs:.3f}")


if __name__ == "__main__":
    main()
