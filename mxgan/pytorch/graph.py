"""A graph on PyTorch in inference mode: each layer a function of tensors. No module is made: one would draw weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

import numpy as np
import torch
import torch.nn.functional as F

from mxgan.engines.protocol import Forward
from mxgan.graph import layers
from mxgan.graph.graph import LABELS, LATENTS, Graph
from mxgan.pytorch import contexts, runtime
from mxgan.pytorch.tensors import to_array, to_tensor

Arrays = dict[str, torch.Tensor]  # a node's, by word


@contexts.rng_kept()
@contexts.threads_kept()
def forward_of(graph: Graph, ctx: str) -> Forward:
    """A generator as a function. Raises MxganError or ImportError where ctx can't be had."""
    forward: Forward = contexts.threads_kept()(build(graph, runtime.device(ctx)))
    return forward


def build(graph: Graph, device: Any) -> Forward:
    """The generator as a function on ``device``: latents (n, latent) and labels (n,) to float32 NCHW images.

    The graph is one that `mxgan.graph.check` lets pass. Nothing global changes, the random state included.
    """
    arrays = [
        {
            word: _placed(graph.arrays[f"{node.name}.{word}"], node.layer, device)
            for word in (*node.layer.needs, *node.layer.may)
            if f"{node.name}.{word}" in graph.arrays
        }
        for node in graph.nodes
    ]
    last_use = {name: place for place, node in enumerate(graph.nodes) for name in node.inputs}
    in_place = _in_place(graph, last_use)

    def forward(z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
        """In full precision and deterministic: the same weights give the same pictures."""
        with torch.inference_mode(), contexts.convolutions(tf32=False, deterministic=True):
            given = {LATENTS: z} if labels is None else {LATENTS: z, LABELS: labels}
            values = {name: to_tensor(value, device, torch.float32) for name, value in given.items()}
            for place, node in enumerate(graph.nodes):
                compute = (_IN_PLACE if place in in_place else _COMPUTE)[type(node.layer)]
                y = compute(node.layer, arrays[place], *(values[name] for name in node.inputs))
                values[node.name] = y
                for name in node.inputs:
                    if last_use[name] == place:
                        values.pop(name, None)
            return to_array(y)

    return forward


def _in_place(graph: Graph, last_use: dict[str, int]) -> set[int]:
    """The activations that may overwrite their input: another layer's own result, which nobody else reads."""
    made = {node.name for node in graph.nodes if isinstance(node.layer, _MAKES)}
    return {
        place
        for place, node in enumerate(graph.nodes)
        if type(node.layer) in _IN_PLACE and node.inputs[0] in made and last_use[node.inputs[0]] == place
    }


def _placed(array: np.ndarray, layer: layers.Layer, device: Any) -> torch.Tensor:
    """An array on ``device``; a convolution's weight in the layout that convolutions are fastest in."""
    tensor = to_tensor(array, device, torch.float32)
    convolves = isinstance(layer, (layers.Conv, layers.ConvTranspose)) and _is_usual(layer)
    return tensor.to(memory_format=torch.channels_last) if convolves and tensor.ndim == 4 else tensor


def _is_usual(layer: layers.Conv | layers.ConvTranspose) -> bool:
    """Is it one that oneDNN computes rightly in channels_last?

    PyTorch 2.13 on the CPU reads foreign memory there, or crashes, for some convolutions with unequal strides or
    dilation: 1 channel, kernel 3, stride (1, 2) to 1 pixel, for one. In row-major order all are right.
    """
    return layer.stride[0] == layer.stride[1] and layer.dilation == (1, 1)


def _laid_out(x: torch.Tensor, layer: layers.Conv | layers.ConvTranspose) -> torch.Tensor:
    """An unusual convolution's input in row-major order: strides of sizes 1 too, which ``contiguous`` wouldn't mend."""
    return x if _is_usual(layer) else x.clone(memory_format=torch.contiguous_format)


def _linear(layer: layers.Linear, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, arrays["weight"], arrays.get("bias"))


def _embedding(layer: layers.Embedding, arrays: Arrays, label: torch.Tensor) -> torch.Tensor:
    return F.embedding(label.long(), arrays["weight"])


def _one_hot(layer: layers.OneHot, arrays: Arrays, label: torch.Tensor) -> torch.Tensor:
    return F.one_hot(label.long(), layer.classes).to(torch.float32)


def _conv(layer: layers.Conv, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    weight, bias = arrays["weight"], arrays.get("bias")
    return F.conv2d(_laid_out(x, layer), weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)


def _conv_transpose(layer: layers.ConvTranspose, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    x, weight, bias, more = _laid_out(x, layer), arrays["weight"], arrays.get("bias"), layer.output_padding
    return F.conv_transpose2d(x, weight, bias, layer.stride, layer.padding, more, layer.groups, layer.dilation)


def _batch_norm(layer: layers.BatchNorm, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    mean, var = arrays["running_mean"], arrays["running_var"]
    return F.batch_norm(x, mean, var, arrays.get("gamma"), arrays.get("beta"), eps=layer.eps)


def _instance_norm(layer: layers.InstanceNorm, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    # a group for each channel; F.instance_norm would refuse a single pixel
    return torch.group_norm(x, x.shape[1], arrays.get("gamma"), arrays.get("beta"), layer.eps)


def _reshape(layer: layers.Reshape, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    return x.reshape(len(x), *layer.shape)


def _permute(layer: layers.Permute, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, *(axis + 1 for axis in layer.axes))


def _upsample(layer: layers.Upsample, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    size = [side * scale for side, scale in zip(x.shape[2:], layer.scale)]
    if layer.mode == "nearest":
        return F.interpolate(x, size, mode="nearest")
    return F.interpolate(x, size, mode="bilinear", align_corners=layer.align_corners)


def _pad(layer: layers.Pad, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    mode = {"edge": "replicate"}.get(layer.mode, layer.mode)
    return F.pad(x, (layer.left, layer.right, layer.top, layer.bottom), mode)


def _crop(layer: layers.Crop, arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    return x[:, :, layer.top : layer.top + layer.height, layer.left : layer.left + layer.width]


def _sum(layer: layers.Add, arrays: Arrays, *inputs: torch.Tensor) -> torch.Tensor:
    y = inputs[0]
    for x in inputs[1:]:
        y = y + x
    return y


def _product(layer: layers.Multiply, arrays: Arrays, *inputs: torch.Tensor) -> torch.Tensor:
    y = inputs[0]
    for x in inputs[1:]:
        y = y * x
    return y


_COMPUTE: dict[type, Callable[..., torch.Tensor]] = {
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
    layers.PixelShuffle: lambda layer, arrays, x: F.pixel_shuffle(x, layer.factor),
    layers.Pad: _pad,
    layers.Crop: _crop,
    layers.Affine: lambda layer, arrays, x: x * layer.scale + layer.shift,
    layers.Add: _sum,
    layers.Multiply: _product,
    layers.Concat: lambda layer, arrays, *inputs: torch.cat(inputs, dim=1),
    layers.Relu: lambda layer, arrays, x: F.relu(x),
    layers.LeakyRelu: lambda layer, arrays, x: F.leaky_relu(x, layer.slope),
    layers.PRelu: lambda layer, arrays, x: F.prelu(x, arrays["slope"]),
    layers.Elu: lambda layer, arrays, x: F.elu(x, layer.alpha),
    layers.Selu: lambda layer, arrays, x: F.selu(x),
    layers.Tanh: lambda layer, arrays, x: torch.tanh(x),
    layers.Sigmoid: lambda layer, arrays, x: torch.sigmoid(x),
}
_MAKES = (layers.Linear, layers.Conv, layers.ConvTranspose, layers.BatchNorm)  # a tensor of their own, never a view
_IN_PLACE: dict[type, Callable[..., torch.Tensor]] = {  # a batch's memory is written once less
    layers.Relu: lambda layer, arrays, x: x.relu_(),
    layers.LeakyRelu: lambda layer, arrays, x: F.leaky_relu_(x, layer.slope),
    layers.Tanh: lambda layer, arrays, x: x.tanh_(),
}
