"""log.jsonl: a JSON line for each step, never half of one; and what each line is made of."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan.engines.protocol import Stats
from mxgan.errors import MxganError
from mxgan.training import monitor, validation
from mxgan.training.board import Board
from mxgan.training.progress import Progress

RATE_STEPS = 20  # images/s is a mean over this many steps
TAIL = 1 << 16  # bytes; more than the last few lines
STEP = ("loss_d", "loss_g", "score_real", "score_fake", "seconds")  # a step's line has all of them
NUMBERS = (*STEP, "variety", "score")
COLUMNS = ("step", "epoch", *STEP[:4], "images_per_s", "seconds", "variety", "score", "warning")  # of `rows`


@dataclass(frozen=True)
class Mark:
    """How far the log had come when a checkpoint was made: so many bytes, of this SHA-256."""

    bytes: int = 0
    sha256: str = hashlib.sha256().hexdigest()


class LogFile:
    """A file of JSON lines that only grows, once it has been cut back to whole lines within ``size`` bytes.

    A line that can't be written (a full disk) waits and is tried again with the next one.
    Raises MxganError if the file can't be opened.
    """

    def __init__(self, path: Path, size: int = 0) -> None:
        self._waiting = b""
        try:
            self._file = open(path, "a+b", buffering=0)  # noqa: SIM115 (closed by close)
            there = self._file.seek(0, os.SEEK_END)
            self._file.seek(0)
            data = self._file.read(min(size, there))
            data = data[: data.rfind(b"\n") + 1]
            self._file.truncate(len(data))
        except OSError as error:
            raise MxganError(f"{path}: can't be written ({error.strerror or error})") from error
        self._size, self._digest = len(data), hashlib.sha256(data)

    def append(self, record: dict[str, Any]) -> Optional[OSError]:
        """Add one line; returns the error where it couldn't be written yet."""
        self._waiting += (json.dumps(record) + "\n").encode()
        return self._write()

    def mark(self) -> Mark:
        """Wait until every line is on the disk. Raises OSError if one can't be written."""
        error = self._write()
        if error is not None:
            raise error
        os.fsync(self._file.fileno())
        return Mark(self._size, self._digest.hexdigest())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self) -> Optional[OSError]:
        if not self._waiting:
            return None
        try:
            self._file.truncate(self._size)  # an earlier try may have written a part
            written = self._file.write(self._waiting)
            if written != len(self._waiting):
                raise OSError(f"no room: {written} of {len(self._waiting)} bytes written")
        except OSError as error:
            return error
        self._digest.update(self._waiting)
        self._size += len(self._waiting)
        self._waiting = b""
        return None


class StepLog:
    """Reads a step's numbers after the next step has been handed to the engine.

    So the engine never idles for the sake of the log, and never runs more than one step ahead of it.
    """

    def __init__(
        self,
        file: LogFile,
        earlier: list[dict[str, Any]],
        per_epoch: int,
        batch_size: int,
        progress: Progress,
        board: Optional[Board] = None,
    ) -> None:
        self.file, self._progress, self._board = file, progress, board
        self._per_epoch, self._batch_size = per_epoch, batch_size
        self._waiting: Optional[tuple[int, np.ndarray, Stats]] = None
        self._indices: list[np.ndarray] = []  # of the last two steps
        steps = [record for record in earlier if "loss_d" in record]
        self._recent = deque(steps, maxlen=monitor.STEPS)
        self._varieties = [(record["step"], record["variety"]) for record in earlier if "variety" in record]
        self.scores = validation.of(earlier)
        self._warned = {record["kind"]: record["step"] for record in earlier if "kind" in record}
        self._start = time.monotonic() - (steps[-1]["seconds"] if steps else 0.0)
        self._ends = deque([time.monotonic()], maxlen=RATE_STEPS + 1)
        self._full = False  # has the user been told that lines wait for room on the disk?

    def add(self, step: int, indices: np.ndarray, stats: Stats) -> None:
        """``step``, of the images ``indices``, is on its way. Raises NonFinite as `flush` does."""
        self.flush()
        self._waiting = step, indices, stats

    def flush(self) -> None:
        """Wait for the last step's numbers. Raises NonFinite if one isn't finite."""
        if self._waiting is None:
            return
        (step, indices, stats), self._waiting = self._waiting, None
        numbers = stats.read()
        self._ends.append(time.monotonic())
        self._indices = [*self._indices[-1:], indices]
        if not all(map(math.isfinite, numbers.values())):
            self.fail(step, ", ".join(f"{name} {value}" for name, value in numbers.items()))
        rate = (len(self._ends) - 1) * self._batch_size / max(self._ends[-1] - self._ends[0], 1e-9)
        record = {
            "step": step,
            "epoch": self._epoch(step),
            **numbers,
            "images_per_s": round(rate, 1),
            "seconds": round(self._ends[-1] - self._start, 3),
        }
        self._append(record)
        self._recent.append(record)
        self._progress.show(record)
        self.warn("d_wins", step, monitor.d_wins(self._recent))

    def fail(self, step: int, numbers: str) -> None:
        """Raise NonFinite: after ``step``, the last that was flushed, ``numbers`` weren't finite."""
        raise NonFinite(step, self._indices, numbers)

    def add_variety(self, step: int, variety: float) -> None:
        """Write down how much the samples after ``step`` differ (see `monitor.variety`), and warn if they collapsed."""
        self._varieties.append((step, variety))
        self._append({"step": step, "variety": variety})
        self.warn("collapse", step, monitor.collapsed(self._varieties))

    def add_score(self, one: validation.Score) -> None:
        """Write down how good the pictures after a step are (see `mxgan.training.validation`)."""
        self.scores.append(one)
        finish = {"finish": True} if one.finish else {}
        self._append({"step": one.step, "epoch": self._epoch(one.step), "score": one.value, **finish})
        self._progress.scored(one.value)

    def warn(self, kind: str, step: int, warning: Optional[str]) -> None:
        """Put a warning into the log and onto the screen, unless the same kind was given a short while ago."""
        if warning is None or step - self._warned.get(kind, -monitor.AGAIN) < monitor.AGAIN:
            return
        self._warned[kind] = step
        self._append({"step": step, "kind": kind, "warning": warning})
        self._progress.warn(kind, f"step {step}: {warning}")

    def _epoch(self, step: int) -> int:
        return math.ceil(step / self._per_epoch)

    def _append(self, record: dict[str, Any]) -> None:
        error = self.file.append(record)
        if error is not None and not self._full:
            self._progress.say(
                f"log.jsonl can't be written ({error.strerror or error}): its lines wait, the run goes on"
            )
        self._full = error is not None
        if self._board is not None:
            self._board.add(record)


class NonFinite(Exception):
    """A step gave numbers that aren't finite. ``indices``: the images of the step before, if known, and of this one."""

    def __init__(self, step: int, indices: list[np.ndarray], numbers: str) -> None:
        super().__init__(f"step {step} isn't finite ({numbers})")
        self.step, self.indices = step, indices


def read_log(path: Path, size: int = -1, key: str = "") -> list[dict[str, Any]]:
    """The records of a log, up to ``size`` bytes (-1: all of it), or those of them that have ``key``, which is quicker.

    Lines that aren't whole and sound are left out.
    """
    try:
        with open(path, "rb") as file:
            return parsed(file.read(size), f'"{key}":'.encode() if key else b"")
    except OSError:
        return []


def rows(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A log as a table: a row for each step with all of `COLUMNS`, None where nothing was measured.

    Several warnings after one step are joined by "; ".
    """
    table: dict[int, dict[str, Any]] = {}
    for record in records:
        row = table.setdefault(record["step"], dict.fromkeys(COLUMNS))
        said = {name: record[name] for name in COLUMNS if name in record}
        if "warning" in said and row["warning"]:
            said["warning"] = f"{row['warning']}; {said['warning']}"
        row.update(said)
    return [table[step] for step in sorted(table)]


def last_record(path: Path) -> Optional[dict[str, Any]]:
    """The last record of a log, read from its end; None if there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            records = parsed(file.read())
    except OSError:
        return None
    return records[-1] if records else None


def begins_as(path: Path, mark: Mark) -> bool:
    """Does the log still begin with what it held at ``mark``?"""
    try:
        with open(path, "rb") as file:
            return mark.bytes <= os.fstat(file.fileno()).st_size and (
                hashlib.sha256(file.read(mark.bytes)).hexdigest() == mark.sha256
            )
    except OSError:
        return mark.bytes == 0


def parsed(data: bytes, having: bytes = b"") -> list[dict[str, Any]]:
    """The records in a log's lines, or those of lines with ``having``; what isn't whole and sound is left out."""
    records = []
    for line in data.split(b"\n"):
        if having not in line:
            continue
        with contextlib.suppress(ValueError, RecursionError):
            records.append(json.loads(line))
    return [record for record in records if _is_sound(record)]


def _is_sound(record: Any) -> bool:
    """Is it what a run writes? Somebody may have edited it."""
    if not isinstance(record, dict) or type(record.get("step")) is not int:
        return False
    whole = all(name in record for name in STEP) if "loss_d" in record else True
    words = [record.get(name) for name in ("kind", "warning")] if {"kind", "warning"} & set(record) else []
    return (
        whole
        and all(type(record[name]) in (int, float) for name in NUMBERS if name in record)
        and all(isinstance(word, str) for word in words)
    )
