"""The runs of a folder as pages show them: looked at when somebody watches, and once for all who do."""

from __future__ import annotations

import json
import math
import os
import stat
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Optional

from mxgan import run_names
from mxgan.errors import MxganError
from mxgan.page.server.follow import Follower
from mxgan.training import runs
from mxgan.training.run_dir import RunDir

EVERY = 2.0  # seconds between two looks at a run
LISTED = 200  # runs in the table: those that wrote last
FOLLOWED = 32  # logs whose numbers are kept
CONFIG = 2**18  # bytes of a config.json that is shown
SAMPLES = 5000  # steps that the slider has: the newest


@dataclass
class _Seen:
    """What the last look at a run found."""

    follower: Follower
    at: float = -math.inf
    view: Optional[dict[str, Any]] = None


class Runs:
    """The runs directly in a folder, or the one run that the folder is. For threads: one looks at a time."""

    def __init__(self, folder: Path) -> None:
        self._only = folder.resolve().name if run_names.is_run(folder) else None
        self.folder = folder.resolve().parent if self._only is not None else folder
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._summaries: dict[str, tuple[object, dict[str, Any]]] = {}
        self._table: tuple[float, Optional[dict[str, Any]]] = -math.inf, None

    def find(self, name: str) -> Optional[Path]:
        """The run of this name; None if there is none. No name leads out of the folder, nor does a link in it."""
        if name in ("", ".", "..") or any(character in name for character in "/\\\0"):
            return None
        if self._only is not None and name != self._only:
            return None
        path = self.folder / name
        return path if run_names.is_run(path) and not path.is_symlink() else None

    def table(self) -> dict[str, Any]:
        """All runs, as JSON values: folder, and runs, a list of `mxgan.training.runs.summary` with name and written."""
        with self._lock:
            at, found = self._table
            if found is None or time.monotonic() - at > EVERY:
                found = {"folder": str(self.folder), "runs": self._rows()}
                self._table = time.monotonic(), found
            return found

    def view(self, name: str) -> Optional[dict[str, Any]]:
        """One run, as JSON values; None if it isn't there (any more).

        run: as in the table; numbers: the last step's line of the log; config: as text; warnings; scores: (step,
        score); samples: their steps; reals: whether there is a picture of the faces; curves: width (steps in a point),
        rows (step, and a mean for each of `mxgan.page.server.follow.CURVES`).
        """
        with self._lock:
            path = self.find(name)
            if path is None:
                self._seen.pop(name, None)
                return None
            seen = self._seen.get(name) or _Seen(Follower(path / "log.jsonl"))
            if seen.view is None or time.monotonic() - seen.at > EVERY:
                seen.follower.look()
                seen.view, seen.at = _view(path, seen.follower), time.monotonic()
            self._seen[name] = seen
            self._seen.move_to_end(name)
            while len(self._seen) > FOLLOWED:
                self._seen.popitem(last=False)
            return seen.view

    def picture(self, name: str, *parts: str) -> Optional[BinaryIO]:
        """A PNG of a run, opened; None if there is none. ``parts``: its path in the run, from the server."""
        path = self.find(name)
        if path is None or (path / parts[0]).is_symlink():
            return None
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            file = os.fdopen(os.open(path.joinpath(*parts), flags), "rb")
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # somebody's pipe, say
            file.close()
            return None
        return file

    def _rows(self) -> list[dict[str, Any]]:
        try:
            names = [self._only] if self._only is not None else os.listdir(self.folder)
        except OSError:  # not there yet, or gone
            return []
        paths = [path for path in map(self.find, names) if path is not None]
        newest = run_names.newest_first(paths)[:LISTED]
        known, self._summaries = self._summaries, {}
        for path in newest:
            self._summaries[path.name] = _summary(path, known.get(path.name))
        return [summary for _, summary in self._summaries.values()]


def _summary(path: Path, before: Optional[tuple[object, dict[str, Any]]]) -> tuple[object, dict[str, Any]]:
    """A row of the table, and a mark that tells whether it still holds: a run that has ended is read once."""
    mark = run_names.last_written(path), _size(path / "log.jsonl")
    if before is not None and before[0] == mark and before[1]["state"] != "running":
        return before
    damage = _damage(path)
    return mark, _row(path, runs.summary_or_damage(path) if damage is None else _damaged(damage))


def _view(path: Path, follower: Follower) -> dict[str, Any]:
    damage, config = _damage(path), ""
    try:
        if damage is not None:
            raise MxganError(damage)
        run = runs.summed(RunDir(path), follower.last, list(follower.scores))
        config = json.dumps(clean(RunDir(path).read_json("config.json")), indent=2)
    except MxganError as error:
        run = _damaged(str(error))
    return {
        "run": _row(path, run),
        "numbers": clean(follower.numbers),
        "config": config,
        "warnings": list(follower.warnings),
        "scores": [[one.step, one.value] for one in follower.scores],
        "samples": _samples(path / "samples"),
        "reals": (path / "reals.png").is_file(),
        "curves": {"width": follower.curves.width, "rows": follower.curves.rows()},
    }


def _row(path: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """A summary for pages: with the run's name, and when it last wrote instead of how long ago, which never rests."""
    row = {key: value for key, value in summary.items() if key not in ("path", "age_s")}
    return clean({"name": path.name, **row, "written": run_names.last_written(path)})


def _damaged(why: str) -> dict[str, Any]:
    unknown = dict.fromkeys(("recipe", "engine", "step", "steps", "best"))
    return {**unknown, "state": "damaged", "why": why}


def _damage(path: Path) -> Optional[str]:
    """Why a run isn't even looked into; None if it may be."""
    for name in ("config.json", "state.json"):
        if _size(path / name) > CONFIG:
            return f"{name} has more than {CONFIG:,} bytes, so no run wrote it"
    return None


def _samples(folder: Path) -> list[int]:
    """The steps that there are samples of, in order."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    steps = (name[:-4] for name in names if name.endswith(".png"))
    return sorted(int(step) for step in steps if step.isascii() and step.isdigit() and len(step) <= 15)[-SAMPLES:]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def clean(value: Any) -> Any:
    """The same JSON value, with null for what JSON lacks (NaN, infinity), and long strings cut."""
    if isinstance(value, dict):
        return {str(key)[:200]: clean(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value[:2000]
    return value
