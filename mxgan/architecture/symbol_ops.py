"""What each of MXNet's operators is as layers, with MXNet's own defaults.

Defaults and rules are those of MXNet 1.9.1's operator documentation and sources (src/operator/nn), which older versions
share: only names changed, and a setting at its default is written down or not.
"""

from __future__ import annotations

from collections.abc import Mapping

from mxgan.architecture import symbol_shapes as moves
from mxgan.architecture.symbol_draft import Draft, Short, Value
from mxgan.architecture.symbol_json import Operation
from mxgan.graph import layers
from mxgan.graph.graph import LABELS
from mxgan.graph.shapes import Shape, Unfit

EPS = 0.0010000000474974513  # the float32 nearest to 1e-3: BatchNorm's and InstanceNorm's default


def convolution(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    weight, arrays = _weights(draft, operation, operation.flag("no_bias", False))
    groups, filters = operation.whole("num_group", 1), operation.whole("num_filter")
    _is(weight, 0, filters, "num_filter")
    stride, padding, dilation = _kernel(operation, weight)
    shape = moves.image(values[0])
    if shape[0] != weight[1] * groups:
        raise Short(weight[1] * groups, shape[0])
    return draft.add(operation.name, layers.Conv(stride, padding, dilation, groups), values, **arrays)


def deconvolution(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    weight, arrays = _weights(draft, operation, operation.flag("no_bias", True))
    groups, filters = operation.whole("num_group", 1), operation.whole("num_filter")
    _is(weight, 1, filters // max(groups, 1), "num_filter")
    stride, padding, dilation = _kernel(operation, weight)
    more = operation.pair("adj", (0, 0))
    shape = moves.image(values[0])
    if shape[0] != weight[0]:
        raise Short(weight[0], shape[0])
    target = operation.wholes("target_shape", ())
    if any(target):  # decides the padding, whatever pad and adj say
        target = operation.pair("target_shape")
        surplus = [
            step * (size - 1) + dots * (k - 1) + 1 - wanted
            for step, size, dots, k, wanted in zip(stride, shape[1:], dilation, weight[2:], target)
        ]
        if min(surplus) < 0:
            raise Unfit(f"target_shape {target} is more than it can give")
        padding, more = ((surplus[0] + 1) // 2, (surplus[1] + 1) // 2), (surplus[0] % 2, surplus[1] % 2)
    return draft.add(operation.name, layers.ConvTranspose(stride, padding, more, dilation, groups), values, **arrays)


def _kernel(operation: Operation, weight: Shape) -> tuple[layers.Pair, layers.Pair, layers.Pair]:
    """stride, padding, dilation; the kernel must be the weight's."""
    if operation.text("layout", "NCHW") != "NCHW":
        raise Unfit(f"layout {operation.text('layout')}; NCHW wanted")
    if len(weight) != 4 or operation.pair("kernel") != weight[2:]:
        raise Unfit(f"kernel {operation.wholes('kernel')} and its weight is {weight}; the file is another network's")
    return operation.pair("stride", (1, 1)), operation.pair("pad", (0, 0)), operation.pair("dilate", (1, 1))


def fully_connected(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    weight, arrays = _weights(draft, operation, operation.flag("no_bias", False))
    _is(weight, 0, operation.whole("num_hidden"), "num_hidden")
    value = values[0]
    if operation.flag("flatten", True):
        value = moves.flatten(draft, Operation("Flatten", f"{operation.name}_flat", {}, ()), values)
    if len(weight) == 2 and len(value.shape) == 1 and value.shape[0] != weight[1]:
        raise Short(weight[1], value.shape[0])
    return draft.add(operation.name, layers.Linear(), [value], **arrays)


def _weights(draft: Draft, operation: Operation, no_bias: bool) -> tuple[Shape, dict[str, str]]:
    arrays = {"weight": draft.parameter(operation, 1, "weight")}
    if not no_bias:
        arrays["bias"] = draft.parameter(operation, 2, "bias")
    return draft.file[arrays["weight"]].shape, arrays


def _is(weight: Shape, axis: int, wanted: int, key: str) -> None:
    if len(weight) <= axis or weight[axis] != wanted:
        raise Unfit(f"{key} is {wanted} and its weight is {weight}; the file is another network's")


def batch_norm(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    shape, axis = values[0].shape, operation.whole("axis", 1)
    if shape and axis % (len(shape) + 1) != 1:
        raise Unfit(f"axis {axis} of {len(shape) + 1}; channels (1) wanted")
    words = {"running_mean": "moving_mean", "running_var": "moving_var"}
    arrays = {mine: draft.parameter(operation, place, words[mine]) for place, mine in enumerate(words, 3)}
    arrays["beta"] = draft.parameter(operation, 2, "beta")
    if not operation.flag("fix_gamma", True):  # else it is 1, whatever the file holds
        arrays["gamma"] = draft.parameter(operation, 1, "gamma")
    return _normalised(draft, operation, layers.BatchNorm(_eps(operation)), values, arrays)


def instance_norm(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    arrays = {word: draft.parameter(operation, place, word) for place, word in enumerate(("gamma", "beta"), 1)}
    return _normalised(draft, operation, layers.InstanceNorm(_eps(operation)), values, arrays)


def _normalised(
    draft: Draft, operation: Operation, layer: layers.Layer, values: list[Value], arrays: Mapping[str, str]
) -> Value:
    size = draft.file[arrays["beta"]].size
    if values[0].shape and values[0].shape[0] != size:
        raise Short(size, values[0].shape[0])
    return draft.add(operation.name, layer, values, **arrays)


def _eps(operation: Operation) -> float:
    found = operation.number("eps", EPS)
    if found < 0:
        raise Unfit(f"eps is {found}; 0 or more wanted")
    return found


def activation(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    kinds: dict[str, layers.Layer] = {"relu": layers.Relu(), "tanh": layers.Tanh(), "sigmoid": layers.Sigmoid()}
    return draft.add(operation.name, _chosen(kinds, operation.text("act_type")), values)


def leaky_relu(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    kind, slope = operation.text("act_type", "leaky"), operation.number("slope", 0.25)
    if kind == "prelu":
        return draft.add(operation.name, layers.PRelu(), values, slope=draft.parameter(operation, 1, "gamma"))
    middle = (operation.number("lower_bound", 0.125) + operation.number("upper_bound", 0.334)) / 2
    kinds: dict[str, layers.Layer] = {
        "leaky": layers.LeakyRelu(slope),
        "rrelu": layers.LeakyRelu(middle),
        "elu": layers.Elu(slope),
        "selu": layers.Selu(),
    }
    return draft.add(operation.name, _chosen(kinds, kind), values)


def _chosen(kinds: Mapping[str, layers.Layer], kind: str) -> layers.Layer:
    if kind not in kinds:
        raise Unfit(f"act_type {kind}; {', '.join(kinds)} can be read")
    return kinds[kind]


def upsampling(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    scale = operation.whole("scale")
    if operation.text("sample_type") == "bilinear":  # a Deconvolution of every channel by itself
        channels = moves.image(values[0])[0]
        kernel, pad = 2 * scale - scale % 2, scale // 2
        stored = draft.parameter(operation, 1, "weight")
        if draft.file[stored].shape != (channels, 1, kernel, kernel):
            raise Unfit(f"its weight is {draft.file[stored].shape}; {(channels, 1, kernel, kernel)} wanted")
        layer = layers.ConvTranspose((scale, scale), (pad, pad), groups=channels)
        return draft.add(operation.name, layer, values[:1], weight=stored)
    if operation.text("sample_type") != "nearest":
        raise Unfit(f"sample_type {operation.text('sample_type')}; nearest or bilinear can be read")
    height, width = (size * scale for size in moves.image(values[0])[1:])
    larger = []
    for number, value in enumerate(values):
        _, mine, other = moves.image(value)
        if height % mine or width % other:
            raise Unfit(f"brings {value.shape} to {height}×{width}; whole factors wanted")
        name = operation.name if len(values) == 1 else f"{operation.name}_{number}"
        larger.append(draft.add(name, layers.Upsample((height // mine, width // other)), [value]))
    if len(larger) == 1:
        return larger[0]
    mode = operation.text("multi_input_mode", "concat")
    return draft.add(operation.name, layers.Add() if mode == "sum" else layers.Concat(), larger)


def bilinear_resize(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    _, height, width = moves.image(values[0])
    if operation.text("mode", "size") != "size" or len(values) != 1:
        raise Unfit("resizes to another input's size; height and width wanted")
    wanted = []
    for key, size in (("height", height), ("width", width)):
        scale = operation.number(f"scale_{key}", 0.0)
        wanted.append(int(min(scale, 1e6) * size) if scale > 0 else operation.whole(key, 1))
    if wanted[0] % height or wanted[1] % width:
        raise Unfit(f"resizes {height}×{width} to {wanted[0]}×{wanted[1]}; whole factors wanted")
    layer = layers.Upsample(
        (wanted[0] // height, wanted[1] // width), "bilinear", operation.flag("align_corners", True)
    )
    return draft.add(operation.name, layer, values)


def embedding(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    stored = draft.parameter(operation, 1, "weight")
    wanted = (operation.whole("input_dim"), operation.whole("output_dim"))
    if draft.file[stored].shape != wanted:
        raise Unfit(f"is of {wanted} and its weight is {draft.file[stored].shape}; the file is another network's")
    return _of_label(draft, operation, layers.Embedding(), values[0], weight=stored)


def one_hot(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    found = _of_label(draft, operation, layers.OneHot(operation.whole("depth")), values[0])
    on, off = operation.number("on_value", 1.0), operation.number("off_value", 0.0)
    return found if (on, off) == (1.0, 0.0) else draft.affine(f"{operation.name}_values", found, on - off, off)


def _of_label(draft: Draft, operation: Operation, layer: layers.Layer, value: Value, **arrays: str) -> Value:
    if value.name != LABELS:
        raise Unfit("takes something computed; a label wanted")
    found = draft.add(operation.name, layer, [Value(LABELS, ())], **arrays)
    return draft.reshape(f"{operation.name}_shape", found, (*value.shape, *found.shape))


def same(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    return values[0]


def cast(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    if values[0].name != LABELS and not operation.text("dtype").startswith(("float", "bfloat")):
        raise Unfit(f"casts to {operation.text('dtype')}; floats wanted")
    return values[0]


def dropout(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    if operation.text("mode", "training") == "always":
        raise Unfit("drops numbers in use too (mode always), so every picture is another; nothing random can be read")
    return values[0]


def softmax_output(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    draft.notes.append(f"{operation.name}: logits, its softmax left out")
    return values[0]
