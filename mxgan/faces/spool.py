"""A temporary file for what can only be read from front to back: what is packed in one piece is unpacked there first.

Its members can then be opened in any order, and no more of it than one member is in memory.
"""

from __future__ import annotations

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
def temporary(folder: Path, what: str) -> Iterator[BinaryIO]:
    """A file in ``folder`` that is gone after the block. Raises MxganError where there is no room for ``what``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file
    except OSError as error:
        if error.filename is not None and not str(error.filename).startswith(str(folder)):
            raise
        why = error.strerror or error
        raise MxganError(f"{folder}: no room for {what}: {why}; set MXGAN_CACHE to another folder") from error


@contextmanager
def unpacked(read: Callable[[int], bytes], shown: str, packed: int, folder: Path) -> Iterator[BinaryIO]:
    """All that ``read`` gives, piece by piece, as a file in ``folder`` that is gone after the block.

    Raises MxganError where there is no room for it, and for a bomb of ``packed`` bytes.
    """
    with temporary(folder, f"what {shown} unpacks to") as file:
        total = 0
        while piece := read(PIECE):
            total += len(piece)
            check_bomb(shown, packed, total)
            file.write(piece)
        file.flush()
        file.seek(0)
        yield file
