"""TorchScript's operations on plain values: numbers, lists, and tensors that the file itself holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from mxgan.architecture.torchscript_source import Failed

LARGEST = 2**62  # of a whole number
LONGEST = 4096  # items of a list
MOST_NUMBERS = 2**24  # in an array that the program computes before it begins


class Batch:
    """How many pictures are made at once. It passes through a program and is never known."""


BATCH = Batch()


@dataclass(frozen=True, eq=False)
class Held:
    """A tensor of the file: a parameter, a buffer, a constant, or what was computed of them."""

    array: np.ndarray
    name: str  # in the file; "" where it was computed


def is_number(value: Any) -> bool:
    """Whether this is a number, or a truth value."""
    return isinstance(value, (int, float))


def as_number(value: Any) -> Any:
    """A tensor of one number as that number; everything else as it is."""
    if isinstance(value, Held) and value.array.ndim == 0:
        return bounded(value.array.item())
    return value


def bounded(value: Any) -> Any:
    """A number that isn't larger than PyTorch's."""
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise Failed("it computes whole numbers beyond 64 bits")
    if not is_number(value):
        raise Failed("it computes with numbers that are complex")
    return value


def _two(rule: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def operation(one: Any, other: Any) -> Any:
        one, other = as_number(one), as_number(other)
        if not is_number(one) or not is_number(other):
            raise Failed("it computes with the batch's size, or with something else than numbers")
        return bounded(rule(one, other))

    return operation


def _one(rule: Callable[[Any], Any]) -> Callable[..., Any]:
    def operation(value: Any, *_: Any) -> Any:
        value = as_number(value)
        if isinstance(value, Batch):
            return value
        if not is_number(value):
            raise Failed("it makes a number of something else")
        return bounded(rule(value))

    return operation


def _equal(one: Any, other: Any) -> bool:
    one, other = as_number(one), as_number(other)
    plain = (int, float, str, type(None))
    if not isinstance(one, plain) or not isinstance(other, plain):
        raise Failed("it compares the batch's size, or lists")
    return bool(one == other)


def _contains(items: Any, value: Any) -> bool:
    if not isinstance(items, (list, tuple)) or len(items) > LONGEST:
        raise Failed("it looks for something in no list, or in a long one")
    return any(_equal(item, value) for item in items)


def _counted(count: Any, more: Any, alpha: Any = 1) -> Any:
    """A counter of the file's, num_batches_tracked, moved on. No picture depends on it."""
    if not isinstance(count, Held) or count.array.ndim or count.array.dtype.kind not in "iu":
        raise Failed("it changes its own tensors while it runs")
    return bounded(as_number(count) + as_number(more) * as_number(alpha))


def _length(value: Any) -> int:
    if not isinstance(value, (list, tuple, str)):
        raise Failed("it takes the length of no list")
    return len(value)


def _append(items: Any, value: Any) -> Any:
    if not isinstance(items, list) or len(items) >= LONGEST:
        raise Failed(f"it appends to no list, or to one of {LONGEST}")
    items.append(value)
    return items


def _slice(items: Any, start: Any = None, stop: Any = None, step: Any = 1) -> Any:
    places = (None if place is None else bounded(place) for place in (start, stop, step))
    if not isinstance(items, (list, tuple)) or len(items) > LONGEST:
        raise Failed("it cuts something else than a list, or a long one")
    return list(items)[slice(*places)]


def _item(items: Any, place: Any) -> Any:
    if not isinstance(items, (list, tuple)) or not isinstance(place, int) or not -len(items) <= place < len(items):
        raise Failed("it takes an item that isn't there")
    return items[place]


def _range(*numbers: Any) -> range:
    if not all(isinstance(number, int) for number in numbers) or not 1 <= len(numbers) <= 3 or 0 in numbers[2:]:
        raise Failed("it loops over something else than whole numbers")
    return range(*numbers)


def _refuse(message: Any = "", *_: Any) -> None:
    said = f" ({message[:200]})" if isinstance(message, str) and message else ""
    raise Failed(f"it raises an error{said}")


PLAIN: dict[str, Callable[..., Any]] = {
    "torch.add": _two(lambda a, b: a + b),
    "torch.add_": _counted,
    "torch.sub": _two(lambda a, b: a - b),
    "torch.mul": _two(lambda a, b: a * b),
    "torch.div": _two(lambda a, b: a / b),
    "torch.floordiv": _two(lambda a, b: a // b),
    "torch.floor_divide": _two(lambda a, b: a // b),
    "torch.remainder": _two(lambda a, b: a % b),
    "torch.neg": _one(lambda a: -a),
    "torch.floor": _one(math.floor),
    "torch.ceil": _one(math.ceil),
    "torch.lt": _two(lambda a, b: a < b),
    "torch.le": _two(lambda a, b: a <= b),
    "torch.gt": _two(lambda a, b: a > b),
    "torch.ge": _two(lambda a, b: a >= b),
    "torch.eq": _equal,
    "torch.ne": lambda a, b: not _equal(a, b),
    "torch.__is__": lambda a, b: a is b,
    "torch.__isnot__": lambda a, b: a is not b,
    "torch.__not__": _one(lambda a: not a),
    "torch.__and__": _two(lambda a, b: bool(a) and bool(b)),
    "torch.__or__": _two(lambda a, b: bool(a) or bool(b)),
    "torch.__contains__": _contains,
    "torch.__getitem__": _item,
    "torch.__range_length": lambda start, stop, step: len(_range(start, stop, step)),
    "torch.__derive_index": lambda index, start, step: bounded(
        bounded(start) + bounded(bounded(index) * bounded(step))
    ),
    "torch.len": _length,
    "torch.append": _append,
    "torch.slice": _slice,
    "torch.list": lambda items: _slice(items),
    "torch.format": lambda *_: "",
    "torch.warn": lambda *_, **named: None,
    "warnings.warn": lambda *_, **named: None,
    "print": lambda *_: None,
    "range": _range,
    "int": _one(int),
    "float": _one(float),
    "bool": _one(bool),
    "annotate": lambda kind, value: value,
    "unchecked_cast": lambda kind, value: value,
    "uninitialized": lambda kind: None,
    "ops.prim.NumToTensor": lambda value: value,
    "ops.prim.RaiseException": _refuse,
    "ops.prim.min": lambda *items: min(map(bounded, items)),
    "ops.prim.max": lambda *items: max(map(bounded, items)),
    "torch.scalar_tensor": lambda value, **named: value,
    "torch.ScalarImplicit": as_number,
    "torch.IntImplicit": as_number,
    "torch.FloatImplicit": as_number,
    "torch.Int": as_number,
}


def _sized(array: np.ndarray) -> Held:
    if array.size > MOST_NUMBERS:
        raise Failed(f"it computes an array of {array.shape} before it begins")
    return Held(array, "")


def _norm_weight(direction: np.ndarray, size: np.ndarray, dim: int = 0) -> np.ndarray:
    axes = tuple(axis for axis in range(direction.ndim) if axis != dim % max(direction.ndim, 1))
    return direction * (size / np.sqrt((direction**2).sum(axis=axes, keepdims=True)))


def _flat(array: np.ndarray, start: int = 0, end: int = -1) -> np.ndarray:
    first, last = range(array.ndim)[start], range(array.ndim)[end]
    return array.reshape(*array.shape[:first], -1, *array.shape[last + 1 :])


_ARRAYS: dict[str, Callable[..., Any]] = {
    "torch.reshape": lambda array, shape: array.reshape(shape),
    "torch.view": lambda array, shape: array.reshape(shape),
    "torch.flatten": _flat,
    "torch.permute": lambda array, axes: array.transpose(axes),
    "torch.t": lambda array: array.T,
    "torch.numpy_T": lambda array: array.T,
    "torch.transpose": lambda array, one, other: np.swapaxes(array, one, other),
    "torch.mv": lambda matrix, vector: matrix @ vector,
    "torch.dot": lambda one, other: one @ other,
    "torch.vdot": lambda one, other: one @ other,
    "torch.mul": lambda one, other: one * other,
    "torch.div": lambda one, other: one / other,
    "torch._weight_norm": _norm_weight,
    "torch._weight_norm_interface": lambda v, g, dim=0: (_norm_weight(v, g, dim), g),
}
_MOVES = (
    "torch.reshape",
    "torch.view",
    "torch.flatten",
    "torch.permute",
    "torch.t",
    "torch.numpy_T",
    "torch.transpose",
)


def fold(name: str, args: list) -> Optional[Any]:
    """What an operation on the file's own tensors gives, in float64; None for one that isn't known."""
    rule = _ARRAYS.get(name)
    if rule is None:
        return None
    arrays = [arg.array for arg in args if isinstance(arg, Held)]
    if sum(array.size for array in arrays) > MOST_NUMBERS:
        raise Failed("it computes with large arrays before it begins")
    moved = name in _MOVES
    plain = [(arg.array if moved else arg.array.astype("f8")) if isinstance(arg, Held) else arg for arg in args]
    try:
        if name in ("torch.mul", "torch.div") and np.broadcast(*plain).size > MOST_NUMBERS:
            raise Failed("it computes large arrays before it begins")
        with np.errstate(all="ignore"):
            found = rule(*plain)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise Failed(f"{name} of the file's own tensors: {error}") from error
    if isinstance(found, tuple):
        return tuple(_sized(np.asarray(array)) for array in found)
    return _sized(np.asarray(found))
