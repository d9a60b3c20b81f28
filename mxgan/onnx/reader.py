"""A generator in an .onnx file as a graph: its nodes are read as layers, and nothing in it is run.

Files of torch.onnx.export, tf2onnx, keras2onnx, MXNet's exporter and mxgan itself, opsets 7 to 28. A model with an
operator that no layer is can still be run as it is: see program.py.
"""

from __future__ import annotations

import os
from math import isqrt, prod
from pathlib import Path
from typing import Optional

import numpy as np

from mxgan.errors import ParamsError, in_shell
from mxgan.graph import Graph, Node, check, layers
from mxgan.graph.graph import IMAGES, LABELS, LATENTS
from mxgan.graph.reading import NoGraph, Reading
from mxgan.graph.shapes import Shape, Unfit
from mxgan.onnx.build import Build, Known, Label, Tensor, Value
from mxgan.onnx.file import Model, array_of, contents, load, text
from mxgan.onnx.node import Op
from mxgan.onnx.operators import value_of
from mxgan.onnx.program import Program, vetted
from mxgan.onnx.runner import tried
from mxgan.onnx.signature import Signature, needed, operators, signature
from mxgan.weights.names import printable

OPSETS = (7, 28)  # 22 to 28 changed types alone
_DAMAGE = (Unfit, ValueError, TypeError, IndexError, KeyError, OverflowError, ZeroDivisionError)
_ALIKE = (layers.Permute, layers.Reshape, layers.Crop, layers.Upsample, layers.PixelShuffle)  # the same numbers


def arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays in a file by name; `mxgan.onnx.file.contents` has their dtypes and the writer too."""
    return contents(path).arrays


def read(path: str | os.PathLike) -> Reading:
    """The generator (or discriminator) in a file.

    Raises NoGraph where the model has an operator, or a use of one, that no layer is; ParamsError for anything that is
    missing, damaged, too large or no such network; MissingPackage without onnx.
    """
    return read_model(load(path))


def program(path: str | os.PathLike) -> Program:
    """The generator in a file that `read` refuses with NoGraph, to be run by `mxgan.onnx.runner.Runner`.

    Two latents are tried, in a process of their own: about a second. Raises ParamsError for loops, custom operators,
    arrays in other files, and where no images come out; MissingPackage without onnx and onnxruntime.
    """
    model = load(path)
    try:
        read_model(model)
    except NoGraph as error:
        why = in_shell(error).removeprefix(f"{model.where}: ")
    else:
        why = "it was asked to run"
    return tried(vetted(model, why))


def read_model(model: Model) -> Reading:
    """What `read` does, with the model already loaded."""
    try:
        ops = operators(model)
        said = signature(model, ops)
        if not OPSETS[0] <= model.opset <= OPSETS[1]:
            raise NoGraph(f"{model.where}: opset {model.opset}; {OPSETS[0]} to {OPSETS[1]} can be read")
        build = _built(model, said, needed(ops, said.output))
        return _finished(model, said, build)
    except UnicodeError as error:
        raise ParamsError(f"{model.where}: a name that is not UTF-8; fetch the file again") from error


def _built(model: Model, said: Signature, ops: list[Op]) -> Build:
    """All nodes read, in the model's order."""
    shape = said.data.shape
    if shape[0] == -1:
        raise ParamsError(f"{model.where}: the model doesn't say how many numbers a latent has")
    name = IMAGES if said.pictures else LATENTS
    flat: Shape = shape if said.pictures else (prod(shape),)
    inputs = {name: flat, **({LABELS: ()} if said.label else {})}
    if said.pictures and shape[0] > 4:
        inputs[name] = (shape[2], *shape[:2])
    build = Build(model, said.batch, inputs)
    build.uses.update(name for op in ops for name in set(op.inputs))
    build.uses[said.output] += 1
    taken = {name for op in ops for name in op.inputs} | {said.output}
    for tensor in model.proto.graph.initializer:
        if text(tensor.name) in taken:
            build.bind(tensor.name, Known(array_of(tensor, model.where), tensor.name))
    start = Tensor(name, inputs[name])
    if said.pictures:
        start = start if shape[0] <= 4 else build.permute(start, (1, 2, 0))
    elif shape != flat:
        start = build.reshape(start, shape, helper=False)
        build.inserted = start.node
    build.bind(said.data.name, start)
    if said.label is not None:
        build.name = said.label.name
        label: Value = Label(said.label.shape)
        if said.classes:
            label = build.reshape(build.add(layers.OneHot(said.classes), Tensor(LABELS, ())), said.label.shape)
            build.assumed.append(f"{printable(said.label.name[:80])} is a label as a one-hot vector")
        build.bind(said.label.name, label)
    for op in ops:
        build.name = op.name
        _one(build, op)
    return build


def _one(build: Build, op: Op) -> None:
    """Read one node. Errors name it."""
    here = f"{build.where}: {printable(op.name[:80])}"
    try:
        if not op.outputs or not op.outputs[0]:
            raise NoGraph(f"the second output of {op.kind}")
        build.bind(op.outputs[0], value_of(build, op))
    except NoGraph as error:
        raise NoGraph(f"{here}: no layer of mxgan does this: {printable(in_shell(error)[:200])}") from error
    except ParamsError:
        raise
    except _DAMAGE as error:
        raise ParamsError(f"{here} ({printable(op.kind[:40])}): {printable(in_shell(error)[:200])}") from error


def _finished(model: Model, said: Signature, build: Build) -> Reading:
    """The graph from the input to images (channels, H, W) in [-1, 1], and what was assumed."""
    where, end = model.where, build.values.get(said.output)
    if not isinstance(end, Tensor) or not build.nodes:
        raise ParamsError(f"{where}: the output {printable(said.output[:80])} isn't computed from the input")
    assumed, warnings = list(build.assumed), []
    if said.outputs > 1:
        warnings.append(f"the model has {said.outputs} outputs; {printable(said.output[:80])} is read")
    if not said.pictures:
        build.name = "images"
        try:
            end, square = _as_images(where, build, end)
            end, ranged = _signed(build, end)
        except Unfit as error:
            raise ParamsError(f"{where}: {in_shell(error)}") from error
        assumed += [text for text in (square, ranged) if text]
    graph = _pruned(build, end)
    if LABELS in graph.inputs and graph.classes is None:
        raise NoGraph(f"{where}: the label goes to no table of classes")
    check(graph, where)
    names = {mine: name for mine, name in build.names.items() if mine in graph.arrays}
    source = f"{Path(where).name}'s own graph"
    return Reading(graph, source, names, tuple(assumed), tuple(warnings), uniform=_says_uniform(model))


def _says_uniform(model: Model) -> bool:
    """Whether its metadata say, as in a model that mxgan wrote, that latents are from U(-1, 1)."""
    said = {prop.key: prop.value for prop in model.proto.metadata_props}
    return "mxgan" in said and said.get("latents") == "uniform"


def _as_images(where: str, build: Build, x: Tensor) -> tuple[Tensor, str]:
    """x as (channels, H, W), and what had to be assumed for it."""
    shape = x.shape
    if len(shape) == 3 and shape[0] <= 4:
        return x, ""
    if len(shape) == 3 and shape[2] <= 4:
        last = build.nodes[-1]
        before = Tensor(last.inputs[0], build.shapes[last.inputs[0]])
        moved = last.layer == layers.Permute((1, 2, 0))
        if last.name == x.node and (moved or (shape[2] == 1 and before.shape == (1, *shape[:2]))):
            return before, ""  # the other way just before
        return build.permute(x, (2, 0, 1)), ""
    if len(shape) == 2:
        return build.reshape(x, (1, *shape)), ""
    if len(shape) == 1:
        for channels in (1, 3):
            side = isqrt(shape[0] // channels)
            if channels * side * side == shape[0] and side > 1:
                text = f"{shape[0]} numbers are an image of {channels}×{side}×{side}"
                return build.reshape(x, (channels, side, side)), text
    raise ParamsError(f"{where}: the model gives {shape}; images of 1 to 4 channels wanted")


def _signed(build: Build, x: Tensor) -> tuple[Tensor, str]:
    """x from the range that its last layers give to [-1, 1], and what had to be assumed."""
    limits = _range(build, x.node)
    if limits is None:
        return x, "images in [-1, 1]"
    low, high = limits
    if np.allclose(limits, (-1, 1), atol=1e-6):
        return x, ""
    scale = 2 / (high - low)
    shift = -1 - low * scale
    known = any(np.allclose(limits, usual, atol=1e-6) for usual in ((0, 1), (0, 255)))
    text = "" if known else f"images in [{low:g}, {high:g}]"
    last = build.nodes[-1]
    if last.name == x.node and isinstance(last.layer, layers.Affine):  # both in one
        scale, shift = last.layer.scale * scale, last.layer.shift * scale + shift
        build.nodes.pop()
        x = Tensor(last.inputs[0], build.shapes[last.inputs[0]])
        if np.allclose((scale, shift), (1, 0), atol=1e-6):
            return x, text
    build.name = "signed"
    return build.add(layers.Affine(float(scale), float(shift)), x), text


def _range(build: Build, name: str) -> Optional[tuple[float, float]]:
    """Between which numbers a node's output lies, None where only the weights know."""
    nodes = {node.name: node for node in build.nodes}
    changes: list[layers.Affine] = []
    limits: Optional[tuple[float, float]] = None
    while limits is None and name in nodes:
        node = nodes[name]
        if isinstance(node.layer, (layers.Tanh, layers.Sigmoid)):
            limits = (-1.0, 1.0) if isinstance(node.layer, layers.Tanh) else (0.0, 1.0)
        elif isinstance(node.layer, layers.Affine):
            changes.append(node.layer)
        elif not isinstance(node.layer, _ALIKE):
            return None
        name = node.inputs[0]
    for change in reversed(changes):
        if limits is not None:
            low, high = sorted(limit * change.scale + change.shift for limit in limits)
            limits = (low, high) if high - low > 1e-9 else None
    return limits


def _pruned(build: Build, end: Tensor) -> Graph:
    """The nodes that the end is computed from."""
    kept: list[Node] = []
    wanted = {end.node}
    for node in reversed(build.nodes):
        if node.name in wanted:
            kept.append(node)
            wanted.update(node.inputs)
    words = {f"{node.name}.{word}" for node in kept for word in (*node.layer.needs, *node.layer.may)}
    arrays = {name: array for name, array in build.arrays.items() if name in words}
    inputs = {name: shape for name, shape in build.graph.inputs.items() if name in wanted or name != LABELS}
    return Graph(tuple(kept[::-1]), arrays, inputs)


__all__ = ["NoGraph", "arrays", "program", "read", "read_model"]
