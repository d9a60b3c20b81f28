"""log.jsonl: a JSON line for each step, never half of one."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Optional


class LogFile:
    """An append-only file of JSON lines, cut back to ``size`` bytes when opened.

    A line that can't be written (a full disk) waits and is tried again with the next one.
    """

    def __init__(self, path: Path, size: int = 0) -> None:
        self.size = size  # bytes of whole lines in the file
        self._waiting = b""
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 (closed by close)
        self._file.truncate(size)

    def append(self, record: dict[str, Any]) -> Optional[OSError]:
        """Add one line; returns the error where it couldn't be written yet."""
        late, self._waiting = self._waiting, self._waiting + (json.dumps(record) + "\n").encode()
        try:
            if late:
                self._file.truncate(self.size)  # a part of them may have been written
            written = self._file.write(self._waiting)
            if written != len(self._waiting):
                raise OSError(f"{written} of {len(self._waiting)} bytes written")
        except OSError as error:
            return error
        self.size += len(self._waiting)
        self._waiting = b""
        return None

    def sync(self) -> None:
        """Wait until the lines are on the disk. Raises OSError."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(path: Path, size: Optional[int] = None) -> list[dict[str, Any]]:
    """The records of a log, up to ``size`` bytes; a line that was cut off is left out."""
    try:
        with open(path, "rb") as file:
            lines = file.read(-1 if size is None else size).split(b"\n")
    except FileNotFoundError:
        return []
    records = []
    for line in lines:
        with contextlib.suppress(ValueError):
            records.append(json.loads(line))
    return [record for record in records if isinstance(record, dict) and "step" in record]
