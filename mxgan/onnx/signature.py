"""What a model takes: its latents, or images, and its label; found before any node is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Optional

from mxgan.errors import ParamsError
from mxgan.graph.labels import can_be, label_place
from mxgan.graph.shapes import LARGEST, Shape
from mxgan.onnx.constants import FLOATS, INTEGERS
from mxgan.onnx.file import Model, text
from mxgan.onnx.node import Op
from mxgan.weights.names import printable

ANY_BATCH = 7919  # stands for a batch of any size in computed shapes: a prime that no layer has as a size
MOST_NODES = 10_000
_PASSING = ("Cast", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze")


@dataclass(frozen=True)
class Input:
    """One input of a model: ``shape`` without the batch, -1 where the model leaves a size open."""

    name: str
    batch: int  # 0: any
    shape: Shape
    kind: int  # TensorProto.DataType


@dataclass(frozen=True)
class Signature:
    """A model's inputs and the output that is read."""

    data: Input  # latents, or images
    label: Optional[Input]
    output: str
    outputs: int
    classes: int = 0  # where the label comes as a one-hot vector, in whatever shape: how many numbers that has

    @property
    def pictures(self) -> bool:
        """Whether it takes images: it has several pixels and few channels, first or last."""
        shape = self.data.shape
        if len(shape) != 3 or -1 in shape:
            return False
        return (shape[0] <= 4 and min(shape[1:]) > 4) or (shape[2] <= 4 and min(shape[:2]) > 4)

    @property
    def batch(self) -> int:
        """The size that stands for the batch's in computed shapes."""
        return self.data.batch or ANY_BATCH


def operators(model: Model) -> list[Op]:
    """The model's nodes. Raises ParamsError for more than can be meant."""
    nodes = model.proto.graph.node
    if len(nodes) > MOST_NODES:
        raise ParamsError(f"{model.where}: {len(nodes):,} nodes; at most {MOST_NODES:,} are read")
    return [Op(node, model.where) for node in nodes]


def needed(ops: list[Op], output: str) -> list[Op]:
    """The nodes that the output is computed from, in their order; all that come before one that holds graphs."""
    found: set[str] = {output}
    kept: list[Op] = []
    inner = False  # a graph inside takes what it likes of the one outside
    for op in reversed(ops):
        if inner or found.intersection(op.outputs):
            kept.append(op)
            found.update(op.inputs)
            inner = inner or op.holds_graphs
    return kept[::-1]


def signature(model: Model, ops: list[Op]) -> Signature:
    """The inputs of a model. Raises ParamsError where they can't be latents and a label."""
    graph, where = model.proto.graph, model.where
    held = {text(tensor.name) for tensor in graph.initializer}
    if not graph.output:
        raise ParamsError(f"{where}: the model has no output")
    pictures = [item.name for item in graph.output if len(item.type.tensor_type.shape.dim) == 4]
    output = text(pictures[0] if pictures else graph.output[0].name)
    ops = needed(ops, output)
    taken = {name for op in ops for name in op.inputs}
    if any(op.holds_graphs for op in ops):
        taken.update(item.name for item in graph.input)
    inputs = [_input(item, where) for item in graph.input if text(item.name) not in held and item.name in taken]
    labels = [item for item in inputs if item.kind in INTEGERS or (prod(item.shape) == 1 and index_of(ops, item.name))]
    data = [item for item in inputs if item not in labels]
    if len(data) == 2 and not labels:
        place = label_place((data[0].name, data[1].name))
        label, other = data[place], data[1 - place]
        if can_be(label.name, prod(label.shape), prod(other.shape)):
            labels, data = [label], [other]
    if len(data) != 1 or len(labels) > 1:
        names = ", ".join(printable(item.name[:80]) for item in inputs) or "nothing"
        raise ParamsError(
            f"{where}: the model takes {names}; a generator of pictures takes one input of floats, the latents, "
            "and perhaps a label, of integers or as a one-hot vector"
        )
    (z,) = data
    if z.kind not in FLOATS or not z.shape or not 0 < abs(prod(z.shape)) <= LARGEST:
        raise ParamsError(
            f"{where}: the input {printable(z.name[:80])} has shape {z.shape}; latents (n, latent) wanted"
        )
    classes = prod(labels[0].shape) if labels and not index_of(ops, labels[0].name) else 0
    return Signature(z, labels[0] if labels else None, output, len(graph.output), classes if classes > 1 else 0)


def _input(item: Any, where: str) -> Input:
    kind = item.type.tensor_type.elem_type
    sizes = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in item.type.tensor_type.shape.dim]
    if len(sizes) > 8 or any(size < -1 or size > LARGEST for size in sizes):
        raise ParamsError(f"{where}: the input {printable(text(item.name)[:80])} has a shape that no latents have")
    batch = max(sizes[0], 0) if sizes else 0
    shape = tuple(size or -1 for size in sizes[1:])
    return Input(text(item.name), batch, tuple(1 if size == -1 and at else size for at, size in enumerate(shape)), kind)


def index_of(ops: list[Op], name: str) -> Optional[Op]:
    """The Gather or OneHot that an input goes to as its place, perhaps cast and reshaped before; None without."""
    ways = {name}
    for op in ops:
        if op.kind in _PASSING and op.inputs[:1] and op.inputs[0] in ways:
            ways.update(op.outputs)
        elif (op.kind == "Gather" and ways.intersection(op.inputs[1:2])) or (
            op.kind == "OneHot" and ways.intersection(op.inputs[:1])
        ):
            return op
    return None
