"""A graph computed in plain NumPy: the full definition, to check the engines against, and an engine where none is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

import numpy as np

from mxgan.graph import layers
from mxgan.graph.graph import LABELS, LATENTS, Graph, Node

BATCH = 16  # images that an engine computes at once: what a layer gives then fits into a processor's cache


def generate(graph: Graph, z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
    """Images float64 (n, channels, H, W) from latents (n, latent) and, where it is conditional, labels (n,)."""
    given = {LATENTS: z} if labels is None else {LATENTS: z, LABELS: labels}
    y = z
    for _, y in steps(graph, given):  # noqa: B007  # the last one counts
        pass
    return y


def forward_of(graph: Graph) -> Callable[..., np.ndarray]:
    """The generator's ``forward`` as `mxgan.engines.protocol` has it, in float32."""
    arrays = {name: np.asarray(array, np.float32) for name, array in graph.arrays.items()}  # once, not at each batch
    graph = replace(graph, arrays=arrays)

    def forward(z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
        given = {LATENTS: z} if labels is None else {LATENTS: z, LABELS: labels}
        parts = []
        for first in range(0, max(len(z), 1), BATCH):
            *_, (_, y) = steps(graph, {name: value[first : first + BATCH] for name, value in given.items()}, "float32")
            parts.append(y)
        return np.concatenate(parts)

    return forward


def steps(graph: Graph, given: Mapping[str, np.ndarray], dtype: str = "float64") -> Iterator[tuple[Node, np.ndarray]]:
    """Each node with its output (n, ...), in order. Outputs that no later node takes are let go."""
    values: dict[str, np.ndarray] = {
        name: np.asarray(value) if name == LABELS else np.asarray(value, dtype) for name, value in given.items()
    }
    last_use = {name: index for index, node in enumerate(graph.nodes) for name in node.inputs}
    with np.errstate(over="ignore", invalid="ignore"):
        for index, node in enumerate(graph.nodes):
            words = (*node.layer.needs, *node.layer.may)
            arrays = {word: array for word in words if (array := graph.array(node, word)) is not None}
            y = np.asarray(compute(node.layer, arrays, *(values[name] for name in node.inputs)), dtype)
            yield node, y
            values[node.name] = y
            for name in node.inputs:
                if last_use[name] == index:
                    values.pop(name, None)


def compute(layer: layers.Layer, arrays: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    """One layer's output (n, ...) for a batch, in the inputs' own precision; labels are whole numbers (n,)."""
    dtype = inputs[0].dtype if inputs[0].dtype.kind == "f" else np.float64
    return _COMPUTE[type(layer)](layer, {word: np.asarray(array, dtype) for word, array in arrays.items()}, *inputs)


def convolution(x: np.ndarray, weight: np.ndarray, layer: layers.Conv) -> np.ndarray:
    """x (n, in, H, W) and weight (out, in / groups, kH, kW)."""
    parts = zip(np.split(x, layer.groups, axis=1), np.split(weight, layer.groups, axis=0))
    return np.concatenate([_seen(part, kernel, layer) for part, kernel in parts], axis=1)


def _seen(x: np.ndarray, weight: np.ndarray, layer: layers.Conv) -> np.ndarray:
    (top, left), (down, right), (dy, dx) = layer.padding, layer.stride, layer.dilation
    rows, columns = weight.shape[2:]
    pixels = np.pad(x.transpose(0, 2, 3, 1), ((0, 0), (top, top), (left, left), (0, 0)))  # channels last, as below
    tall = (pixels.shape[1] - dy * (rows - 1) - 1) // down + 1
    wide = (pixels.shape[2] - dx * (columns - 1) - 1) // right + 1
    y = np.zeros((len(x), tall, wide, len(weight)), x.dtype)
    for row in range(rows):
        for column in range(columns):
            u, v = row * dy, column * dx
            part = pixels[:, u : u + down * (tall - 1) + 1 : down, v : v + right * (wide - 1) + 1 : right]
            y += _product_of(part, weight[:, :, row, column].T)
    return y.transpose(0, 3, 1, 2)


def transposed_convolution(x: np.ndarray, weight: np.ndarray, layer: layers.ConvTranspose) -> np.ndarray:
    """x (n, in, H, W) and weight (in, out / groups, kH, kW): every pixel stamps its patch; padding is cut off."""
    parts = zip(np.split(x, layer.groups, axis=1), np.split(weight, layer.groups, axis=0))
    return np.concatenate([_stamped(part, kernel, layer) for part, kernel in parts], axis=1)


def _stamped(x: np.ndarray, weight: np.ndarray, layer: layers.ConvTranspose) -> np.ndarray:
    n, _, height, width = x.shape
    (down, right), (dy, dx), (top, left) = layer.stride, layer.dilation, layer.padding
    rows, columns = weight.shape[2:]
    tall = (height - 1) * down + dy * (rows - 1) + 1 + layer.output_padding[0]
    wide = (width - 1) * right + dx * (columns - 1) + 1 + layer.output_padding[1]
    pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1))  # channels last: each stamp is one matrix product
    full = np.zeros((n, tall, wide, weight.shape[1]), x.dtype)
    few = n * height * width <= len(weight)  # then one product of the weight as it lies is quicker
    stamps = np.tensordot(pixels, weight, axes=(3, 0)) if few else None  # (n, H, W, out, kH, kW)
    for row in range(rows):
        for column in range(columns):
            y, z = row * dy, column * dx
            target = full[:, y : y + down * (height - 1) + 1 : down, z : z + right * (width - 1) + 1 : right]
            kernel = weight[:, :, row, column]
            target += _product_of(pixels, kernel) if stamps is None else stamps[..., row, column]
    return full[:, top : tall - top, left : wide - left].transpose(0, 3, 1, 2)


def _product_of(pixels: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """pixels (n, H, W, in) by kernel (in, out), as one matrix product: NumPy would make one of every row of pixels."""
    rows = pixels.reshape(-1, len(kernel))
    return (rows @ np.ascontiguousarray(kernel)).reshape(*pixels.shape[:3], -1)


def _linear(layer: layers.Linear, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    y = x @ arrays["weight"].T
    return y + arrays["bias"] if "bias" in arrays else y


def _conv(layer: layers.Conv, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    y = convolution(x, arrays["weight"], layer)
    return y + _by_channel(arrays["bias"], y) if "bias" in arrays else y


def _conv_transpose(layer: layers.ConvTranspose, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    y = transposed_convolution(x, arrays["weight"], layer)
    return y + _by_channel(arrays["bias"], y) if "bias" in arrays else y


def _batch_norm(layer: layers.BatchNorm, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    mean, var = (_by_channel(arrays[word], x) for word in layer.needs)
    return _scaled((x - mean) / np.sqrt(var + x.dtype.type(layer.eps)), arrays)


def _instance_norm(layer: layers.InstanceNorm, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    mean, var = x.mean(axis=(2, 3), keepdims=True), x.var(axis=(2, 3), keepdims=True)
    return _scaled((x - mean) / np.sqrt(var + x.dtype.type(layer.eps)), arrays)


def _scaled(x: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    x = x * _by_channel(arrays["gamma"], x) if "gamma" in arrays else x
    return x + _by_channel(arrays["beta"], x) if "beta" in arrays else x


def _reshape(layer: layers.Reshape, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), *layer.shape)


def _permute(layer: layers.Permute, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return x.transpose(0, *(axis + 1 for axis in layer.axes))


def _upsample(layer: layers.Upsample, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    for axis, scale in zip((2, 3), layer.scale):
        nearest = layer.mode == "nearest"
        x = np.repeat(x, scale, axis=axis) if nearest else _between(x, axis, scale, layer.align_corners)
    return x


def _between(x: np.ndarray, axis: int, scale: int, align_corners: bool) -> np.ndarray:
    """Linear interpolation along an axis; beyond the outermost centres, their own values."""
    old, new = x.shape[axis], x.shape[axis] * scale
    if align_corners:
        place = np.arange(new) * ((old - 1) / max(new - 1, 1))
    else:
        place = ((np.arange(new) + 0.5) / scale - 0.5).clip(0, old - 1)
    low = np.floor(place).astype(int).clip(0, old - 1)
    high = (low + 1).clip(0, old - 1)
    share = (place - low).astype(x.dtype).reshape([-1 if at == axis else 1 for at in range(x.ndim)])
    return np.take(x, low, axis) * (1 - share) + np.take(x, high, axis) * share


def _pixel_shuffle(layer: layers.PixelShuffle, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    n, channels, height, width = x.shape
    f = layer.factor
    x = x.reshape(n, channels // f**2, f, f, height, width).transpose(0, 1, 4, 2, 5, 3)
    return x.reshape(n, channels // f**2, height * f, width * f)


def _pad(layer: layers.Pad, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    mode: Any = layer.mode
    return np.pad(x, ((0, 0), (0, 0), (layer.top, layer.bottom), (layer.left, layer.right)), mode)


def _crop(layer: layers.Crop, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return x[:, :, layer.top : layer.top + layer.height, layer.left : layer.left + layer.width]


def _prelu(layer: layers.PRelu, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, _by_channel(arrays["slope"], x) * x)


def _elu(layer: layers.Elu, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, layer.alpha * np.expm1(np.minimum(x, 0)))


def _selu(layer: layers.Selu, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return layers.SELU_SCALE * np.where(x > 0, x, layers.SELU_ALPHA * np.expm1(np.minimum(x, 0)))


def _sum(layer: layers.Add, arrays: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return _folded(np.add, inputs)


def _product(layer: layers.Multiply, arrays: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return _folded(np.multiply, inputs)


def _folded(operation: np.ufunc, inputs: Sequence[np.ndarray]) -> np.ndarray:
    y = inputs[0]
    for x in inputs[1:]:
        y = operation(y, x)
    return y


_COMPUTE: dict[type, Callable[..., np.ndarray]] = {
    layers.Linear: _linear,
    layers.Embedding: lambda layer, arrays, label: arrays["weight"][label],
    layers.OneHot: lambda layer, arrays, label: np.eye(layer.classes)[label],
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
    layers.Affine: lambda layer, arrays, x: x * layer.scale + layer.shift,
    layers.Add: _sum,
    layers.Multiply: _product,
    layers.Concat: lambda layer, arrays, *inputs: np.concatenate(inputs, axis=1),
    layers.Relu: lambda layer, arrays, x: np.maximum(x, 0),
    layers.LeakyRelu: lambda layer, arrays, x: np.where(x > 0, x, layer.slope * x),
    layers.PRelu: _prelu,
    layers.Elu: _elu,
    layers.Selu: _selu,
    layers.Tanh: lambda layer, arrays, x: np.tanh(x),
    layers.Sigmoid: lambda layer, arrays, x: 1 / (1 + np.exp(-x)),
}


def _by_channel(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A vector to go with x's axis 1."""
    return values.reshape(-1, *(1,) * (x.ndim - 2))
