"""Each layer of a graph as ONNX nodes, of operator set 17."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mxgan.graph import layers
from mxgan.graph.graph import LABELS, Graph
from mxgan.graph.shapes import Shape


class Site(NamedTuple):
    """A node's place in the model: the names of its values, and their shapes without the batch."""

    name: str
    inputs: Sequence[str]
    output: str
    before: Shape  # of the first input
    after: Shape
    arrays: Mapping[str, np.ndarray]  # by word


class Writer:
    """The nodes and initializers of a model. A value is called ``<node>.<word>`` as the graph's arrays are."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self.float32, self.int64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
        self.nodes: list[Any] = []
        self.initializers: dict[str, np.ndarray] = {}

    def weights(self, graph: Graph) -> None:
        """The arrays of the graph's layers, in the order that the graph has them in."""
        used = {f"{node.name}.{word}" for node in graph.nodes for word in (*node.layer.needs, *node.layer.may)}
        for name, array in graph.arrays.items():
            if name in used:
                self._weight(name, array)

    def layer(self, layer: layers.Layer, site: Site) -> None:
        """One layer. Labels come as whole numbers; what is no lookup takes them as floats."""
        if LABELS in site.inputs and not isinstance(layer, (layers.Embedding, layers.OneHot)):
            floats = f"{site.name}.float"
            self.make("Cast", [LABELS], floats, to=self.float32)
            site = site._replace(inputs=[floats if name == LABELS else name for name in site.inputs])
        _WRITE[type(layer)](self, layer, site)

    def make(self, kind: str, inputs: Sequence[str], output: str, **settings: Any) -> None:
        """One ONNX node, called as its output is."""
        self.nodes.append(self._onnx.helper.make_node(kind, list(inputs), [output], name=output, **settings))

    def constant(self, site: Site, word: str, values: Any, dtype: str) -> str:
        """The name of numbers that aren't the graph's: a shape, a factor."""
        name = f"{site.name}.{word}"
        self.initializers[name] = np.array(values, dtype)
        return name

    def scaling(self, site: Site) -> list[str]:
        """The names of a norm's gamma and beta, where it has none of 1 and 0."""
        channels = site.after[0]
        return [
            f"{site.name}.{word}" if word in site.arrays else self.constant(site, word, [value] * channels, "float32")
            for word, value in (("gamma", 1), ("beta", 0))
        ]

    def _weight(self, name: str, array: np.ndarray) -> None:
        half = array.dtype == np.float16
        stored = f"{name}.float16" if half else name
        self.initializers[stored] = np.ascontiguousarray(array, np.float16 if half else np.float32)
        if half:
            self.make("Cast", [stored], name, to=self.float32)


def _with_arrays(site: Site, *words: str) -> list[str]:
    """The inputs, and after them the arrays of these words that there are."""
    return [*site.inputs, *(f"{site.name}.{word}" for word in words if word in site.arrays)]


def _linear(to: Writer, layer: layers.Linear, site: Site) -> None:
    to.make("Gemm", _with_arrays(site, "weight", "bias"), site.output, transB=1)


def _whole(to: Writer, site: Site) -> str:
    """The label as whole numbers, whether it is the graph's own or computed."""
    if site.inputs[0] == LABELS:
        return LABELS
    to.make("Cast", site.inputs, f"{site.name}.label", to=to.int64)
    return f"{site.name}.label"


def _embedding(to: Writer, layer: layers.Embedding, site: Site) -> None:
    to.make("Gather", [f"{site.name}.weight", _whole(to, site)], site.output, axis=0)


def _one_hot(to: Writer, layer: layers.OneHot, site: Site) -> None:
    depth = to.constant(site, "depth", layer.classes, "int64")
    values = to.constant(site, "values", [0, 1], "float32")
    to.make("OneHot", [_whole(to, site), depth, values], site.output)


def _sliding(layer: layers.Conv | layers.ConvTranspose, site: Site) -> dict[str, Any]:
    """The settings that both convolutions have; dilation and groups only where they aren't 1."""
    settings: dict[str, Any] = {
        "kernel_shape": site.arrays["weight"].shape[2:],
        "strides": layer.stride,
        "pads": layer.padding * 2,
    }
    if layer.dilation != (1, 1):
        settings["dilations"] = layer.dilation
    if layer.groups != 1:
        settings["group"] = layer.groups
    return settings


def _conv(to: Writer, layer: layers.Conv, site: Site) -> None:
    to.make("Conv", _with_arrays(site, "weight", "bias"), site.output, **_sliding(layer, site))


def _conv_transpose(to: Writer, layer: layers.ConvTranspose, site: Site) -> None:
    settings = _sliding(layer, site)
    if layer.output_padding != (0, 0):
        settings["output_padding"] = layer.output_padding
    to.make("ConvTranspose", _with_arrays(site, "weight", "bias"), site.output, **settings)


def _batch_norm(to: Writer, layer: layers.BatchNorm, site: Site) -> None:
    inputs = [*site.inputs, *to.scaling(site), f"{site.name}.running_mean", f"{site.name}.running_var"]
    to.make("BatchNormalization", inputs, site.output, epsilon=layer.eps)


def _instance_norm(to: Writer, layer: layers.InstanceNorm, site: Site) -> None:
    to.make("InstanceNormalization", [*site.inputs, *to.scaling(site)], site.output, epsilon=layer.eps)


def _reshape(to: Writer, layer: layers.Reshape, site: Site) -> None:
    shape = to.constant(site, "shape", [0, *site.after], "int64")  # 0 keeps the batch's size
    to.make("Reshape", [*site.inputs, shape], site.output)


def _permute(to: Writer, layer: layers.Permute, site: Site) -> None:
    to.make("Transpose", site.inputs, site.output, perm=[0, *(axis + 1 for axis in layer.axes)])


def _upsample(to: Writer, layer: layers.Upsample, site: Site) -> None:
    scales = to.constant(site, "scales", [1, 1, *layer.scale], "float32")
    settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    if layer.mode == "bilinear":
        centres = "align_corners" if layer.align_corners else "half_pixel"
        settings = {"mode": "linear", "coordinate_transformation_mode": centres}
    to.make("Resize", [*site.inputs, "", scales], site.output, **settings)


def _pixel_shuffle(to: Writer, layer: layers.PixelShuffle, site: Site) -> None:
    to.make("DepthToSpace", site.inputs, site.output, blocksize=layer.factor, mode="CRD")


def _pad(to: Writer, layer: layers.Pad, site: Site) -> None:
    amounts = [0, 0, layer.top, layer.left, 0, 0, layer.bottom, layer.right]
    to.make("Pad", [*site.inputs, to.constant(site, "pads", amounts, "int64")], site.output, mode=layer.mode)


def _crop(to: Writer, layer: layers.Crop, site: Site) -> None:
    starts = to.constant(site, "starts", [layer.top, layer.left], "int64")
    ends = to.constant(site, "ends", [layer.top + layer.height, layer.left + layer.width], "int64")
    to.make("Slice", [*site.inputs, starts, ends, to.constant(site, "axes", [2, 3], "int64")], site.output)


def _affine(to: Writer, layer: layers.Affine, site: Site) -> None:
    scaled = f"{site.name}.scaled"
    to.make("Mul", [*site.inputs, to.constant(site, "scale", layer.scale, "float32")], scaled)
    to.make("Add", [scaled, to.constant(site, "shift", layer.shift, "float32")], site.output)


def _multiply(to: Writer, layer: layers.Multiply, site: Site) -> None:
    first, *rest = site.inputs
    for place, name in enumerate(rest):
        product = site.output if place == len(rest) - 1 else f"{site.name}.product{place}"
        to.make("Mul", [first, name], product)
        first = product
    if not rest:
        to.make("Identity", [first], site.output)


def _prelu(to: Writer, layer: layers.PRelu, site: Site) -> None:
    shape = to.constant(site, "shape", [-1, *[1] * (len(site.before) - 1)], "int64")
    slope = f"{site.name}.slopes"
    to.make("Reshape", [f"{site.name}.slope", shape], slope)
    to.make("PRelu", [*site.inputs, slope], site.output)


def _plain(kind: str) -> Callable[[Writer, layers.Layer, Site], None]:
    """A layer that is one ONNX operator without settings."""
    return lambda to, layer, site: to.make(kind, site.inputs, site.output)


_WRITE: dict[type, Callable[..., None]] = {
    layers.Linear: _linear,
    layers.Embedding: _embedding,
    layers.OneHot: _one_hot,
    layers.Conv: _conv,
    layers.ConvTranspose: _conv_transpose,
    layers.BatchNorm: _batch_norm,
    layers.InstanceNorm: _instance_norm,
    layers.Reshape: _reshape,
    layers.Permute: _permute,
    layers.Upsample: _upsample,
    layers.PixelShuffle: _pixel_shuffle,
    layers.Pad: _pad,
    layers.Crop: _crop,
    layers.Affine: _affine,
    layers.Add: _plain("Sum"),
    layers.Multiply: _multiply,
    layers.Concat: lambda to, layer, site: to.make("Concat", site.inputs, site.output, axis=1),
    layers.Relu: _plain("Relu"),
    layers.LeakyRelu: lambda to, layer, site: to.make("LeakyRelu", site.inputs, site.output, alpha=layer.slope),
    layers.PRelu: _prelu,
    layers.Elu: lambda to, layer, site: to.make("Elu", site.inputs, site.output, alpha=layer.alpha),
    layers.Selu: _plain("Selu"),
    layers.Tanh: _plain("Tanh"),
    layers.Sigmoid: _plain("Sigmoid"),
}
