"""A look at a set of faces before training: which can't be used, and which are there more than once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from mxgan.faces import duplicates, spool
from mxgan.faces.duplicates import SIDE, Album, Look
from mxgan.faces.pictures import Skipped, printable
from mxgan.faces.sources import cache_folder, shown, source
from mxgan.words import counted

SHOWN = 20  # lines of each kind that a report shows; its JSON has all


@dataclass(frozen=True)
class Report:
    """What `check` found.

    ``duplicates``: groups of two or more paths with identical pixels at training size. ``near``: groups of paths whose
    pictures are the same but for their size, compression or a shift, one path of each group of ``duplicates``; the
    first is the one that ``--unique`` keeps.
    """

    folder: str
    files: int
    usable: int
    skipped: tuple[Skipped, ...]
    duplicates: tuple[tuple[str, ...], ...]
    near: tuple[tuple[str, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """``{"folder", "files", "usable", "skipped": [{"path", "reason"}], "duplicates": [[path, ...]], "near"}``."""
        return {
            "folder": self.folder,
            "files": self.files,
            "usable": self.usable,
            "skipped": [{"path": one.path, "reason": one.reason} for one in self.skipped],
            "duplicates": [list(group) for group in self.duplicates],
            "near": [list(group) for group in self.near],
        }

    def lines(self) -> list[str]:
        """The same for people, the counts first."""
        copies, near = (sum(len(group) - 1 for group in groups) for groups in (self.duplicates, self.near))
        counts = f"{counted(self.files, 'file')}, {self.usable:,} usable, {len(self.skipped):,} skipped"
        doubled = f"{counted(copies, 'duplicate')}, {counted(near, 'near duplicate')}"
        left = f": {counted(self.usable - copies - near, 'different picture')}" if copies or near else ""
        return [
            f"{self.folder}: {counts}, {doubled}{left}",
            *_first([f"skipped: {one.path}: {one.reason}" for one in self.skipped]),
            *_first([f"the same: {' = '.join(group)}" for group in self.duplicates]),
            *_first([f"nearly the same: {' ~ '.join(group)}" for group in self.near]),
        ]


def check(folder: str | os.PathLike, size: int = 64, fit: str = "crop", progress: bool = True) -> Report:
    """Read every picture as training would, and report which can't be used and which are duplicates.

    A duplicate still counts as usable. Thumbnails go to a temporary file in the cache folder. Raises MxganError for a
    source that is missing or has no pictures.
    """
    faces, names, skipped, album = source(os.fspath(folder), size, fit), list[str](), list[Skipped](), Album()

    def seen(pixels: np.ndarray) -> tuple[Look, np.ndarray]:
        face = faces.image(pixels)
        return duplicates.look(face), duplicates.thumbnail(face)

    with faces.listed() as members, spool.temporary(cache_folder(), "thumbnails") as file:
        for name, found in shown(faces, members, "reading", progress, seen):
            if isinstance(found, str):
                skipped.append(Skipped(printable(name), found))
                continue
            names.append(printable(name))
            if album.add(found[0]):
                file.write(found[1].tobytes())
        file.flush()

        def thumbnail(k: int) -> np.ndarray:
            pixels = os.pread(file.fileno(), SIDE * SIDE * 3, k * SIDE * SIDE * 3)
            return np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE, 3)

        copies = album.duplicates(thumbnail)
    different = np.unique(copies.equal)
    same = _groups(names, range(len(names)), copies.equal)
    near = _groups(names, different, copies.original)
    return Report(printable(os.fspath(folder)), len(skipped) + len(names), len(names), tuple(skipped), same, near)


def _groups(names: list[str], numbers: Any, original: np.ndarray) -> tuple[tuple[str, ...], ...]:
    """The faces that share an original, where several of ``numbers`` do, in order."""
    groups: dict[int, list[str]] = {}
    for i in numbers:
        groups.setdefault(int(original[i]), []).append(names[i])
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _first(lines: list[str]) -> list[str]:
    more = [f"… and {len(lines) - SHOWN} more: --json has them all"] if len(lines) > SHOWN else []
    return lines[:SHOWN] + more
