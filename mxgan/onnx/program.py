"""A generator whose .onnx file has an operator that no layer is: the file itself is the network, to be run as it is.

What could reach beyond the file, or run for ever, is refused before: other files, custom operators, loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from mxgan.errors import ParamsError
from mxgan.onnx.file import Model, array_of, text
from mxgan.onnx.node import FLOATS, TENSOR, Op
from mxgan.onnx.signature import Signature, index_of, needed, operators, signature
from mxgan.weights.names import printable

_RANDOM = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial")
_ALIKE = ("Transpose", "Identity", "Reshape", "Cast", "Squeeze", "Unsqueeze", "Slice", "Flatten")
_KINDS = (0, 1, 2, 3, TENSOR, FLOATS, 7, 8)  # attributes: numbers, text and tensors; 0: an old writer's
Range = tuple[float, float]


@dataclass(frozen=True)
class Program:
    """A model to be run as it is, and what goes in and comes out."""

    path: str
    data: bytes
    said: Signature
    latent: int
    classes: Optional[int]
    why: str  # it is no graph: "no layer of mxgan does this: the operator Softmax"
    limits: Optional[Range]  # of the numbers that come out, where the last operator says them
    shape: tuple[int, int, int] = (0, 0, 0)  # channels, H, W
    last: bool = False  # the channels come last
    assumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def vetted(model: Model, why: str) -> Program:
    """The program in a model, not run yet. Raises ParamsError for one that isn't run, and says why not."""
    where, graph = model.where, model.proto.graph
    try:
        ops = operators(model)
        if model.proto.functions or graph.sparse_initializer:
            raise ParamsError(f"{where}: functions of its own or sparse arrays, which aren't run ({why})")
        for op in ops:
            _check(op, where, why)
        arrays = {text(tensor.name): tensor for tensor in graph.initializer}
        for tensor in graph.initializer:
            array_of(tensor, where)
        said = signature(model, ops)
        ops = needed(ops, said.output)
        latent = 1
        for size in said.data.shape:
            latent *= size
        if latent < 1 or said.pictures:
            raise ParamsError(f"{where}: takes {said.data.shape}, which are not latents, and {why}")
        classes = _classes(ops, said, arrays, where) if said.label else None
        noisy = sorted({op.kind for op in ops if op.kind in _RANDOM})
        warnings = (f"its pictures hold noise of their own ({', '.join(noisy)}): no two runs agree",) if noisy else ()
        return Program(where, model.data, said, latent, classes, why, _limits(ops, said.output), warnings=warnings)
    except UnicodeError as error:
        raise ParamsError(f"{where}: a name that is not UTF-8; fetch the file again") from error


def _check(op: Op, where: str, why: str) -> None:
    here = f"{where}: {printable(op.name[:80])}"
    if "::" in op.kind:
        raise ParamsError(f"{here} is {printable(op.kind[:80])}: only ONNX's own operators are run ({why})")
    if op.holds_graphs or any(item.type not in _KINDS for item in op.attributes.values()):
        raise ParamsError(f"{here} is {op.kind}, which holds graphs or types: loops and conditions aren't run ({why})")
    for item in op.attributes.values():
        if item.HasField("t"):
            array_of(item.t, where)


def _classes(ops: list[Op], said: Signature, arrays: dict[str, Any], where: str) -> int:
    """How many labels there are: the rows of the table, or OneHot's depth."""
    assert said.label is not None
    op = index_of(ops, said.label.name)
    table = arrays.get(op.inputs[0 if op.kind == "Gather" else 1]) if op and len(op.inputs) > 1 else None
    if op is not None and table is not None:
        array = array_of(table, where)
        count = len(array) if op.kind == "Gather" and array.ndim else int(array.reshape(-1)[0]) if array.size else 0
        if 0 < count < 2**31:
            return count
    raise ParamsError(f"{where}: the model takes a label and doesn't say how many there are")


def _limits(ops: list[Op], output: str) -> Optional[Range]:
    """Between which numbers the output lies, where its last operator but shapes is tanh or sigmoid."""
    makers = {name: op for op in ops for name in op.outputs}
    for _ in ops:
        op = makers.get(output)
        if op is None or not op.inputs:
            return None
        if op.kind in ("Tanh", "Sigmoid"):
            return (-1.0, 1.0) if op.kind == "Tanh" else (0.0, 1.0)
        if op.kind not in _ALIKE:
            return None
        output = op.inputs[0]
    return None
