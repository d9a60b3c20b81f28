"""MXNet's `.params` files of any age, read and written without MXNet.

The first bytes say which container a file is, not its name: MXNet 2.0 writes a ZIP under the same suffix.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable

import numpy as np

from mxgan import atomic, checks
from mxgan.errors import ParamsError
from mxgan.weights import list_file, npz_file, suspects
from mxgan.weights.raw import Contents, Source, open_regular, read_rest

HEAD = 4096  # bytes; enough to tell what a file is
ERAS = {
    "legacy": "MXNet 0.9 to 0.10",
    "V1": "MXNet 0.11",
    "V2": "MXNet 0.12 to 1.x",
    "V3": "MXNet 1.5 to 2.0, with NumPy shapes",
    "npz": "MXNet 2.0, or NumPy's savez",
    "empty": "any MXNet: there are no arrays in it",
}


@dataclass(frozen=True)
class ParamsFile:
    """What a file holds. `arrays` are read-only, under their names as stored, in the file's order."""

    path: str
    size: int  # bytes
    container: str  # one of ERAS
    era: str  # which MXNet writes that
    named: bool  # False: a list without names, its arrays are under "0", "1", ...
    arrays: dict[str, np.ndarray]
    dtypes: dict[str, str]  # as stored: "bfloat16" where the array is float32
    warnings: tuple[str, ...]  # what looks wrong but doesn't keep MXNet from reading it, and which arrays were sparse


def load_params(path: str | os.PathLike, strict: bool = False) -> dict[str, np.ndarray]:
    """The arrays of a `.params` (or `.npz`) file under their names as stored, in the file's order.

    Any shape, 0-d included; dtypes as stored, but little-endian, and bfloat16 widened to float32. They are read-only
    views of one buffer of the file's size: copy what you change. A list without names gives "0", "1", ....

    A list's row_sparse and csr arrays come dense, with a warning.

    Raises ``ParamsError`` for whatever isn't a whole, sound file, with the array, the byte offset, what was wanted and
    what was found. Bytes after the end, and a header not as MXNet writes it, which MXNet ignores, warn; with `strict`
    they are errors too.
    """
    file = _read(path, strict)
    _warn(file)
    return file.arrays


def read(path: str | os.PathLike, strict: bool = False) -> ParamsFile:
    """As `load_params`, with what else the file says: container and era, whether it has names, the dtypes as stored."""
    file = _read(path, strict)
    _warn(file)
    return file


def parse(data: bytes, path: str = "<bytes>", strict: bool = False) -> ParamsFile:
    """As `read`, from bytes in memory, which are copied. `path` is for messages. Warnings are only recorded."""
    container = _container(path, data[:HEAD], len(data))
    source = Source(path, np.frombuffer(data, np.uint8).copy())
    return _finished(container(source), source, strict)


def save_params(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `arrays` as MXNet 1.9.1's ``nd.save`` and ``save_parameters`` do, byte for byte, in the mapping's order.

    float16, 32 and 64, int8, 32 and 64, uint8 and bool, of any layout and byte order, with 1 to 32 dimensions. The file
    appears whole or not at all. Raises ``ParamsError`` for what the format can't hold, before anything is written, and
    ``MxganError`` where the file can't be written.
    """
    atomic.write(path, list_file.encode(arrays, checks.as_path("path", path)))


def _read(path: str | os.PathLike, strict: bool) -> ParamsFile:
    path = checks.as_path("path", path)
    descriptor, size = open_regular(path)
    try:
        head = os.read(descriptor, HEAD)
        container = _container(os.fspath(path), head, size)  # before a buffer of `size` is made
        source = read_rest(path, descriptor, head, size)
        return _finished(container(source), source, strict)
    except MemoryError:
        raise ParamsError(f"{os.fspath(path)}: {size} bytes and what is in them don't fit into memory") from None
    finally:
        os.close(descriptor)


def _container(path: str, head: bytes, size: int) -> Callable[[Source], Contents]:
    if head.startswith(list_file.MAGIC) and size >= list_file.HEADER:
        return list_file.parse
    if head.startswith(npz_file.MAGICS):
        return npz_file.parse
    raise ParamsError(f"{path}: {suspects.describe(head, size)}")


def _finished(contents: Contents, source: Source, strict: bool) -> ParamsFile:
    if contents.odd and strict:
        raise ParamsError(f"{source.path}: {contents.odd[0]}")
    container = contents.container or "empty"
    return ParamsFile(
        source.path,
        source.size,
        container,
        ERAS[container],
        contents.named,
        contents.arrays,
        contents.dtypes,
        tuple(contents.odd + contents.notes),
    )


def _warn(file: ParamsFile) -> None:
    for text in file.warnings:
        warnings.warn(f"{file.path}: {text}", stacklevel=3)  # the line that called `load_params` or `read`
