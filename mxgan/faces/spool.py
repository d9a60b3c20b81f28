"""A temporary file for what can only be read from front to back: what is packed in one piece is unpacked there first.

Its members can then be opened in any order, and no more of it than one member is in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mxgan.errors import MxganError

MOST_TIMES = 200  # pictures hardly compress, a bomb does: what is unpacked may be this many times the file ...
MOST_ALWAYS = 1 << 26  # ... or these bytes
PIECE = 1 << 20


def check_bomb(shown: str, packed: int, unpacked: int) -> None:
    """Raise MxganError where ``unpacked`` bytes are said to come out of ``packed``, as no set of pictures has them."""
    if unpacked > max(MOST_TIMES * packed, MOST_ALWAYS):
        raise MxganError(
            f"{shown}: unpacks to {unpacked} bytes or more from {packed}: a bomb? pictures don't compress so well; if "
            "you trust it, unpack it yourself and name the folder"
        )


@contextmanager
def unpacked(read: Callable[[int], bytes], shown: str, packed: int, folder: Path) -> Iterator[BinaryIO]:
    """All that ``read`` gives, piece by piece, as a file in ``folder`` that is gone after the block.

    Raises MxganError where there is no room for it, and for a bomb of ``packed`` bytes.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    except OSError as error:
        raise _no_room(folder, shown, error) from error
    with file:
        total = 0
        while piece := read(PIECE):
            total += len(piece)
            check_bomb(shown, packed, total)
            try:
                file.write(piece)
            except OSError as error:
                raise _no_room(folder, shown, error) from error
        try:
            file.flush()
        except OSError as error:
            raise _no_room(folder, shown, error) from error
        file.seek(0, os.SEEK_SET)
        yield file


def _no_room(folder: Path, shown: str, error: OSError) -> MxganError:
    return MxganError(f"{folder}: {shown} can't be unpacked there: {error.strerror}; set MXGAN_CACHE to another folder")
