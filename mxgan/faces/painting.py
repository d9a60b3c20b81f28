"""Painted faces as a source: processes of its own paint them."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from mxgan import machine
from mxgan.errors import MxganError
from mxgan.faces.members import Member, Members
from mxgan.faces.pictures import printable

PAINTED = 6000  # faces in ``painted``
MOST_PAINTED = 10_000_000
PAINTED_SEED = 0
PAINTER = """
import signal, sys
from mxgan.faces.painted import faces
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the parent is gone
first, n, step, seed, size = map(int, sys.argv[1:])
for i in range(first, n, step):
    sys.stdout.buffer.write(faces(1, seed, size, i))
"""  # prints every step-th face as raw pixels


def is_painted(data: str) -> bool:
    """Whether ``data`` means painted faces (``./painted`` is a folder of that name)."""
    return data == "painted" or data.startswith("painted:")


def how_many(data: str) -> int:
    """N of ``painted:N``. Raises MxganError for anything but a number of faces."""
    number = data[len("painted:") :] if ":" in data else str(PAINTED)
    n = int(number) if re.fullmatch("[0-9]{1,9}", number) else 0
    if not 1 <= n <= MOST_PAINTED:
        raise MxganError(f"{printable(data)}: painted:N takes a whole number of faces from 1 to {MOST_PAINTED}")
    return n


def made_from(n: int, size: int) -> dict[str, Any]:
    """Plain JSON that changes whenever the painted faces would, and so when the code that paints them does."""
    from mxgan.faces import painted

    code = hashlib.blake2b(digest_size=16)
    for file in sorted(Path(painted.__file__).parent.glob("*.py")):
        code.update(file.read_bytes())
    return {"painted": n, "seed": PAINTED_SEED, "size": size, "code": code.hexdigest()}


@contextmanager
def members(n: int, size: int) -> Iterator[Members]:
    """n painted faces of ``size`` pixels; MxganError for a size that the painter doesn't know."""
    from mxgan.faces import painted

    painted.faces(1, size=size)  # a size it doesn't know is refused here rather than in a child process
    painters = _start(n, size, min(machine.usable_cores(), 8, 1 + n // 100))
    try:
        yield Members(n, (Member("", pixels.view) for pixels in _painted(n, size, painters)))
    finally:
        for painter in painters:
            _output(painter).close()
            painter.kill()
            painter.wait()


def _start(n: int, size: int, processes: int) -> list[subprocess.Popen]:
    """Face i comes from process i % processes: painting is mostly Python, which threads wouldn't speed up.

    Plain child processes, because multiprocessing would run the caller's script again or fork a process with threads.
    """
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return [
        subprocess.Popen(
            [sys.executable, "-c", PAINTER, *map(str, (first, n, processes, PAINTED_SEED, size))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        for first in range(processes)
    ]


def _painted(n: int, size: int, painters: list[subprocess.Popen]) -> Iterator[np.ndarray]:
    for i in range(n):
        painter = painters[i % len(painters)]
        pixels = _output(painter).read(size * size * 3)
        if len(pixels) < size * size * 3:
            raise MxganError(f"painted faces: the process that paints face {i} ended with status {painter.wait()}")
        yield np.frombuffer(pixels, np.uint8).reshape(size, size, 3)


def _output(process: subprocess.Popen) -> IO[bytes]:
    assert process.stdout is not None  # it was started with a pipe
    return process.stdout
