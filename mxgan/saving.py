"""A grid of a generator's pictures, and each of them as a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import numpy as np
from tqdm import tqdm

from mxgan import atomic, checks, plots
from mxgan.errors import SettingError
from mxgan.sampling import Generator
from mxgan.words import counted

GRID = 1024  # pictures in a grid at most: nobody can look at more, and the grid must fit into memory


def save(
    generator: Generator,
    n: int,
    seed: int,
    out: str | Path,
    each: str | Path | None = None,
    labels: Optional[np.ndarray | int] = None,
    columns: Optional[int] = None,
    overwrite: bool = False,
    progress: bool = False,
    truncation: float = 1,
) -> None:
    """Write a grid of n pictures (the first `GRID` of them) to ``out``, and each picture into the folder ``each``.

    The single files are named by seed and index: seed0000-000000.png. Only they make all n; for the grid alone no more
    are made than it shows. ``labels``: as `Generator.generate` takes them. ``columns`` of the grid: as nearly square as
    possible by default. ``overwrite``: clear ``each`` of what an earlier call left there. ``progress``: with a bar.
    ``truncation``: as `Generator.sample` takes it.
    Raises MxganError if they can't be written, and where ``each`` would hold other pictures beside these.
    """
    files = _Files(f"seed{seed:04d}", n, Path(out), each, overwrite)
    if each is None and n > GRID:
        n, labels = GRID, labels[:GRID] if isinstance(labels, np.ndarray) else labels
    files.write(generator.batches(n, seed, labels, truncation), columns, bar(n, progress))


def save_row(
    generator: Generator,
    ends: tuple[int, int],
    n: int,
    out: str | Path,
    each: str | Path | None = None,
    labels: Optional[np.ndarray | int] = None,
    overwrite: bool = False,
    progress: bool = False,
    truncation: float = 1,
) -> None:
    """Write a row of n pictures on the way from the first picture of one seed to that of another: `Generator.walk`'s.

    The single files are named seed0000-seed0007-000000.png; all else is as with `save`.
    """
    checks.whole("n", n, 2, GRID)
    files = _Files("-".join(f"seed{seed:04d}" for seed in ends), n, Path(out), each, overwrite)
    files.write(generator.frames(ends, n, 1, False, labels, truncation), n, bar(n, progress))


def bar(n: int, shown: bool, unit: str = " pictures") -> tqdm:
    """A bar on a terminal, while something is generated; nothing elsewhere, or unless it is to be ``shown``."""
    return tqdm(desc="generating", total=n, unit=unit, dynamic_ncols=True, leave=False, disable=None if shown else True)


class _Files:
    """Where the pictures go. Raises MxganError at once if they can't, or if other pictures lie there."""

    def __init__(self, name: str, n: int, out: Path, each: str | Path | None, overwrite: bool) -> None:
        plots.check_place("out", out)
        self._out, self._each = out, None if each is None else Path(each)
        self._names = [f"{name}-{index:06d}.png" for index in range(n if each is not None else 0)]
        self._stale = [] if self._each is None else _stale(self._each, set(self._names), out, overwrite)

    def write(self, batches: Iterator[np.ndarray], columns: Optional[int], bar: tqdm) -> None:
        """Write every picture, uint8 (n, H, W, channels) a batch, and the grid of the first ones."""
        shown: list[np.ndarray] = []
        made = 0
        with bar:
            for images in batches:
                if made < GRID:
                    shown.append(images[: GRID - made])
                while self._stale:  # not before the generator has worked
                    self._stale.pop().unlink(missing_ok=True)
                if self._each is not None:
                    for name, image in zip(self._names[made:], images):
                        plots.save_png(self._each / name, image)
                made += len(images)
                bar.update(len(images))
        atomic.make_folder_of(self._out)
        plots.save_png(self._out, plots.grid(np.concatenate(shown), columns))


def _stale(folder: Path, names: set[str], out: Path, overwrite: bool) -> list[Path]:
    """What is to be removed from the folder, which is made, so that of our pictures it holds ``names`` alone.

    ``out``, the grid, may lie there. Raises MxganError where other pictures do, of another network perhaps, and
    nothing is to be overwritten.
    """
    from mxgan.faces.folder import SUFFIXES  # not above: it brings OpenCV

    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = names | ({out.name} if folder.samefile(out.parent) else set())
        others = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name not in known)
    except OSError as error:
        why = "a file is there" if folder.is_file() else f"can't be made or read ({error.strerror})"
        raise SettingError("each", str(folder), f"{why}; give another folder") from error
    stale = [path for path in others if re.fullmatch(r"(seed\d{4,}-){1,2}\d{6,}\.png", path.name)]
    if others and not overwrite:
        first = (stale or others)[0].name
        what = "to replace those that generate made" if stale else "to write beside them, which stay"
        told = (
            f"has {counted(len(others), 'other picture')}, such as {first}; give another folder, or {{}} {what}".format
        )
        raise SettingError("each", str(folder), told("overwrite=True"), told("--overwrite"))
    return stale
