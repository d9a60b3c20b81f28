"""Files that appear whole or not at all: written beside their target, then moved over it in one step."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Optional, Union

from mxgan.errors import MxganError, SettingError

BytesLike = Union[bytes, bytearray, memoryview]  # and anything else with a buffer, such as a NumPy array


def write(path: str | PathLike, data: BytesLike | Iterable[BytesLike], flush: bool = True) -> None:
    """Write `data` (bytes, or an iterable of pieces) to `path`: all of it, or nothing.

    A reader sees the old file or the new one, never a part; a crash leaves the old one. ``flush`` waits for the disk,
    so that this holds even for a power loss; files that are easily made again don't need it. Raises ``MxganError``.
    """
    pieces = [data] if isinstance(data, (bytes, bytearray, memoryview)) else data
    with writing(path, flush) as file:
        for piece in pieces:
            file.write(piece)


def in_the_way(folder: str | PathLike) -> Optional[Path]:
    """What keeps a folder from being made, or written to if it is there: the nearest thing above that can't be."""
    place = Path(folder)
    while not place.exists():
        place = place.parent
    return None if place.is_dir() and os.access(place, os.W_OK | os.X_OK) else place


def check_file(setting: str, path: Path) -> None:
    """Raise SettingError if no file can be written to ``path``, the value of ``setting``; its folder may be missing."""
    if path.is_dir():
        raise SettingError(setting, str(path), "a folder is there; give a file's name")
    obstacle = in_the_way(path.parent)
    if obstacle is not None:
        raise SettingError(setting, str(path), f"can't be written, since {obstacle} is not a folder you may write to")


def make_folder_of(path: str | PathLike) -> None:
    """Make the folder that ``path`` is to lie in, and those above: what a command is told to write has a place.

    Raises ``MxganError``.
    """
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MxganError(f"{path}: can't be written: {folder} can't be made ({error.strerror})") from error


@contextlib.contextmanager
def writing(path: str | PathLike, flush: bool = True) -> Iterator[BinaryIO]:
    """A binary file to write to: it becomes `path` at the end of the block, and is deleted if the block raises.

    For writers that take a file object (``np.savez``, ``savefig``). A symbolic link is followed: the file it points at
    is replaced. Raises ``MxganError`` if the folder is missing or can't be written, or the disk is full.
    """
    with _beside(path) as (descriptor, _), open(descriptor, "wb") as file:
        yield file
        file.flush()
        if flush:
            os.fsync(file.fileno())


@contextlib.contextmanager
def making(path: str | PathLike) -> Iterator[str]:
    """As `writing`, for writers that open their file by its name: that of an empty file beside ``path``.

    Its name has another suffix: tell the writer what it writes.
    """
    with _beside(path) as (descriptor, temporary):
        os.close(descriptor)
        yield temporary


@contextlib.contextmanager
def _beside(path: str | PathLike) -> Iterator[tuple[int, str]]:
    """A temporary file, open, beside ``path`` and its name: it becomes ``path``, or is deleted if the block raises."""
    name = os.fspath(path)
    target = os.path.realpath(name)
    if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
        kind = "a folder" if os.path.isdir(target) else "a device or pipe"
        raise MxganError(f"{name}: can't be written: it is {kind}; name a file")
    folder = os.path.dirname(target)
    # Beside the target, as a move is atomic only inside one file system; 0o666, so that the umask decides as usual.
    temporary = os.path.join(folder, f".mxgan-{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except FileNotFoundError as error:
        if os.path.isdir(folder):  # /proc, say
            raise MxganError(f"{name}: can't be written: {folder} takes no files; give another folder") from error
        raise MxganError(f"{name}: can't be written: there is no folder {folder}; make it first") from error
    except OSError as error:
        raise MxganError(f"{name}: can't be written in {folder}: {error.strerror}") from error
    try:
        yield descriptor, temporary
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        # An error that names another file is the block's; one without a name comes from writing: a full disk, a quota.
        if isinstance(error, OSError) and error.filename in (None, temporary):
            raise MxganError(f"{name}: can't be written: {error.strerror or error}") from error
        raise
