"""Operators that move numbers and don't change them: shapes, axes, parts, and what the label picks.

In shapes the batch's axis counts, with `Build.batch` as its size, so that computed shapes are plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Union

import numpy as np

from mxgan.graph import layers
from mxgan.graph.graph import LABELS
from mxgan.graph.reading import NoGraph
from mxgan.onnx.arithmetic import affine
from mxgan.onnx.build import Build, Known, Label, Tensor, Value
from mxgan.onnx.constants import slices_of
from mxgan.onnx.node import Op, axes_of

FEW = 8  # dimensions


def _reshape(build: Build, op: Op) -> Value:
    x = build.either(op)
    if build.opset < 5:
        raise NoGraph("Reshape of an opset before 5")
    wanted = build.known(op, 1, sizes=True).array
    if wanted.ndim != 1 or wanted.size > FEW or wanted.dtype.kind not in "iu":
        raise NoGraph(f"Reshape to {wanted.size} sizes")
    old = (build.batch, *x.shape)
    given = bool(op.whole("allowzero", 0))
    sizes = [old[at] if size == 0 and not given else size for at, size in enumerate(wanted.tolist())]
    known = prod(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or known < 1 or min(sizes, default=0) < -1 or (-1 in sizes and prod(old) % known):
        raise ValueError(f"{x.shape} can't become {tuple(wanted.tolist())}")
    sizes = [prod(old) // known if size == -1 else size for size in sizes]
    return _reshaped(build, x, sizes)


def _reshaped(build: Build, x: Union[Tensor, Label], sizes: list[int]) -> Value:
    """x as ``sizes`` say, the batch's among them."""
    if sizes[:1] != [build.batch] or prod(sizes[1:]) != prod(x.shape):
        raise NoGraph(f"a reshape of {x.shape} that mixes samples")
    shape = tuple(sizes[1:])
    return Label(shape) if isinstance(x, Label) else build.reshape(x, shape, helper=False)


def _flatten(build: Build, op: Op) -> Value:
    x = build.either(op)
    rank = len(x.shape) + 1
    axis = op.whole("axis", 1)
    if not -rank <= axis <= rank or prod(x.shape[: max(axis + (rank if axis < 0 else 0) - 1, 0)]) != 1 or axis == 0:
        raise NoGraph(f"Flatten of {x.shape} from axis {axis}")
    return _reshaped(build, x, [build.batch, prod(x.shape)])


def _squeeze(build: Build, op: Op) -> Value:
    x = build.either(op)
    given = build.optional(op, 1, sizes=True)
    axes = axes_of(op, None if given is None else given.array, len(x.shape) + 1)
    if axes is None:
        if build.batch == 1:
            raise NoGraph("Squeeze without axes at a batch of 1")
        axes = tuple(at for at, size in enumerate(x.shape, 1) if size == 1)
    if 0 in axes or any(x.shape[axis - 1] != 1 for axis in axes):
        raise NoGraph(f"Squeeze of {x.shape} along {axes}")
    return _reshaped(build, x, [build.batch, *(size for at, size in enumerate(x.shape, 1) if at not in axes)])


def _unsqueeze(build: Build, op: Op) -> Value:
    x = build.either(op)
    given = build.optional(op, 1, sizes=True)
    count = len(op.wholes("axes", ())) if given is None else given.array.size
    axes = axes_of(op, None if given is None else given.array, len(x.shape) + 1 + count) or ()
    if 0 in axes or len(set(axes)) != count or len(x.shape) + count > FEW:
        raise NoGraph(f"Unsqueeze of {x.shape} at {axes}")
    sizes = iter((build.batch, *x.shape))
    return _reshaped(build, x, [1 if at in axes else next(sizes) for at in range(len(x.shape) + 1 + count)])


def _transpose(build: Build, op: Op) -> Tensor:
    x = build.tensor(op)
    rank = len(x.shape) + 1
    axes = op.wholes("perm", tuple(range(rank))[::-1])
    if sorted(axes) != list(range(rank)):
        raise ValueError(f"axes {axes} of {rank}")
    if axes[0] != 0:
        raise NoGraph(f"a Transpose {axes} that moves the batch")
    return build.permute(x, [axis - 1 for axis in axes[1:]], helper=False)


def _concat(build: Build, op: Op) -> Tensor:
    parts = [build.tensor(op, place) for place in range(len(op.inputs))]
    rank = len(parts[0].shape) + 1
    axis = op.whole("axis", 1)
    if not -rank <= axis < rank or axis % rank == 0 or any(len(part.shape) != rank - 1 for part in parts):
        raise NoGraph(f"Concat along axis {axis}")
    if len(parts) == 1:
        return parts[0]
    at = axis % rank - 1
    return build.back(build.add(layers.Concat(), *(build.front(part, at) for part in parts)), at)


def _slice(build: Build, op: Op) -> Tensor:
    x = build.tensor(op)
    given = [build.optional(op, place, sizes=True) for place in range(1, len(op.inputs))]
    arrays = [None if item is None else item.array for item in given]
    for axis, start, stop, step in slices_of(op, arrays, len(x.shape) + 1):
        size = ((build.batch, *x.shape))[axis]
        first, last, _ = slice(start, stop).indices(size)
        if step != 1 or (axis == 0 and (first, last) != (0, size)):
            raise NoGraph(f"Slice of {x.shape} along axis {axis} by {step}")
        x = build.cut(x, axis - 1, first, last - first) if axis else x
    return x


def _split(build: Build, op: Op) -> Tensor:
    """The first output; the others are given to the build here."""
    x = build.tensor(op)
    rank = len(x.shape) + 1
    axis = op.whole("axis", 0)
    if not -rank <= axis < rank or axis % rank == 0:
        raise NoGraph(f"Split along axis {axis}")
    at = axis % rank - 1
    given = build.optional(op, 1, sizes=True)
    count = len(op.outputs)
    each = -(-x.shape[at] // count)
    even = (*(each,) * (count - 1), x.shape[at] - each * (count - 1))
    sizes = op.wholes("split", even) if given is None else tuple(given.array.reshape(-1)[:100].tolist())
    if len(sizes) != count or min(sizes) < 1 or sum(sizes) != x.shape[at]:
        raise ValueError(f"Split of {x.shape[at]} into {sizes}")
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    parts = [build.cut(x, at, start, size) for start, size in zip(starts, sizes)]
    for name, part in zip(op.outputs[1:], parts[1:]):
        build.bind(name, part)
    return parts[0]


def _gather(build: Build, op: Op) -> Tensor:
    table, places = build.get(op, 0), build.get(op, 1)
    if isinstance(places, Label) and isinstance(table, Known) and table.array.ndim == 2:
        if op.whole("axis", 0) != 0 or table.sizes:
            raise NoGraph("Gather along another axis than the first")
        y = build.add(layers.Embedding(), Tensor(LABELS, ()), arrays={"weight": table})
        return build.reshape(y, (*places.shape, *y.shape))
    if isinstance(table, Tensor) and isinstance(places, Known) and places.array.size == 1:
        rank, axis, at = len(table.shape) + 1, op.whole("axis", 0), places.array.item()
        if -rank <= axis < rank and axis % rank and -table.shape[axis % rank - 1] <= at < table.shape[axis % rank - 1]:
            axis = axis % rank - 1
            y = build.cut(table, axis, at % table.shape[axis], 1)
            return build.reshape(y, (*table.shape[:axis], *places.array.shape, *table.shape[axis + 1 :]))
    raise NoGraph("Gather of anything but rows of a table by the label")


def _one_hot(build: Build, op: Op) -> Tensor:
    label, depth, values = build.get(op, 0), build.known(op, 1), build.known(op, 2)
    if not isinstance(label, Label) or op.whole("axis", -1) not in (-1, len(label.shape) + 1) or values.array.size != 2:
        raise NoGraph("OneHot of anything but the label")
    classes = int(depth.array.reshape(-1)[0])
    off, on = (float(value) for value in values.array.reshape(-1))
    y = build.add(layers.OneHot(classes), Tensor(LABELS, ()))
    return build.reshape(affine(build, y, on - off, off), (*label.shape, classes))


def _depth_to_space(build: Build, op: Op) -> Tensor:
    x, factor = build.tensor(op), op.whole("blocksize", 0)
    if len(x.shape) != 3 or factor < 1 or x.shape[0] % factor**2:
        raise ValueError(f"blocks of {factor} from {x.shape}")
    if op.said("mode", "DCR") == "CRD":
        return build.add(layers.PixelShuffle(factor), x)
    channels, (height, width) = x.shape[0] // factor**2, x.shape[1:]
    apart = build.reshape(x, (factor**2, channels, height * width))
    mixed = build.reshape(build.permute(apart, (1, 0, 2)), x.shape)
    return build.add(layers.PixelShuffle(factor), mixed)


def _pad(build: Build, op: Op) -> Tensor:
    x, mode = build.tensor(op), op.said("mode", "constant")
    given, value = build.optional(op, 1, sizes=True), build.optional(op, 2)
    amounts = op.wholes("pads", ()) if given is None else tuple(given.array.reshape(-1)[:100].tolist())
    axes_given = build.optional(op, 3)
    rank = len(x.shape) + 1
    axes = axes_of(op, None if axes_given is None else axes_given.array, rank) or tuple(range(rank))
    if len(amounts) != 2 * len(axes) or len(set(axes)) != len(axes):
        raise ValueError(f"pads {amounts} for {len(axes)} axes")
    filled = op.number("value", 0.0) if value is None else float(value.array.reshape(-1)[0])
    sides = dict(zip(axes, zip(amounts, amounts[len(axes) :])))
    if mode not in ("constant", "edge", "reflect") or (mode == "constant" and filled != 0) or len(x.shape) != 3:
        raise NoGraph(f"Pad of {x.shape} by {mode} {filled}")
    if any(side != (0, 0) for axis, side in sides.items() if axis < 2) or min(amounts) < 0:
        raise NoGraph(f"Pad by {amounts}")
    return build.add(layers.Pad(*sides.get(2, (0, 0)), *sides.get(3, (0, 0)), mode=mode), x)


SHAPING: dict[str, Callable[[Build, Op], Value]] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
    "OneHot": _one_hot,
    "DepthToSpace": _depth_to_space,
    "Pad": _pad,
}
