"""Files of containers that no release at hand writes, byte by byte from their description, for tests and fuzzing."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np

DTYPES = (
    "float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool",
    "int16", "uint16", "uint32", "uint64", "bfloat16",
)  # fmt: skip
FLAGS = {name: flag for flag, name in enumerate(DTYPES)}
CONTAINERS = ("legacy", "V1", "V2", "V3")
MAGIC = {"V1": 0xF993FAC8, "V2": 0xF993FAC9, "V3": 0xF993FACA}


def record(array: np.ndarray, container: str = "V2", flag: int | None = None) -> bytes:
    """One array as `container`, one of CONTAINERS, has it; `flag` to call its bytes another dtype."""
    flag = FLAGS[array.dtype.name] if flag is None else flag
    head, rank, code = b"", array.ndim, "I" if container == "legacy" else "q"
    if container != "legacy":
        head += struct.pack("<I", MAGIC[container])
    if container in ("V2", "V3"):
        head += struct.pack("<i", 0)
    head += struct.pack(f"<I{rank}{code}", rank, *array.shape)
    return head + struct.pack("<iii", 2, 7, flag) + array.astype(array.dtype.newbyteorder("<")).tobytes()


def sparse(shape: tuple[int, ...], values: np.ndarray, *indices: np.ndarray) -> bytes:
    """A V2 record: row_sparse with one list of indices, the rows; csr with two, the starts of rows and the columns."""

    def dims(some: tuple[int, ...]) -> bytes:
        return struct.pack(f"<i{len(some)}q", len(some), *some)

    head = struct.pack("<Ii", MAGIC["V2"], len(indices)) + dims(values.shape) + dims(shape)
    head += struct.pack("<iii", 1, 0, FLAGS[values.dtype.name])
    head += b"".join(struct.pack("<i", FLAGS[some.dtype.name]) + dims(some.shape) for some in indices)
    return head + values.tobytes() + b"".join(some.tobytes() for some in indices)


def names(*texts: str | bytes) -> bytes:
    """The end of a file: the count of names, and the names."""
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    return struct.pack("<Q", len(raw)) + b"".join(struct.pack("<Q", len(name)) + name for name in raw)


def header(count: int, reserved: int = 0) -> bytes:
    return struct.pack("<QQQ", 0x112, reserved, count)


def listed(arrays: dict[str, np.ndarray], container: str = "V2") -> bytes:
    """A whole file."""
    records = b"".join(record(array, container) for array in arrays.values())
    return header(len(arrays)) + records + names(*arrays)


def small() -> dict[str, np.ndarray]:
    """A handful of arrays of several dtypes, one of them empty."""
    return {
        "0.weight": np.arange(12, dtype=np.float32).reshape(2, 3, 2) / 7,
        "1.gamma": np.arange(3, dtype=np.float64) / 3,
        "odd": np.arange(5, dtype=np.uint8),
        "half": np.arange(3, dtype=np.float16),
        "none": np.zeros((0, 3), np.int64),
    }


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.ones(3))
    return file.getvalue()


def object_npy(thing) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([thing], object), allow_pickle=True)
    return file.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def all_same(some: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> bool:
    return list(some) == list(others) and all(same(some[name], others[name]) for name in some)
