"""The container of MXNet 0.9 to 1.x, and of 2.0's ``nd.save``: a list of arrays, then a list of their names.

As ``NDArray::Save`` and ``Load`` have it (src/ndarray/ndarray.cc, read at tags 0.9.1 to 1.9.1), little-endian and
unpadded: u64 0x112, u64 reserved, u64 count, that many records, u64 count of names (0 or the same), and for each name a
u64 length and its bytes. A record by its first u32:

    legacy (to 0.10)   that u32 is the rank; u32 dimensions
    V1 (0.11)          0xF993FAC8; i32 rank, i64 dimensions
    V2 (0.12 to 1.x)   0xF993FAC9; i32 storage type, i32 rank, i64 dimensions
    V3 (NumPy shapes)  0xF993FACA; as V2, but rank 0 is a scalar where the others mean "no array"

then i32 device type, i32 device number (of the machine that saved: ignored), i32 dtype flag, and the values, row-major.

A sparse record, of V2 alone, has the shape of what is stored before its own, and after the dtype flag, for each list of
its indices, i32 dtype flag and shape; the lists follow the values. row_sparse: rows. csr: starts of rows, columns.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from mxgan.errors import ParamsError
from mxgan.weights import sparse
from mxgan.weights.raw import CUT_SHORT, DAMAGED, LITTLE, MAX_RANK, STORED, Contents, Source, measure, shown

MAGIC = b"\x12\x01\x00\x00\x00\x00\x00\x00"  # kMXAPINDArrayListMagic
HEADER = 24
RECORDS = {0xF993FAC8: "V1", 0xF993FAC9: "V2", 0xF993FACA: "V3"}
CONTAINERS = ("legacy", "V1", "V2", "V3")  # from old to new
SPARSE = {1: "row_sparse", 2: "csr"}
INDEX = tuple(name for name in STORED if "int" in name)  # what indices may be
WRITABLE = {LITTLE[name]: flag for flag, name in enumerate(STORED[:8])}  # the dtypes MXNet 1.9.1's Python knows


def parse(source: Source) -> Contents:
    """Every array of a file that begins with `MAGIC` and is at least `HEADER` bytes. Raises ``ParamsError``."""
    cursor = _Cursor(source)
    reserved, count = cursor.take("QQ", "header")
    most = (source.size - cursor.at) // 4  # no record is shorter
    if count > most:
        raise cursor.error(
            16, f"at most {most} arrays in a file of {source.size} bytes", f"a count of {count}", CUT_SHORT
        )
    cursor.count = count
    containers, stored, arrays = set(), [], []
    for cursor.index in range(count):
        container, dtype, array = _record(cursor)
        containers.add(container)
        stored.append(dtype)
        arrays.append(array)
    cursor.index = None
    names = _names(cursor, count)
    odd = []
    if reserved:
        odd.append(f"byte 8: wanted 8 bytes of 0, as MXNet writes, found {reserved:#x}: the file may be damaged")
    if cursor.at < source.size:
        odd.append(f"byte {cursor.at}: wanted the file's end, found {source.size - cursor.at} more bytes: not read")
    notes = [f"{names[index] if names else index} ({what})" for index, what in cursor.sparse.items()]
    if len(notes) > 8:
        notes[8:] = [f"and {len(notes) - 8} more"]
    return Contents(
        container=max(containers, key=CONTAINERS.index) if containers else None,
        named=bool(names),
        arrays=dict(zip(names or map(str, range(count)), arrays)),
        dtypes=dict(zip(names or map(str, range(count)), stored)),
        odd=odd,
        notes=[f"sparse in the file, read as dense: {', '.join(notes)}"] if notes else [],
    )


class _Cursor:
    """A place in the file that only moves forward, and knows which array it is in."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.at = len(MAGIC)
        self.index: int | None = None
        self.count = 0
        self.sparse: dict[int, str] = {}  # by number of the array: what was stored
        self.spread = 0  # bytes that the sparse arrays take now

    def error(self, at: int, wanted: str, found: str, fix: str = "") -> ParamsError:
        where = "the list"
        if self.index is not None:
            # The names come after all arrays: this one's can be told where the file's end is still sound.
            names = _names_at_end(self.source, self.count)
            where = f"array {self.index} ({shown(names[self.index]) if names else 'its name is unknown'})"
        return self.source.error(where, at, wanted, found, fix)

    def need(self, size: int, what: str) -> None:
        left = self.source.size - self.at
        if size > left:
            raise self.error(self.at, f"{size} bytes of {what}", f"{left}", CUT_SHORT)

    def take(self, codes: str, what: str) -> tuple[int, ...]:
        form = "<" + codes
        size = struct.calcsize(form)
        self.need(size, what)
        values = struct.unpack_from(form, self.source.bytes, self.at)
        self.at += size
        return values

    def skip(self, size: int, dtype: str, shape: tuple[int, ...]) -> int:
        """Where the `size` bytes of an array begin; goes on behind them."""
        self.need(size, f"{dtype} of shape {shape}")
        self.at += size
        return self.at - size


def _record(cursor: _Cursor) -> tuple[str, str, np.ndarray]:
    """One array: its container, its dtype as stored, and itself."""
    start = cursor.at
    (rank,) = cursor.take("I", "magic number")
    container, storage = RECORDS.get(rank, "legacy"), 0
    held: tuple[int, ...] = ()
    if container == "legacy":
        shape = _dimensions(cursor, container, start, rank)
    else:
        if container != "V1":
            storage = _storage(cursor, container)
            held = _shape(cursor, container) if storage else ()
        shape = _shape(cursor, container)
    at = cursor.at - len(shape) * (4 if container == "legacy" else 8)
    cursor.take("ii", "device")
    dtype = _dtype(cursor, STORED)
    if storage:
        return container, dtype, _sparse(cursor, storage, at, dtype, held, shape)
    size = measure(cursor.error, at, dtype, shape)
    return container, dtype, cursor.source.array(cursor.error, cursor.skip(size, dtype, shape), dtype, shape)


def _shape(cursor: _Cursor, container: str) -> tuple[int, ...]:
    at = cursor.at
    (rank,) = cursor.take("i", "rank")
    return _dimensions(cursor, container, at, rank)


def _dimensions(cursor: _Cursor, container: str, at: int, rank: int) -> tuple[int, ...]:
    """The dimensions after a rank, which was read at ``at``."""
    if rank == (-1 if container == "V3" else 0):
        raise _no_array(cursor, at)
    if not 0 <= rank <= MAX_RANK:
        if container == "legacy":
            wanted = f"a magic number (0xf993fac8, c9 or ca) or a rank up to {MAX_RANK}"
            raise cursor.error(at, wanted, f"{rank:#x}", DAMAGED)
        raise cursor.error(at, f"a rank up to {MAX_RANK}", f"{rank}", DAMAGED)
    at = cursor.at
    shape = cursor.take(f"{rank}{'I' if container == 'legacy' else 'q'}", "dimensions")
    if container == "V3" and -1 in shape:
        raise _no_array(cursor, at)
    return shape


def _dtype(cursor: _Cursor, among: Sequence[str]) -> str:
    (flag,) = cursor.take("i", "dtype")
    if not 0 <= flag < len(STORED):
        raise cursor.error(cursor.at - 4, f"a dtype flag of 0 to {len(STORED) - 1}", f"{flag}", DAMAGED)
    if STORED[flag] not in among:
        raise cursor.error(cursor.at - 4, f"one of {', '.join(among)}", STORED[flag], DAMAGED)
    return STORED[flag]


def _storage(cursor: _Cursor, container: str) -> int:
    at = cursor.at
    (storage,) = cursor.take("i", "storage type")
    if storage not in (0, *SPARSE):
        raise cursor.error(at, "a storage type of 0 (dense), 1 or 2", f"{storage}", DAMAGED)
    if storage and container == "V3":  # which MXNet neither writes nor reads
        raise cursor.error(at, "a dense array", f"a {SPARSE[storage]} one", sparse.DENSE)
    return storage


def _sparse(
    cursor: _Cursor, storage: int, at: int, dtype: str, held: tuple[int, ...], shape: tuple[int, ...]
) -> np.ndarray:
    """The rest of a sparse record, spread out: of ``shape``, though values of shape ``held`` are all that is stored."""
    lists = [(_dtype(cursor, INDEX), _shape(cursor, "V2")) for _ in range(storage)]  # row_sparse has 1, csr 2
    start = cursor.skip(measure(cursor.error, at, dtype, held), dtype, held)
    behind, indices = cursor.at, []
    for kind, counted in lists:
        size = measure(cursor.error, at, kind, counted)
        place = cursor.skip(size, kind, counted)
        # A copy, because an array in place moves back over the end of what lies before it: here that is values.
        indices.append(np.frombuffer(bytes(cursor.source.bytes[place : place + size]), LITTLE[kind]).reshape(counted))
    values = cursor.source.array(cursor.error, start, dtype, held)
    wide = 2 if dtype == "bfloat16" else 1
    wanted = wide * measure(cursor.error, at, dtype, shape)
    cursor.spread = sparse.room(cursor.error, at, wanted, cursor.spread, cursor.source.size)
    cursor.sparse[cursor.index or 0] = f"{SPARSE[storage]}, {held[0]} {'rows' if storage == 1 else 'values'} stored"
    if storage == 1:
        return sparse.row_sparse(cursor.error, behind, values, indices[0], shape)
    return sparse.csr(cursor.error, behind, values, indices[0], indices[1], shape)


def _no_array(cursor: _Cursor, at: int) -> ParamsError:
    fix = "it was saved before it had a shape, or the file is damaged"
    return cursor.error(at, "an array", "MXNet's mark for none", fix)


def _names(cursor: _Cursor, count: int) -> list[str]:
    """The names, or none for a list without."""
    at = cursor.at
    (named,) = cursor.take("Q", "count of names")
    if named not in (0, count):
        raise cursor.error(at, f"as many names as arrays, {count}, or none", f"{named}", DAMAGED)
    places: dict[str, int] = {}
    for index in range(named):
        at = cursor.at
        where = f"the name of array {index}"
        (length,) = cursor.take("Q", where)
        cursor.need(length, where)
        data = bytes(cursor.source.bytes[cursor.at : cursor.at + length])
        cursor.at += length
        fail = partial(cursor.source.error, f"the name of array {index}")
        try:
            name = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise fail(at + 8 + error.start, "UTF-8", shown(data), DAMAGED) from None
        if "\0" in name:
            raise fail(at + 8 + data.index(0), "no NUL, where MXNet would cut it", shown(name), DAMAGED)
        if name in places:
            raise fail(at + 8, "one of its own", f"{shown(name)}, which array {places[name]} has", DAMAGED)
        places[name] = index
    return list(places)


def _names_at_end(source: Source, count: int) -> list[str] | None:
    """The names where they should be: a count, then so many that the last ends with the file. For messages alone."""
    tail = bytes(source.bytes[max(HEADER, source.size - 2**20) :])
    mark, end = struct.pack("<Q", count), len(tail)
    for _ in range(16):  # the mark may occur inside names too, and this must end
        start = tail.rfind(mark, 0, end)
        if start < 0:
            return None
        names: list[str] = []
        at = start + 8
        while len(names) < count and at + 8 <= len(tail):
            (length,) = struct.unpack_from("<Q", tail, at)
            names.append(tail[at + 8 : at + 8 + length].decode("utf-8", "backslashreplace"))
            at += 8 + length
        if at == len(tail) and len(names) == count:
            return names
        end = start + 7
    return None


def encode(arrays: Mapping[str, np.ndarray], path: str) -> Iterator[bytes | memoryview]:
    """A V2 list, byte for byte as MXNet 1.9.1 writes it, in pieces. Checks everything before it gives the first one."""
    if not isinstance(arrays, Mapping):
        raise ParamsError(f"{path}: wanted a dict of names and arrays to save, found {type(arrays).__name__}")
    names, heads = [], []
    for index, (name, array) in enumerate(arrays.items()):
        names.append(_encoded_name(f"{path}: array {index}", name))
        heads.append(_head(f"{path}: array {index} ({shown(name)})", array))
    return _pieces(names, heads, list(arrays.values()))


def _encoded_name(where: str, name: str) -> bytes:
    if not isinstance(name, str):
        raise ParamsError(f"{where}: wanted a str for its name, found {name!r}")
    if "\0" in name:
        raise ParamsError(f"{where}: its name {shown(name)} holds a NUL, where MXNet would cut it: rename it")
    try:
        return name.encode("utf-8")
    except UnicodeEncodeError:
        raise ParamsError(f"{where}: its name {shown(name)} can't be written as UTF-8: rename it") from None


def _head(where: str, array: np.ndarray) -> bytes:
    if not isinstance(array, np.ndarray):
        raise ParamsError(f"{where}: wanted a NumPy array, found {type(array).__name__}: convert it with np.asarray")
    flag = WRITABLE.get(array.dtype.newbyteorder("<"))
    if flag is None:
        known = ", ".join(STORED[: len(WRITABLE)])
        raise ParamsError(f"{where}: MXNet 1.9.1 can't hold {array.dtype}, only {known}: convert it with astype")
    if array.ndim == 0:
        raise ParamsError(f"{where}: MXNet 1.9.1's format can't hold a 0-d array: reshape it to (1,), or save as .npz")
    if array.ndim > MAX_RANK:
        raise ParamsError(f"{where}: wanted at most {MAX_RANK} dimensions, found {array.ndim}: reshape it")
    # Storage type dense; then the device, number 0 of type 1: a CPU.
    return struct.pack(f"<Iii{array.ndim}qiii", 0xF993FAC9, 0, array.ndim, *array.shape, 1, 0, flag)


def _pieces(names: list[bytes], heads: list[bytes], arrays: list[np.ndarray]) -> Iterator[bytes | memoryview]:
    yield MAGIC + struct.pack("<QQ", 0, len(arrays))
    for head, array in zip(heads, arrays):
        yield head
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))  # copies only what isn't so already
        yield plain.reshape(-1).view(np.uint8).data
    yield struct.pack("<Q", len(names)) + b"".join(struct.pack("<Q", len(name)) + name for name in names)
