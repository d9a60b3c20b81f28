"""MXNet's record files, ``.rec`` with or without ``.idx``, as a source; and written. Neither needs MXNet.

A file is chunks on 4-byte boundaries: a magic number, a 32-bit word (3 bits say which part of a record this is, 29 how
many bytes), the bytes, zeros up to the boundary. Where the bytes themselves have the magic number on a boundary, the
writer leaves it out and begins another part there, so every magic number on a boundary begins a chunk: that is how
reading goes on after damage. https://mxnet.apache.org/versions/1.9.1/api/architecture/note_data_loading

A record of a picture begins with mx.recordio.IRHeader: flag, label, id, id2. A flag above 0 is the number of labels
that follow. Labels are passed over.
"""

from __future__ import annotations

import math
import os
import struct
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, Optional

import cv2
import numpy as np

from mxgan.errors import MxganError
from mxgan.faces.members import Member, Members, Opened
from mxgan.faces.pictures import MAX_BYTES, MIN_SIDE, Unreadable, printable

MAGIC = struct.pack("<I", 0xCED7230A)
WHOLE, FIRST, MIDDLE, LAST = range(4)  # which part of a record a chunk is
HEADER = struct.Struct("<IfQQ")  # IRHeader
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"BM", b"GIF8")  # how picture files begin; what doesn't may be pixels
SEARCHED = 1 << 20  # bytes that are searched at a time for the next record after damage
MOST_PARTS = 10_000  # of a record: each stands for a magic number among its bytes
LINE = 64  # bytes of a line of an .idx, at most


class Records:
    """An open .rec: its chunks, by the byte at which they begin. Safe to read from several threads."""

    def __init__(self, file: BinaryIO) -> None:
        self.descriptor = file.fileno()
        self.size = os.fstat(self.descriptor).st_size

    def chunk(self, at: int) -> Optional[tuple[int, int, int]]:
        """(part, where its bytes begin, how many), or None where no whole chunk begins."""
        head = os.pread(self.descriptor, 8, min(at, self.size))
        if len(head) < 8 or not head.startswith(MAGIC):
            return None
        (word,) = struct.unpack_from("<I", head, 4)
        part, length = word >> 29, word & (1 << 29) - 1
        return (part, at + 8, length) if part <= LAST and at + 8 + length <= self.size else None

    def pieces(self, at: int) -> Optional[list[tuple[int, int]]]:
        """Where the bytes of the record at ``at`` are: (begin, length) of its parts; None if it is damaged."""
        found, wanted = [], (WHOLE, FIRST)
        while True:
            chunk = self.chunk(at)
            if chunk is None or chunk[0] not in wanted:
                return None
            part, begin, length = chunk
            found.append((begin, length))
            if part in (WHOLE, LAST):
                return found
            if len(found) == MOST_PARTS:
                return None
            at, wanted = after(begin, length), (MIDDLE, LAST)

    def end(self, at: int) -> Optional[int]:
        """Where the record that begins at ``at`` ends; None if it is damaged."""
        pieces = self.pieces(at)
        return None if pieces is None else after(*pieces[-1])

    def read(self, at: int) -> bytes:
        """The record that begins at ``at``. Raises `Unreadable`."""
        pieces = self.pieces(at)
        if pieces is None:
            raise Unreadable(f"byte {at}", f"is damaged: no whole record begins at byte {at}")
        size = sum(length for _, length in pieces)
        if size > MAX_BYTES:
            raise Unreadable(f"byte {at}", f"is too large: {size} bytes, at most {MAX_BYTES}")
        parts = [os.pread(self.descriptor, length, begin) for begin, length in pieces]
        if any(next(boundaries(part), None) is not None for part in parts):
            raise Unreadable(f"byte {at}", "is damaged: another record begins within it")
        return MAGIC.join(parts)

    def next_after(self, at: int) -> int:
        """Where the first whole record after byte ``at`` begins, or the file's end."""
        at += 4 - at % 4
        while at < self.size:
            data = os.pread(self.descriptor, SEARCHED + 4, at)
            for found in boundaries(data):
                if self.end(at + found) is not None:
                    return at + found
            at += SEARCHED
        return self.size


def after(begin: int, length: int) -> int:
    """Where the chunk after one of these bytes begins."""
    return begin + -(-length // 4) * 4


def boundaries(data: bytes) -> Iterator[int]:
    """Where ``data`` has the magic number on a 4-byte boundary."""
    found = data.find(MAGIC)
    while found >= 0:
        if found % 4 == 0:
            yield found
        found = data.find(MAGIC, found + 1)


@contextmanager
def members(path: str, shown: str) -> Iterator[Members]:
    """The records of a .rec, in the order of its .idx if it has one, or else of the file.

    Raises MxganError for a file that is none, and for an .idx that isn't this file's.
    """
    with open(path, "rb") as file:
        records = Records(file)
        if os.pread(records.descriptor, 4, 0) != MAGIC:
            raise MxganError(
                f"{shown}: no RecordIO file, though it is named like one: its first bytes say something else"
            )
        index = index_of(path)
        places = _scanned(records) if index is None else _indexed(records, index, shown)
        yield Members(len(places), (Member(f"record {i}", partial(_open, records, at)) for i, at in enumerate(places)))


def index_of(path: str) -> Optional[str]:
    """The .idx beside a .rec, if there is one."""
    index = os.path.splitext(path)[0] + ".idx"
    return index if os.path.isfile(index) else None


def _scanned(records: Records) -> array:
    """Where records begin, and where damage does: as good as one, and found out when it is read."""
    places, at = array("Q"), 0
    while at < records.size:
        places.append(at)
        end = records.end(at)
        if end is None or (end < records.size and records.chunk(end) is None):
            following = records.next_after(at)
            if end is not None and following > end:  # this record is whole: the damage is after it
                places.append(end)
            end = following
        at = end
    return places


def _indexed(records: Records, index: str, shown: str) -> array:
    places, sound, last = array("Q"), 0, 0
    for at in _offsets(index, records.size):
        places.append(at)
        if records.chunk(at) is not None:
            sound += 1
            last = max(last, at)
    shown_index = printable(index)
    if not places:
        raise MxganError(f"{shown_index}: an index without records: delete it, and {shown} is read without one")
    if sound * 2 < len(places):
        raise MxganError(
            f"{shown_index}: not the index of {shown}: at {len(places) - sound} of its {len(places)} offsets no record "
            f"begins; delete it, and {shown} is read without one"
        )
    end = records.end(last)
    if sound == len(places) and end is not None and end < records.size:
        raise MxganError(
            f"{shown_index}: not the index of {shown}, which goes on after the last of its {len(places)} records; "
            f"delete it, and {shown} is read without one"
        )
    return places


def _offsets(index: str, size: int) -> Iterator[int]:
    """The offsets in lines of ``key TAB offset``; at most as many as there can be records in ``size`` bytes."""
    with open(index, "rb") as file:
        number = 0
        while line := file.readline(LINE):
            number += 1
            key, tab, offset = line.strip().partition(b"\t")
            if not (key and tab and offset.isdigit()) or number > size // 8:
                raise MxganError(
                    f"{printable(index)}: line {number} is none of an index (key, tab, offset): delete the file, and "
                    "the .rec is read without it"
                )
            yield min(int(offset), size)


def _open(records: Records, at: int) -> Opened:
    record = records.read(at)
    if len(record) < HEADER.size:
        raise Unreadable(f"byte {at}", f"holds no picture: {len(record)} bytes, {HEADER.size} are its header alone")
    labels = HEADER.unpack_from(record)[0]
    begin = HEADER.size + 4 * labels
    if begin > len(record):
        raise Unreadable(f"byte {at}", f"holds no picture: {labels} labels are more than its {len(record)} bytes")
    data = record[begin:]
    side = math.isqrt(len(data) // 3)
    if not data.startswith(PICTURES) and side >= MIN_SIDE and len(data) == 3 * side * side:
        return np.frombuffer(data, np.uint8).reshape(side, side, 3)
    return data


def write(rec: BinaryIO, index: BinaryIO, images: Iterable[np.ndarray]) -> None:
    """Write uint8 (H, W, 3) RGB images as records that ``mx.image.ImageIter`` reads: PNG, label 0, ids from 0 on."""
    at = 0
    for i, image in enumerate(images):
        _, png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        record = _chunks(HEADER.pack(0, 0, i, 0) + png.tobytes())
        rec.write(record)
        index.write(b"%d\t%d\n" % (i, at))
        at += len(record)


def _chunks(data: bytes) -> bytes:
    """A record as one chunk, or as several where it has the magic number on a boundary."""
    cuts = list(boundaries(data))
    begins, ends = [0, *(cut + 4 for cut in cuts)], [*cuts, len(data)]
    parts = [WHOLE] if not cuts else [FIRST, *[MIDDLE] * (len(cuts) - 1), LAST]
    return b"".join(
        MAGIC + struct.pack("<I", part << 29 | end - begin) + data[begin:end] + bytes(-(end - begin) % 4)
        for part, begin, end in zip(parts, begins, ends)
    )
