"""log.jsonl: a JSON line for each step, never half of one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mxgan.errors import MxganError

TAIL = 1 << 16  # bytes; more than the last few lines
STEP = ("loss_d", "loss_g", "score_real", "score_fake", "seconds")  # a step's line has all of them
NUMBERS = (*STEP, "variety", "score")


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


def read(path: Path, size: int = -1, key: str = "") -> list[dict[str, Any]]:
    """The records of a log, up to ``size`` bytes (-1: all of it), or those of them that have ``key``, which is quicker.

    Lines that aren't whole and sound are left out.
    """
    try:
        with open(path, "rb") as file:
            return _records(file.read(size), f'"{key}":'.encode() if key else b"")
    except OSError:
        return []


def last(path: Path) -> Optional[dict[str, Any]]:
    """The last record of a log, read from its end; None if there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            records = _records(file.read())
    except OSError:
        return None
    return records[-1] if records else None


def is_as(path: Path, mark: Mark) -> bool:
    """Does the log still begin with what it held at ``mark``?"""
    try:
        with open(path, "rb") as file:
            return mark.bytes <= os.fstat(file.fileno()).st_size and (
                hashlib.sha256(file.read(mark.bytes)).hexdigest() == mark.sha256
            )
    except OSError:
        return mark.bytes == 0


def _records(data: bytes, having: bytes = b"") -> list[dict[str, Any]]:
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
