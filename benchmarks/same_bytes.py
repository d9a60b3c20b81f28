"""Did a refactoring change a bit of any result? Checksums of short runs, saved before and compared after.

    python benchmarks/same_bytes.py save before.json
    python benchmarks/same_bytes.py compare before.json

Trains small networks for 14 steps on each installed engine: every recipe, all options together, the plain form. Of each
run it takes the SHA-256 of every .params file, of every sample picture, and of the log without its times. `compare`
exits with status 1 and lists what differs. The sums hold for one machine and one set of packages: elsewhere the last
bits of a float may round differently. Takes one to two minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout that isn't installed

from mxgan.config import RECIPES

ROOT = Path(__file__).resolve().parents[1]
SMALL = "--data painted:96 --ngf 8 --ndf 8 --batch-size 16 --steps 14 --seed 5 --threads 1 --evaluate-every 6"
VARIANTS = {
    **{f"recipe {recipe}": f"--recipe {recipe}" for recipe in RECIPES},
    "all options": "--init smooth --lr-g 1e-3 --lr-d 5e-4 --loss hinge --spectral-norm --flip --ema 100 --finish 0.3 "
    "--augment color,translation,cutout",
    "label smoothing": "--recipe pytorch-celeba --label-smoothing 0.1 --augment translation --ema 500",
    "plain": "--recipe gluon-tutorial --plain",
    "plain, 32 pixels": "--recipe pytorch-celeba --plain --size 32",
}
OF_PYTORCH = {"bfloat16": "--precision bfloat16 --spectral-norm --ema 100"}
TIMES = ("seconds", "images_per_s")  # what may differ in the log
Sums = dict[str, dict[str, str]]  # run -> file -> SHA-256


def mxgan(*arguments: object, **variables: str) -> str:
    """What ``python -m mxgan`` prints, run in a process of its own."""
    command = [sys.executable, "-m", "mxgan", *map(str, arguments)]  # of this checkout: the working folder comes first
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"same_bytes.py: {' '.join(command[1:])}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def measure() -> Sums:
    """Train all the runs; their checksums, and the packages' versions."""
    installed = dict(line.split(": ", 1) for line in mxgan("--version").splitlines()[1:])
    sums: Sums = {"versions": installed}
    with tempfile.TemporaryDirectory(prefix="mxgan-same-bytes-") as folder:
        for engine in ("mxnet", "pytorch"):
            if installed[engine] == "not installed":
                continue
            for name, options in {**VARIANTS, **(OF_PYTORCH if engine == "pytorch" else {})}.items():
                print(f"{engine}, {name}", file=sys.stderr)
                run = Path(folder) / f"run-{len(sums)}"
                mxgan("train", "--engine", engine, *SMALL.split(), *options.split(), "--out", run, MXGAN_CACHE=folder)
                sums[f"{engine}, {name}"] = checksums(run)
    return sums


def checksums(run: Path) -> dict[str, str]:
    """SHA-256 of a run's weights, its sample pictures, and its log without times."""
    files = [*run.rglob("*.params"), *run.glob("samples/*.png")]
    found = {path.relative_to(run).as_posix(): path.read_bytes() for path in sorted(files)}
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    log = [{name: value for name, value in record.items() if name not in TIMES} for record in records]
    found["log.jsonl"] = json.dumps(log).encode()
    return {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def differences(before: Sums, now: Sums) -> list[str]:
    """What isn't the same in both, a line each."""
    pairs = sorted({(run, file) for sums in (before, now) for run, files in sums.items() for file in files})
    return [f"{run}: {file}" for run, file in pairs if before.get(run, {}).get(file) != now.get(run, {}).get(file)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("save", "compare"))
    parser.add_argument("file", type=Path)
    asked = parser.parse_args()
    before = json.loads(asked.file.read_text()) if asked.what == "compare" else None
    now = measure()
    if before is None:
        asked.file.write_text(json.dumps(now, indent=1) + "\n")
        return
    different = differences(before, now)
    print("\n".join(different) if different else f"all {sum(map(len, now.values()))} are the same as in {asked.file}")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
