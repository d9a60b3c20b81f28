"""Does a long run leak? 2,000 steps of small networks, in this process.

    python benchmarks/endurance.py --engine mxnet

Resident memory, file handles and threads are read at the end of each epoch. The first epoch doesn't count: it loads
what is loaded once. Prints one JSON object; exit status 1 if memory grew by 20 MB or more, or if there are more handles
or threads at the end. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import mxgan
from mxgan.training import run_dir

MOST_MB = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="mxnet", choices=("mxnet", "pytorch"))
    parser.add_argument("--steps", type=int, default=2000)
    options = parser.parse_args()
    seen = []
    save_curves = run_dir.RunDir.save_curves

    def save_and_look(self) -> None:
        save_curves(self)
        seen.append(look())

    run_dir.RunDir.save_curves = save_and_look  # an epoch ends with it
    with tempfile.TemporaryDirectory() as folder:
        config = mxgan.TrainConfig(
            data="painted:800", size=32, ngf=3, ndf=3, latent=8, batch_size=8, threads=1, steps=options.steps,
            engine=options.engine, out=str(Path(folder) / "run"), checkpoint_minutes=0.05,
        )  # fmt: skip
        mxgan.train(config)
    first, last = seen[1], seen[-1]
    grown = {name: round(last[name] - first[name], 1) for name in last}
    each = [now["rss_mb"] for now in seen]
    result = {
        "engine": options.engine,
        "steps": options.steps,
        "from": first,
        "to": last,
        "grown": grown,
        "rss_mb_at_each_epoch": each,
    }
    print(json.dumps(result, indent=2))
    sys.exit(grown["rss_mb"] >= MOST_MB or grown["handles"] > 0 or grown["threads"] > 0)


def look() -> dict[str, float]:
    """Resident memory in MB, open file handles and threads of this process, as Linux counts them."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "rss_mb": round(int(status["VmRSS"].split()[0]) / 1024, 1),
        "handles": len(os.listdir("/proc/self/fd")),
        "threads": int(status["Threads"]),
    }


if __name__ == "__main__":
    main()
