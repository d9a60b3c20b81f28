"""Upsample and Resize by whole factors: each way to place pixels is compared with what the layer does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

import numpy as np

from mxgan.graph import layers
from mxgan.graph.reading import NoGraph
from mxgan.graph.shapes import LARGEST
from mxgan.onnx.build import Build, Tensor
from mxgan.onnx.node import Op, axes_of


def resized(build: Build, op: Op) -> Tensor:
    """The rule for both operators: nearest, or linear with half_pixel or align_corners."""
    x = build.tensor(op)
    factors = _factors(build, op, (build.batch, *x.shape))
    if all(factor == 1 for factor in factors):
        return x
    if len(x.shape) != 3 or factors[:2] != [1, 1]:
        raise NoGraph(f"{op.kind} of {x.shape} by {factors}")
    scale = (factors[2], factors[3])
    if x.shape[1] * scale[0] * x.shape[2] * scale[1] > LARGEST:
        raise ValueError(f"{x.shape} by {scale} is too large")
    mode = op.said("mode", "nearest")
    old = op.kind == "Upsample" or build.opset < 11  # both place pixels at i / scale, rounded down
    place = "asymmetric" if old else op.said("coordinate_transformation_mode", "half_pixel")
    if mode == "nearest":
        rounding = "floor" if old else op.said("nearest_mode", "round_prefer_floor")
        if not all(_repeats(size, factor, place, rounding) for size, factor in zip(x.shape[1:], scale)):
            raise NoGraph(f"{op.kind} to the nearest pixel by {place} and {rounding}")
        return build.add(layers.Upsample(scale), x)
    if mode in ("linear", "bilinear") and not op.whole("antialias", 0):
        if place in ("half_pixel", "pytorch_half_pixel"):
            return build.add(layers.Upsample(scale, "bilinear"), x)
        if place == "align_corners":
            return build.add(layers.Upsample(scale, "bilinear", True), x)
    raise NoGraph(f"{op.kind} by {mode} and {place}")


def _factors(build: Build, op: Op, shape: tuple[int, ...]) -> list[int]:
    """A whole factor for each axis, the batch's among them."""
    first = 1 if op.kind == "Upsample" or build.opset < 11 else 2  # in between: the region of interest
    scales, sizes = build.optional(op, first, sizes=True), build.optional(op, first + 1, sizes=True)
    rank = len(shape)
    given = op.wholes("axes", ())
    axes = axes_of(op, np.array(given, np.int64), rank) if given else tuple(range(rank))
    factors: Optional[list[float]] = None
    if op.kind == "Upsample" and "scales" in op.attributes:
        factors = list(op.numbers("scales"))
    elif scales is not None and scales.array.size:
        factors = scales.array.reshape(-1)[:100].tolist()
    elif sizes is not None and op.said("keep_aspect_ratio_policy", "stretch") == "stretch":
        wanted = sizes.array.reshape(-1)[:100].tolist()
        factors = [size / shape[axis] for size, axis in zip(wanted, axes or ())]
    if factors is None or axes is None or len(factors) != len(axes):
        raise ValueError("neither scales nor sizes for each axis")
    whole = [1] * rank
    for axis, factor in zip(axes, factors):
        if not 1 <= factor < 2**20 or factor != int(factor):
            raise NoGraph(f"{op.kind} by {factor}, which is not a whole number")
        whole[axis] = int(factor)
    return whole


def _repeats(size: int, scale: int, place: str, rounding: str) -> bool:
    """Whether every old pixel is repeated ``scale`` times, in the arithmetic of the ONNX definition."""
    new = np.arange(size * scale, dtype=np.float32)
    if place == "align_corners":
        at = new * np.float32((size - 1) / max(size * scale - 1, 1))
    elif place == "asymmetric":
        at = new / np.float32(scale)
    elif place in ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric"):
        at = (new + np.float32(0.5)) / np.float32(scale) - np.float32(0.5)
    elif place == "tf_half_pixel_for_nn":
        at = (new + np.float32(0.5)) / np.float32(scale)
    else:
        return False
    roundings: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "floor": np.floor,
        "ceil": np.ceil,
        "round_prefer_floor": lambda at: np.ceil(at - 0.5),
        "round_prefer_ceil": lambda at: np.floor(at + 0.5),
    }
    if rounding not in roundings:
        return False
    return bool((roundings[rounding](at).clip(0, size - 1) == np.arange(size * scale) // scale).all())
