"""Arrays of pictures as sources: .npy, and .npz with one such array. Values and layout are taken where they are clear.

(N, H, W, 3), (N, 3, H, W), and grey as (N, H, W), (N, H, W, 1) or (N, 1, H, W). Numbers from 0 to 255, floats also from
0 to 1 and from -1 to 1. Colours are RGB.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, Optional

import numpy as np

from mxgan.config import SIZES
from mxgan.errors import MxganError
from mxgan.faces import spool
from mxgan.faces.members import Member, Members
from mxgan.faces.misfit import WANTED, layout, misfit
from mxgan.faces.pictures import Unreadable, cause, printable

NPY = b"\x93NUMPY"
SLACK = 1e-3  # by which floats may leave their range: rounding
LOCAL = 30  # bytes of a ZIP member's own header, less its name
IN_MEMORY = 1 << 24  # bytes that are looked at at once


class _Header(NamedTuple):
    """Of a .npy: what it holds, and where that begins."""

    dtype: np.dtype
    shape: tuple[int, ...]
    fortran: bool
    begin: int


@contextmanager
def npy_members(path: str, shown: str) -> Iterator[Members]:
    """The pictures in a .npy. Raises MxganError for arrays of something else."""
    with open(path, "rb") as file:
        try:
            header = _header(file)
            why = misfit(header.shape, header.dtype)
            if why:
                raise MxganError(f"{shown}: has {header.dtype} {header.shape}, {WANTED} is wanted: {why}")
            array = _mapped(file, header, 0, os.path.getsize(path) - header.begin)
        except (ValueError, EOFError) as error:
            if isinstance(error, MxganError):
                raise
            why = f"a .npy that is damaged or cut off ({cause(error)})"
            raise MxganError(f"{shown}: {why}: write it again with numpy.save") from error
        yield _members(array, shown)


@contextmanager
def npz_members(path: str, shown: str, cache: Path) -> Iterator[Members]:
    """The pictures in the one array of a .npz that holds some. Raises MxganError where there isn't just one.

    A compressed array is unpacked into a temporary file in ``cache`` first.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(zipfile.ZipFile(path))
            found = {info.filename: (info, _header_of(file, info)) for info in file.infolist()}
            fitting = [name for name, (_, header) in found.items() if header and not misfit(header.shape, header.dtype)]
            if len(fitting) != 1:
                raise MxganError(f"{shown}: {_choose(fitting, found)}")
            info, header = found[fitting[0]]
            assert header is not None  # it would not fit
            array = _of_zip(stack, file, info, header, shown, cache)
        except (
            zipfile.BadZipFile,
            ValueError,
            EOFError,
            zlib.error,
            struct.error,
            NotImplementedError,
            RuntimeError,
        ) as error:
            if isinstance(error, MxganError):
                raise
            raise MxganError(f"{shown}: a damaged .npz ({cause(error)}): write it again with numpy.savez") from error
        yield _members(array, shown)


def is_packed(path: str) -> bool:
    """Whether a .npy is what `mxgan faces pack` writes: uint8 (N, S, S, 3), and S a size that is trained at."""
    if not os.path.isfile(path):  # opening a pipe would wait for ever
        return False
    try:
        with open(path, "rb") as file:
            header = _header(file)
    except (OSError, ValueError, EOFError):
        return False
    return header.dtype == np.uint8 and len(header.shape) == 4 and header.shape[1:] in [(s, s, 3) for s in SIZES]


def _choose(fitting: list[str], found: dict[str, Any]) -> str:
    if fitting:
        return f"{len(fitting)} arrays hold pictures ({', '.join(map(_array_name, fitting[:5]))}): save the one alone"
    shapes = ", ".join(
        f"{_array_name(name)} {one[1].shape if one[1] else '?'}" for name, one in list(found.items())[:5]
    )
    return f"no array of pictures in it: {WANTED} is wanted, there is {shapes or 'none'}"


def _array_name(name: str) -> str:
    return printable(name.removesuffix(".npy"))


def _header(file: Any) -> _Header:
    """What a .npy says of itself; objects, which would be run, are refused by `_layout`. Raises ValueError."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the format")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    return _Header(dtype, shape, fortran, file.tell())


def _header_of(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Optional[_Header]:
    if not info.filename.endswith(".npy") or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return None
    with file.open(info) as member:
        return _header(member)


def _of_zip(
    stack: ExitStack, file: zipfile.ZipFile, info: zipfile.ZipInfo, header: _Header, shown: str, cache: Path
) -> np.ndarray:
    assert file.fp is not None and file.filename is not None
    if info.compress_type == zipfile.ZIP_STORED:
        plain = stack.enter_context(open(file.filename, "rb"))  # noqa: SIM115
        local = os.pread(plain.fileno(), LOCAL, info.header_offset)
        begin = info.header_offset + LOCAL + sum(struct.unpack_from("<2H", local, 26))
        return _mapped(plain, header, begin, info.file_size - header.begin)
    spool.check_bomb(shown, info.compress_size, info.file_size)
    member = stack.enter_context(file.open(info))
    whole = stack.enter_context(spool.unpacked(member.read, shown, info.compress_size, cache))
    return _mapped(whole, header, 0, info.file_size - header.begin)


def _mapped(file: BinaryIO, header: _Header, before: int, there: int) -> np.ndarray:
    """The array as a memory map; ``before``: where the .npy begins in the file, ``there``: how many bytes it has."""
    size = int(np.prod(header.shape, dtype=object)) * header.dtype.itemsize
    if size > there:
        raise ValueError(f"{there} bytes of {size}")
    order: Literal["F", "C"] = "F" if header.fortran else "C"
    return np.memmap(file, header.dtype, "r", before + header.begin, header.shape, order)


def _members(array: np.ndarray, shown: str) -> Members:
    axes = layout(array.shape)
    scale, shift = _meaning(array, shown)

    def pixels(i: int) -> np.ndarray:
        image = np.asarray(array[i])
        if axes == "NCHW":
            image = image.transpose(1, 2, 0)
        image = image.reshape(*image.shape[:2], -1)
        if image.dtype != np.uint8:
            if not np.isfinite(image).all():
                raise Unreadable(f"image {i}", "has values that are NaN or infinite")
            image = np.clip(np.rint(image.astype(np.float64) * scale + shift), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))

    return Members(len(array), (Member(f"image {i}", partial(pixels, i)) for i in range(len(array))))


def _meaning(array: np.ndarray, shown: str) -> tuple[float, float]:
    """(scale, shift) to 0..255. Raises MxganError where the range of values says nothing clear."""
    if array.dtype == np.uint8:
        return 1, 0
    low, high = _range(array)
    if low >= 0 and high <= 255 and (array.dtype.kind in "ui" or high > 1 + SLACK):
        return 1, 0
    if array.dtype.kind == "f" and high <= 1 + SLACK and low >= -1 - SLACK:
        return (255, 0) if low >= 0 else (127.5, 127.5)
    raise MxganError(
        f"{shown}: {array.dtype} from {low:g} to {high:g} is not a clear brightness: bring it to 0..255, 0..1 or -1..1"
    )


def _range(array: np.ndarray) -> tuple[float, float]:
    """The least and the greatest finite value; (0, 0) if there is none."""
    step = max(1, IN_MEMORY // max(1, array[0].nbytes))
    low, high = np.inf, -np.inf
    for first in range(0, len(array), step):
        part = array[first : first + step]
        finite = part[np.isfinite(part)] if part.dtype.kind == "f" else part
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 0.0)
