"""The graph that grows while a TorchScript program is followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Optional

import numpy as np

from mxgan.architecture.torchscript_source import Failed
from mxgan.architecture.torchscript_values import Held
from mxgan.graph import Graph, Node, layers
from mxgan.graph.layers import Layer
from mxgan.graph.shapes import LARGEST, MOST_NODES, Unfit, after


class Short(Failed):
    """A layer takes ``wanted`` numbers and is given others, whose count hangs on the inputs named in ``free``."""

    def __init__(self, wanted: int, given: int, free: frozenset[str]) -> None:
        super().__init__(f"a layer takes {wanted} and is given {given}")
        self.wanted, self.given, self.free = wanted, given, free


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
        self.free: dict[str, frozenset[str]] = {}  # by node: the inputs whose length decides its own

    def input(self, name: str, shape: tuple[int, ...], free: frozenset[str] = frozenset()) -> Flow:
        """What comes in, or out of a node, under its name."""
        self.shapes[name], self.free[name] = shape, free
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
        free = frozenset().union(*(self.free[flow.name] for flow in inputs))
        try:
            shape = after(Graph((), self.arrays, {}), node, [flow.shape for flow in inputs])
        except Unfit:
            self._wants(layer, {word: tensor.array for word, tensor in given.items()}, inputs)
            raise
        if len(self.nodes) >= MOST_NODES or any(size < 1 for size in shape) or prod(shape) > LARGEST:
            raise Failed(f"{name} gives {shape}, or is one of too many layers")
        self.nodes.append(node)
        return self.input(name, shape, frozenset() if layer.needs else free)

    def wants(self, flow: Flow, count: int, given: Optional[int] = None) -> None:
        """Raises Short where a tensor has other numbers than it must have, and an input's length decides that."""
        given = prod(flow.shape) if given is None else given
        if given != count and self.free[flow.name]:
            raise Short(count, given, self.free[flow.name])

    def _wants(self, layer: Layer, arrays: dict[str, np.ndarray], inputs: Sequence[Flow]) -> None:
        """Raises Short for a layer that is given another count of channels or features than it has weights for."""
        first = inputs[0]
        if isinstance(layer, (layers.Add, layers.Multiply)):
            known = [flow for flow in inputs if not self.free[flow.name]]
            for flow in inputs if known else ():
                self.wants(flow, prod(known[0].shape))
        if isinstance(layer, layers.Reshape) and -1 not in layer.shape:
            self.wants(first, prod(layer.shape))
        rank, count = {
            layers.Linear: (1, lambda: arrays["weight"].shape[1]),
            layers.Conv: (3, lambda: arrays["weight"].shape[1] * getattr(layer, "groups", 1)),
            layers.ConvTranspose: (3, lambda: len(arrays["weight"])),
            layers.BatchNorm: (len(first.shape), lambda: len(arrays["running_mean"])),
        }.get(type(layer), (-1, int))
        if len(first.shape) == rank:
            self.wants(first, count(), first.shape[0])

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
