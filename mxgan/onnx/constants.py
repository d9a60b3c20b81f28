"""Nodes whose inputs are all constants, computed in NumPy: torch's reshapes to computed shapes, spectral norms.

Every size is compared with a budget before it is allocated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Optional

import numpy as np

from mxgan.graph.reading import NoGraph
from mxgan.onnx.node import Op, axes_of

Array = np.ndarray
FLOATS = {1: "float32", 10: "float16", 11: "float64", 16: "float32"}  # ONNX's numbers of dtypes
INTEGERS = {2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 12: "uint32", 13: "uint64"}


class Budget:
    """How many numbers may still be computed; 8 bytes each at most."""

    def __init__(self, numbers: int) -> None:
        self.left = numbers

    def spend(self, numbers: int) -> None:
        """Raises NoGraph once it is used up."""
        self.left -= numbers
        if self.left < 0:
            raise NoGraph("constants that are too large to compute")


def fold(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Optional[Array]:
    """What the node gives; None for an operator that isn't computed here."""
    rule = _RULES.get(op.kind)
    with np.errstate(all="ignore"):
        if op.kind in _BINARY:
            a, b = _present(inputs, 2)
            budget.spend(prod(np.broadcast_shapes(a.shape, b.shape)))
            return np.asarray(_BINARY[op.kind](a, b))
        if op.kind in _UNARY:
            (a,) = _present(inputs, 1)
            budget.spend(a.size)
            return np.asarray(_UNARY[op.kind](a)).astype(a.dtype, copy=False)
        return None if rule is None else np.asarray(rule(op, inputs, budget))


def _present(inputs: Sequence[Optional[Array]], count: int) -> list[Array]:
    found = [item for item in inputs[:count] if item is not None]
    if len(found) != count:
        raise ValueError(f"{count} inputs wanted")
    return found


def cast(array: Array, to: int) -> Array:
    """The array in another dtype. A float that is only widened stays as it is: its numbers are the same."""
    kind = FLOATS.get(to) or INTEGERS.get(to) or {9: "bool"}.get(to)
    if kind is None:
        raise NoGraph(f"a cast to data type {to}")
    wider = array.dtype.kind == "f" and to in FLOATS and np.dtype(kind).itemsize >= array.dtype.itemsize
    return array if wider else array.astype(kind)


def _divide(a: Array, b: Array) -> Array:
    if a.dtype.kind == "f":
        return a / b
    return (np.sign(a) * np.sign(b) * (abs(a) // np.maximum(abs(b), 1))).astype(a.dtype)  # towards 0, as in C


def _mod(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    """The remainder: with the divisor's sign, as in Python, or the dividend's, as in C (fmod)."""
    a, b = _present(inputs, 2)
    budget.spend(prod(np.broadcast_shapes(a.shape, b.shape)))
    return np.asarray(np.fmod(a, b) if op.whole("fmod", 0) else np.mod(a, b))


def _tile(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    a, repeats = _present(inputs, 2)
    counts = _whole(repeats)
    if len(counts) != a.ndim or min(counts, default=0) < 0:
        raise ValueError("one count for each axis wanted")
    budget.spend(a.size * prod(counts))
    return np.tile(a, counts)


def _cast(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    (a,) = _present(inputs, 1)
    budget.spend(a.size)
    return cast(a, op.whole("to", 0))


def _reshape(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    a, shape = _present(inputs, 2)
    budget.spend(a.size)
    if shape.size > 8:
        raise NoGraph("a shape of many dimensions")
    given = bool(op.whole("allowzero", 0))
    return a.reshape([a.shape[at] if n == 0 and not given else int(n) for at, n in enumerate(shape.tolist())])


def _transpose(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    (a,) = _present(inputs, 1)
    return a.transpose(op.wholes("perm", tuple(range(a.ndim))[::-1]))


def _squeeze(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    (a,) = _present(inputs, 1)
    axes = axes_of(op, inputs[1] if len(inputs) > 1 else None, a.ndim)
    return np.squeeze(a, axes)


def _unsqueeze(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    (a,) = _present(inputs, 1)
    given = inputs[1] if len(inputs) > 1 else None
    count = len(op.wholes("axes", ())) if given is None else given.size
    if a.ndim + count > 8:
        raise NoGraph("a shape of many dimensions")
    axes = axes_of(op, given, a.ndim + count)
    return np.expand_dims(a, axes or ())


def _concat(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    parts = _present(inputs, len(inputs))
    budget.spend(sum(part.size for part in parts))
    return np.concatenate(parts, axis=op.whole("axis", 0))


def _gather(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    a, places = _present(inputs, 2)
    axis = op.whole("axis", 0)
    budget.spend(places.size * (a.size // max(a.shape[axis], 1)))
    return np.take(a, places.astype(np.int64), axis)


def _slice(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    (a,) = _present(inputs, 1)
    cut = [slice(None)] * a.ndim
    for axis, start, stop, step in slices_of(op, inputs[1:], a.ndim):
        cut[axis] = slice(start, stop, step)
    return a[tuple(cut)]


def slices_of(op: Op, inputs: Sequence[Optional[Array]], rank: int) -> list[tuple[int, int, int, int]]:
    """(axis, start, stop, step) for each axis that a Slice cuts, as attributes (opset 9) or inputs say."""
    given = [*inputs, None, None, None, None][:4]
    words = [op.wholes(word, ()) if item is None else _whole(item) for word, item in zip(_SLICE, given)]
    starts, stops, axes, steps = words
    axes = axes or tuple(range(len(starts)))
    steps = steps or (1,) * len(starts)
    if not len(starts) == len(stops) == len(axes) == len(steps) or len(set(axes)) != len(axes) or 0 in steps:
        raise ValueError("starts, ends, axes and steps of one length wanted")
    if any(not -rank <= axis < rank for axis in axes):
        raise ValueError(f"axes {axes} of {rank}")
    return [(axis % rank, start, stop, step) for axis, start, stop, step in zip(axes, starts, stops, steps)]


_SLICE = ("starts", "ends", "axes", "steps")


def _whole(array: Array) -> tuple[int, ...]:
    if array.ndim != 1 or array.size > 8 or array.dtype.kind not in "iu":
        raise ValueError("a short list of whole numbers wanted")
    return tuple(array.tolist())


def _matmul(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    a, b = _present(inputs, 2)
    if a.ndim not in (1, 2) or b.ndim not in (1, 2) or a.dtype.kind != "f":
        raise NoGraph("a product of many dimensions")
    budget.spend(prod(a.shape) * (b.shape[1] if b.ndim == 2 else 1))
    return a @ b


def _filled(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    (shape,) = _present(inputs, 1)
    sizes = _whole(shape)
    budget.spend(prod(sizes))
    value = op.array("value")
    return np.full(sizes, np.float32(0) if value is None else value.reshape(()))


def _expand(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    a, shape = _present(inputs, 2)
    sizes = np.broadcast_shapes(a.shape, _whole(shape))
    budget.spend(prod(sizes))
    return np.broadcast_to(a, sizes)


def _where(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    a, b, c = _present(inputs, 3)
    budget.spend(prod(np.broadcast_shapes(a.shape, b.shape, c.shape)))
    return np.where(a, b, c)


def _range(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
    start, stop, step = (item.item() for item in _present(inputs, 3))
    budget.spend(max(0, int((stop - start) / step)) + 1)
    return np.arange(start, stop, step)


def _reduced(function: Callable[..., Any]) -> Callable[..., Array]:
    def rule(op: Op, inputs: Sequence[Optional[Array]], budget: Budget) -> Array:
        (a,) = _present(inputs, 1)
        axes = axes_of(op, inputs[1] if len(inputs) > 1 else None, a.ndim)
        budget.spend(a.size)
        return np.asarray(function(a, axis=axes, keepdims=bool(op.whole("keepdims", 1)))).astype(a.dtype, copy=False)

    return rule


def _norm(a: Array, axis: Optional[tuple[int, ...]], keepdims: bool) -> Array:
    return np.sqrt(np.sum(a * a, axis=axis, keepdims=keepdims))


_UNARY: dict[str, Callable[[Array], Any]] = {
    "Identity": lambda a: a, "Neg": np.negative, "Abs": np.abs, "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log,
    "Reciprocal": lambda a: 1 / a, "Floor": np.floor, "Ceil": np.ceil, "Not": np.logical_not,
    "Sign": np.sign, "Round": np.rint,
}  # fmt: skip
_BINARY: dict[str, Callable[[Array, Array], Any]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": _divide, "Equal": np.equal, "Less": np.less,
    "Pow": lambda a, b: np.power(a, b.astype(a.dtype)), "Greater": np.greater, "And": np.logical_and,
    "Or": np.logical_or, "Min": np.minimum, "Max": np.maximum,
    "Xor": np.logical_xor, "LessOrEqual": np.less_equal, "GreaterOrEqual": np.greater_equal,
}  # fmt: skip
_RULES: dict[str, Callable[..., Array]] = {
    "Cast": _cast, "Reshape": _reshape, "Transpose": _transpose, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze,
    "Concat": _concat, "Gather": _gather, "Slice": _slice, "MatMul": _matmul, "ConstantOfShape": _filled,
    "Expand": _expand, "Where": _where, "Range": _range, "ReduceSum": _reduced(np.sum), "ReduceProd": _reduced(np.prod),
    "ReduceMean": _reduced(np.mean), "ReduceL2": _reduced(_norm), "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min), "Mod": _mod, "Tile": _tile,
}  # fmt: skip
