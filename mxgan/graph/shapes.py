"""The shape after every layer, and whether the arrays fit. Nothing is computed or allocated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from mxgan.errors import ParamsError
from mxgan.graph import layers
from mxgan.graph.graph import Graph, Node

Shape = tuple[int, ...]
LARGEST = 2**26  # numbers in one sample after any layer: 256 MiB as float32
MOST_NODES = 2000
MOST_AXES = 5  # of a sample, to be put in another order: MXNet's transpose takes no more


class Unfit(ValueError):
    """The layers or arrays don't fit together; the message names the node."""


def check(graph: Graph, where: str) -> dict[str, Shape]:
    """`shapes`, and that a generator ends in images of 1 to 4 channels. Raises ParamsError naming ``where``."""
    try:
        found = shapes(graph)
        last = found[graph.nodes[-1].name]
        if graph.latent is not None and (len(last) != 3 or not 1 <= last[0] <= 4):
            raise Unfit(f"{graph.nodes[-1].name} gives {last}; images of 1 to 4 channels wanted")
    except Unfit as error:
        raise ParamsError(f"{where}: {error}") from error
    return found


def shapes(graph: Graph) -> dict[str, Shape]:
    """The shape of one sample after each node, by name, the graph's inputs included.

    Raises Unfit, naming the node, where inputs, arrays and settings don't go together or a sample would be too large.
    """
    if not 0 < len(graph.nodes) <= MOST_NODES:
        raise Unfit(f"{len(graph.nodes)} layers; 1 to {MOST_NODES} wanted")
    found: dict[str, Shape] = dict(graph.inputs)
    for node in graph.nodes:
        missing = [name for name in node.inputs if name not in found]
        if node.name.encode("utf-8", "replace").decode() != node.name:  # a lone surrogate, from JSON
            raise Unfit(f"{node.name!r}: a layer's name can be written as UTF-8")
        if missing or node.name in found:
            raise Unfit(f"{node.name}: " + (f"takes {missing[0]}, which isn't before it" if missing else "comes twice"))
        try:
            shape = after(graph, node, [found[name] for name in node.inputs])
        except Unfit as error:
            raise Unfit(f"{node.name} ({layers.name_of(node.layer)}): {error}") from None
        if any(size < 1 for size in shape) or prod(shape) > LARGEST:
            raise Unfit(f"{node.name}: gives {shape}, of sizes from 1 and at most {LARGEST} numbers")
        found[node.name] = shape
    return found


def after(graph: Graph, node: Node, inputs: Sequence[Shape]) -> Shape:
    """The shape that a node gives for inputs of these shapes. Raises Unfit, without the node's name."""
    layer = node.layer
    wanted = "any" if isinstance(layer, (layers.Add, layers.Multiply, layers.Concat)) else 1
    if not inputs or (wanted == 1 and len(inputs) != 1):
        raise Unfit(f"has {len(inputs)} inputs; {'at least ' if wanted == 'any' else ''}1 wanted")
    for word in layer.needs:
        if graph.array(node, word) is None:
            raise Unfit(f"has no array {node.name}.{word}")
    rule = _RULES.get(type(layer))
    return inputs[0] if rule is None else rule(graph, node, layer, inputs)


def _linear(graph: Graph, node: Node, layer: layers.Linear, inputs: Sequence[Shape]) -> Shape:
    weight = _weight(graph, node, 2)
    if inputs[0] != (weight[1],):
        raise Unfit(f"takes ({weight[1]},) and is given {inputs[0]}")
    _vectors(graph, node, ("bias",), weight[0])
    return (weight[0],)


def _embedding(graph: Graph, node: Node, layer: layers.Embedding, inputs: Sequence[Shape]) -> Shape:
    if inputs[0] != ():
        raise Unfit(f"takes a label and is given {inputs[0]}")
    return _weight(graph, node, 2)[1:]


def _one_hot(graph: Graph, node: Node, layer: layers.OneHot, inputs: Sequence[Shape]) -> Shape:
    if inputs[0] != ():
        raise Unfit(f"takes a label and is given {inputs[0]}")
    return (layer.classes,)


def _conv(graph: Graph, node: Node, layer: layers.Conv, inputs: Sequence[Shape]) -> Shape:
    out, into, *kernel = _weight(graph, node, 4)
    channels, *pixels = _image(inputs[0])
    _settings(layer.stride, layer.padding, layer.dilation)
    if layer.groups < 1 or channels != into * layer.groups or out % layer.groups:
        raise Unfit(f"takes {into * layer.groups} channels and is given {channels}")
    _vectors(graph, node, ("bias",), out)
    height, width = (
        (size + 2 * pad - dilation * (k - 1) - 1) // stride + 1
        for size, pad, dilation, k, stride in zip(pixels, layer.padding, layer.dilation, kernel, layer.stride)
    )
    return out, height, width


def _conv_transpose(graph: Graph, node: Node, layer: layers.ConvTranspose, inputs: Sequence[Shape]) -> Shape:
    into, out, *kernel = _weight(graph, node, 4)
    channels, *pixels = _image(inputs[0])
    _settings(layer.stride, layer.padding, layer.dilation, layer.output_padding)
    if layer.groups < 1 or channels != into or into % layer.groups:
        raise Unfit(f"takes {into} channels and is given {channels}")
    if any(more >= stride for more, stride in zip(layer.output_padding, layer.stride)):
        raise Unfit(f"output_padding {layer.output_padding} isn't less than stride {layer.stride}")
    _vectors(graph, node, ("bias",), out * layer.groups)
    height, width = (
        (size - 1) * stride - 2 * pad + dilation * (k - 1) + more + 1
        for size, stride, pad, dilation, k, more in zip(
            pixels, layer.stride, layer.padding, layer.dilation, kernel, layer.output_padding
        )
    )
    return out * layer.groups, height, width


def _norm(graph: Graph, node: Node, layer: layers.BatchNorm, inputs: Sequence[Shape]) -> Shape:
    if len(inputs[0]) not in (1, 3):
        raise Unfit(f"takes features or images and is given {inputs[0]}")
    _vectors(graph, node, (*layer.needs, *layer.may), inputs[0][0])
    return inputs[0]


def _instance_norm(graph: Graph, node: Node, layer: layers.InstanceNorm, inputs: Sequence[Shape]) -> Shape:
    _vectors(graph, node, layer.may, _image(inputs[0])[0])
    return inputs[0]


def _reshape(graph: Graph, node: Node, layer: layers.Reshape, inputs: Sequence[Shape]) -> Shape:
    size, known = prod(inputs[0]), prod(n for n in layer.shape if n != -1)
    shape = tuple(size // known if n == -1 and known else n for n in layer.shape)
    if layer.shape.count(-1) > 1 or prod(shape) != size or any(n < 1 for n in shape):
        raise Unfit(f"can't make {layer.shape} of {inputs[0]}")
    return shape


def _permute(graph: Graph, node: Node, layer: layers.Permute, inputs: Sequence[Shape]) -> Shape:
    if sorted(layer.axes) != list(range(len(inputs[0]))) or len(inputs[0]) > MOST_AXES:
        raise Unfit(f"axes {layer.axes} of {inputs[0]}; all of at most {MOST_AXES} wanted")
    return tuple(inputs[0][axis] for axis in layer.axes)


def _upsample(graph: Graph, node: Node, layer: layers.Upsample, inputs: Sequence[Shape]) -> Shape:
    channels, height, width = _image(inputs[0])
    if layer.mode not in ("nearest", "bilinear") or min(layer.scale) < 1:
        raise Unfit(f"{layer.mode} by {layer.scale}; nearest or bilinear by whole factors wanted")
    return channels, height * layer.scale[0], width * layer.scale[1]


def _pixel_shuffle(graph: Graph, node: Node, layer: layers.PixelShuffle, inputs: Sequence[Shape]) -> Shape:
    channels, height, width = _image(inputs[0])
    if layer.factor < 1 or channels % layer.factor**2:
        raise Unfit(f"{channels} channels and factor {layer.factor}")
    return channels // layer.factor**2, height * layer.factor, width * layer.factor


def _pad(graph: Graph, node: Node, layer: layers.Pad, inputs: Sequence[Shape]) -> Shape:
    channels, height, width = _image(inputs[0])
    amounts = (layer.top, layer.bottom, layer.left, layer.right)
    if layer.mode not in ("constant", "edge", "reflect") or min(amounts) < 0:
        raise Unfit(f"pads {amounts} by {layer.mode}; constant, edge or reflect wanted")
    if layer.mode == "reflect" and (max(amounts[:2]) >= height or max(amounts[2:]) >= width):
        raise Unfit(f"reflects {amounts} of {inputs[0]}")
    return channels, height + layer.top + layer.bottom, width + layer.left + layer.right


def _crop(graph: Graph, node: Node, layer: layers.Crop, inputs: Sequence[Shape]) -> Shape:
    channels, height, width = _image(inputs[0])
    if min(layer.top, layer.left) < 0 or layer.top + layer.height > height or layer.left + layer.width > width:
        raise Unfit(f"crops {layer.height}×{layer.width} at ({layer.top}, {layer.left}) of {inputs[0]}")
    return channels, layer.height, layer.width


def _same(graph: Graph, node: Node, layer: layers.Layer, inputs: Sequence[Shape]) -> Shape:
    if any(shape != inputs[0] for shape in inputs):
        raise Unfit(f"is given {', '.join(map(str, inputs))}; one shape wanted")
    return inputs[0]


def _concat(graph: Graph, node: Node, layer: layers.Concat, inputs: Sequence[Shape]) -> Shape:
    if () in inputs or any(shape[1:] != inputs[0][1:] for shape in inputs):
        raise Unfit(f"is given {', '.join(map(str, inputs))}; shapes that differ in the first size alone wanted")
    return (sum(shape[0] for shape in inputs), *inputs[0][1:])


def _prelu(graph: Graph, node: Node, layer: layers.PRelu, inputs: Sequence[Shape]) -> Shape:
    slope = graph.arrays[f"{node.name}.slope"].shape
    if slope not in ((1,), inputs[0][:1]):
        raise Unfit(f"slope is {slope} for {inputs[0]}")
    return inputs[0]


_RULES: dict[type, Callable[..., Shape]] = {
    layers.Linear: _linear,
    layers.Embedding: _embedding,
    layers.OneHot: _one_hot,
    layers.Conv: _conv,
    layers.ConvTranspose: _conv_transpose,
    layers.BatchNorm: _norm,
    layers.InstanceNorm: _instance_norm,
    layers.Reshape: _reshape,
    layers.Permute: _permute,
    layers.Upsample: _upsample,
    layers.PixelShuffle: _pixel_shuffle,
    layers.Pad: _pad,
    layers.Crop: _crop,
    layers.Add: _same,
    layers.Multiply: _same,
    layers.Concat: _concat,
    layers.PRelu: _prelu,
}  # the rest leave the shape alone


def _weight(graph: Graph, node: Node, rank: int) -> Shape:
    shape = graph.arrays[f"{node.name}.weight"].shape
    if len(shape) != rank or 0 in shape:
        raise Unfit(f"weight is {shape}; {rank} dimensions wanted")
    return shape


def _image(shape: Shape) -> Shape:
    if len(shape) != 3:
        raise Unfit(f"takes (channels, H, W) and is given {shape}")
    return shape


def _vectors(graph: Graph, node: Node, words: Sequence[str], size: int) -> None:
    for word in words:
        array = graph.array(node, word)
        if array is not None and array.shape != (size,):
            raise Unfit(f"{word} is {array.shape}; ({size},) wanted")


def _settings(stride: Shape, padding: Shape, dilation: Shape, more: Shape = (0, 0)) -> None:
    if min(stride) < 1 or min(dilation) < 1 or min(padding) < 0 or min(more) < 0:
        raise Unfit(f"stride {stride}, padding {padding}, dilation {dilation}: sizes from 1, paddings from 0 wanted")
