"""A graph as an MXNet symbol, as people write them, and its arrays under the names that MXNet gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Optional

import numpy as np

from mxgan.graph import Graph, layers, shapes
from mxgan.graph.graph import LABELS, LATENTS

WORDS = {"running_mean": "moving_mean", "running_var": "moving_var", "slope": "gamma"}


def symbol(mx: Any, graph: Graph) -> Optional[tuple[Any, dict[str, np.ndarray]]]:
    """(symbol, arrays with arg: and aux:), or None where MXNet's symbols have no such layer."""
    values: dict[str, Any] = {LATENTS: mx.sym.Variable("rand"), LABELS: mx.sym.Variable("label")}
    arrays: dict[str, np.ndarray] = {}
    found: dict[str, tuple[int, ...]] = {**graph.inputs, **shapes(graph)}
    for place, node in enumerate(graph.nodes):
        name = f"n{place}_{type(node.layer).__name__.lower()}"
        words = {word: graph.array(node, word) for word in (*node.layer.needs, *node.layer.may)}
        held = {word: array for word, array in words.items() if array is not None}
        if isinstance(node.layer, (layers.BatchNorm, layers.InstanceNorm)):  # MXNet's always have both
            size = found[node.name][0]
            held.setdefault("gamma", np.ones(size, np.float32))
            held.setdefault("beta", np.zeros(size, np.float32))
        inputs = [values[one] for one in node.inputs]
        made = _made(mx.sym, name, node.layer, held, found[node.inputs[0]], inputs)
        if made is None:
            return None
        values[node.name] = made
        for word, array in held.items():
            kind = "aux" if word.startswith("running") else "arg"
            arrays[f"{kind}:{name}_{WORDS.get(word, word)}"] = array
    return values[graph.nodes[-1].name], arrays


def _made(
    s: Any, name: str, layer: layers.Layer, arrays: Mapping[str, np.ndarray], shape: tuple[int, ...], inputs: list[Any]
) -> Any:
    """One layer as symbols; None where they have none."""
    x, weight, no_bias = inputs[0], arrays.get("weight"), "bias" not in arrays
    makers: dict[type, Callable[[Any], Any]] = {
        layers.Conv: lambda it: s.Convolution(x, name=name, num_filter=len(weight), **_window(it, weight, no_bias)),
        layers.ConvTranspose: lambda it: s.Deconvolution(
            x, name=name, num_filter=weight.shape[1] * it.groups, adj=it.output_padding, **_window(it, weight, no_bias)
        ),
        layers.Linear: lambda it: s.FullyConnected(x, name=name, num_hidden=len(weight), no_bias=no_bias),
        layers.Embedding: lambda it: s.Embedding(x, name=name, input_dim=len(weight), output_dim=weight.shape[1]),
        layers.OneHot: lambda it: s.one_hot(x, it.classes, name=name),
        layers.BatchNorm: lambda it: s.BatchNorm(x, name=name, eps=it.eps, fix_gamma=False),
        layers.InstanceNorm: lambda it: s.InstanceNorm(x, name=name, eps=it.eps),
        layers.Reshape: lambda it: s.Reshape(x, name=name, shape=(0 if len(it.shape) == 1 else -1, *it.shape)),
        layers.Permute: lambda it: s.transpose(x, name=name, axes=(0, *(axis + 1 for axis in it.axes))),
        layers.Upsample: lambda it: _upsampling(s, x, name, it),
        layers.Pad: lambda it: s.Pad(
            x, name=name, mode=it.mode, pad_width=(0, 0, 0, 0, it.top, it.bottom, it.left, it.right)
        ),
        layers.Crop: lambda it: s.slice(
            x, name=name, begin=(None, None, it.top, it.left),
            end=(None, None, it.top + it.height, it.left + it.width),
        ),
        layers.Affine: lambda it: x * it.scale + it.shift,
        layers.Concat: lambda it: s.Concat(*inputs, dim=1, name=name),
        layers.Add: lambda it: reduce(lambda y, more: y + more, inputs),
        layers.Multiply: lambda it: reduce(lambda y, more: y * more, inputs),
        layers.LeakyRelu: lambda it: s.LeakyReLU(x, name=name, act_type="leaky", slope=it.slope),
        layers.PRelu: lambda it: s.LeakyReLU(x, name=name, act_type="prelu"),
        layers.Elu: lambda it: s.LeakyReLU(x, name=name, act_type="elu", slope=it.alpha),
        layers.Selu: lambda it: s.LeakyReLU(x, name=name, act_type="selu"),
        **dict.fromkeys(
            (layers.Relu, layers.Tanh, layers.Sigmoid),
            lambda it: s.Activation(x, name=name, act_type=type(it).__name__.lower()),
        ),
    }  # fmt: skip
    return makers[type(layer)](layer) if type(layer) in makers else None


def _window(layer: Any, weight: Any, no_bias: bool) -> dict[str, Any]:
    shape = {"kernel": weight.shape[2:], "stride": layer.stride, "pad": layer.padding, "dilate": layer.dilation}
    return {**shape, "num_group": layer.groups, "no_bias": no_bias}


def _upsampling(s: Any, x: Any, name: str, layer: layers.Upsample) -> Any:
    if layer.scale[0] != layer.scale[1] or layer.mode != "nearest":
        return None
    return s.UpSampling(x, name=name, scale=layer.scale[0], sample_type="nearest", num_args=1)
