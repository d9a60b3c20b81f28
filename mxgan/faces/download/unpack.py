"""An archive of pictures into a folder: all of it or nothing, and nothing beside it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from mxgan.errors import MxganError
from mxgan.faces.members import Members
from mxgan.faces.pictures import Skipped, Unreadable, printable


def unpack(
    listed: Callable[[], AbstractContextManager[Members]], folder: Path, what: str, progress: bool = True
) -> tuple[int, list[Skipped]]:
    """Write the members of an archive into ``folder``, which appears when all are there.

    Returns how many there are, and what was left out: damaged and encrypted members, links, and names that lead out of
    the folder. Raises MxganError where the disk is full or no member is left.
    """
    temporary = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)  # left by a process that was killed
    skipped: list[Skipped] = []
    count = 0
    try:
        with listed() as members:
            temporary.mkdir()
            shown = progress and sys.stderr.isatty()
            if progress and not shown:
                print(f"unpacking {members.count} pictures", file=sys.stderr, flush=True)
            for member in tqdm(
                members.each, "unpacking", members.count, unit=" pictures", leave=False, disable=not shown
            ):
                try:
                    _write(temporary, member.name, member.open())
                    count += 1
                except Unreadable as error:
                    skipped.append(Skipped(printable(member.name), error.reason))
            if not count:
                raise MxganError(f"{what}: none of its {members.count} pictures can be unpacked: {skipped[0].reason}")
        os.rename(temporary, folder)
    except OSError as error:
        raise MxganError(
            f"{folder}: can't be unpacked there: {error.strerror or error}; make room, and the same command goes on"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count, skipped


def safe(name: str) -> bool:
    """Whether a path stays in the folder that it is joined to, on every system."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and not set("\\:\0") & set(name)


def _write(folder: Path, name: str, data: object) -> None:
    if not safe(name):
        raise Unreadable(name, "its name leads out of the folder")
    assert isinstance(data, bytes)  # archives give files
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            file.write(data)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise Unreadable(name, "its name is another member's folder") from None
