"""What is in a set of faces: a contact sheet of them as the network will see them, and what is odd about some."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Optional

import cv2
import numpy as np

from mxgan import atomic, plots, rng
from mxgan.errors import MxganError
from mxgan.faces import spool
from mxgan.faces.pictures import printable
from mxgan.faces.sources import cache_folder, shown, source
from mxgan.words import counted

BLURRY = 0.5  # of `blur`: about that of a face of 24 pixels, enlarged to 64
WINDOW = 9  # pixels over which `blur` blurs once more
GREY = 4  # levels by which the channels may differ, on average
MOST = 10  # faces of each kind that are shown
MOST_SHOWN = 1024  # faces at random
COLUMNS = 16

Oddest = Callable[[np.ndarray, int], Sequence[tuple[int, float]]]  # of images uint8 NHWC, n: (number, how far)


class Measures(NamedTuple):
    """Of one picture."""

    width: int  # pixels, in the source
    height: int
    blur: float  # of the face as it is trained on
    grey: bool


@dataclass(frozen=True)
class Survey:
    """What `show` found; ``oddest`` is None where it couldn't be computed."""

    folder: str
    size: int
    skipped: int
    names: list[str]
    measures: list[Measures]
    oddest: Optional[list[tuple[int, float]]]

    def blurriest(self) -> list[int]:
        """The numbers of the blurriest faces, the blurriest first."""
        return sorted(range(len(self.names)), key=lambda i: -self.measures[i].blur)[:MOST]

    def smallest(self) -> list[int]:
        """The numbers of those whose shorter side is the shortest, and has to be enlarged."""
        enlarged = [i for i in range(len(self.names)) if min(self.measures[i][:2]) < self.size]
        return sorted(enlarged, key=lambda i: min(self.measures[i][:2]))[:MOST]

    def to_json(self) -> dict[str, Any]:
        """As `mxgan faces show --json` prints it, but for the sheet's path."""
        sides = {
            side: dict(zip(("min", "median", "max"), map(int, np.percentile(values, (0, 50, 100)))))
            for side, values in (
                ("width", [m.width for m in self.measures]),
                ("height", [m.height for m in self.measures]),
            )
        }
        grey = sum(one.grey for one in self.measures)
        return {
            "folder": self.folder,
            "files": len(self.names) + self.skipped,
            "usable": len(self.names),
            "skipped": self.skipped,
            **sides,
            "enlarged": sum(min(one[:2]) < self.size for one in self.measures),
            "colour": len(self.names) - grey,
            "grey": grey,
            "blurry": sum(one.blur >= BLURRY for one in self.measures),
            "blurriest": [{"path": self.names[i], "blur": round(self.measures[i].blur, 3)} for i in self.blurriest()],
            "smallest": [
                {"path": self.names[i], "width": self.measures[i].width, "height": self.measures[i].height}
                for i in self.smallest()
            ],
            "oddest": self.oddest and [{"path": self.names[i], "distance": round(d, 3)} for i, d in self.oddest],
        }

    def lines(self) -> list[str]:
        """The same for people."""
        found = self.to_json()
        least, median, most = (f"{found['width'][key]}×{found['height'][key]}" for key in ("min", "median", "max"))
        return [
            f"{self.folder}: {counted(found['files'], 'file')}, {found['usable']:,} usable, {self.skipped:,} skipped",
            f"width and height: median {median}, from {least} to {most}; "
            f"{found['enlarged']} are shorter than {self.size} and enlarged",
            f"colour: {found['colour']}, grey: {found['grey']}",
            f"blurry: {found['blurry']} (at {BLURRY} or more; 0 is sharp, 1 blurred)",
            *_list("blurriest", [f"{one['path']} {one['blur']}" for one in found["blurriest"]]),
            *_list("smallest", [f"{one['path']} {one['width']}×{one['height']}" for one in found["smallest"]]),
            *_list("oddest", [f"{one['path']} {one['distance']}" for one in found["oddest"] or ()]),
        ]


def show(
    folder: str | os.PathLike,
    out: str | os.PathLike,
    n: int = 64,
    seed: int = 0,
    size: int = 64,
    fit: str = "crop",
    oddest: Optional[Oddest] = None,
    progress: bool = True,
) -> Survey:
    """Read every picture of a source; write n random ones, the blurriest, smallest and oddest to the sheet ``out``.

    ``oddest(images, n)`` names the n oddest of images. Raises MxganError where no picture can be used, or ``out`` is no
    .png or can't be written.
    """
    plots.check_place("out", Path(out))
    faces = source(os.fspath(folder), size, fit)

    def seen(pixels: np.ndarray) -> tuple[np.ndarray, Measures]:
        face = faces.image(pixels)
        return face, Measures(pixels.shape[1], pixels.shape[0], blur(face), is_grey(face))

    names, measures, skipped = list[str](), list[Measures](), 0
    with faces.listed() as members, spool.temporary(cache_folder(), "the faces") as file:
        for name, found in shown(faces, members, "reading", progress, seen):
            if isinstance(found, str):
                skipped += 1
                continue
            names.append(printable(name))
            measures.append(found[1])
            file.write(found[0].tobytes())
        if not names:
            raise MxganError(f"{printable(faces.data)}: of its {counted(members.count, 'picture')} none can be used")
        file.flush()
        images = np.memmap(file, np.uint8, "r", shape=(len(names), size, size, 3))
        odd = [*oddest(images, MOST)] if oddest else None
        atomic.make_folder_of(out)
        survey = Survey(printable(faces.data), size, skipped, names, measures, odd)
        plots.save_png(Path(out), _sheet(images, survey, rng.order(seed, 0, len(names))[: min(n, MOST_SHOWN)]))
    return survey


def blur(face: np.ndarray) -> float:
    """How blurred a face is, from 0 to 1: how little another blur takes from the differences between neighbours.

    Crete et al. 2007, "The blur effect: perception and estimation with a new no-reference perceptual blur metric", of
    the grey picture, the greater of both directions. uint8 (S, S, 3).
    """
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    found = []
    for axis, window in ((0, (1, WINDOW)), (1, (WINDOW, 1))):
        before = np.abs(np.diff(grey, axis=axis))
        after = np.abs(np.diff(cv2.blur(grey, window), axis=axis))
        taken = np.maximum(before - after, 0).sum()
        found.append(1 - float(taken / before.sum()) if before.any() else 1.0)
    return max(found)


def is_grey(face: np.ndarray) -> bool:
    """Whether a picture, uint8 (S, S, 3), has no colour to speak of: its channels differ by `GREY` levels or less."""
    return bool(np.ptp(face, axis=2).mean() <= GREY)


def _sheet(images: np.ndarray, survey: Survey, chosen: np.ndarray) -> np.ndarray:
    """The sheet's pixels: a title and a grid for each kind of faces."""
    kinds = [
        (f"{len(chosen)} at random", list(chosen), [""] * len(chosen)),
        ("the blurriest", survey.blurriest(), [f"{survey.measures[i].blur:.2f}" for i in survey.blurriest()]),
        (f"the smallest, enlarged to {survey.size}", survey.smallest(), [
            f"{survey.measures[i].width}x{survey.measures[i].height}" for i in survey.smallest()
        ]),
        ("the oddest", [i for i, _ in survey.oddest or ()], [f"{distance:.2f}" for _, distance in survey.oddest or ()]),
    ]  # fmt: skip
    parts = [_titled(title, images[numbers], labels) for title, numbers, labels in kinds if numbers]
    width = max(part.shape[1] for part in parts)
    return np.vstack([np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0)), constant_values=255) for p in parts])


def _titled(title: str, images: np.ndarray, labels: list[str]) -> np.ndarray:
    columns = min(COLUMNS, len(images))
    if any(labels):  # a strip below each picture
        strips = np.stack([_text(label, images.shape[2], 12, 0.3) for label in labels])
        images = np.concatenate([images, strips], axis=1)
    grid = plots.grid(images, columns)
    width = max(grid.shape[1], 12 * len(title))
    grid = np.pad(grid, ((0, 0), (0, width - grid.shape[1]), (0, 0)), constant_values=255)
    return np.vstack([_text(title, width, 24, 0.5), grid])


def _text(text: str, width: int, height: int, scale: float) -> np.ndarray:
    strip = np.full((height, width, 3), 255, np.uint8)
    cv2.putText(strip, text, (3, height - height // 4), cv2.FONT_HERSHEY_SIMPLEX, scale, (60, 60, 60), 1, cv2.LINE_AA)
    return strip


def _list(kind: str, entries: list[str]) -> list[str]:
    return [f"{kind}: {', '.join(entries)}"] if entries else []
