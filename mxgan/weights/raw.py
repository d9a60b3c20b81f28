"""From a file's bytes to arrays: what the list container and the ZIP container share.

A file is read once, into a private buffer, and arrays are read-only views of it. Sizes are computed with Python's
integers, which can't overflow, and compared with what is left of the file before they are used.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import Callable

import numpy as np

from mxgan.errors import ParamsError

MAX_RANK = 32  # NumPy 1.x's own limit; nobody's weights have more than 5
# A dtype's place is its flag in a file (3rdparty/mshadow/mshadow/base.h at MXNet 1.9.1).
STORED = (
    "float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool",
    "int16", "uint16", "uint32", "uint64", "bfloat16",
)  # fmt: skip
LITTLE = {name: np.dtype("<u2" if name == "bfloat16" else name).newbyteorder("<") for name in STORED}
CUT_SHORT = "the file is cut short, as by a half-finished download, or damaged: fetch it again"
DAMAGED = "the file is damaged"
READABLE = (  # other formats
    "where .params or .npz is wanted: `mxgan weights convert` makes one of it, `mxgan generate` reads it as it is"
)

# Makes a complaint about one array from a byte offset, what was wanted, what was found, and perhaps what to do.
Fail = Callable[..., ParamsError]


@dataclass(frozen=True)
class Contents:
    """What a container holds, whichever it is."""

    container: str | None  # None: nothing in it
    named: bool
    arrays: dict[str, np.ndarray]
    dtypes: dict[str, str]  # as stored
    odd: list[str]  # what MXNet would ignore
    notes: list[str] = field(default_factory=list)  # what is sound, but other than the arrays show


class Source:
    """A file's bytes, and its name for messages. `array` rearranges `data` (uint8), so no one else may hold it."""

    def __init__(self, path: str | os.PathLike, data: np.ndarray) -> None:
        self.path = os.fspath(path)
        self.data = data
        self.bytes = data.data
        self.size = data.size

    def error(self, where: str, at: int, wanted: str, found: str, fix: str = "") -> ParamsError:
        """The one form of every complaint about a file's inside."""
        return ParamsError(f"{self.path}: {where}, byte {at}: wanted {wanted}, found {found}" + (fix and f": {fix}"))

    def array(
        self, fail: Fail, start: int, stored: str, shape: tuple[int, ...], fortran: bool = False, big: bool = False
    ) -> np.ndarray:
        """The array of dtype `stored` whose bytes, all of them there, begin at `start`: a read-only view.

        Everything happens in place, so that loading takes no more memory than the file has bytes: an unaligned array,
        which is slow and which some libraries refuse, moves back over the end of its own header, already read; the
        bytes of big-endian values are swapped. Only bfloat16 takes more, widened exactly to float32.
        """
        dtype, size = LITTLE[stored], measure(fail, start, stored, shape)
        shift = (self.data.__array_interface__["data"][0] + start) % dtype.itemsize if size else 0
        if shift:
            self.data[start - shift : start - shift + size] = self.data[start : start + size]
        # NumPy wants even an empty array to begin inside its buffer.
        view: np.ndarray = np.ndarray(
            shape, dtype, self.data, start - shift if size else 0, order="F" if fortran else "C"
        )
        if big:
            view.byteswap(inplace=True)
        if stored == "bool" and size and view.view(np.uint8).max() > 1:
            # NumPy's answers are undefined for a bool that is neither.
            raise fail(start, "bools, which are bytes of 0 and 1", f"a byte of {view.view(np.uint8).max()}")
        if stored == "bfloat16":
            wide = view.astype("<u4")
            wide <<= np.uint32(16)  # of its own type: a 0-d array would widen
            view = wide.view("<f4")
        view.flags.writeable = False
        return view


def measure(fail: Fail, at: int, stored: str, shape: tuple[int, ...]) -> int:
    """How many bytes an array of dtype `stored` and this shape takes. Refuses the shapes no array can have."""
    if len(shape) > MAX_RANK:
        raise fail(at, f"at most {MAX_RANK} dimensions", f"{len(shape)}")
    if min(shape, default=0) < 0:
        raise fail(at, "dimensions of 0 and more", f"{shape}")
    extent = LITTLE[stored].itemsize
    for dim in shape:
        extent *= dim or 1  # NumPy wants the other dimensions addressable even where one is 0
    if extent >= 2**62:
        raise fail(at, "a shape whose values fit into memory", f"{shape}, which overflows")
    return 0 if 0 in shape else extent


def shown(name: str | bytes) -> str:
    """A name for a message: one line, whatever it holds, and not endless."""
    return repr(name) if len(name) <= 80 else f"{name[:60]!r} and {len(name) - 60} more"


def open_regular(path: str | os.PathLike) -> tuple[int, int]:
    """A descriptor and the size of a file that exists, can be read and is a file. Never waits, even on a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise ParamsError(f"{os.fspath(path)}: there is no such file") from None
    except OSError as error:
        raise ParamsError(f"{os.fspath(path)}: can't be opened: {error.strerror}") from error
    except ValueError as error:  # a NUL, say
        raise ParamsError(f"{os.fspath(path)!r}: can't be a file's name: {error}") from error
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode):
        return descriptor, status.st_size
    os.close(descriptor)
    kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or pipe"
    raise ParamsError(f"{os.fspath(path)}: this is {kind}: name a file of weights")


def read_rest(path: str | os.PathLike, descriptor: int, head: bytes, size: int) -> Source:
    """All `size` bytes of a file of which `head` has been read already. One pass, one buffer."""
    data = np.empty(size, np.uint8)
    source, at = Source(path, data), min(len(head), size)
    data[:at] = np.frombuffer(head, np.uint8, at)
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        while at < size:
            try:
                got = file.readinto(source.bytes[at:])
            except OSError as error:
                raise ParamsError(f"{source.path}: byte {at} can't be read: {error.strerror}") from error
            if not got:
                raise source.error("the file", at, f"{size} bytes", f"{at}", "it shrank while it was read: try again")
            at += got
    return source
