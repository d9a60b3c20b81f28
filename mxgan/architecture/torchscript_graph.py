"""The graph that grows while a TorchScript program is followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Optional

import numpy as np

from mxgan.architecture.torchscript_source import Failed
from mxgan.architecture.torchscript_values import Held
from mxgan.graph import Graph, Node
from mxgan.graph.layers import Layer
from mxgan.graph.shapes import LARGEST, MOST_NODES, after


@dataclass(eq=False)
class Flow:
    """A tensor that depends on the input: what a node gives. The batch isn't in its shape."""

    name: str
    shape: tuple[int, ...]
    views: list[Flow] = field(default_factory=list)  # of the same memory, this one included
    stale: bool = False  # changed in place through another view


class Builder:
    """Nodes, their shapes and arrays so far."""

    def __init__(self) -> None:
        self.folded = 0  # numbers of the file's own tensors that were computed with, in all attempts together
        self.restart()

    def restart(self) -> None:
        """Forget the graph, but not how much work was done."""
        self.nodes: list[Node] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.arrays: dict[str, np.ndarray] = {}
        self.names: dict[str, str] = {}
        self.warnings: list[str] = []

    def input(self, name: str, shape: tuple[int, ...]) -> Flow:
        """What comes in, or out of a node, under its name."""
        self.shapes[name] = shape
        flow = Flow(name, shape)
        flow.views.append(flow)
        return flow

    def add(self, layer: Layer, inputs: Sequence[Flow], **held: Optional[Held]) -> Flow:
        """A node, with its arrays by the layer's words. Raises Unfit or Failed where it doesn't fit."""
        given = {word: tensor for word, tensor in held.items() if tensor is not None}
        path = next((tensor.name.rpartition(".")[0] for tensor in given.values() if tensor.name), "")
        name = path or type(layer).__name__.lower() + str(len(self.nodes))
        if name in self.shapes:
            name = f"{name}#{len(self.nodes)}"
        for word, tensor in given.items():
            self.arrays[f"{name}.{word}"] = tensor.array
            if tensor.name:
                self.names[f"{name}.{word}"] = tensor.name
        node = Node(name, layer, tuple(flow.name for flow in inputs))
        shape = after(Graph((), self.arrays, {}), node, [flow.shape for flow in inputs])
        if len(self.nodes) >= MOST_NODES or any(size < 1 for size in shape) or prod(shape) > LARGEST:
            raise Failed(f"{name} gives {shape}, or is one of too many layers")
        self.nodes.append(node)
        return self.input(name, shape)

    def view(self, layer: Layer, flow: Flow) -> Flow:
        """As `add`, for a layer whose output is the same memory as its input."""
        found = self.add(layer, [flow])
        found.views = flow.views
        found.views.append(found)
        return found

    def alias(self, flow: Flow, copied: bool = False) -> Flow:
        """The same numbers under another hand: in the same memory, perhaps, or copied for sure."""
        found = Flow(flow.name, flow.shape, flow.views, flow.stale)
        if copied:
            found.views = []
        found.views.append(found)
        return found


def changed(flow: Flow, result: Flow) -> Flow:
    """The flow after it was changed in place: it is the result from now on, and what else looks at it is stale."""
    for other in flow.views:
        other.stale = other is not flow
    flow.name, flow.shape, flow.views = result.name, result.shape, [flow]
    return flow
