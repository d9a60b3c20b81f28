"""A graph on MXNet in inference mode: each layer as symbols, and all of them one CachedOp, as hybridize makes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, Optional

import mxnet as mx
import numpy as np
from mxnet import sym

from mxgan.engines.protocol import Forward
from mxgan.gluon import runtime
from mxgan.gluon.tensors import to_array, to_tensor
from mxgan.graph import layers
from mxgan.graph.graph import LABELS, LATENTS, Graph
from mxgan.graph.shapes import Shape, shapes

CUDNN_EPSILON = 1e-5  # cuDNN's BatchNorm takes no smaller one


def forward_of(graph: Graph, ctx: str) -> Forward:
    """A generator as a function. Raises MxganError or ImportError where ctx can't be had."""
    return build(graph, runtime.context(ctx))


def build(graph: Graph, device: Any) -> Forward:
    """The generator as a function on ``device``: latents (n, latent) and labels (n,) to float32 NCHW images.

    The graph is one that `mxgan.graph.check` lets pass. Nothing global changes, MXNet's counters of names included.
    """
    arrays = _norms_completed(graph, _without_biases(graph))
    tensors = {
        _name(place, word): to_tensor(arrays[f"{node.name}.{word}"], device, "float32")
        for place, node in enumerate(graph.nodes)
        for word in (*node.layer.needs, *node.layer.may)
        if f"{node.name}.{word}" in arrays
    }
    with mx.name.NameManager():  # counts from 0 here, and the one outside doesn't
        output = _symbol(graph, {name: tensor.shape for name, tensor in tensors.items()})
    names = output.list_inputs()
    given = [place for place, name in enumerate(names) if name in graph.inputs]
    kept = [place for place, name in enumerate(names) if name not in graph.inputs]
    flags = {"data_indices": given, "param_indices": kept, "static_alloc": True, "static_shape": True}
    compute = mx.nd.CachedOp(output, list(flags.items()))

    def forward(z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
        values: dict[str, Any] = {LATENTS: z, LABELS: labels}
        inputs = {names[place]: to_tensor(values[names[place]], device, "float32") for place in given}
        return to_array(compute(*({**tensors, **inputs}[name] for name in names)))

    return forward


class _Site(NamedTuple):
    """What a layer needs to know of its place: its arrays as symbols, and shapes."""

    arrays: dict[str, Any]  # by word
    weight: Shape
    before: Shape  # of one sample of its first input
    after: Shape  # of one sample of its output


def _symbol(graph: Graph, sizes: dict[str, Shape]) -> Any:
    """The last node as a symbol of the inputs and arrays. ``sizes``: the arrays' shapes by `_name`."""
    found = shapes(graph)
    values = {name: sym.var(name) for name in graph.inputs}
    for place, node in enumerate(graph.nodes):
        words = [word for word in (*node.layer.needs, *node.layer.may) if _name(place, word) in sizes]
        arrays = {word: sym.var(_name(place, word)) for word in words}
        weight = sizes.get(_name(place, "weight"), ())
        site = _Site(arrays, weight, found[node.inputs[0]], found[node.name])
        values[node.name] = _BUILD[type(node.layer)](node.layer, site, *(values[name] for name in node.inputs))
    return values[graph.nodes[-1].name]


def _name(place: int, word: str) -> str:
    """An array's variable. Nodes' own names come from files, and C's strings don't hold every name."""
    return f"{place}.{word}"


def _without_biases(graph: Graph) -> dict[str, np.ndarray]:
    """Arrays for the same function: each bias that a BatchNorm alone sees is taken off the mean that it subtracts.

    MXNet's transposed convolutions add a bias in a slow second pass.
    """
    same = dict(graph.arrays)
    uses = Counter(name for node in graph.nodes for name in node.inputs)
    nodes = {node.name: node for node in graph.nodes}
    for node in graph.nodes:
        before = nodes.get(node.inputs[0])
        if not isinstance(node.layer, layers.BatchNorm) or before is None or uses[before.name] != 1:
            continue
        bias, mean = f"{before.name}.bias", f"{node.name}.running_mean"
        if isinstance(before.layer, (layers.Linear, layers.Conv, layers.ConvTranspose)) and bias in same:
            same[mean] = np.subtract(same[mean], same.pop(bias), dtype=np.float64)  # not rounded again in float16
    return same


def _norms_completed(graph: Graph, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays with gamma 1 and beta 0 where a norm has none: MXNet wants them."""
    found = shapes(graph)
    for node in graph.nodes:
        if isinstance(node.layer, (layers.BatchNorm, layers.InstanceNorm)):
            channels = found[node.name][0]
            arrays.setdefault(f"{node.name}.gamma", np.ones(channels, np.float32))
            arrays.setdefault(f"{node.name}.beta", np.zeros(channels, np.float32))
    return arrays


def _linear(layer: layers.Linear, site: _Site, x: Any) -> Any:
    return sym.FullyConnected(x, **site.arrays, num_hidden=site.weight[0], no_bias="bias" not in site.arrays)


def _embedding(layer: layers.Embedding, site: _Site, label: Any) -> Any:
    return sym.Embedding(label, site.arrays["weight"], input_dim=site.weight[0], output_dim=site.weight[1])


def _conv(layer: layers.Conv, site: _Site, x: Any) -> Any:
    return sym.Convolution(x, **site.arrays, num_filter=site.after[0], **_sliding(layer, site))


def _conv_transpose(layer: layers.ConvTranspose, site: _Site, x: Any) -> Any:
    adj = layer.output_padding
    return sym.Deconvolution(x, **site.arrays, num_filter=site.after[0], adj=adj, **_sliding(layer, site))


def _sliding(layer: layers.Conv | layers.ConvTranspose, site: _Site) -> dict[str, Any]:
    """The settings that both convolutions have, in MXNet's words."""
    return {
        "kernel": site.weight[2:], "stride": layer.stride, "pad": layer.padding, "dilate": layer.dilation,
        "num_group": layer.groups, "no_bias": "bias" not in site.arrays,
    }  # fmt: skip


def _batch_norm(layer: layers.BatchNorm, site: _Site, x: Any) -> Any:
    arrays = (site.arrays[word] for word in ("gamma", "beta", "running_mean", "running_var"))
    off = layer.eps < CUDNN_EPSILON
    return sym.BatchNorm(x, *arrays, eps=layer.eps, fix_gamma=False, use_global_stats=True, cudnn_off=off)


def _instance_norm(layer: layers.InstanceNorm, site: _Site, x: Any) -> Any:
    return sym.InstanceNorm(x, site.arrays["gamma"], site.arrays["beta"], eps=layer.eps)


def _reshape(layer: layers.Reshape, site: _Site, x: Any) -> Any:
    return sym.reshape(x, shape=(0, *site.after))  # 0 keeps the batch's size


def _permute(layer: layers.Permute, site: _Site, x: Any) -> Any:
    return sym.transpose(x, axes=(0, *(axis + 1 for axis in layer.axes)))


def _upsample(layer: layers.Upsample, site: _Site, x: Any) -> Any:
    if layer.mode == "nearest":
        return sym.repeat(sym.repeat(x, layer.scale[0], axis=2), layer.scale[1], axis=3)
    _, height, width = site.after
    return sym.contrib.BilinearResize2D(x, height=height, width=width, align_corners=layer.align_corners)


def _pixel_shuffle(layer: layers.PixelShuffle, site: _Site, x: Any) -> Any:
    f, (channels, height, width) = layer.factor, site.before
    x = sym.reshape(x, shape=(0, channels // f**2, f, f, height, width))
    return sym.reshape(sym.transpose(x, axes=(0, 1, 4, 2, 5, 3)), shape=(0, *site.after))


def _pad(layer: layers.Pad, site: _Site, x: Any) -> Any:
    return sym.pad(x, mode=layer.mode, pad_width=(0, 0, 0, 0, layer.top, layer.bottom, layer.left, layer.right))


def _crop(layer: layers.Crop, site: _Site, x: Any) -> Any:
    x = sym.slice_axis(x, axis=2, begin=layer.top, end=layer.top + layer.height)
    return sym.slice_axis(x, axis=3, begin=layer.left, end=layer.left + layer.width)


def _prelu(layer: layers.PRelu, site: _Site, x: Any) -> Any:
    slope = sym.reshape(site.arrays["slope"], shape=(1, -1, *[1] * (len(site.before) - 1)))
    return sym.maximum(x, 0) + sym.broadcast_mul(sym.minimum(x, 0), slope)


def _product(layer: layers.Multiply, site: _Site, *inputs: Any) -> Any:
    y = inputs[0]
    for x in inputs[1:]:
        y = y * x
    return y


_BUILD: dict[type, Callable[..., Any]] = {
    layers.Linear: _linear,
    layers.Embedding: _embedding,
    layers.OneHot: lambda layer, site, label: sym.one_hot(label, depth=layer.classes),
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
    layers.Affine: lambda layer, site, x: x * layer.scale + layer.shift,
    layers.Add: lambda layer, site, *inputs: sym.add_n(*inputs),
    layers.Multiply: _product,
    layers.Concat: lambda layer, site, *inputs: sym.concat(*inputs, dim=1),
    layers.Relu: lambda layer, site, x: sym.Activation(x, act_type="relu"),
    layers.LeakyRelu: lambda layer, site, x: sym.LeakyReLU(x, act_type="leaky", slope=layer.slope),
    layers.PRelu: _prelu,
    layers.Elu: lambda layer, site, x: sym.LeakyReLU(x, act_type="elu", slope=layer.alpha),
    layers.Selu: lambda layer, site, x: sym.LeakyReLU(x, act_type="selu"),
    layers.Tanh: lambda layer, site, x: sym.Activation(x, act_type="tanh"),
    layers.Sigmoid: lambda layer, site, x: sym.Activation(x, act_type="sigmoid"),
}
