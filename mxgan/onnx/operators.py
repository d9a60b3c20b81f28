"""Each ONNX operator as layers. Its definition: https://github.com/onnx/onnx/blob/main/docs/Operators.md

A rule takes the graph so far and a node, and gives what the first output is. The larger families have own files.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from mxgan.graph import layers
from mxgan.graph.reading import NoGraph
from mxgan.onnx.arithmetic import ARITHMETIC, affine, clipped
from mxgan.onnx.build import Build, Known, Label, Tensor, Value
from mxgan.onnx.constants import FLOATS, INTEGERS, cast, fold
from mxgan.onnx.convolutions import CONVOLUTIONS
from mxgan.onnx.node import Op
from mxgan.onnx.resizing import resized
from mxgan.onnx.shaping import SHAPING


def value_of(build: Build, op: Op) -> Value:
    """What the node's first output is. Raises NoGraph where no layers compute it, ValueError where it is unsound."""
    if op.holds_graphs:
        raise NoGraph(f"{op.kind}, which holds graphs of its own")
    if op.kind == "Constant":
        return _constant(op)
    values = [build.get(op, place) for place in range(len(op.inputs))]
    if op.kind in ("Shape", "Size"):
        shape = _shape(build, op)
        return shape if op.kind == "Shape" else Known(np.prod(shape.array), sizes=True)
    if all(value is None or isinstance(value, Known) for value in values) and values:
        folded = fold(op, [value.array if isinstance(value, Known) else None for value in values], build.budget)
        if folded is None:
            raise NoGraph(f"the operator {op.kind} of constants")
        first = values[0]
        same = isinstance(first, Known) and first.array is folded
        sizes = any(isinstance(value, Known) and value.sizes for value in values)
        return Known(folded, first.name if same and isinstance(first, Known) else "", sizes)
    rule = _RULES.get(op.kind)
    if rule is None:
        raise NoGraph(f"the operator {op.kind}")
    if isinstance(values[0], Label) and op.kind not in _OF_LABELS:
        raise NoGraph(f"the operator {op.kind} of the label")
    return rule(build, op)


def _constant(op: Op) -> Known:
    array = op.array("value")
    if array is not None:
        return Known(array, op.outputs[0])
    if "value_float" in op.attributes:
        return Known(np.float32(op.number("value_float", 0)).reshape(()))
    if "value_int" in op.attributes:
        return Known(np.array(op.whole("value_int", 0), np.int64))
    if "value_ints" in op.attributes:
        return Known(np.array(op.wholes("value_ints", ()), np.int64))
    if "value_floats" in op.attributes:
        return Known(np.array(op.numbers("value_floats"), np.float32))
    raise NoGraph("a constant of another kind than numbers")


def _shape(build: Build, op: Op) -> Known:
    value = build.get(op, 0)
    if value is None:
        raise ValueError("input 0 is missing")
    shape = value.array.shape if isinstance(value, Known) else (build.batch, *value.shape)
    part = shape[op.whole("start", 0) : op.whole("end", len(shape))]
    return Known(np.array(part, np.int64), sizes=True)


def _linear(build: Build, op: Op) -> Tensor:
    """Gemm: alpha * A' @ B' + beta * C."""
    x = build.tensor(op)
    weight, bias = build.known(op, 1), build.optional(op, 2)
    if op.whole("transA", 0) or len(x.shape) != 1:
        raise NoGraph(f"Gemm of {x.shape}")
    alpha, beta = op.number("alpha", 1.0), op.number("beta", 1.0)
    arrays = {"weight": weight if op.whole("transB", 0) else Known(np.ascontiguousarray(weight.array.T))}
    if alpha != 1:
        arrays["weight"] = Known(arrays["weight"].array * np.float32(alpha))
    if bias is not None:
        out = arrays["weight"].array.shape[0]
        if bias.array.shape != (out,):
            bias = Known(np.broadcast_to(bias.array.reshape(-1), (out,)))
        arrays["bias"] = bias if beta == 1 else Known(bias.array * np.float32(beta))
    return build.add(layers.Linear(), x, arrays=arrays)


def _matmul(build: Build, op: Op) -> Tensor:
    x, weight = build.tensor(op), build.known(op, 1)
    if weight.array.ndim != 2 or not x.shape or prod(x.shape[:-1]) != 1:
        raise NoGraph(f"MatMul of {x.shape} by {weight.array.shape}")
    flat = build.reshape(x, x.shape[-1:])
    y = build.add(layers.Linear(), flat, arrays={"weight": Known(np.ascontiguousarray(weight.array.T))})
    return build.reshape(y, (*x.shape[:-1], *y.shape))


def _batch_norm(build: Build, op: Op) -> Tensor:
    if op.whole("training_mode", 0):
        raise NoGraph("BatchNormalization in training mode, whose pictures would depend on the batch")
    words = ("gamma", "beta", "running_mean", "running_var")
    arrays = {word: build.known(op, place) for place, word in enumerate(words, 1)}
    return build.normed(layers.BatchNorm(op.number("epsilon", 1e-5)), build.tensor(op), arrays)


def _instance_norm(build: Build, op: Op) -> Tensor:
    arrays = {word: build.known(op, place) for place, word in enumerate(("gamma", "beta"), 1)}
    return build.normed(layers.InstanceNorm(op.number("epsilon", 1e-5)), build.tensor(op), arrays)


def _cast(build: Build, op: Op) -> Value:
    value = build.get(op, 0)
    to = op.whole("to", 0)
    if isinstance(value, Label) and (to in INTEGERS or to in FLOATS):
        return value
    if isinstance(value, Known):
        return Known(cast(value.array, to), sizes=value.sizes)
    if to not in FLOATS or not isinstance(value, Tensor):
        raise NoGraph(f"a Cast to data type {to}")
    return value


def _same(build: Build, op: Op) -> Value:
    return build.either(op)


def _dropout(build: Build, op: Op) -> Tensor:
    training = build.optional(op, 2)
    if training is not None and training.array.any():
        raise NoGraph("Dropout in training mode")
    return build.tensor(op)


def _prelu(build: Build, op: Op) -> Tensor:
    x, slope = build.tensor(op), build.known(op, 1)
    axis, values = build.binary_constant(x, slope.array)
    if axis != 0:
        raise NoGraph(f"PRelu with slopes {slope.array.shape} for {x.shape}")
    values = slope.array.reshape(1) if slope.array.size == 1 else values
    known = slope if slope.array.shape == values.shape else Known(values)
    return build.add(layers.PRelu(), x, arrays={"slope": known})


def _selu(build: Build, op: Op) -> Tensor:
    alpha, scale = op.number("alpha", layers.SELU_ALPHA), op.number("gamma", layers.SELU_SCALE)
    if np.allclose((alpha, scale), (layers.SELU_ALPHA, layers.SELU_SCALE), rtol=1e-6):
        return build.add(layers.Selu(), build.tensor(op))
    return affine(build, build.add(layers.Elu(alpha), build.tensor(op)), scale, 0.0)


def _celu(build: Build, op: Op) -> Tensor:
    if op.number("alpha", 1.0) != 1:
        raise NoGraph("Celu with another alpha than 1")
    return build.add(layers.Elu(), build.tensor(op))


def _hard_sigmoid(build: Build, op: Op) -> Tensor:
    y = affine(build, build.tensor(op), op.number("alpha", 0.2), op.number("beta", 0.5))
    return clipped(build, y, 0.0, 1.0)


_RULES: dict[str, Callable[[Build, Op], Value]] = {
    **ARITHMETIC,
    **CONVOLUTIONS,
    **SHAPING,
    "Gemm": _linear,
    "MatMul": _matmul,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "Cast": _cast,
    "Identity": _same,
    "Dropout": _dropout,
    "Upsample": resized,
    "Resize": resized,
    "Relu": lambda build, op: build.add(layers.Relu(), build.tensor(op)),
    "LeakyRelu": lambda build, op: build.add(layers.LeakyRelu(op.number("alpha", 0.01)), build.tensor(op)),
    "PRelu": _prelu,
    "Elu": lambda build, op: build.add(layers.Elu(op.number("alpha", 1.0)), build.tensor(op)),
    "Selu": _selu,
    "Celu": _celu,
    "HardSigmoid": _hard_sigmoid,
    "Tanh": lambda build, op: build.add(layers.Tanh(), build.tensor(op)),
    "Sigmoid": lambda build, op: build.add(layers.Sigmoid(), build.tensor(op)),
}
_OF_LABELS = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "Identity", "OneHot")
