"""Where faces come from: a folder of pictures, or the code that paints them. Both are read the same way."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Callable, Union

import numpy as np
from tqdm import tqdm

from mxgan import machine
from mxgan.errors import MxganError
from mxgan.faces import folder as pictures
from mxgan.faces.folder import printable
from mxgan.words import counted

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
Read = Iterator[tuple[str, Union[np.ndarray, str]]]  # (name, uint8 image), or (name, why it can't be used)


@dataclass(frozen=True)
class Source:
    """A set of faces to read. Each call of ``read`` gives all of them once, in order."""

    data: str  # what the user wrote
    name: str  # for files: letters, digits, _ and -
    count: int  # of files, or of painted faces
    size: int  # pixels on a side
    made_from: dict[str, Any]  # plain JSON that changes whenever the images would change
    read: Callable[[], Read]


def is_painted(data: str) -> bool:
    """Whether ``data`` means painted faces (``./painted`` is a folder of that name)."""
    return data == "painted" or data.startswith("painted:")


def source(data: str, size: int, fit: str) -> Source:
    """``painted``, ``painted:N`` or a folder.

    Raises MxganError for a bad N, size or fit, a folder that is missing or has no pictures.
    """
    pictures.check_wanted(size, fit)
    return _painted(data, size) if is_painted(data) else _folder(data, size, fit)


def shown(faces: Source, verb: str, progress: bool) -> Iterable[tuple[str, np.ndarray | str]]:
    """Read all faces, with a bar on stderr; if that is no terminal, one line says what is happening."""
    if progress and sys.stderr.isatty():
        return tqdm(faces.read(), verb, faces.count, unit=" faces", dynamic_ncols=True, leave=False)
    if progress:
        print(f"{verb} {counted(faces.count, 'face')}: {printable(faces.data)}", file=sys.stderr, flush=True)
    return faces.read()


def _folder(data: str, size: int, fit: str) -> Source:
    folder = os.path.realpath(os.path.expanduser(data))
    if not os.path.isdir(folder):
        what = "a file, and a folder of pictures is wanted" if os.path.exists(folder) else "there is no such folder"
        raise MxganError(f"{printable(data)}: {what}")
    try:
        count, listing = _listing(folder)
    except OSError as error:
        raise MxganError(f"{printable(data)}: the folder can't be listed: {error.strerror}") from error
    if not count:
        raise MxganError(f"{printable(data)}: no picture in this folder or below it ({' '.join(pictures.SUFFIXES)})")

    def read() -> Read:
        names = pictures.in_order(name for name, _, _ in pictures.walk(folder))
        return pictures.read_all(folder, names, size, fit)

    place = hashlib.blake2b(os.fsencode(folder), digest_size=6).hexdigest()
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(folder))[:40]
    made_from = {"folder": printable(folder), "size": size, "fit": fit, "files": count, "listing": listing}
    return Source(data, f"{slug}-{place}-{size}-{fit}", count, size, made_from, read)


def _listing(folder: str) -> tuple[int, str]:
    """How many files there are to read, and a digest of their names, sizes and times.

    The digests of single files are added up, so that neither a list nor an order is needed.
    """
    count = total = 0
    for name, size, time in pictures.walk(folder):
        entry = os.fsencode(name) + b"\0%d %d" % (size, time)
        total += int.from_bytes(hashlib.blake2b(entry, digest_size=16).digest(), "little")
        count += 1
    return count, f"{total % 2**128:032x}"


def _painted(data: str, size: int) -> Source:
    from mxgan.faces import painted

    number = data[len("painted:") :] if ":" in data else str(PAINTED)
    n = int(number) if re.fullmatch("[0-9]{1,9}", number) else 0
    if not 1 <= n <= MOST_PAINTED:
        raise MxganError(f"{printable(data)}: painted:N takes a whole number of faces from 1 to {MOST_PAINTED}")

    def read() -> Read:
        painted.faces(1, size=size)  # a size it doesn't know is refused here rather than in a child process
        return _paint(n, size, min(machine.usable_cores(), 8, 1 + n // 100))

    code = hashlib.blake2b(digest_size=16)  # faces are painted anew when the code that paints them changes
    for file in sorted(Path(painted.__file__).parent.glob("*.py")):
        code.update(file.read_bytes())
    made_from = {"painted": n, "seed": PAINTED_SEED, "size": size, "code": code.hexdigest()}
    return Source(data, f"painted-{n}-{size}", n, size, made_from, read)


def _paint(n: int, size: int, processes: int) -> Read:
    """Face i comes from process i % processes: painting is mostly Python, which threads wouldn't speed up.

    Plain child processes, because multiprocessing would run the caller's script again or fork a process with threads.
    """
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    painters = [
        subprocess.Popen(
            [sys.executable, "-c", PAINTER, *map(str, (first, n, processes, PAINTED_SEED, size))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        for first in range(processes)
    ]
    try:
        for i in range(n):
            pixels = _output(painters[i % processes]).read(size * size * 3)
            if len(pixels) < size * size * 3:
                status = painters[i % processes].wait()
                raise MxganError(f"painted faces: the process that paints face {i} ended with status {status}")
            yield "", np.frombuffer(pixels, np.uint8).reshape(size, size, 3)
    finally:
        for painter in painters:
            _output(painter).close()
            painter.kill()
            painter.wait()


def _output(process: subprocess.Popen) -> IO[bytes]:
    assert process.stdout is not None  # it was started with a pipe
    return process.stdout
