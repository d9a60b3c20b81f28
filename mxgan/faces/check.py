"""A look at a folder of pictures before training: which can't be used, and which are duplicates."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Any

from mxgan.faces.pictures import Skipped, printable
from mxgan.faces.sources import shown, source

SHOWN = 20  # lines of each kind that a report shows; its JSON has all


@dataclass(frozen=True)
class Report:
    """What `check` found. ``duplicates`` are groups of two or more paths with identical pixels at training size."""

    folder: str
    files: int
    usable: int
    skipped: tuple[Skipped, ...]
    duplicates: tuple[tuple[str, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """``{"folder", "files", "usable", "skipped": [{"path", "reason"}], "duplicates": [[path, ...]]}``."""
        return {
            "folder": self.folder,
            "files": self.files,
            "usable": self.usable,
            "skipped": [{"path": one.path, "reason": one.reason} for one in self.skipped],
            "duplicates": [list(group) for group in self.duplicates],
        }

    def lines(self) -> list[str]:
        """The same for people, the counts first."""
        copies = sum(len(group) - 1 for group in self.duplicates)
        counts = f"{self.files} files, {self.usable} usable, {len(self.skipped)} skipped, {copies} duplicates"
        return [
            f"{self.folder}: {counts}",
            *_first([f"skipped: {one.path}: {one.reason}" for one in self.skipped]),
            *_first([f"the same: {' = '.join(group)}" for group in self.duplicates]),
        ]


def check(folder: str | os.PathLike, size: int = 64, fit: str = "crop", progress: bool = True) -> Report:
    """Read every picture as training would, and report which can't be used and which are duplicates.

    A duplicate still counts as usable. Raises MxganError for a folder that is missing or has no picture files.
    """
    skipped: list[Skipped] = []
    same: dict[bytes, list[str]] = {}  # digest of the pixels -> paths
    faces = source(os.fspath(folder), size, fit)
    with faces.listed() as members:
        for name, image in shown(faces, members, "reading", progress, faces.image):
            if isinstance(image, str):
                skipped.append(Skipped(printable(name), image))
            else:
                same.setdefault(hashlib.blake2b(image.data, digest_size=16).digest(), []).append(printable(name))
    usable = sum(map(len, same.values()))
    duplicates = tuple(tuple(group) for group in same.values() if len(group) > 1)
    return Report(printable(os.fspath(folder)), len(skipped) + usable, usable, tuple(skipped), duplicates)


def _first(lines: list[str]) -> list[str]:
    more = [f"… and {len(lines) - SHOWN} more: --json has them all"] if len(lines) > SHOWN else []
    return lines[:SHOWN] + more
