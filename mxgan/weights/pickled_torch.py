"""Files of ``torch.save`` and ``torch.jit.save``: their pickle as inert values, their storages as arrays.

Two containers (torch/serialization.py): since PyTorch 1.6 a ZIP with ``data.pkl`` and a record ``data/<key>`` for each
storage, never compressed; before, pickles one after another, and the storages' bytes behind them. Every offset and size
is checked with Python's integers before a byte is read or allocated.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Optional

import numpy as np

from mxgan.errors import ParamsError
from mxgan.weights import pickled, pickled_numbers
from mxgan.weights.names import printable
from mxgan.weights.pickled_numbers import KNOWN, Storage, Tensor
from mxgan.weights.raw import open_regular

LEGACY_MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."  # torch.save before 1.6: a pickled number
LEGACY_NUMBER = 0x1950A86A20F9469CFC6C  # that number
TAR_STARTS = (b"sys_info\0", b"pickle\0", b"storages\0", b"tensors\0")  # torch.save of 2016: a tar of these
LARGEST_CODE = 2**20  # bytes of one file of TorchScript code, unpacked
LAYOUT = "mxgan.json"  # a record beside data.pkl: the network, as mxgan.graph.layout describes it
LONGEST_LAYOUT = 2**20  # bytes
MOST_TIMES = 16  # all arrays together may be this many times the file ...
MOST_ALWAYS = 2**20  # ... or these bytes


def add_layout(file: BinaryIO, text: str) -> None:
    """Put a layout into a file that torch.save has written, open for reading and writing."""
    with zipfile.ZipFile(file, "a") as archive:
        (root,) = (name[: -len("data.pkl")] for name in archive.namelist() if name.endswith("/data.pkl"))
        archive.writestr(zipfile.ZipInfo(f"{root}{LAYOUT}", (1980, 1, 1, 0, 0, 0)), text)  # the same bytes every time


def recognises(path: str | os.PathLike, head: bytes) -> bool:
    """Whether PyTorch wrote this file, by its first 64 bytes and, of a ZIP, its members."""
    if head.startswith((LEGACY_MAGIC, *TAR_STARTS)):
        return True
    if not head.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except _ZIP_FAULTS:
        return False


_ZIP_FAULTS = (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, struct.error, IndexError, OverflowError)


class TorchFile:
    """An open file. ``value`` is what its pickle holds, with `Tensor` for tensors; `array` reads one of them."""

    container: str  # "zip" (PyTorch 1.6 and newer) | "legacy"
    script = False  # TorchScript?
    layout: Optional[str] = None  # of `add_layout`
    big = False  # are numbers big-endian?

    def __init__(self, where: str, file: io.BufferedReader, size: int) -> None:
        self.where = where
        self.file = file
        self.size = size
        self.left = max(MOST_TIMES * size, MOST_ALWAYS)  # bytes of arrays that may still be made
        self.storages: dict[str, np.ndarray] = {}
        self.arrays: dict[tuple, np.ndarray] = {}
        self.value: Any = None

    def array(self, tensor: Tensor, name: str) -> np.ndarray:
        """The tensor as a read-only array of its own dtype; bfloat16 and 8-bit floats as float32."""
        try:
            data = self.bytes_of(tensor.storage)
            self.left -= pickled_numbers.measure(tensor, data.size)
            if self.left < 0:
                raise ValueError(f"with it, tensors are more than {MOST_TIMES} times the file's bytes")
            key = (tensor.storage.key, tensor.dtype, *tensor.place)
            if key not in self.arrays:
                self.arrays[key] = pickled_numbers.materialise(tensor, data, self.big)
            return self.arrays[key]
        except ValueError as error:
            raise ParamsError(printable(f"{self.where}: {name}: {error}")) from error

    def bytes_of(self, storage: Storage) -> np.ndarray:
        """A storage's bytes, read once."""
        if storage.key not in self.storages:
            self.storages[storage.key] = self._read_storage(storage)
        return self.storages[storage.key]

    def _read_storage(self, storage: Storage) -> np.ndarray:
        raise NotImplementedError

    def unpickle(self, file: BinaryIO, persistent: Optional[Callable[[Any], Any]]) -> Any:
        try:
            return pickled.load(file, KNOWN, persistent)
        except ValueError as error:
            why = (str(error).strip().splitlines() or [""])[0][:200]
            raise ParamsError(printable(f"{self.where}: damaged or cut short ({why}); fetch it again")) from error

    def read_at(self, start: int, size: int) -> np.ndarray:
        if start < 0 or size < 0 or start + size > self.size:
            raise ParamsError(f"{self.where}: damaged or cut short: {size} bytes at byte {start}; fetch it again")
        data = np.empty(size, np.uint8)
        self.file.seek(start)
        if self.file.readinto(data.data) != size:
            raise ParamsError(f"{self.where}: it shrank while it was read; try again")
        return data


class ZipFile(TorchFile):
    """The container of PyTorch 1.6 and newer, and of TorchScript."""

    container = "zip"

    def __init__(self, where: str, file: io.BufferedReader, size: int) -> None:
        super().__init__(where, file, size)
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
        except _ZIP_FAULTS as error:
            raise ParamsError(printable(f"{where}: not a file of torch.save: {error}; fetch it again")) from error
        self.members = {member.filename: member for member in members}
        roots = [name[: -len("data.pkl")] for name in self.members if name.endswith("/data.pkl")]
        if len(roots) != 1 or len(self.members) < len(members):
            raise ParamsError(f"{where}: a ZIP with {len(roots)} data.pkl, or members of one name; fetch it again")
        (self.root,) = roots
        self.script = f"{self.root}constants.pkl" in self.members
        self._check()
        order = f"{self.root}byteorder"
        self.big = order in self.members and self.record(order).tobytes() == b"big"
        self.value = self.unpickle(io.BytesIO(self.record(f"{self.root}data.pkl").tobytes()), self._persistent("data"))
        said = self.members.get(f"{self.root}{LAYOUT}")
        if said is not None and said.file_size <= LONGEST_LAYOUT:
            self.layout = self.record(said.filename).tobytes().decode("utf-8", errors="replace")

    def constants(self) -> Any:
        """The value of a TorchScript archive's ``constants.pkl``."""
        data = self.record(f"{self.root}constants.pkl").tobytes()
        return self.unpickle(io.BytesIO(data), self._persistent("constants"))

    def code(self) -> dict[str, str]:
        """A TorchScript archive's source, by the dotted name of its module: "__torch__.torch.nn.modules.conv"."""
        found, start = {}, f"{self.root}code/"
        for name in self.members:
            if name.startswith(start) and name.endswith(".py"):
                try:
                    text = self.record(name).tobytes().decode("utf-8")
                except UnicodeDecodeError as error:
                    raise ParamsError(printable(f"{self.where}: {name}: no UTF-8 text; fetch it again")) from error
                found[name[len(start) : -len(".py")].replace("/", ".")] = text
        return found

    def _check(self) -> None:
        """Refuse what torch.save wouldn't have written: bombs, and records that lie over each other."""
        total, code = 0, 0
        for name, member in self.members.items():
            inside = name[len(self.root) :]
            if self.script and inside.startswith(("code/", "extra/")):
                code += member.file_size if name.endswith(".py") else 0
            elif member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
                raise ParamsError(
                    printable(f"{self.where}: {name!r} is compressed, which torch.save never does; fetch it again")
                )
            else:
                total += member.file_size
        if total > self.size or code > 4 * LARGEST_CODE:
            raise ParamsError(f"{self.where}: its members hold more than the file's bytes; fetch it again")

    def record(self, name: str) -> np.ndarray:
        """A member's bytes, unpacked if they are code, against its checksum where it has one."""
        member = self.members[name]
        header = bytes(self.read_at(member.header_offset, 30))
        if header[:4] != b"PK\x03\x04" or member.flag_bits & 1:
            raise ParamsError(printable(f"{self.where}: {name!r} has no sound header; fetch it again"))
        start = member.header_offset + 30 + sum(struct.unpack("<2H", header[26:]))
        data = self.read_at(start, member.compress_size)
        if member.compress_type != zipfile.ZIP_STORED:
            data = self._unpacked(name, data, member)
        crc = zlib.crc32(data.data)
        if member.CRC not in (0, crc):  # 0: torch.serialization.set_crc32_options(False)
            raise ParamsError(printable(f"{self.where}: {name!r} doesn't have its checksum: damaged; fetch it again"))
        return data

    def _unpacked(self, name: str, packed: np.ndarray, member: zipfile.ZipInfo) -> np.ndarray:
        try:
            if member.compress_type != zipfile.ZIP_DEFLATED or member.file_size > LARGEST_CODE:
                raise zlib.error(f"{member.file_size} bytes, or not deflated")
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed.data, member.file_size + 1)
            if len(data) != member.file_size:
                raise zlib.error("another size than it says")
        except zlib.error as error:
            raise ParamsError(printable(f"{self.where}: {name!r} can't be unpacked: {error}")) from error
        return np.frombuffer(data, np.uint8)

    def _persistent(self, folder: str) -> Callable[[Any], Any]:
        def persistent(pid: Any) -> Any:
            word, kind, key, _, numel = pid
            if word != "storage" or not isinstance(key, str):
                raise ValueError("a reference to no storage")
            return Storage.of(f"{folder}/{key}", kind, numel)

        return persistent

    def _read_storage(self, storage: Storage) -> np.ndarray:
        name = f"{self.root}{storage.key}"
        if name not in self.members:
            raise ValueError("its bytes aren't in the file: an empty (meta) tensor; expected a dense one")
        return self.record(name)


class LegacyFile(TorchFile):
    """The container before PyTorch 1.6, and of ``_use_new_zipfile_serialization=False``. Always little-endian."""

    container = "legacy"

    def __init__(self, where: str, file: io.BufferedReader, size: int) -> None:
        super().__init__(where, file, size)
        self.roots: dict[Any, Storage] = {}
        if self.unpickle(file, None) != LEGACY_NUMBER:
            raise ParamsError(f"{where}: damaged; fetch it again")
        for _ in ("protocol", "system"):
            self.unpickle(file, None)
        self.value = self.unpickle(file, self._persistent)
        self.places = self._places(self.unpickle(file, None))

    def _persistent(self, pid: Any) -> Any:
        if pid[0] == "module":  # a class, with its source
            return pid[1]
        word, kind, key, _, numel, view = pid
        if word != "storage" or not isinstance(key, str):
            raise ValueError("a reference to no storage")
        root = self.roots.setdefault(key, Storage.of(key, kind, numel))
        return root if view is None else root.view(view[1], view[2])

    def _places(self, keys: Any) -> dict[str, tuple[int, int]]:
        """Where each storage's bytes begin, and how many there are."""
        found, at = {}, self.file.tell()
        for key in keys if isinstance(keys, list) else ():
            if key not in self.roots or key in found:
                raise ParamsError(f"{self.where}: damaged: a storage that nothing uses; fetch it again")
            numel = int.from_bytes(bytes(self.read_at(at, 8)), "little")
            try:
                size = numel * self.roots[key].itemsize
            except ValueError as error:
                raise ParamsError(printable(f"{self.where}: {error}")) from error
            found[key] = (at + 8, size)
            at += 8 + size
        return found

    def _read_storage(self, storage: Storage) -> np.ndarray:
        if storage.key not in self.places:
            raise ValueError("its bytes aren't in the file")
        return self.read_at(*self.places[storage.key])


@contextmanager
def opened(path: str | os.PathLike) -> Iterator[TorchFile]:
    """The file, unpickled, for a ``with`` block. Raises ParamsError where it is missing, damaged or something else."""
    where = os.fspath(path)
    descriptor, size = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        head = file.read(64)
        if head.startswith(TAR_STARTS):
            raise ParamsError(
                f"{where}: a tar archive of PyTorch 0.1, which isn't read: "
                "load it in PyTorch and torch.save(net.state_dict(), ...)"
            )
        file.seek(0)
        kind = LegacyFile if head.startswith(LEGACY_MAGIC) else ZipFile
        try:
            yield kind(where, file, size)
        except MemoryError as error:
            raise ParamsError(f"{where}: {size} bytes and what is in them don't fit into memory") from error
        except OSError as error:
            raise ParamsError(f"{where}: can't be read: {error.strerror}") from error
