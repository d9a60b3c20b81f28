"""Conv and ConvTranspose: ONNX's four paddings and its ways to name them, as layers with two and a Pad or Crop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from mxgan.graph import layers
from mxgan.graph.reading import NoGraph
from mxgan.onnx.build import Build, Known, Tensor
from mxgan.onnx.node import Op

Pair = tuple[int, int]


def _pair(op: Op, word: str, default: int) -> Pair:
    values = op.wholes(word, (default, default))
    if len(values) != 2:
        raise NoGraph(f"{op.kind} of {len(values)} dimensions")
    return values[0], values[1]


def _parts(build: Build, op: Op) -> tuple[Tensor, dict[str, Known], Pair]:
    """The input, the arrays and the kernel's size."""
    x, weight, bias = build.tensor(op), build.known(op, 1), build.optional(op, 2)
    if weight.array.ndim != 4 or len(x.shape) != 3:
        raise NoGraph(f"{op.kind} of {x.shape} with weights {weight.array.shape}")
    kernel = (weight.array.shape[2], weight.array.shape[3])
    if op.wholes("kernel_shape", kernel) != kernel:
        raise ValueError(f"kernel_shape {op.wholes('kernel_shape', ())} with weights {weight.array.shape}")
    return x, {"weight": weight} if bias is None else {"weight": weight, "bias": bias}, kernel


def _pads(op: Op) -> tuple[Pair, Pair]:
    """(before, after) for each axis, as the attribute has them.

    tf2onnx writes -1 after a ConvTranspose whose kernel is shorter than its stride: a pixel more.
    """
    pads = op.wholes("pads", (0, 0, 0, 0))
    if len(pads) != 4 or min(pads[:2] if op.kind == "ConvTranspose" else pads) < 0:
        raise NoGraph(f"{op.kind} with pads {pads}")
    return (pads[0], pads[2]), (pads[1], pads[3])


def _halves(total: int, lower: bool) -> Pair:
    """A padding on two sides; an odd pixel goes after, or before for SAME_LOWER."""
    less, more = total // 2, total - total // 2
    return (more, less) if lower else (less, more)


def _settings(op: Op) -> tuple[Pair, Pair, int, str]:
    strides, dilations, groups = _pair(op, "strides", 1), _pair(op, "dilations", 1), op.whole("group", 1)
    how = op.said("auto_pad", "NOTSET") or "NOTSET"
    if min(*strides, *dilations, groups) < 1 or how not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise ValueError(f"strides {strides}, dilations {dilations}, group {groups}, auto_pad {how!r}")
    return strides, dilations, groups, how


def _conv(build: Build, op: Op) -> Tensor:
    x, arrays, kernel = _parts(build, op)
    strides, dilations, groups, how = _settings(op)
    pads: tuple[Pair, ...] = _pads(op)
    if how == "VALID":
        pads = ((0, 0), (0, 0))
    elif how != "NOTSET":
        totals = [
            max((-(-size // stride) - 1) * stride + (k - 1) * dilation + 1 - size, 0)
            for size, stride, k, dilation in zip(x.shape[1:], strides, kernel, dilations)
        ]
        pads = tuple(_halves(total, how == "SAME_LOWER") for total in totals)
    (top, bottom), (left, right) = pads
    padding = (top, left)
    if (top, left) != (bottom, right):
        x = build.add(layers.Pad(top, bottom, left, right), x, helper=True)
        padding = (0, 0)
    return build.add(layers.Conv(strides, padding, dilations, groups), x, arrays=arrays)


def _conv_transpose(build: Build, op: Op) -> Tensor:
    x, arrays, kernel = _parts(build, op)
    strides, dilations, groups, how = _settings(op)
    more = _pair(op, "output_padding", 0)
    given = op.wholes("output_shape", ())
    pads = ((0, 0), (0, 0)) if how == "VALID" else _pads(op)
    if min(more) < 0 or len(given) not in (0, 2, 4):
        raise NoGraph(f"ConvTranspose with output_shape {given} and output_padding {more}")
    wanted: list[Optional[int]] = list(given[-2:]) if given else [None, None]
    if not given and how.startswith("SAME"):
        wanted = [size * stride for size, stride in zip(x.shape[1:], strides)]
    sides = []
    for axis in (0, 1):
        full = (x.shape[1 + axis] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1
        before, after, size = *pads[axis], wanted[axis]
        if size is not None:
            total = full + more[axis] - size
            if total < 0 and not given:
                raise NoGraph("a kernel shorter than its stride with auto_pad, which each program reads its own way")
            before, after = _halves(max(total, 0), how != "SAME_UPPER")
            after += min(total, 0)
        sides.append(_side(full, before, after - more[axis], max(strides[axis], dilations[axis])))
    (rows, columns) = sides
    layer = layers.ConvTranspose(strides, (rows[0], columns[0]), (rows[1], columns[1]), dilations, groups)
    crop = any(side[2] != 0 or side[3] != 0 for side in sides)
    y = build.add(layer, x, arrays=arrays)
    if not crop:
        return y
    height, width = y.shape[1] - rows[2] - rows[3], y.shape[2] - columns[2] - columns[3]
    return build.add(layers.Crop(rows[2], columns[2], height, width), y, helper=True)


def _side(full: int, before: int, after: int, step: int) -> tuple[int, int, int, int]:
    """(padding, output padding, cropped before, cropped after) that take ``before`` and ``after`` off ``full`` pixels.

    A negative ``after`` adds pixels.
    """
    if before - after in range(step):
        return before, before - after, 0, 0
    if after > before:
        return before, 0, 0, after - before
    if after < 0:
        raise NoGraph(f"ConvTranspose that adds {-after} pixels")
    return after, 0, before - after, 0


CONVOLUTIONS: dict[str, Callable[[Build, Op], Tensor]] = {"Conv": _conv, "ConvTranspose": _conv_transpose}
