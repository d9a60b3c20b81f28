"""TorchScript's operations that move numbers and compute none, as graph layers; and what all operations share."""

from __future__ import annotations

from math import prod
from typing import Any, Optional

from mxgan.architecture.torchscript_graph import Builder, Flow
from mxgan.architecture.torchscript_source import Failed
from mxgan.architecture.torchscript_values import BATCH, Batch, Held, as_number
from mxgan.graph import layers
from mxgan.graph.layers import Pair
from mxgan.graph.shapes import LARGEST

TO_THE_END = 2**63 - 1  # where a slice without an end stops


def flow_of(value: Any) -> Flow:
    """A value as a tensor that depends on the input."""
    if not isinstance(value, Flow):
        raise Failed("it works with something else than what came in")
    if value.stale:
        raise Failed("it changes a tensor in place, and then takes a view of it from before")
    return value


def held_of(value: Any, rank: Optional[int] = None) -> Held:
    """A value as one of the file's own tensors, of this rank."""
    if not isinstance(value, Held) or rank not in (None, value.array.ndim):
        raise Failed("a weight isn't one of the file's tensors")
    return value


def maybe_held(value: Any) -> Optional[Held]:
    """None, or a vector of the file."""
    return None if value is None else held_of(value, 1)


def whole(value: Any, least: int = 0) -> int:
    """A value as a whole number."""
    value = as_number(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST:
        raise Failed(f"a whole number from {least} wanted, and another value given")
    return value


def axis_of(value: Any, rank: int) -> int:
    """An axis of a tensor of this rank, the batch's included; from the end where it is negative."""
    value = as_number(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -rank <= value < rank:
        raise Failed("it names an axis that isn't there")
    return value % rank


def pair_of(value: Any) -> Pair:
    """A number, or one for each axis, as (height, width)."""
    both = list(value) if isinstance(value, (list, tuple)) else [value]
    both = both * 2 if len(both) == 1 else both
    if len(both) != 2:
        raise Failed("it works with images of another rank")
    return whole(both[0]), whole(both[1])


def pad(b: Builder, x: Any, sides: Any, mode: Any = "constant", value: Any = None) -> Flow:
    """F.pad, of the last two axes."""
    left, right, top, bottom = (whole(side) for side in sides)
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}
    if value not in (None, 0) or mode not in modes:
        raise Failed("it pads in another way than reflect, replicate and zeros")
    return b.add(layers.Pad(top, bottom, left, right, modes[mode]), [flow_of(x)])


def view(b: Builder, x: Any, sizes: Any) -> Flow:
    """Another shape; the batch stays first."""
    flow, count = flow_of(x), prod(flow_of(x).shape)
    first, *rest = [as_number(size) for size in sizes]
    if any(isinstance(size, Batch) for size in rest):
        raise Failed("it moves the batch to another axis")
    shape = tuple(size if size == -1 else whole(size) for size in rest)
    if first == -1 and (-1 in shape or prod(shape) != count):
        if -1 not in shape:
            b.wants(flow, prod(shape))
        raise Failed(f"it makes {shape} of {flow.shape}")
    return flow if shape == flow.shape else b.view(layers.Reshape(shape), flow)


def flatten(b: Builder, x: Any, start: Any = 0, end: Any = -1) -> Flow:
    """Some axes into one."""
    flow = flow_of(x)
    rank = len(flow.shape) + 1
    first, last = axis_of(start, rank), axis_of(end, rank)
    if not 1 <= first <= last:
        raise Failed("it flattens the batch")
    shape = (*flow.shape[: first - 1], prod(flow.shape[first - 1 : last]), *flow.shape[last:])
    return flow if shape == flow.shape else b.view(layers.Reshape(shape), flow)


def unflatten(b: Builder, x: Any, place: Any, sizes: Any) -> Flow:
    """One axis into several."""
    flow = flow_of(x)
    place = whole(axis_of(place, len(flow.shape) + 1), 1)
    shape = [as_number(size) for size in sizes]
    count, known = flow.shape[place - 1], prod(whole(size, 1) for size in shape if size != -1)
    shape = [count // known if size == -1 else size for size in shape]
    if prod(shape) != count:
        if len(flow.shape) == 1 and known == prod(shape):
            b.wants(flow, known)
        raise Failed(f"it makes {known} and more of {count}")
    return b.view(layers.Reshape((*flow.shape[: place - 1], *shape, *flow.shape[place:])), flow)


def unsqueeze(b: Builder, x: Any, place: Any) -> Flow:
    """One axis of size 1 more."""
    flow = flow_of(x)
    place = whole(axis_of(place, len(flow.shape) + 2), 1)
    return b.view(layers.Reshape((*flow.shape[: place - 1], 1, *flow.shape[place - 1 :])), flow)


def squeeze(b: Builder, x: Any, place: Any) -> Flow:
    """One axis less, if its size is 1."""
    flow = flow_of(x)
    place = whole(axis_of(place, len(flow.shape) + 1), 1)
    if flow.shape[place - 1] != 1:
        return flow
    return b.view(layers.Reshape(flow.shape[: place - 1] + flow.shape[place:]), flow)


def permute(b: Builder, x: Any, axes: Any) -> Flow:
    """Axes in another order."""
    flow = flow_of(x)
    places = [axis_of(axis, len(flow.shape) + 1) for axis in axes]
    if places[0] != 0:
        raise Failed("it moves the batch to another axis")
    return b.view(layers.Permute(tuple(place - 1 for place in places[1:])), flow)


def transpose(b: Builder, x: Any, one: Any, other: Any) -> Flow:
    """Two axes change places."""
    rank = len(flow_of(x).shape) + 1
    axes = list(range(rank))
    one, other = axis_of(one, rank), axis_of(other, rank)
    axes[one], axes[other] = axes[other], axes[one]
    return permute(b, x, axes)


def size(b: Builder, x: Any, place: Any = None) -> Any:
    """All sizes, or one."""
    sizes = [BATCH, *flow_of(x).shape]
    return sizes if place is None else sizes[axis_of(place, len(sizes))]


def slice_of(b: Builder, x: Any, axis: Any = 0, start: Any = None, stop: Any = None, step: Any = 1) -> Flow:
    """All of an axis, or some rows or columns."""
    flow = flow_of(x)
    place = axis_of(axis, len(flow.shape) + 1)
    start, stop, step = (as_number(value) for value in (start, stop, step))
    if place == 0 and start in (None, 0) and stop in (None, TO_THE_END) and step == 1:
        return flow
    if place == 0:
        raise Failed("it cuts the batch")
    first, last, _ = slice(start, stop).indices(flow.shape[place - 1])
    if step == 1 and (first, last) == (0, flow.shape[place - 1]):
        return flow
    if step != 1 or len(flow.shape) != 3 or place == 1:
        raise Failed("it cuts channels or features, or by steps")
    _, height, width = flow.shape
    rows, columns = ((first, last), (0, width)) if place == 2 else ((0, height), (first, last))
    return b.view(layers.Crop(rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0]), flow)


def cat(b: Builder, items: Any, axis: Any = 0) -> Flow:
    """Side by side, along channels or features."""
    flows = [flow_of(item) for item in items]
    if not flows or axis_of(axis, len(flows[0].shape) + 1) != 1:
        raise Failed("it joins along another axis than channels")
    return b.add(layers.Concat(), flows)
