"""A graph while a symbol is read into it: every layer's shape is known at once, as MXNet's operators ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from mxgan.architecture.symbol_json import VARIABLE, Operation, Symbol
from mxgan.errors import ParamsError
from mxgan.graph import Graph, Node
from mxgan.graph.graph import IMAGES, LABELS, LATENTS
from mxgan.graph.layers import Add, Affine, Concat, Layer, Reshape, Upsample
from mxgan.graph.shapes import LARGEST, MOST_NODES, Shape, Unfit, after


class Unreadable(ParamsError):
    """A symbol with an operator that no layer stands for; ``operator`` is its name."""

    def __init__(self, message: str, operator: str) -> None:
        super().__init__(message)
        self.operator = operator


class Short(Unfit):
    """A layer takes ``wanted`` numbers and is given others: what tells how long a latent is."""

    def __init__(self, wanted: int, given: int) -> None:
        super().__init__(f"takes {wanted} and is given {given}")
        self.wanted, self.given = wanted, given


class Lacking(Unfit):
    """The weights have no array of this name."""


@dataclass(frozen=True)
class Value:
    """An operation's output: the graph's node, and one sample's shape."""

    name: str
    shape: Shape


@dataclass
class Draft:
    """Nodes and arrays so far. ``stored``: MXNet's names of the file's arrays, without arg: and aux:, to its own."""

    symbol: Symbol
    file: Mapping[str, np.ndarray]
    stored: Mapping[str, str]
    nodes: list[Node] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=lambda: {LATENTS: 1, LABELS: 1, IMAGES: 1})  # how often

    def add(self, name: str, layer: Layer, inputs: Sequence[Value], **arrays: str) -> Value:
        """One more node, with its arrays by their names in the file. Raises Unfit where they don't go together."""
        if len(self.nodes) >= MOST_NODES:
            raise Unfit(f"more than {MOST_NODES} layers")
        if any(value.name == LABELS for value in inputs) and not hasattr(layer, "classes") and "weight" not in arrays:
            raise Unfit("takes a label; only Embedding and one_hot can")
        node = Node(self.fresh(name), layer, tuple(value.name for value in inputs))
        for word, stored in arrays.items():
            self.arrays[f"{node.name}.{word}"] = self.file[stored]
            self.names[f"{node.name}.{word}"] = stored
        shape = after(Graph((), self.arrays, {}), node, [value.shape for value in inputs])
        if any(size < 1 for size in shape) or prod(shape) > LARGEST:
            raise Unfit(f"gives {shape}, of sizes from 1 and at most {LARGEST} numbers")
        self.nodes.append(node)
        return Value(node.name, shape)

    def fresh(self, name: str) -> str:
        """The name, or with a number where Gluon gave one to two nodes (a block called twice)."""
        found = name
        while found in self.taken:
            self.taken[name] += 1
            found = f"{name}_{self.taken[name]}"
        self.taken[found] = 1
        return found

    def parameter(self, operation: Operation, place: int, word: str) -> str:
        """The file's name of the array at an operation's input. Raises Lacking where the file has none."""
        if place < len(operation.inputs):
            found = self.symbol.operations[operation.inputs[place][0]]
            if found.operator != VARIABLE:
                raise Unfit(f"takes its {word} from {found.name!r} ({found.operator}); an array wanted")
            name = found.name
        else:  # 0.8 and before: BatchNorm's running statistics, whose names MXNet makes up as it loads
            name = f"{operation.name}_{word}"
        if name not in self.stored:
            raise Lacking(f"wants the array {name!r}")
        return self.stored[name]

    def reshape(self, name: str, value: Value, shape: Shape) -> Value:
        """The same numbers in another shape; nothing where it is the same already."""
        if prod(shape) != prod(value.shape):
            raise Short(prod(shape), prod(value.shape))
        if value.name == LABELS:
            return Value(LABELS, shape)
        return value if shape == value.shape else self.add(name, Reshape(shape), [value])

    def widen(self, name: str, value: Value, shape: Shape) -> Value:
        """Broadcast: sizes of 1 become larger by repetition."""
        if value.shape == shape:
            return value
        missing = len(shape) - len(value.shape)
        if missing:
            raise Unfit(f"broadcasts {value.shape} to {shape}; as many sizes wanted")
        for mine, size in zip(value.shape, shape):
            if mine not in (1, size):
                raise Short(size, mine)
        if len(shape) == 3 and value.shape[1:] != shape[1:]:
            scale = (shape[1] // value.shape[1], shape[2] // value.shape[2])
            value = self.add(f"{name}_wide", Upsample(scale), [value])
        if value.shape != shape:
            if shape[0] > 1024 or value.shape[1:] != shape[1:]:
                raise Unfit(f"broadcasts {value.shape} to {shape}")
            value = self.add(f"{name}_deep", Concat(), [value] * shape[0])
        return value

    def merge(self, name: str, layer: Layer, values: Sequence[Value]) -> Value:
        """Add or Multiply, broadcasting. Raises Unfit for the ranks that MXNet wouldn't take either."""
        if len(values) == 1:
            return values[0]
        if len({len(value.shape) for value in values}) != 1:
            raise Unfit(f"is given {', '.join(str(value.shape) for value in values)}; as many sizes wanted")
        shape = tuple(max(sizes) for sizes in zip(*(value.shape for value in values)))
        return self.add(name, layer, [self.widen(name, value, shape) for value in values])

    def affine(self, name: str, value: Value, scale: float, shift: float) -> Value:
        """value * scale + shift."""
        return self.add(name, Affine(scale, shift), [value])

    def difference(self, name: str, one: Value, other: Value) -> Value:
        """one - other."""
        return self.merge(name, Add(), [one, self.affine(f"{name}_negative", other, -1.0, 0.0)])
