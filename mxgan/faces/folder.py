"""A folder of pictures as a source: finding them, at any depth."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import partial

from mxgan.faces.members import Member, Members
from mxgan.faces.pictures import SUFFIXES, read_file

NOT_ENTERED = "__MACOSX"  # what macOS puts into archives beside the files; hidden files and folders are left out too


def members(folder: str, suffixes: tuple[str, ...] = SUFFIXES) -> Members:
    """The picture files below ``folder``, in the order of their names. Raises OSError if it can't be listed."""
    names = in_order(name for name, _, _ in walk(folder, suffixes))
    return Members(len(names), (Member(name, partial(read_file, os.path.join(folder, name))) for name in names))


def listing(folder: str, suffixes: tuple[str, ...] = SUFFIXES) -> tuple[int, str]:
    """How many files there are to read, and a digest of their names, sizes and times.

    The digests of single files are added up, so that neither a list nor an order is needed.
    """
    count = total = 0
    for name, size, time in walk(folder, suffixes):
        entry = os.fsencode(name) + b"\0%d %d" % (size, time)
        total += int.from_bytes(hashlib.blake2b(entry, digest_size=16).digest(), "little")
        count += 1
    return count, f"{total % 2**128:032x}"


def is_left_out(name: str) -> bool:
    """Whether a file or folder of this name is passed over."""
    return name.startswith(".") or name == NOT_ENTERED


def walk(folder: str, suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[tuple[str, int, int]]:
    """Everything below ``folder`` that is named like a picture: (relative POSIX path, size in bytes, mtime in ns).

    In no particular order, and without keeping a list, so that a large set stays cheap to open. Hidden files and
    folders and ``__MACOSX`` are left out. A linked folder is entered, but no folder twice. Files that
    can't be examined and subfolders that can't be listed have size -1. Raises OSError if ``folder``
    itself can't be listed.
    """
    seen = set()
    waiting = [""]
    while waiting:
        here = waiting.pop()
        below = []
        try:
            status = os.stat(os.path.join(folder, here))
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(os.path.join(folder, here)) as entries:
                for entry in entries:
                    name = f"{here}/{entry.name}" if here else entry.name
                    if is_left_out(entry.name):
                        continue
                    if entry.name.lower().endswith(suffixes):
                        yield (name, *_size_and_time(entry))
                    elif _is_folder(entry):
                        below.append(name)
        except OSError:
            if not here:
                raise
            yield here, -1, 0
        waiting.extend(sorted(below, reverse=True))  # sorted: of two paths to one folder, always the same is taken


def in_order(names: Iterable[str]) -> list[str]:
    """Relative paths in the order of their bytes: the same on every machine, whatever its locale."""
    return sorted(names, key=os.fsencode)


def _size_and_time(entry: os.DirEntry) -> tuple[int, int]:
    try:
        status = entry.stat()
    except OSError:  # a broken link, or a loop of links
        return -1, 0
    return status.st_size, status.st_mtime_ns


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
