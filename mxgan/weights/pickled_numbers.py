"""Tensors in PyTorch's pickles: the few constructors that have a meaning, and a storage's bytes as an array."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any, Optional

import numpy as np

from mxgan.weights.pickled import Global, Known, Made, key_of
from mxgan.weights.raw import MAX_RANK

_STORAGES = {
    "Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16", "Char": "int8", "Byte": "uint8",
    "Short": "int16", "Int": "int32", "Long": "int64", "Bool": "bool", "ComplexFloat": "complex64",
    "ComplexDouble": "complex128", "Untyped": "uint8",
}  # fmt: skip
# How many bits of an 8-bit float are its fraction, its exponent's bias, and which bytes are infinite or no number
# (Micikevicius et al. 2022, arXiv:2209.05433; the fnuz kinds: Noune et al. 2022, arXiv:2206.02915).
_FLOAT8 = {
    "float8_e4m3fn": (3, 7, (), (0x7F, 0xFF)),
    "float8_e5m2": (2, 15, (0x7C, 0xFC), (0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF)),
    "float8_e4m3fnuz": (3, 8, (), (0x80,)),
    "float8_e5m2fnuz": (2, 16, (), (0x80,)),
}
_DTYPES: dict[str, np.dtype] = {
    **{name: np.dtype(name).newbyteorder("<") for name in (*_STORAGES.values(), "uint16", "uint32", "uint64")
       if name != "bfloat16"},
    "bfloat16": np.dtype("<u2"),
    **dict.fromkeys(_FLOAT8, np.dtype("u1")),
}  # fmt: skip
SPARSE = "a sparse, quantised or empty (meta) tensor; expected a dense one"


@dataclass(frozen=True)
class Storage:
    """A run of numbers in the file."""

    key: str
    dtype: str  # PyTorch's word, or the storage's class where it is none that NumPy has
    numel: int
    start: int = 0  # where a view of another storage begins, in numbers

    @classmethod
    def of(cls, key: str, kind: object, numel: object) -> Storage:
        """From a persistent id's parts. Raises ValueError where they are none."""
        if not isinstance(kind, Global) or not kind.name.endswith("Storage"):
            raise ValueError("a reference to no storage")
        return cls(key, _STORAGES.get(kind.name[: -len("Storage")], kind.name), _whole(numel))

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        if self.dtype not in _DTYPES:
            raise ValueError(f"a storage of {self.dtype}, which NumPy can't hold")
        return _DTYPES[self.dtype].itemsize

    def view(self, start: object, numel: object) -> Storage:
        """A part of it."""
        return replace(self, start=_whole(start), numel=_whole(numel))


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor that nobody has made yet."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    conjugate: bool = False
    negative: bool = False

    @property
    def place(self) -> tuple[tuple[int, ...], ...]:
        """All that decides which numbers it has."""
        return (_start(self), self.conjugate, self.negative), self.shape, self.stride


def is_unreadable(value: object) -> bool:
    """Whether this is a tensor that can't be one of numbers side by side."""
    return (
        isinstance(value, Made)
        and isinstance(value.callable, Global)
        and value.callable.module in ("torch._utils", "torch._tensor")
        and value.callable.name.startswith("_rebuild_")
    )


def measure(tensor: Tensor, there: int) -> int:
    """How many bytes its array takes, if its storage has ``there`` bytes.

    Raises ValueError where no array can have its shape or dtype, or its numbers don't lie in the storage.
    """
    if tensor.dtype not in _DTYPES:
        raise ValueError(f"a tensor of {tensor.dtype}, which NumPy can't hold")
    shape, stride, itemsize = tensor.shape, tensor.stride, _DTYPES[tensor.dtype].itemsize
    if len(shape) != len(stride) or len(shape) > MAX_RANK:
        raise ValueError(f"{len(shape)} sizes and {len(stride)} strides; at most {MAX_RANK} of each: damaged")
    count, numbers = prod(shape), there // itemsize
    if count > numbers or prod(size or 1 for size in shape) * itemsize >= 2**62:
        raise ValueError(f"shape {shape} is larger than its data; save a .contiguous() copy")
    last = _start(tensor) + sum((size - 1) * step for size, step in zip(shape, stride))
    if count and last >= numbers:
        raise ValueError(f"it reaches number {last} of the {numbers} there are: damaged; fetch it again")
    return count * (4 if tensor.dtype == "bfloat16" or tensor.dtype in _FLOAT8 else itemsize)


def materialise(tensor: Tensor, data: np.ndarray, big: bool) -> np.ndarray:
    """A measured tensor's numbers, out of its storage's bytes: a read-only array. Raises ValueError for odd bools."""
    dtype, count, start = _DTYPES[tensor.dtype], prod(tensor.shape), _start(tensor)
    numbers = data[: data.size // dtype.itemsize * dtype.itemsize].view(dtype)
    if not count:
        array = np.zeros(tensor.shape, dtype)
    elif _is_contiguous(tensor):
        array = numbers[start : start + count].reshape(tensor.shape)
    else:
        strides = [step * dtype.itemsize for step in tensor.stride]
        array = np.lib.stride_tricks.as_strided(numbers[start:], tensor.shape, strides).copy()
    return _finished(array.byteswap() if big else array, tensor)


def _start(tensor: Tensor) -> int:
    return tensor.offset + tensor.storage.start


def _finished(array: np.ndarray, tensor: Tensor) -> np.ndarray:
    if tensor.dtype == "bool" and array.size and array.view(np.uint8).max() > 1:
        raise ValueError("bools other than 0 and 1: damaged; fetch it again")
    if tensor.dtype == "bfloat16":
        array = (array.astype("<u4") << np.uint32(16)).view("<f4")
    elif tensor.dtype in _FLOAT8:
        array = _float8(tensor.dtype)[array]
    if tensor.conjugate:
        array = np.conj(array)
    if tensor.negative:
        array = -array
    array = np.asarray(array)
    array.flags.writeable = False
    return array


def _float8(name: str) -> np.ndarray:
    """The 256 numbers of an 8-bit float, as float32."""
    bits, bias, infinite, missing = _FLOAT8[name]
    code = np.arange(256)
    exponent, fraction = (code & 127) >> bits, (code & (2**bits - 1)) / 2**bits
    size = np.where(exponent > 0, np.ldexp(1 + fraction, exponent - bias), np.ldexp(fraction, 1 - bias))
    table = np.where(code > 127, -size, size).astype("<f4")
    table[list(infinite)] = [np.inf, -np.inf][: len(infinite)]
    table[list(missing)] = np.nan
    return table


def _is_contiguous(tensor: Tensor) -> bool:
    wanted = 1
    for size, step in zip(reversed(tensor.shape), reversed(tensor.stride)):
        if size > 1 and step != wanted:
            return False
        wanted *= size
    return True


def _whole(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**62:
        raise ValueError("a tensor's sizes are not whole numbers from 0")
    return value


def _wholes(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > 2 * MAX_RANK:
        raise ValueError("a tensor's sizes are not a short tuple")
    return tuple(_whole(item) for item in value)


def _tensor(args: tuple, dtype: Optional[str] = None, metadata: object = None) -> Any:
    storage, offset, shape, stride = args[:4]
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without a storage")
    said = metadata if isinstance(metadata, dict) else {}
    conjugate, negative = said.get("conj") is True, said.get("neg") is True
    return Tensor(storage, dtype or storage.dtype, _whole(offset), _wholes(shape), _wholes(stride), conjugate, negative)


def _tensor_v2(args: tuple) -> Any:
    return _tensor(args, metadata=args[6] if len(args) > 6 else None)


def _tensor_v3(args: tuple) -> Any:
    dtype = args[6]
    if not isinstance(dtype, Global):
        raise ValueError("a tensor without a dtype")
    return _tensor(args, dtype.name, args[7] if len(args) > 7 else None)


def _of_a_type(args: tuple) -> Any:
    """A tensor with attributes, or of a subclass: the tensor alone."""
    function, _, inner = args[:3]
    known = KNOWN.get((function.module, function.name)) if isinstance(function, Global) else None
    if known in (_tensor_v2, _tensor_v3) and isinstance(inner, tuple):
        return known(inner)
    return Made(function, inner)


def _dict(args: tuple) -> Any:
    """OrderedDict, defaultdict: their keys follow, or come in pairs from Python 2."""
    pairs = args[0] if args and isinstance(args[0], list) else []
    return {key_of(pair[0]): pair[1] for pair in pairs if isinstance(pair, (list, tuple)) and len(pair) == 2}


def _same(args: tuple) -> Any:
    """The first argument, of a constructor that changes its type alone."""
    return args[0] if args else []


def _object(args: tuple) -> Any:
    """An object, as protocols 0 and 1 have it: its class, its base class, and the base's value."""
    return Made(args[0], ())


KNOWN: Known = {
    ("copyreg", "_reconstructor"): _object,
    ("copy_reg", "_reconstructor"): _object,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor_v2,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_v3,
    ("torch._utils", "_rebuild_parameter"): _same,
    ("torch._utils", "_rebuild_parameter_with_state"): _same,
    ("torch._tensor", "_rebuild_from_type_v2"): _of_a_type,
    ("torch.nn.parameter", "Parameter"): _same,
    ("torch.nn.parameter", "Buffer"): _same,
    ("torch.autograd.variable", "Variable"): _same,
    ("torch", "Size"): _same,
    ("collections", "OrderedDict"): _dict,
    ("collections", "defaultdict"): _dict,
    **{(module, name): _same for module in ("builtins", "__builtin__") for name in ("set", "frozenset")},
    **{("torch.jit._pickle", f"build_{kind}list"): _same for kind in ("int", "double", "bool", "tensor")},
    ("torch.jit._pickle", "restore_type_tag"): _same,
}
