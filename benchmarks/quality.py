"""Which recipe makes better faces? Each variant is trained with several seeds and scored on faces it never saw.

    python benchmarks/quality.py --data anime-faces --test anime-faces-test --steps 940 --seeds 0,1 \\
        "--recipe gluon-tutorial" "--recipe mxgan" "--recipe mxgan --ema 2000"

Each quoted argument is a variant: options of `mxgan train`. Runs are named after variant and seed, under --out. A
finished run is scored again but not trained again. Prints a Markdown row for each variant, with the median over its
seeds (lowest and highest in brackets), and one for the floor: the same numbers for real faces against real ones.
Trainings run one after another with all threads; on two cores ``--threads 1 --at-once 2`` is faster.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

MXGAN = [sys.executable, "-m", "mxgan"]
COLUMNS = ("fd", "swd_16", "swd", "precision", "recall", "density", "coverage")


def train(variant: str, seed: int, asked: argparse.Namespace) -> Path:
    """The run of a variant and seed, trained now unless it is finished."""
    words = shlex.split(variant)
    name = re.sub(r"[^\w.]+", "-", " ".join(words)).strip("-")
    run = asked.out / f"{name}-{Path(asked.data).name}-{asked.steps}-seed{seed}"
    command = [*MXGAN, "train", "--data", asked.data, "--steps", asked.steps, "--seed", seed, "--out", run, *words]
    command += ["--threads", asked.threads] if asked.threads else []
    if run.is_dir():
        check_same(run, command)
        command = [*MXGAN, "train", "--resume", run, "--data", asked.data]  # refuses other faces than the run's
    with open(f"{run}.log", "a") as log:
        subprocess.run([*map(str, command)], stdout=log, stderr=log, check=True)
    return run


def check_same(run: Path, command: list) -> None:
    """Exit if an earlier run isn't what ``command`` would train now; its recipe may have changed since."""
    printed = subprocess.run([*map(str, command), "--dry-run"], stdout=subprocess.PIPE, check=True).stdout
    now = json.loads(printed)
    then = json.loads((run / "config.json").read_text())
    names = now.keys() - {"out", "data", "recipe_settings"}
    apart = sorted(name for name in names if then.get(name) != now[name])
    if apart:
        sys.exit(f"quality.py: {run} is a run with other settings ({', '.join(apart)}): move it, or give another --out")


def score(weights: Path, asked: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The value and floor of each metric."""
    command = [*MXGAN, "evaluate", "--weights", weights, "--data", asked.test, "--n", asked.n, "--json"]
    command += ["--metrics", "fd,swd,prdc", "--input-size", asked.input_size]
    printed = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, check=True, text=True).stdout
    return json.loads(printed)["scores"]


def row(name: str, scores: list[dict[str, float]]) -> str:
    """A row of the table, from the scores of one or several seeds."""
    cells = []
    for column in COLUMNS:
        values = [one[column] for one in scores if column in one]
        digits = 3 if column in COLUMNS[3:] else 1
        spread = f" ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else ""
        cells.append(f"{median(values):.{digits}f}{spread}")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("variants", nargs="+", help="options of `mxgan train`, quoted: two words or more")
    parser.add_argument("--data", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--steps", type=int, default=940)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1])
    parser.add_argument("--n", type=int, default=4000)
    parser.add_argument("--input-size", type=int, default=224)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument(
        "--weights", help="file of the run: netG.params, netG-ema.params, ...  [default: as `generate`]"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/quality"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    print(f"| variant, {asked.steps} steps, seeds {asked.seeds} | {' | '.join(COLUMNS)} |")
    print("|---" * (len(COLUMNS) + 1) + "|", flush=True)
    jobs = [(variant, seed) for variant in asked.variants for seed in asked.seeds]
    with ThreadPoolExecutor(asked.at_once) as pool:
        runs = dict(zip(jobs, pool.map(lambda job: train(*job, asked), jobs)))
    floor: dict[str, float] = {}
    for variant in asked.variants:
        found = [score(runs[variant, seed] / (asked.weights or ""), asked) for seed in asked.seeds]
        floor = {name: one["floor"] for name, one in found[0].items()}
        print(
            row(f"`{variant}`", [{name: one["value"] for name, one in scores.items()} for scores in found]), flush=True
        )
    print(row("real faces (floor)", [floor]))


if __name__ == "__main__":
    main()
