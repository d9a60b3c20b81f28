"""A graph as a PyTorch module, built of PyTorch's own layers where it has them."""

from __future__ import annotations

from typing import Optional

import numpy as np
import pytest

from mxgan.graph import Graph, Node, layers, shapes

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


class Crop(nn.Module):
    def __init__(self, layer: layers.Crop) -> None:
        super().__init__()
        self.top, self.left = layer.top, layer.left
        self.bottom, self.right = layer.top + layer.height, layer.left + layer.width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, self.top : self.bottom, self.left : self.right]


class Permute(nn.Module):
    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = [0, *(axis + 1 for axis in axes)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(self.axes)


class Affine(nn.Module):
    def __init__(self, layer: layers.Affine) -> None:
        super().__init__()
        self.scale, self.shift = float(layer.scale), float(layer.shift)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.shift


class View(nn.Module):
    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = list(shape)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape([x.shape[0], *self.shape])


class OneHot(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, label: torch.Tensor) -> torch.Tensor:
        return nn.functional.one_hot(label, self.classes).float()


class Joined(nn.Module):
    """Nodes that take several inputs."""

    def __init__(self, layer: layers.Layer) -> None:
        super().__init__()
        self.kind = type(layer).__name__

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        if self.kind == "Concat":
            return torch.cat(inputs, 1)
        y = inputs[0]
        for x in inputs[1:]:
            y = y + x if self.kind == "Add" else y * x
        return y


class Walk(nn.Module):
    """Any graph, node by node: to trace and to export."""

    def __init__(self, graph: Graph, parts: list[nn.Module]) -> None:
        super().__init__()
        self.graph_nodes = graph.nodes
        self.names = list(graph.inputs)
        self.parts = nn.ModuleList(parts)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        values = dict(zip(self.names, inputs))
        for node, part in zip(self.graph_nodes, self.parts):
            values[node.name] = part(*(values[name] for name in node.inputs))
        return values[self.graph_nodes[-1].name]


def walk(graph: Graph) -> nn.Module:
    """The graph as a module that can be traced and exported."""
    found: dict[str, tuple[int, ...]] = {**graph.inputs, **shapes(graph)}
    return Walk(graph, [part(graph, node, found[node.inputs[0]]) for node in graph.nodes]).eval()


def chain(graph: Graph) -> Optional[nn.Module]:
    """The graph as an ``nn.Sequential`` of PyTorch's layers; None where it isn't one. An end in [0, 1] stays so."""
    nodes = graph.nodes[:-1] if is_signed_sigmoid(graph) else graph.nodes
    before = [next(iter(graph.inputs)), *(node.name for node in nodes)]
    if len(graph.inputs) > 1 or any(node.inputs != (name,) for node, name in zip(nodes, before)):
        return None
    found: dict[str, tuple[int, ...]] = {**graph.inputs, **shapes(graph)}
    parts = [part(graph, node, found[node.inputs[0]]) for node in nodes]
    own = (Crop, Permute, Affine, View, OneHot, Joined)
    return None if any(isinstance(one, own) for one in parts) else nn.Sequential(*parts).eval()


def is_signed_sigmoid(graph: Graph) -> bool:
    before, last = (node.layer for node in graph.nodes[-2:])
    return isinstance(before, layers.Sigmoid) and last == layers.Affine(2, -1)


def part(graph: Graph, node: Node, shape: tuple[int, ...]) -> nn.Module:
    """One node's layer, for an input of this shape, with its arrays."""
    layer = node.layer
    arrays = {word: graph.array(node, word) for word in (*layer.needs, *layer.may)}
    made = _made(layer, arrays, shape)
    words = {"gamma": "weight", "beta": "bias", "slope": "weight"}
    with torch.no_grad():
        for word, array in arrays.items():
            if array is not None:
                getattr(made, words.get(word, word)).copy_(torch.from_numpy(np.asarray(array)))
    return made


def _made(layer: layers.Layer, arrays: dict, shape: tuple[int, ...]) -> nn.Module:
    weight, bias = arrays.get("weight"), arrays.get("bias") is not None
    if isinstance(layer, layers.Linear):
        return nn.Linear(weight.shape[1], weight.shape[0], bias)
    if isinstance(layer, layers.Embedding):
        return nn.Embedding(*weight.shape)
    if isinstance(layer, layers.Conv):
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups, bias)
        return nn.Conv2d(shape[0], weight.shape[0], weight.shape[2:], *settings)
    if isinstance(layer, layers.ConvTranspose):
        settings = (layer.stride, layer.padding, layer.output_padding, layer.groups, bias, layer.dilation)
        return nn.ConvTranspose2d(shape[0], weight.shape[1] * layer.groups, weight.shape[2:], *settings)
    if isinstance(layer, (layers.BatchNorm, layers.InstanceNorm)):
        affine = any(arrays[word] is not None for word in ("gamma", "beta"))
        kinds = (nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d, nn.InstanceNorm2d)
        return kinds[isinstance(layer, layers.InstanceNorm)](shape[0], layer.eps, affine=affine)
    if isinstance(layer, layers.Reshape):
        return nn.Unflatten(1, layer.shape) if len(shape) == 1 and -1 not in layer.shape else View(layer.shape)
    if isinstance(layer, layers.Upsample):
        corners = {"align_corners": layer.align_corners} if layer.mode == "bilinear" else {}
        return nn.Upsample(scale_factor=tuple(map(float, layer.scale)), mode=layer.mode, **corners)
    if isinstance(layer, layers.Pad):
        kinds = {"constant": nn.ZeroPad2d, "edge": nn.ReplicationPad2d, "reflect": nn.ReflectionPad2d}
        return kinds[layer.mode]((layer.left, layer.right, layer.top, layer.bottom))
    if isinstance(layer, layers.PRelu):
        return nn.PReLU(len(arrays["slope"]))
    plain = {
        layers.PixelShuffle: lambda: nn.PixelShuffle(layer.factor), layers.Relu: nn.ReLU, layers.Selu: nn.SELU,
        layers.LeakyRelu: lambda: nn.LeakyReLU(layer.slope), layers.Elu: lambda: nn.ELU(layer.alpha),
        layers.Tanh: nn.Tanh, layers.Sigmoid: nn.Sigmoid, layers.Crop: lambda: Crop(layer),
        layers.Permute: lambda: Permute(layer.axes), layers.Affine: lambda: Affine(layer),
        layers.OneHot: lambda: OneHot(layer.classes),
    }  # fmt: skip
    return plain[type(layer)]() if type(layer) in plain else Joined(layer)
