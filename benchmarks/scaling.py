"""How the cost of training grows with batch size, width, picture size and number of faces.

    python benchmarks/scaling.py [--engine mxnet] [--rounds 3] [--only batch width size faces] [--out scaling]

Each point is measured in a process of its own, after a warm-up. Prints a Markdown table of images per second and peak
memory, and writes a plot to ``<out>.png``. Expect half an hour on two cores, where the widest networks take a minute a
step. What several processes gain is measured by `processes.py`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

POINTS = {
    "batch": [{"batch_size": n} for n in (16, 32, 64, 128, 256)],
    "width": [{"ngf": n, "ndf": n} for n in (32, 64, 128)],
    "size": [{"size": n} for n in (32, 64, 128)],
    "faces": [{"data": f"painted:{n}"} for n in (1000, 6000, 60_000)],
}
LABELS = {"batch": "batch_size", "width": "ngf", "size": "size", "faces": "data"}
WARM = 2


def measure(engine: str, rounds: int, values: dict) -> dict:
    """Images per second (median of the rounds) and peak memory, measured in this process."""
    from mxgan import config, engines, machine, rng
    from mxgan.engines.protocol import Batch
    from mxgan.faces import open_faces
    from mxgan.training import batches

    asked = config.TrainConfig(recipe="gluon-tutorial", engine=engine, ctx="cpu", **values)
    wanted = config.resolve(asked)
    images = open_faces(asked.data, wanted.size, wanted.fit).images
    built = engines.build(engines.choose(engine, "cpu"), wanted)
    read = batches.ahead(images.__getitem__, batches.indices(0, len(images), wanted.batch_size, 0, WARM + rounds))
    rates = []
    for step, (_, faces) in enumerate(read):
        start = time.perf_counter()
        z = rng.latents(0, "D step", step, wanted.batch_size, wanted.latent)
        built.train_step(Batch(faces, z)).read()
        built.wait()
        if step >= WARM:
            rates.append(wanted.batch_size / (time.perf_counter() - start))
    return {"images_per_s": round(median(rates), 2), "memory_gb": round(machine.peak_memory() / 1e9, 2)}


def plot(found: dict[str, list[tuple[str, dict]]], path: Path) -> None:
    """Plot images per second and memory, a panel for each way to grow."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(found), figsize=(4 * len(found), 3.2), squeeze=False)
    for panel, (name, points) in zip(panels[0], found.items()):
        labels = [label for label, _ in points]
        panel.plot(labels, [one["images_per_s"] for _, one in points], "o-", color="tab:blue")
        panel.set(xlabel=name, ylim=(0, 1.1 * max(one["images_per_s"] for _, one in points)))
        panel.set_ylabel("images/s", color="tab:blue")
        memory = panel.twinx()
        memory.plot(labels, [one["memory_gb"] for _, one in points], "s--", color="tab:grey")
        memory.set(ylim=(0, 1.25 * max(one["memory_gb"] for _, one in points)))
        memory.set_ylabel("memory, GB", color="tab:grey")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--engine", default="mxnet")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=POINTS, default=list(POINTS))
    parser.add_argument("--out", type=Path, default=Path("scaling"))
    parser.add_argument("--point", help="JSON of one point, measured in this process")
    asked = parser.parse_args()
    if asked.point:
        print(json.dumps(measure(asked.engine, asked.rounds, json.loads(asked.point))))
        return
    found: dict[str, list[tuple[str, dict]]] = {}
    print("| growing | to | images/s | memory, GB |\n|---|---|---|---|")
    for name in asked.only:
        for values in POINTS[name]:
            command = [sys.executable, __file__, "--engine", asked.engine, "--rounds", str(asked.rounds)]
            process = subprocess.run([*command, "--point", json.dumps(values)], stdout=subprocess.PIPE, text=True)
            label = str(values[LABELS[name]]).replace("painted:", "")
            if process.returncode:
                print(f"| {name} | {label} | failed (status {process.returncode}) | |", flush=True)
                continue
            one = json.loads(process.stdout.splitlines()[-1])
            found.setdefault(name, []).append((label, one))
            print(f"| {name} | {label} | {one['images_per_s']} | {one['memory_gb']} |", flush=True)
    if found:
        plot(found, asked.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
