"""Sums, products and limits: of tensors, and of a tensor and a constant.

A number becomes an Affine. A vector along an axis becomes a BatchNorm without a mean and with variance 1, or the bias
of the layer before, where it has none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mxgan.graph import layers
from mxgan.graph.graph import Node
from mxgan.graph.reading import NoGraph
from mxgan.onnx.build import Build, Known, Tensor
from mxgan.onnx.node import Op, short

EPS = 1e-5  # of a BatchNorm that only scales and shifts; its variance is 1 - EPS, as engines want eps above 0
_BIASED = (layers.Linear, layers.Conv, layers.ConvTranspose)


def affine(build: Build, x: Tensor, scale: float, shift: float) -> Tensor:
    """x * scale + shift; no node where it changes nothing."""
    return x if (scale, shift) == (1, 0) else build.add(layers.Affine(scale, shift), x)


def clipped(build: Build, x: Tensor, low: float, high: float) -> Tensor:
    """x between two limits, either of which may be infinite: low + relu(x - low), and mirrored."""
    if low > high:
        raise ValueError(f"limits {low} and {high}")
    if np.isfinite(low):
        x = affine(build, build.add(layers.Relu(), affine(build, x, 1.0, -low)), 1.0, low)
    if np.isfinite(high):
        x = affine(build, build.add(layers.Relu(), affine(build, x, -1.0, high)), -1.0, high)
    return x


def _binary(build: Build, op: Op) -> Tensor:
    """Add, Sub, Mul and Div of two inputs, one of which may be a constant."""
    a, b = build.get(op, 0), build.get(op, 1)
    kind = op.kind
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if kind == "Div":
            raise NoGraph("Div of two computed tensors")
        if kind == "Sub":
            b = affine(build, b, -1.0, 0.0)
        a, b = _alike(build, a, b)
        return build.add(layers.Multiply() if kind == "Mul" else layers.Add(), a, b)
    if isinstance(a, Known) and isinstance(b, Tensor):
        if kind == "Div":
            raise NoGraph("Div by a computed tensor")
        constant = build.known(op, 0)
        if kind == "Sub":
            return _plus(build, affine(build, b, -1.0, 0.0), constant, fuse=False)
        return _plus(build, b, constant, build.alone(op, 1)) if kind == "Add" else _times(build, b, constant)
    x, constant = build.tensor(op, 0), build.known(op, 1)
    if kind in ("Add", "Sub"):
        negative = Known(-constant.array) if kind == "Sub" else constant
        return _plus(build, x, negative, build.alone(op, 0))
    if kind == "Div":
        with np.errstate(all="ignore"):
            constant = Known(1 / constant.array)
        if not np.isfinite(constant.array).all():
            raise ValueError("Div by 0")
    return _times(build, x, constant)


def _alike(build: Build, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both in one shape: a single pixel stands for all of them."""
    if a.shape != b.shape and len(a.shape) == len(b.shape) == 3:
        a, b = (
            build.add(layers.Upsample((other.shape[1], other.shape[2])), x, helper=True)
            if x.shape[1:] == (1, 1) and x.shape[0] == other.shape[0]
            else x
            for x, other in ((a, b), (b, a))
        )
    if a.shape != b.shape:
        raise NoGraph(f"arithmetic of {a.shape} and {b.shape}")
    return a, b


def _number(constant: Known) -> float:
    return short(constant.array.reshape(-1)[0])


def _plus(build: Build, x: Tensor, constant: Known, fuse: bool) -> Tensor:
    last = build.nodes[-1] if build.nodes else None
    if constant.array.size == 1 and constant.array.ndim <= len(x.shape) + 1:
        if fuse and last is not None and isinstance(last.layer, layers.Affine) and last.layer.shift == 0:
            layer = dataclasses.replace(last.layer, shift=_number(constant))
            build.nodes[-1] = Node(last.name, layer, last.inputs)
            return x
        if not constant.array.ndim or x.shape[:1] != (1,):  # of one channel, [b] may be a bias
            return affine(build, x, 1.0, _number(constant))
    axis, values = build.binary_constant(x, constant.array)
    if fuse and axis == 0 and last is not None:
        word = "bias" if isinstance(last.layer, _BIASED) else "beta" if _scales(build, last) else ""
        if word and f"{last.name}.{word}" not in build.arrays:
            same = constant.array.shape == values.shape
            build.set(last, word, constant if same else Known(np.ascontiguousarray(values)))
            return x
    if constant.array.size == 1:
        return affine(build, x, 1.0, _number(constant))
    return _vector(build, x, axis, values, "beta")


def _scales(build: Build, node: Node) -> bool:
    """Whether the node is a BatchNorm that `_times` made."""
    return isinstance(node.layer, layers.BatchNorm) and f"{node.name}.beta" not in build.arrays


def _times(build: Build, x: Tensor, constant: Known) -> Tensor:
    if constant.array.size == 1 and constant.array.ndim <= len(x.shape) + 1:
        return affine(build, x, _number(constant), 0.0)
    axis, values = build.binary_constant(x, constant.array)
    return _vector(build, x, axis, values, "gamma")


def _vector(build: Build, x: Tensor, axis: int | None, values: np.ndarray, word: str) -> Tensor:
    """x scaled (gamma) or shifted (beta) by a vector along an axis, or by one number for each of a sample's."""
    shape = x.shape
    moved = build.reshape(x, (values.size,)) if axis is None else build.front(x, axis)
    size = values.size
    values = np.ascontiguousarray(values, np.float64 if values.dtype == np.float64 else np.float32)
    arrays = {
        "running_mean": Known(np.zeros(size, values.dtype)),
        "running_var": Known(np.full(size, 1 - EPS, values.dtype)),
        word: Known(values),
    }
    y = build.normed(layers.BatchNorm(EPS), moved, arrays)
    return build.reshape(y, shape) if axis is None else build.back(y, axis)


def _sum(build: Build, op: Op) -> Tensor:
    parts = [build.tensor(op, place) for place in range(len(op.inputs))]
    return parts[0] if len(parts) == 1 else build.add(layers.Add(), *parts)


def _clip(build: Build, op: Op) -> Tensor:
    low, high = build.optional(op, 1), build.optional(op, 2)
    limits = [
        op.number(word, default) if word in op.attributes else default if given is None else _number(given)
        for word, given, default in (("min", low, -np.inf), ("max", high, np.inf))
    ]
    wide = [limit if abs(limit) < 1e30 else np.copysign(np.inf, limit) for limit in limits]  # float32's largest
    return clipped(build, build.tensor(op), wide[0], wide[1])


def _larger(build: Build, op: Op) -> Tensor:
    """Max and Min of a tensor and a number, or of two tensors: max(a, b) = b + relu(a - b)."""
    if len(op.inputs) != 2:
        raise NoGraph(f"{op.kind} of {len(op.inputs)}")
    a, b = build.get(op, 0), build.get(op, 1)
    if isinstance(a, Known):
        a, b = b, a
    if not isinstance(a, Tensor) or (isinstance(b, Known) and (b.array.size != 1 or b.sizes)):
        raise NoGraph(f"{op.kind} with a constant of several numbers")
    if isinstance(b, Known):
        limit = _number(b)
        return clipped(build, a, limit, np.inf) if op.kind == "Max" else clipped(build, a, -np.inf, limit)
    if not isinstance(b, Tensor) or a.shape != b.shape:
        raise NoGraph(f"{op.kind} of different shapes")
    sign = 1.0 if op.kind == "Max" else -1.0
    apart = build.add(layers.Add(), affine(build, a, sign, 0.0), affine(build, b, -sign, 0.0))
    return build.add(layers.Add(), b, affine(build, build.add(layers.Relu(), apart), sign, 0.0))


def _power(build: Build, op: Op) -> Tensor:
    x, power = build.tensor(op), build.known(op, 1)
    if power.array.size != 1 or power.array.item() != 2:
        raise NoGraph("Pow to another power than 2")
    return build.add(layers.Multiply(), x, x)


ARITHMETIC: dict[str, Callable[[Build, Op], Tensor]] = {
    "Add": _binary,
    "Sub": _binary,
    "Mul": _binary,
    "Div": _binary,
    "Sum": _sum,
    "Clip": _clip,
    "Max": _larger,
    "Min": _larger,
    "Pow": _power,
    "Neg": lambda build, op: build.add(layers.Affine(-1.0, 0.0), build.tensor(op)),
}
