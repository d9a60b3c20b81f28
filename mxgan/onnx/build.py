"""A graph under construction: what each ONNX value is by now, and the forms that one layer doesn't have."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Optional, Union

import numpy as np

from mxgan.errors import ParamsError
from mxgan.graph import layers
from mxgan.graph.graph import IMAGES, LABELS, LATENTS, Graph, Node
from mxgan.graph.reading import NoGraph
from mxgan.graph.shapes import LARGEST, MOST_NODES, Shape, Unfit, after
from mxgan.onnx.constants import Budget
from mxgan.onnx.file import Model
from mxgan.onnx.node import Op
from mxgan.weights.names import printable

LONGEST = 100  # characters of a node's name


@dataclass(frozen=True)
class Tensor:
    """What a node gives: ``shape`` is that of one sample; the batch is the axis before it."""

    node: str
    shape: Shape


@dataclass(frozen=True)
class Label:
    """The label input, in whatever shape: () or (1,)."""

    shape: Shape


@dataclass(frozen=True)
class Known:
    """A constant."""

    array: np.ndarray
    name: str = ""  # of the array in the file, where it is that array as it stands
    sizes: bool = False  # computed from shapes: right in shapes alone, as the batch's size may be in it


Value = Union[Tensor, Label, Known]


class Build:
    """The nodes so far, and the ONNX values by name. ``batch``: the size that stands for the batch's in shapes."""

    def __init__(self, model: Model, batch: int, inputs: Mapping[str, Shape]) -> None:
        self.where, self.opset, self.batch = model.where, model.opset, batch
        self.budget = Budget(2 * len(model.data) + 2**22)
        self.nodes: list[Node] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.names: dict[str, str] = {}
        self.shapes: dict[str, Shape] = dict(inputs)
        self.graph = Graph((), self.arrays, dict(inputs))  # for the rules of shapes, which look arrays up
        self.values: dict[str, Value] = {}
        self.uses: collections.Counter[str] = collections.Counter()  # how many nodes take an ONNX value
        self.aliases: collections.Counter[str] = collections.Counter()  # how many ONNX values a node's output is
        self.counts: collections.Counter[str] = collections.Counter()
        self.assumed: list[str] = []
        self.name = "latents"  # of the nodes that come next
        self.inserted = ""  # the node that shapes flat latents as the model wants them

    # What a node takes

    def get(self, op: Op, place: int) -> Optional[Value]:
        """An input, None for an optional one left out. Raises ParamsError for one that no node before gives."""
        name = op.inputs[place] if place < len(op.inputs) else ""
        if name and name not in self.values:
            here, lacking = printable(op.name[:LONGEST]), printable(name[:LONGEST])
            raise ParamsError(
                f"{self.where}: {here} takes {lacking!r}, which nothing before gives; fetch the file again"
            )
        return self.values[name] if name else None

    def tensor(self, op: Op, place: int = 0) -> Tensor:
        """An input that the network computes."""
        value = self.get(op, place)
        if not isinstance(value, Tensor):
            raise NoGraph(f"{op.kind} of {'a constant' if isinstance(value, Known) else 'no tensor'}")
        return value

    def either(self, op: Op) -> Union[Tensor, Label]:
        """The first input, which may be the label."""
        value = self.get(op, 0)
        return value if isinstance(value, Label) else self.tensor(op)

    def optional(self, op: Op, place: int, sizes: bool = False) -> Optional[Known]:
        """A constant input, None where it is left out. ``sizes``: it may come from shapes."""
        value = self.get(op, place)
        if value is None:
            return None
        if not isinstance(value, Known) or (value.sizes and not sizes):
            raise NoGraph(f"{op.kind} with input {place} computed")
        return value

    def known(self, op: Op, place: int, sizes: bool = False) -> Known:
        """A constant input that must be there."""
        value = self.optional(op, place, sizes)
        if value is None:
            raise ValueError(f"input {place} is missing")
        return value

    def alone(self, op: Op, place: int) -> bool:
        """Whether this node is the only one that takes what the last node of the graph gives."""
        value = self.values[op.inputs[place]]
        return (
            isinstance(value, Tensor)
            and bool(self.nodes)
            and value.node == self.nodes[-1].name
            and self.uses[op.inputs[place]] == 1
            and self.aliases[value.node] == 1
        )

    # What a node gives

    def bind(self, name: str, value: Value) -> None:
        """Say what an ONNX value is."""
        if name in self.values:
            raise ParamsError(f"{self.where}: two nodes give {printable(name[:LONGEST])!r}; fetch the file again")
        self.values[name] = value
        if isinstance(value, Tensor):
            self.aliases[value.node] += 1

    def add(self, layer: layers.Layer, *inputs: Tensor, arrays: Optional[Mapping[str, Known]] = None,
            helper: bool = False) -> Tensor:  # fmt: skip
        """One more node. ``helper``: it isn't the one that the ONNX node's name stands for."""
        base = f"{self.name}.{layers.name_of(layer).lower()}" if helper else self.name
        node = Node(self._unique(base), layer, tuple(item.node for item in inputs))
        for word, known in (arrays or {}).items():
            self.set(node, word, known)
        shape = after(self.graph, node, [item.shape for item in inputs])
        if any(size < 1 for size in shape) or prod(shape) > LARGEST:
            raise Unfit(f"gives {shape}, of sizes from 1 and at most {LARGEST} numbers")
        if len(self.nodes) >= MOST_NODES:
            raise ParamsError(f"{self.where}: more than {MOST_NODES} layers")
        self.nodes.append(node)
        self.shapes[node.name] = shape
        return Tensor(node.name, shape)

    def set(self, node: Node, word: str, known: Known) -> None:
        """Give a node an array."""
        if known.array.dtype.kind != "f":
            raise ValueError(f"{word} is of {known.array.dtype}; floats wanted")
        self.arrays[f"{node.name}.{word}"] = known.array
        if known.name:
            self.names[f"{node.name}.{word}"] = known.name

    def _unique(self, base: str) -> str:
        base = printable(base)[-LONGEST:]
        self.counts[base] += 1
        name = base if self.counts[base] == 1 else f"{base}_{self.counts[base]}"
        while name in self.shapes or name in (LATENTS, LABELS, IMAGES):
            self.counts[base] += 1
            name = f"{base}_{self.counts[base]}"
        return name

    # Forms of several layers

    def reshape(self, x: Tensor, shape: Sequence[int], helper: bool = True) -> Tensor:
        """Another shape; no node where it is the same, and latents are shaped once."""
        if x.node == self.inserted:
            x = Tensor(LATENTS, self.shapes[LATENTS])
        return x if tuple(shape) == x.shape else self.add(layers.Reshape(tuple(shape)), x, helper=helper)

    def permute(self, x: Tensor, axes: Sequence[int], helper: bool = True) -> Tensor:
        """Axes in another order; no node where it is the same."""
        return x if list(axes) == sorted(axes) else self.add(layers.Permute(tuple(axes)), x, helper=helper)

    def front(self, x: Tensor, axis: int) -> Tensor:
        """The axis before all others."""
        return self.permute(x, [axis, *(at for at in range(len(x.shape)) if at != axis)])

    def back(self, x: Tensor, axis: int) -> Tensor:
        """The first axis at a place of its own again."""
        rest = list(range(1, len(x.shape)))
        return self.permute(x, [*rest[:axis], 0, *rest[axis:]])

    def cut(self, x: Tensor, axis: int, start: int, size: int) -> Tensor:
        """The part [start : start + size] of an axis."""
        if (start, size) == (0, x.shape[axis]):
            return x
        if len(x.shape) == 3 and axis > 0:
            top, left = (start, 0) if axis == 1 else (0, start)
            height, width = (size, x.shape[2]) if axis == 1 else (x.shape[1], size)
            return self.add(layers.Crop(top, left, height, width), x)
        before, after = x.shape[:axis], x.shape[axis + 1 :]
        x = self.reshape(x, (prod(before), x.shape[axis], prod(after)))
        x = self.add(layers.Crop(start, 0, size, prod(after)), x)
        return self.reshape(x, (*before, size, *after))

    def normed(self, layer: layers.Layer, x: Tensor, arrays: Mapping[str, Known]) -> Tensor:
        """A BatchNorm or InstanceNorm over the first axis, also of shapes that neither has."""
        three = isinstance(layer, layers.InstanceNorm)
        if len(x.shape) == 3 or (len(x.shape) == 1 and not three):
            return self.add(layer, x, arrays=arrays)
        flat = self.reshape(x, (x.shape[0], prod(x.shape[1:]), 1))
        return self.reshape(self.add(layer, flat, arrays=arrays), x.shape)

    def binary_constant(self, x: Tensor, values: np.ndarray) -> tuple[Optional[int], np.ndarray]:
        """How a constant goes with x: (the axis of one sample along which alone it varies, its vector), or
        (None, all of one sample's numbers)."""
        rank = len(x.shape) + 1
        if values.ndim > rank or (values.ndim == rank and values.shape[0] != 1):
            raise NoGraph(f"a constant {values.shape} for {x.shape}")
        full = values.reshape((1,) * (rank - values.ndim) + values.shape)[0]
        if any(size not in (1, own) for size, own in zip(full.shape, x.shape)):
            raise NoGraph(f"a constant {values.shape} for {x.shape}")
        long = [axis for axis, size in enumerate(full.shape) if size > 1]
        if len(long) == 1:
            return long[0], full.reshape(-1)
        if not long:
            return 0, np.broadcast_to(full.reshape(-1), x.shape[:1])
        self.budget.spend(prod(x.shape))
        return None, np.broadcast_to(full, x.shape).reshape(-1)
