"""MXNet's operators that move numbers about without computing: Reshape and its special codes, transpose, Crop, Pad."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Optional

from mxgan.architecture.symbol_draft import Draft, Short, Value
from mxgan.architecture.symbol_json import Operation
from mxgan.graph.layers import Concat, Crop, Pad, Permute
from mxgan.graph.shapes import Shape, Unfit

# Stands for the batch, whose size isn't known: a prime, so that no product or quotient of other sizes comes near it.
BATCH = 2**61 - 1
_SKIP = -9  # NumPy-style reshape's "leave out a size of 1"
_NUMPY_CODES = {-1: -1, -2: 0, -3: _SKIP, -4: -2, -5: -3, -6: -4}


def reshape(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    """Reshape, with ``shape`` or, in 0.x, ``target_shape`` (where 0 is worked out and ``keep_highest`` may be)."""
    codes = operation.wholes("shape", ())
    if not codes:
        codes = tuple(code or -1 for code in operation.wholes("target_shape", ()))
        if operation.flag("keep_highest", False) and codes:
            codes = (0, *codes[1:])
    if not codes:
        raise Unfit("has no shape")
    return _reshaped(draft, operation, values[0], codes, operation.flag("reverse", False))


def numpy_reshape(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    """MXNet 2's, whose codes are numbered otherwise."""
    codes = operation.wholes("newshape")
    if any(code < 1 and code not in _NUMPY_CODES for code in codes):
        raise Unfit(f"newshape {codes} has an unknown code")
    translated = tuple(code if code > 0 else _NUMPY_CODES[code] for code in codes)
    return _reshaped(draft, operation, values[0], translated, operation.flag("reverse", False))


def _reshaped(draft: Draft, operation: Operation, value: Value, codes: tuple[int, ...], reverse: bool) -> Value:
    if reverse and -4 in codes:
        raise Unfit(f"shape {codes} splits a size in reverse")
    dims = (BATCH, *value.shape)
    if codes[0] > 0 and not reverse:
        codes = (0, *codes[1:])  # a batch size that was written down stands for any
    shape = target(dims[::-1], codes[::-1])[::-1] if reverse else target(dims, codes)
    if not shape or shape[0] != BATCH:
        raise Unfit(f"shape {codes} of {value.shape} mixes samples of a batch")
    return draft.reshape(operation.name, value, shape[1:])


def target(dims: Shape, codes: Sequence[int]) -> Shape:
    """The shape that Reshape's codes give (MXNet 1.9.1's rules): 0 copies a size, -1 is worked out, -2 copies the rest,
    -3 merges two sizes, -4 splits one into the next two codes.
    """
    left, rest = list(dims), list(codes)
    found: list[int] = []
    unknown: Optional[int] = None
    while rest:
        code = rest.pop(0)
        if code == -1 and unknown is not None:
            raise Unfit(f"shape {tuple(codes)} has two sizes to work out")
        unknown = len(found) if code == -1 else unknown
        found += _taken(code, left, rest)
    if unknown is not None:
        found[unknown] = _worked_out(prod(dims), found, unknown)
    return tuple(found)


def _taken(code: int, left: list[int], rest: list[int]) -> list[int]:
    """The sizes that one code gives. It takes its own from ``left``, and a split's two codes from ``rest``."""
    if code > 0 or code == -1:
        del left[:1]
        return [max(code, 1)]
    count = {0: 1, -2: len(left), -3: 2, -4: 1, _SKIP: 1}.get(code)
    if count is None or len(left) < count or (code == -4 and len(rest) < 2):
        raise Unfit(f"has the code {code} in its shape, which doesn't go with its input's")
    taken, left[:] = left[:count], left[count:]
    if code == -4:
        return _split(taken[0], rest.pop(0), rest.pop(0))
    if code == _SKIP and taken != [1]:
        raise Unfit("leaves out a size that isn't 1")
    return {-2: taken, _SKIP: []}.get(code, [prod(taken)])


def _worked_out(total: int, found: list[int], unknown: int) -> int:
    others = prod(found)
    if total % others == 0:
        return total // others
    if unknown == 0:  # the batch: then the sample hasn't the size that the other codes want
        raise Short(others, total // BATCH)
    raise Unfit(f"can't make {tuple(found)} of {total // BATCH} numbers")


def _split(size: int, one: int, other: int) -> list[int]:
    if one == -1 and other > 0:
        one = size // other
    if other == -1 and one > 0:
        other = size // one
    if one < 1 or other < 1 or one * other != size:
        raise Unfit(f"can't split {size} into {one} and {other}")
    return [one, other]


def flatten(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    return draft.reshape(operation.name, values[0], (prod(values[0].shape),))


def expand_dims(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    shape = values[0].shape
    axis = _axis(operation.whole("axis"), len(shape) + 2)
    return draft.reshape(operation.name, values[0], (*shape[: axis - 1], 1, *shape[axis - 1 :]))


def squeeze(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    """Without ``axis``, all sizes of 1."""
    shape = values[0].shape
    axes = {_axis(axis, len(shape) + 1) - 1 for axis in operation.wholes("axis", ())}
    axes = axes or {place for place, size in enumerate(shape) if size == 1}
    if any(shape[axis] != 1 for axis in axes):
        raise Unfit(f"squeezes {shape} at {sorted(axes)}; sizes of 1 wanted")
    return draft.reshape(operation.name, values[0], tuple(n for at, n in enumerate(shape) if at not in axes))


def transpose(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    rank = len(values[0].shape) + 1
    axes = operation.wholes("axes", ()) or tuple(range(rank))[::-1]
    if sorted(axes) != list(range(rank)) or axes[0] != 0:
        raise Unfit(f"axes {axes} of {rank}; the batch first wanted")
    return _permuted(draft, operation, values[0], axes)


def swap_axes(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    rank = len(values[0].shape) + 1
    one, other = (_axis(operation.whole(key, 0), rank) for key in ("dim1", "dim2"))
    axes = list(range(rank))
    axes[one], axes[other] = other, one
    return _permuted(draft, operation, values[0], axes)


def _permuted(draft: Draft, operation: Operation, value: Value, axes: Sequence[int]) -> Value:
    if list(axes) == sorted(axes):
        return value
    return draft.add(operation.name, Permute(tuple(axis - 1 for axis in axes[1:])), [value])


def concat(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    axis = operation.whole("axis", 0) if operation.operator.startswith("_npi") else operation.whole("dim", 1)
    rank = len(values[0].shape) + 1
    if _axis(axis, rank) != 1:
        raise Unfit(f"joins along axis {axis}; channels (1) wanted")
    return values[0] if len(values) == 1 else draft.add(operation.name, Concat(), values)


def crop(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    """Crop, to ``h_w`` or to a second input's size."""
    _, height, width = image(values[0])
    h, w = image(values[1])[1:] if len(values) > 1 else operation.pair("h_w", (0, 0))
    top, left = operation.pair("offset", (0, 0))
    if operation.flag("center_crop", False):
        top, left = (height - h) // 2, (width - w) // 2
    return _cropped(draft, operation, values[0], (top, top + h), (left, left + w))


def slice_axis(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    _, height, width = image(values[0])
    axis = _axis(operation.whole("axis"), 4)
    if axis == 1:
        raise Unfit("slices channels; rows or columns (axis 2 or 3) wanted")
    (end,) = operation.maybe_wholes("end", (height if axis == 2 else width,))
    rows, columns = ((0, height), (0, width))
    if axis == 2:
        rows = _span(operation.whole("begin"), end, height)
    else:
        columns = _span(operation.whole("begin"), end, width)
    return _cropped(draft, operation, values[0], rows, columns)


def slice_spans(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    """slice, of rows and columns alone."""
    shape = image(values[0])
    begin, end = operation.maybe_wholes("begin"), operation.maybe_wholes("end")
    steps = operation.maybe_wholes("step", ())
    if any(step not in (None, 1) for step in steps) or len(begin) != len(end) or len(begin) > 4:
        raise Unfit("slices with steps; whole spans wanted")
    padded = [*zip(begin, end), *[(None, None)] * (4 - len(begin))]
    if padded[0] != (None, None) or _span(*padded[1], shape[0]) != (0, shape[0]):
        raise Unfit("slices channels or the batch; rows or columns wanted")
    return _cropped(draft, operation, values[0], _span(*padded[2], shape[1]), _span(*padded[3], shape[2]))


def _span(begin: Optional[int], end: Optional[int], size: int) -> tuple[int, int]:
    begin, end = begin or 0, size if end is None else end
    return (begin + size if begin < 0 else begin), min(end + size if end < 0 else end, size)


def _cropped(
    draft: Draft, operation: Operation, value: Value, rows: tuple[int, int], columns: tuple[int, int]
) -> Value:
    (top, bottom), (left, right) = rows, columns
    if (top, left, bottom, right) == (0, 0, *value.shape[1:]):
        return value
    return draft.add(operation.name, Crop(top, left, bottom - top, right - left), [value])


def pad(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    image(values[0])
    widths, mode = operation.wholes("pad_width"), operation.text("mode")
    if len(widths) != 8 or any(widths[:4]):
        raise Unfit(f"pads {widths}; eight numbers, the first four 0, wanted")
    if mode == "constant" and operation.number("constant_value", 0.0) != 0:
        raise Unfit("pads with a number other than 0")
    return draft.add(operation.name, Pad(*widths[4:], mode=mode), values[:1])


def depth_to_space(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    """Channel (i * block + j) * C + c becomes pixel (i, j) of each block: not PixelShuffle's order."""
    channels, height, width = image(values[0])
    block = operation.whole("block_size")
    if block < 1 or channels % block**2:
        raise Unfit(f"{channels} channels and block_size {block}")
    parts = draft.reshape(f"{operation.name}_parts", values[0], (block, block, channels // block**2, height, width))
    placed = draft.add(f"{operation.name}_placed", Permute((2, 3, 0, 4, 1)), [parts])
    return draft.reshape(operation.name, placed, (channels // block**2, height * block, width * block))


def broadcast_to(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    shape = operation.wholes("shape")
    if len(shape) != len(values[0].shape) + 1:
        raise Unfit(f"broadcasts {values[0].shape} to {shape}")
    wanted = tuple(size or mine for size, mine in zip(shape[1:], values[0].shape))
    return draft.widen(operation.name, values[0], wanted)


def broadcast_axis(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    wanted = list(values[0].shape)
    for axis, size in zip(operation.wholes("axis", ()), operation.wholes("size", ())):
        wanted[_axis(axis, len(wanted) + 1) - 1] = size
    return draft.widen(operation.name, values[0], tuple(wanted))


def image(value: Value) -> Shape:
    """The shape, which must be an image's."""
    if len(value.shape) != 3:
        raise Unfit(f"takes (channels, H, W) and is given {value.shape}")
    return value.shape


def _axis(axis: int, rank: int) -> int:
    """An axis counted from the batch's 0, which must not be the batch's."""
    found = axis + rank if axis < 0 else axis
    if not 0 < found < rank:
        raise Unfit(f"axis {axis}; 1 to {rank - 1} wanted")
    return found
