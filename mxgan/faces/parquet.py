"""Parquet files with a column of pictures as a source, as Hugging Face's datasets have them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Optional

from mxgan.errors import MissingPackage, MxganError
from mxgan.faces import spool
from mxgan.faces.members import Member, Members
from mxgan.faces.pictures import MAX_BYTES, Unreadable, cause

SUFFIX = ".parquet"
USUAL = ("image", "img", "face", "picture", "photo")  # names of the column, where several hold bytes
ROWS = 16  # read at once
BUFFER = 1 << 20  # bytes of a column that are read ahead


@contextmanager
def members(folder: str, names: Sequence[str], shown: str) -> Iterator[Members]:
    """The pictures in these files of a folder, row by row.

    Raises ImportError without pyarrow, and MxganError for files that are no Parquet, have no pictures, or are bombs.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:  # one that is there may still want another NumPy
        why = "" if isinstance(error, ModuleNotFoundError) else f" ({error})"
        raise MissingPackage(f"{shown}: reading Parquet needs pyarrow{why}", "parquet") from error
    with ExitStack() as stack:
        files = []
        for name in names:
            path = os.path.join(folder, name)
            where = shown if len(names) == 1 else f"{shown}: {name}"
            try:
                file = stack.enter_context(parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False))
            except (ValueError, OSError) as error:  # pyarrow's errors are these
                raise MxganError(f"{where}: not a whole Parquet file ({cause(error)}): fetch it again") from None
            column = _column(file, where)
            _check(file, column, where, os.path.getsize(path))
            files.append((name, file, column))
        count = sum(file.metadata.num_rows for _, file, _ in files)
        if not count:
            raise MxganError(f"{shown}: no row in it")
        yield Members(count, _each(files), in_hand=True)


def _column(file: Any, where: str) -> str:
    """The column with the pictures: their bytes, or a struct that has them, as Hugging Face's feature Image does."""
    fitting = [field.name for field in file.schema_arrow if _holds_bytes(field.type)]
    chosen = fitting if len(fitting) == 1 else [name for name in USUAL if name in fitting][:1]
    if not chosen:
        there = ", ".join(field.name for field in file.schema_arrow) or "none"
        many = (
            f"{len(fitting)} columns of bytes and none is called {' or '.join(USUAL)}" if fitting else "no such column"
        )
        raise MxganError(f"{where}: a column with the bytes of pictures is wanted; there is {many} (columns: {there})")
    return chosen[0]


def _holds_bytes(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(part.name == "bytes" and _holds_bytes(part.type) for part in kind)
    return types.is_binary(kind) or types.is_large_binary(kind)


def _check(file: Any, column: str, where: str, size: int) -> None:
    """Refuse a file whose pages unpack to far more than it has: pyarrow would make room for them."""
    meta = file.metadata
    for group in range(meta.num_row_groups):
        row_group = meta.row_group(group)
        for part in range(meta.num_columns):
            chunk = row_group.column(part)
            if chunk.path_in_schema.split(".")[0] == column:
                spool.check_bomb(where, min(size, max(1, chunk.total_compressed_size)), chunk.total_uncompressed_size)


def _each(files: list[tuple[str, Any, str]]) -> Iterator[Member]:
    for name, file, column in files:
        row = 0
        for group in range(file.num_row_groups):
            after = row + file.metadata.row_group(group).num_rows
            try:
                for batch in file.iter_batches(ROWS, [group], [column], use_threads=False):
                    for value in batch.column(0):
                        yield Member(f"{name} row {row}", partial(_bytes, f"{name} row {row}", _picture(value)))
                        row += 1
            except (ValueError, OSError) as error:  # of a damaged page: what follows it in its group can't be found
                for lost in range(row, after):
                    yield Member(f"{name} row {lost}", partial(_damaged, f"{name} row {lost}", cause(error)))
            row = after


def _picture(value: Any) -> Optional[bytes]:
    """The bytes of one value; None where it has none."""
    if hasattr(value, "keys") and value.is_valid:
        value = value["bytes"]
    return value.as_buffer().to_pybytes() if value.is_valid else None


def _bytes(name: str, data: Optional[bytes]) -> bytes:
    if data is None:
        raise Unreadable(name, "holds no picture's bytes")
    if len(data) > MAX_BYTES:
        raise Unreadable(name, f"is too large: {len(data)} bytes, at most {MAX_BYTES}")
    return data


def _damaged(name: str, why: str) -> bytes:
    raise Unreadable(name, f"is in a damaged part of the file ({why})")
