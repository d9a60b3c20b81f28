"""The container of MXNet 2.0's ``save_parameters`` and of ``np.savez``: a ZIP of `.npy` members.

Read in place, with offsets and sizes from the ZIP's directory (APPNOTE 6.3.x), each checked before it is followed, so
that stored members cost no copy; deflated ones (``np.savez_compressed``) are unpacked within a bound. Nothing is ever
extracted, and no name is ever a path.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from functools import partial

import numpy as np

from mxgan.errors import ParamsError
from mxgan.weights.raw import CUT_SHORT, DAMAGED, READABLE, STORED, Contents, Fail, Source, measure, shown

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # a ZIP with members, and one without
MOST_TIMES = 16  # weights hardly compress, a bomb does: what is unpacked may be this many times the file ...
MOST_ALWAYS = 2**20  # ... or these bytes
MOST_HEADER = 10_000  # bytes of an .npy header, as in NumPy
LOCAL, ENTRY, END, END64, LOCATOR64 = 30, 46, 22, 56, 20  # bytes, less names and such
STORE, DEFLATE = 0, 8
DESCR = {np.dtype(name).str[1:]: name for name in STORED[:-1]}  # f4: float32
BFLOAT16 = "[('bfloat16', '<u2')]"  # as MXNet 2.0 writes it
# An .npy header is a dict literal of three keys in any order; reading it by pattern evaluates nothing.
_VALUE = r"'[^']*'|\[[^\]]*\]|True|False|\((?:\d{1,19}(?:, ?\d{1,19})*,? ?)?\)"
_PAIR = re.compile(rf"'(descr|fortran_order|shape)' ?: ?({_VALUE})")
_DICT = re.compile(rf"\{{ ?(?:'\w+' ?: ?(?:{_VALUE}),? ?){{3}}\}} *\n?")


@dataclass(frozen=True)
class _Entry:
    """A member, as the directory has it."""

    raw: bytes  # its name
    name: str
    flags: int
    method: int
    crc: int
    packed: int  # bytes in the file
    size: int  # bytes unpacked
    local: int  # where its own header begins

    @property
    def array(self) -> str:
        return self.name[: -len(".npy")]


def parse(source: Source) -> Contents:
    """Every array of a file that begins with one of `MAGICS`. Raises ``ParamsError``."""
    entries, directory, odd = _directory(source)
    _check_names(source, entries)
    bound = max(MOST_TIMES * source.size, MOST_ALWAYS)
    unpacked = sum(entry.size for entry in entries if entry.method)
    if unpacked > bound:
        wanted = f"at most {bound} bytes to unpack from a file of {source.size}"
        raise source.error("the ZIP", directory, wanted, f"{unpacked}", "a ZIP bomb? real weights save with np.savez")
    found, free = {}, 0
    for index, entry in sorted(enumerate(entries), key=lambda pair: pair[1].local):
        fail = partial(source.error, f"array {index} ({shown(entry.array)})")
        start = _values_start(source, entry, free, directory, fail)
        free = start + entry.packed
        found[entry.array] = _array(source, entry, start, fail)
    arrays = {entry.array: found[entry.array][1] for entry in entries}
    return Contents("npz", True, arrays, {name: found[name][0] for name in arrays}, odd)


def _directory(source: Source) -> tuple[list[_Entry], int, list[str]]:
    """The members in the directory's order, where the directory begins, and what is odd about its end."""
    fail = partial(source.error, "the ZIP")
    first = max(0, source.size - END - 0xFFFF)
    end = bytes(source.bytes[first:]).rfind(MAGICS[1]) + first
    if end < first or end + END > source.size:
        raise fail(source.size, "a directory before the file's end", "none", CUT_SHORT)
    _, _, _, _, count, size, start, comment = struct.unpack_from("<4s4H2LH", source.bytes, end)
    stop = end
    if end >= LOCATOR64:  # PyTorch writes a ZIP64 end even where it isn't needed
        mark, _, place, _ = struct.unpack_from("<4sLQL", source.bytes, end - LOCATOR64)
        if mark == b"PK\x06\x07":
            if place + END64 > end:
                raise fail(end - LOCATOR64, "a ZIP64 directory end before this", f"byte {place}", DAMAGED)
            mark, *_, count, size, start = struct.unpack_from("<4sQ2H2L4Q", source.bytes, place)
            if mark != b"PK\x06\x06":
                raise fail(place, "a ZIP64 directory end", mark.hex(" "), DAMAGED)
            stop = place
    if start + size != stop or count * ENTRY > size:
        raise fail(end, f"a directory that ends at byte {stop}", f"{count} members in {size} bytes at {start}", DAMAGED)
    odd, rest = [], source.size - end - END - comment
    if rest < 0:
        raise fail(source.size, f"{comment} bytes of comment", f"{comment + rest}", CUT_SHORT)
    if rest:
        odd.append(f"byte {source.size - rest}: wanted the file's end, found {rest} more bytes: not read")
    entries, at = [], start
    for _ in range(count):
        entry, at = _entry(source, at, stop, fail)
        entries.append(entry)
    if at != stop:
        raise fail(at, "the directory's end", f"{stop - at} more bytes", DAMAGED)
    return entries, start, odd


def _entry(source: Source, at: int, stop: int, fail: Fail) -> tuple[_Entry, int]:
    """The directory's entry at byte `at`, and where the next one is."""
    mark, texts = b"", [0, 0, 0]
    if at + ENTRY <= stop:
        mark, _, _, flags, method, _, _, crc, packed, size, *texts, _, _, _, local = struct.unpack_from(
            "<4s6H3L5H2L", source.bytes, at
        )
    following = at + ENTRY + sum(texts)
    if mark != b"PK\x01\x02" or following > stop:
        raise fail(at, "a directory entry", mark.hex(" ") or f"{stop - at} bytes", DAMAGED)
    raw = bytes(source.bytes[at + ENTRY : at + ENTRY + texts[0]])
    try:
        name = raw.decode("utf-8" if flags & 0x800 else "cp437")
    except UnicodeDecodeError:
        raise fail(at + ENTRY, "a member's name in UTF-8", shown(raw)) from None
    extra = bytes(source.bytes[at + ENTRY + texts[0] : following - texts[2]])
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1:  # ZIP64: the sizes that don't fit above, in this order
            count = len(extra[4 : 4 + length]) // 8
            large = list(struct.unpack_from(f"<{count}Q", extra, 4))
            size, packed, local = (
                large.pop(0) if value == 0xFFFFFFFF and large else value for value in (size, packed, local)
            )
            break
        extra = extra[4 + length :]
    return _Entry(raw, name, flags, method, crc, packed, size, local), following


def _check_names(source: Source, entries: list[_Entry]) -> None:
    members: dict[str, int] = {}
    if any(entry.name.split("/")[-1] == "data.pkl" for entry in entries):
        raise ParamsError(f"{source.path}: this is a PyTorch file, {READABLE}")
    for index, entry in enumerate(entries):
        fail = partial(source.error, f"array {index} ({shown(entry.name)})", entry.local)
        parts = entry.name.split("/")
        if not entry.name.endswith(".npy"):
            raise fail("a ZIP of .npy members", shown(entry.name), "if weights are inside, unpack them first")
        if parts[-1] == "format.npy" and len(parts) > 1:
            what = f"{shown('/'.join(parts[:-1]))}, a row_sparse or csr one"
            raise fail("a dense array", what, "make it dense in MXNet, with tostype('default'), and save again")
        if "\0" in entry.name or "\\" in entry.name or not parts[0] or ".." in parts:
            raise fail("an array's name", f"{shown(entry.name)}, which is a path or holds a NUL", DAMAGED)
        if entry.name in members:
            raise fail("a name of its own", f"that of array {members[entry.name]}", DAMAGED)
        members[entry.name] = index


def _values_start(source: Source, entry: _Entry, free: int, directory: int, fail: Fail) -> int:
    """Where a member's bytes begin, once it is one that can be read and lies where no other does."""
    if entry.flags & 0x41:
        raise fail(entry.local, "a member without a password", "an encrypted one", "save it without")
    if entry.method not in (STORE, DEFLATE):
        raise fail(entry.local, "a member stored or deflated", f"method {entry.method}", "save it with np.savez")
    if entry.method == STORE and entry.packed != entry.size:
        raise fail(entry.local, f"{entry.size} bytes stored", f"{entry.packed}", DAMAGED)
    if not free <= entry.local <= directory - LOCAL:
        raise fail(entry.local, f"a member at bytes {free} to {directory - LOCAL}", "one that overlaps", DAMAGED)
    mark, *_, name, extra = struct.unpack_from("<4s5H3L2H", source.bytes, entry.local)
    start = entry.local + LOCAL + name + extra
    if mark != MAGICS[0] or bytes(source.bytes[entry.local + LOCAL :][:name]) != entry.raw:
        raise fail(entry.local, f"the header of {shown(entry.name)}", "another", DAMAGED)
    if start + entry.packed > directory:
        raise fail(start, f"{entry.packed} bytes of {shown(entry.name)}", f"{directory - start}", DAMAGED)
    return start


def _array(source: Source, entry: _Entry, start: int, fail: Fail) -> tuple[str, np.ndarray]:
    """A member's dtype as stored, and its array."""
    if entry.method == DEFLATE:
        source, start = Source(source.path, _unpack(source.bytes[start : start + entry.packed], entry, start, fail)), 0
    end = start + entry.size
    crc = zlib.crc32(source.bytes[start:end])
    if crc != entry.crc:
        raise fail(start, f"bytes whose CRC-32 is {entry.crc:#010x}", f"{crc:#010x}", DAMAGED)
    dtype, shape, fortran, big, values = _npy_header(source.bytes[start:end], start, fail)
    size = measure(fail, start, dtype, shape)
    if values + size != end:
        raise fail(values, f"{size} bytes of {dtype} of shape {shape}", f"{end - values}", DAMAGED)
    return dtype, source.array(fail, values, dtype, shape, fortran, big)


def _unpack(packed: memoryview, entry: _Entry, start: int, fail: Fail) -> np.ndarray:
    data, at, unpacker = np.empty(entry.size, np.uint8), 0, zlib.decompressobj(-zlib.MAX_WBITS)
    step = 2**14  # bytes of input, which at most a thousandfold of output comes from
    try:
        for begin in range(0, len(packed), step):
            piece = unpacker.decompress(packed[begin : begin + step], entry.size - at + 1)
            if len(piece) > entry.size - at:
                raise fail(start, f"{entry.size} bytes when unpacked", "more", DAMAGED)
            data[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
            at += len(piece)
            if unpacker.eof:
                break
    except zlib.error as error:
        raise fail(start, "deflated bytes", f"{error}", DAMAGED) from None
    if at < entry.size or not unpacker.eof:
        raise fail(start, f"{entry.size} bytes when unpacked", f"{at}", DAMAGED)
    return data


def _npy_header(npy: memoryview, at: int, fail: Fail) -> tuple[str, tuple[int, ...], bool, bool, int]:
    """Of an .npy (numpy.lib.format): dtype, shape, Fortran order?, big-endian?, and where its values begin."""
    version, size = bytes(npy[6:8]), 0
    begin = 10 if version == b"\1\0" else 12
    if len(npy) >= begin:
        size = int.from_bytes(npy[8:begin], "little")
    if bytes(npy[:6]) != b"\x93NUMPY" or version not in (b"\1\0", b"\2\0", b"\3\0") or len(npy) < begin:
        raise fail(at, "an .npy of version 1 to 3", bytes(npy[:8]).hex(" ") or "nothing", DAMAGED)
    if size > min(MOST_HEADER, len(npy) - begin):
        raise fail(at + 8, f"at most {min(MOST_HEADER, len(npy) - begin)} bytes of .npy header", f"{size}", DAMAGED)
    text = bytes(npy[begin : begin + size]).decode("latin-1")
    header = dict(_PAIR.findall(text)) if _DICT.fullmatch(text) else {}
    descr, order, shape = (header.get(key, "") for key in ("descr", "fortran_order", "shape"))
    if order not in ("True", "False") or not shape.startswith("(") or not descr.startswith(("'", "[")):
        raise fail(at + begin, "an .npy header's descr, fortran_order and shape", shown(text.strip()), DAMAGED)
    dtype = "bfloat16" if descr == BFLOAT16 else DESCR.get(descr[2:-1], "")
    if not dtype or (descr != BFLOAT16 and descr[1] not in "<>|"):
        fix = "Python objects are pickles, which are never loaded" if "O" in descr else "save it as float32"
        raise fail(at + begin, "bools, integers or floats of up to 8 bytes", "dtype " + shown(descr.strip("'")), fix)
    dims = tuple(int(dim) for dim in re.findall(r"\d+", shape))
    return dtype, dims, order == "True", descr[1] == ">", at + begin + size
