"""A run's log as it grows: read from where the last look ended, kept as few numbers, however long it is."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import Any, Optional

from mxgan.training import validation
from mxgan.training.log import parsed

POINTS = 400  # of a curve at most
CURVES = ("loss_d", "loss_g", "score_real", "score_fake")
PIECE = 2**24  # bytes read in one look; what is left comes with the next one
LINE = 2**20  # bytes; a longer line is none that a run writes
LARGEST = 2**53  # the largest step, as in JavaScript
WARNINGS, SCORES = 100, 2000  # the newest are kept


class Curves:
    """Means over steps, so many that `POINTS` are enough: they get twice as wide when the points run out."""

    def __init__(self) -> None:
        self.width = 1  # steps in a point
        self._points: dict[int, list[float]] = {}  # by place: last step, how many steps, and a sum for each of `CURVES`

    def add(self, record: dict[str, Any]) -> None:
        """One step's line of the log."""
        step = record["step"]
        while (step - 1) // self.width >= POINTS:
            self._widen()
        self._put((step - 1) // self.width, [step, 1, *(record[name] for name in CURVES)])

    def rows(self) -> list[list[float]]:
        """The points in order: the last step of each, and the mean of each of `CURVES`."""
        return [
            [step, *(float(f"{total / count:.4g}") for total in sums)]
            for _, (step, count, *sums) in sorted(self._points.items())
        ]

    def _widen(self) -> None:
        self.width *= 2
        points, self._points = self._points, {}
        for place, point in points.items():
            self._put(place // 2, point)

    def _put(self, place: int, point: list[float]) -> None:
        there = self._points.get(place)
        if there is None:
            self._points[place] = point
        else:
            self._points[place] = [max(there[0], point[0]), *(a + b for a, b in zip(there[1:], point[1:]))]


class Follower:
    """One log, and what of it a page shows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin()

    def _begin(self) -> None:
        self._place, self._before = 0, b""  # how far it has been read, and the bytes just before that
        self._identity: Optional[tuple[int, int]] = None
        self._skipping = False  # a line that is too long
        self.curves = Curves()
        self.scores: deque[validation.Score] = deque(maxlen=SCORES)
        self.warnings: deque[dict[str, Any]] = deque(maxlen=WARNINGS)
        self.last: Optional[dict[str, Any]] = None  # the last record
        self.numbers: Optional[dict[str, Any]] = None  # the last one of a step

    def look(self) -> None:
        """Read what has been added. A log that was cut, as a resume cuts it, or replaced is read anew."""
        try:
            with open(self._path, "rb") as file:
                there = os.fstat(file.fileno())
                if self._identity != (there.st_dev, there.st_ino) or not self._goes_on(file, there.st_size):
                    self._begin()
                    self._identity = there.st_dev, there.st_ino
                file.seek(self._place)
                data = file.read(PIECE)
        except OSError:  # not there yet, or gone: what was read stays
            return
        end = data.rfind(b"\n") + 1
        if not end:
            if len(data) < LINE:
                return  # a line that is still being written
            end, self._skipping = len(data), True
        lines = data[:end]
        self._place += end
        self._before = (self._before + lines)[-64:]
        if self._skipping:  # up to the end of the line
            _, newline, lines = lines.partition(b"\n")
            self._skipping = not newline
        for record in parsed(lines):
            self._take(record)

    def _goes_on(self, file: Any, size: int) -> bool:
        """Does the log still hold, before the place where reading ended, what it held then?"""
        if size < self._place:
            return False
        file.seek(self._place - len(self._before))
        return file.read(len(self._before)) == self._before

    def _take(self, record: dict[str, Any]) -> None:
        if not 0 <= record["step"] <= LARGEST:
            return
        if "loss_d" in record and not all(abs(record[name]) < 1e300 for name in CURVES):  # NaN isn't less either
            return
        self.last = record
        if "loss_d" in record:
            self.numbers = record
            if record["step"]:
                self.curves.add(record)
        if "warning" in record:
            self.warnings.append({"step": record["step"], "warning": record["warning"][:1000]})
        self.scores.extend(one for one in validation.of([record]) if abs(one.value) < 1e300)
