"""An .onnx file's bytes as a checked model, and its arrays. Nothing in it is run, and no other file is opened.

The format is that of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), in protobuf's wire format.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from mxgan.errors import MissingPackage, ParamsError
from mxgan.weights.names import printable
from mxgan.weights.raw import MAX_RANK, open_regular, read_rest

MOST_BYTES = 2**31 - 1  # protobuf's own limit
MOST_STRUCTURE = 2**22  # bytes that aren't an array's numbers. Parsed, they take up to 75 times as much memory.
MOST_FIELDS = 100_000  # of the messages that hold nodes and arrays
# Where arrays lie in a model: message -> {field number: message inside}
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor"},
}
_NUMBERS = (4, 5, 9, 10)  # of a tensor: float_data, int32_data, raw_data, double_data
DTYPES = {  # TensorProto.DataType -> the dtype, and the field that holds it where raw_data doesn't
    1: ("float32", "float_data"), 2: ("uint8", "int32_data"), 3: ("int8", "int32_data"), 4: ("uint16", "int32_data"),
    5: ("int16", "int32_data"), 6: ("int32", "int32_data"), 7: ("int64", "int64_data"), 9: ("bool", "int32_data"),
    10: ("float16", "int32_data"), 11: ("float64", "double_data"), 12: ("uint32", "uint64_data"),
    13: ("uint64", "uint64_data"), 16: ("bfloat16", "int32_data"),
}  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A model as protobuf gives it, and what it says of itself."""

    where: str  # the file, for messages
    data: bytes
    proto: Any  # onnx.ModelProto
    opset: int  # of the standard operators
    writer: str  # "pytorch 2.1.0"


@dataclass(frozen=True)
class Contents:
    """The arrays of a model by name, in the file's order, and their dtypes as stored: bfloat16 is float32 here."""

    arrays: dict[str, np.ndarray]
    dtypes: dict[str, str]
    writer: str
    opset: int


def load(path: str | os.PathLike) -> Model:
    """The model in a file. Raises ParamsError for a file that is missing, damaged, too large or something else.

    Raises MissingPackage without onnx.
    """
    where = os.fspath(path)
    descriptor, size = open_regular(path)
    try:
        if size > MOST_BYTES:
            raise ParamsError(f"{where}: {size:,} bytes; an ONNX model has less than 2 GiB")
        data = read_rest(path, descriptor, b"", size).data.tobytes()
    finally:
        os.close(descriptor)
    return parse(data, where)


def parse(data: bytes, where: str) -> Model:
    """What `load` does, with the bytes already read."""
    try:
        import onnx
    except ImportError as error:
        raise MissingPackage("reading .onnx needs onnx", "onnx") from error
    try:
        structure = len(data) - _bulk(memoryview(data), "model", [MOST_FIELDS])
        if structure > MOST_STRUCTURE:
            raise ParamsError(f"{where}: {structure:,} bytes beside its arrays; at most {MOST_STRUCTURE:,} are read")
        proto = onnx.ModelProto()
        proto.ParseFromString(data)
        if not proto.HasField("graph") or not proto.graph.node:
            raise ValueError("it holds no nodes")
        opset = max((item.version for item in proto.opset_import if item.domain in ("", "ai.onnx")), default=1)
        writer = printable(f"{text(proto.producer_name)} {text(proto.producer_version)}".strip()[:100])
    except ParamsError:
        raise
    except Exception as error:  # protobuf's errors are of a class of their own
        raise ParamsError(f"{where}: not a sound ONNX model: {printable(str(error)[:200])}; fetch it again") from error
    return Model(where, data, proto, opset, writer)


def contents(path: str | os.PathLike) -> Contents:
    """The initializers by name, and the constants that nodes hold, if they are floats, by the nodes' outputs.

    Raises ParamsError where `load` does, for a dtype that NumPy lacks, and for arrays in another file.
    """
    model = load(path)
    arrays, dtypes = {}, {}
    for name, tensor in _tensors(model):
        if name in arrays:
            raise ParamsError(f"{model.where}: there are two arrays {printable(name[:80])!r}; fetch it again")
        arrays[name] = array_of(tensor, model.where)
        dtypes[name] = DTYPES[tensor.data_type][0]
    return Contents(arrays, dtypes, model.writer, model.opset)


def _tensors(model: Model) -> Iterator[tuple[str, Any]]:
    try:
        for tensor in model.proto.graph.initializer:
            yield text(tensor.name), tensor
        for node in model.proto.graph.node:
            if node.op_type == "Constant" and not node.domain and len(node.output) == 1:
                held = [item.t for item in node.attribute if item.name == "value" and item.HasField("t")]
                if len(held) == 1 and held[0].data_type in (1, 10, 11, 16) and prod(held[0].dims) > 1:
                    yield text(node.output[0]), held[0]
    except UnicodeError as error:
        raise ParamsError(f"{model.where}: a name that is not UTF-8; fetch it again") from error


def text(value: Any) -> str:
    """A text field. Raises UnicodeError for what is no UTF-8, which protobuf gives as bytes or raises itself."""
    if not isinstance(value, str):
        raise UnicodeError(f"{value!r} is not UTF-8")
    return value


def array_of(tensor: Any, where: str) -> np.ndarray:
    """A TensorProto's numbers, read-only; bfloat16 widened to float32. Sizes are compared before anything is made."""
    name = printable(text(tensor.name)[:80]) or "a constant"
    if tensor.data_location == 1 or tensor.external_data:
        raise ParamsError(
            f"{where}: {name}: its numbers lie in another file, which is never opened; with both files, "
            "onnx.save(onnx.load(path), path) makes one of them"
        )
    if tensor.data_type not in DTYPES:
        raise ParamsError(f"{where}: {name}: data type {tensor.data_type}; floats, integers and bool can be read")
    dtype, field = DTYPES[tensor.data_type]
    shape = tuple(tensor.dims)
    if len(shape) > MAX_RANK or min(shape, default=0) < 0 or prod(n or 1 for n in shape) >= 2**62:
        raise ParamsError(f"{where}: {name}: shape {shape[:MAX_RANK]}; fetch it again")
    stored = np.dtype("<u2" if dtype == "bfloat16" else dtype).newbyteorder("<")
    count = prod(shape)
    raw = tensor.raw_data
    found = len(raw) // stored.itemsize if raw else len(getattr(tensor, field))
    if found != count or (raw and len(raw) != count * stored.itemsize):
        raise ParamsError(f"{where}: {name}: {found} numbers for shape {shape}; the file is damaged: fetch it again")
    array = np.frombuffer(raw, stored) if raw else _typed(getattr(tensor, field), dtype, stored)
    if dtype == "bfloat16":
        array = (array.astype("<u4") << np.uint32(16)).view("<f4")
    elif dtype == "bool" and raw and (np.frombuffer(raw, np.uint8) > 1).any():
        raise ParamsError(f"{where}: {name}: bools of other bytes than 0 and 1; the file is damaged: fetch it again")
    array = array.reshape(shape)
    array.flags.writeable = False
    return array


def _typed(field: Any, dtype: str, stored: np.dtype) -> np.ndarray:
    """Numbers out of a protobuf field; 16-bit floats are kept as the bits of an integer."""
    if dtype in ("float32", "float64"):
        return np.fromiter(field, stored, len(field))
    wide = np.fromiter(field, np.uint64 if dtype.startswith("uint") and dtype != "uint8" else np.int64, len(field))
    return wide.astype("<u2").view("<f2") if dtype == "float16" else wide.astype(stored)


def _bulk(data: memoryview, message: str, left: list[int]) -> int:
    """How many bytes of a message are arrays' numbers. Raises ValueError where it isn't protobuf or has many parts."""
    total = 0
    inside = _INSIDE.get(message, {})
    for number, part in _parts(data, left):
        if message == "tensor" and number in _NUMBERS:
            total += len(part)
        elif number in inside:
            total += _bulk(part, inside[number], left)
    return total


def _parts(data: memoryview, left: list[int]) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message that have a length, with their numbers."""
    at, end = 0, len(data)
    while at < end:
        left[0] -= 1
        if left[0] < 0:
            raise ValueError(f"more than {MOST_FIELDS} parts")
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 2:
            size, at = _varint(data, at)
            if size > end - at:
                raise ValueError(f"cut short: {size} bytes wanted where {end - at} are left")
            yield key >> 3, data[at : at + size]
            at += size
        elif kind in _SKIP:
            at = _SKIP[kind](data, at)
        else:
            raise ValueError(f"not in protobuf's wire format (type {kind})")
    if at > end:
        raise ValueError("cut short")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number in 1 to 10 bytes of 7 bits, and where it ends."""
    value = 0
    for place in range(min(10, len(data) - at)):
        byte = data[at + place]
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            return value, at + place + 1
    raise ValueError("cut short in a number")


_SKIP: dict[int, Callable[[memoryview, int], int]] = {
    0: lambda data, at: _varint(data, at)[1],
    1: lambda data, at: at + 8,
    5: lambda data, at: at + 4,
}
