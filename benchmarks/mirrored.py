"""May these faces be mirrored in training (`mxgan train --flip`)? How far mirroring moves them, compared with chance.

    python benchmarks/mirrored.py photos/ painted

Prints the sliced Wasserstein distance × 1e3 between one half of the faces and the other, whose coarsest level sees
which way faces look and where the light comes from. The other half is taken as it is (chance alone), with every second
face mirrored, as `--flip` does, and with all faces mirrored. A netG that learned the mirrored faces perfectly would
still be as far from the real ones as the second line says.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # a checkout that isn't installed

import numpy as np

from mxgan import MxganError, rng
from mxgan.faces import open_faces
from mxgan.metrics import swd

EACH = 3000  # at most so many faces in a half


def distances(images: np.ndarray, seed: int) -> dict[str, dict[int, float]]:
    """The distances by level, for each way of mirroring, of faces as uint8 (n, S, S, 3)."""
    order = rng.order(seed, 0, len(images))
    each = min(EACH, len(images) // 2)
    one, other = images[order[:each]], images[order[each : 2 * each]]
    turned = other[:, :, ::-1]
    every_second = np.where(np.arange(each)[:, None, None, None] % 2, other, turned)
    kinds = {"as they are": other, "every second mirrored": every_second, "all mirrored": turned}
    return {name: swd.levels(one, found, seed) for name, found in kinds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="+", help="painted[:N], a folder, or a packed file")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--fit", default="crop", help="crop or squash, as for train")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for data in asked.data:
        try:
            images = open_faces(data, asked.size, asked.fit, progress=False).images
            found = distances(images, asked.seed)
        except MxganError as error:
            sys.exit(f"mirrored.py: {data}: {error}")
        print(f"{data}: {min(EACH, len(images) // 2):,} faces against as many others")
        for name, levels in found.items():
            print(f"  {name:22}", *(f"{size} px {value:5.1f}" for size, value in levels.items()), sep="  ")


if __name__ == "__main__":
    main()
