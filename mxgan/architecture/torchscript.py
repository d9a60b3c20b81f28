"""A generator out of a TorchScript archive: its program is followed symbolically and never run.

An archive of ``torch.jit.save`` holds the module tree with its tensors, and the source of every ``forward``, whether
traced or scripted. What it leaves open is what ``forward`` takes: see torchscript_inputs.py.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from math import prod

from mxgan.architecture import one_hot
from mxgan.architecture.modules import ending
from mxgan.architecture.torchscript_code import Program
from mxgan.architecture.torchscript_graph import Builder, Flow, Short
from mxgan.architecture.torchscript_inputs import Input, Inputs, Together, candidates, solved, sound
from mxgan.architecture.torchscript_moves import flow_of
from mxgan.architecture.torchscript_ops import operate
from mxgan.architecture.torchscript_source import Failed
from mxgan.architecture.torchscript_values import Held
from mxgan.errors import ParamsError, in_shell
from mxgan.graph import Graph, layers
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.graph.reading import Reading
from mxgan.graph.shapes import check
from mxgan.weights import pickled_torch
from mxgan.weights.names import printable
from mxgan.weights.pickled_modules import is_module
from mxgan.weights.pickled_numbers import Tensor
from mxgan.weights.pickled_torch import ZipFile


def read(path: str | os.PathLike) -> Reading:
    """The generator in a TorchScript archive.

    Its ``forward`` takes latents, and labels if it is conditional, in either order, the labels as numbers or as one-hot
    vectors. Raises ParamsError where the file is damaged or no archive, or the program does what no layer does, naming
    it.
    """
    with pickled_torch.opened(path) as file:
        if not isinstance(file, ZipFile) or not file.script or not is_module(file.value):
            raise ParamsError(f"{file.where}: no TorchScript archive of a module; torch.jit.save writes one")
        try:
            return _follow(file)
        except (Failed, RecursionError) as error:
            why = str(error) if isinstance(error, Failed) else "it is nested too deeply"
            raise ParamsError(
                printable(f"{file.where}: its program can't be followed: {why}; describe the network with --layout")
            ) from error


def _follow(file: ZipFile) -> Reading:
    held: dict[int, Held] = {}

    def tensor(value: Tensor, name: str) -> Held:
        if id(value) not in held:
            held[id(value)] = Held(file.array(value, name), "" if name.startswith("CONSTANTS.") else name)
        return held[id(value)]

    constants = file.constants()
    program = Program(file.code(), constants if isinstance(constants, (list, tuple)) else (), tensor)
    builder = Builder()
    program.operate = partial(operate, builder)
    names = program.forward_arguments(file.value)
    if len(names) not in (1, 2):
        raise Failed(f"forward() takes {len(names)} arguments; latents, or latents and labels, are known")
    furthest, why = -1, Failed("it has no weights that tell how many latents it takes")
    for inputs in candidates(file, names):
        try:
            return _solved(file, program, builder, inputs)
        except (Failed, ParamsError) as error:
            if isinstance(error, Together):
                return _parted(file, program, builder, error)
            if len(builder.nodes) > furthest:
                furthest, why = len(builder.nodes), Failed(in_shell(error).removeprefix(f"{file.where}: "))
    raise why


def _solved(file: ZipFile, program: Program, builder: Builder, inputs: Inputs) -> Reading:
    """Follow the program, and again with each length that a layer tells."""
    for _ in inputs:
        builder.restart()
        try:
            return _reading(file, program, builder, inputs)
        except Short as short:
            inputs = solved(inputs, short)
    builder.restart()
    return _reading(file, program, builder, inputs)


def _parted(file: ZipFile, program: Program, builder: Builder, why: Together) -> Reading:
    """Latents and a one-hot label side by side, parted by the running statistics. Raises ``why`` where they can't."""
    sizes = {LABELS: 2, LATENTS: why.total - 2}
    inputs = [replace(item, shape=(sizes[item.role], *item.shape[1:]), known=True) for item in why.inputs]
    builder.restart()
    reading = _reading(file, program, builder, tuple(inputs))
    whole = one_hot.without_label(reading.graph)
    found = one_hot.one_hot(whole[0]) if whole is not None else None
    if whole is None or found is None or found[0] != whole[1]:
        raise why
    said = f"{found[1]} classes, as its running statistics say"
    return replace(reading, graph=one_hot.with_label(whole[0], *found), assumed=(*reading.assumed, said))


def _reading(file: ZipFile, program: Program, builder: Builder, inputs: Inputs) -> Reading:
    given = [_entry(builder, item) for item in inputs]
    latent = next(item.shape[0] for item in inputs if item.role == LATENTS)
    result = program.forward(file.value, given)
    if not isinstance(result, Flow) or not builder.nodes:
        raise Failed("it returns something else than one tensor")
    sound(inputs)
    nodes, result = builder.nodes, flow_of(result)
    while nodes and nodes[-1].name != result.name:  # computed, and not used
        nodes.pop()
    assumed = [f"{item.name} is a label as a one-hot vector" for item in inputs if item.one_hot] + ending(nodes)
    used = {name for node in nodes for name in node.inputs}
    if LATENTS not in used:
        raise Failed("it doesn't use the latents")
    entries: dict[str, tuple[int, ...]] = {LATENTS: (latent,), **({LABELS: ()} if LABELS in used else {})}
    kept = {node.name for node in nodes}
    arrays = {name: array for name, array in builder.arrays.items() if name.rpartition(".")[0] in kept}
    graph = Graph(tuple(nodes), arrays, entries)
    if prod(check(graph, file.where)[nodes[-1].name][1:]) == 1:
        raise Failed("it gives single numbers, as a discriminator does")
    names = {name: theirs for name, theirs in builder.names.items() if name in arrays}
    return Reading(graph, f"the program in {file.where}", names, tuple(assumed), tuple(builder.warnings))


def _entry(builder: Builder, item: Input) -> Flow:
    """An argument of ``forward``, in the shape that it has there."""
    flow = builder.input(item.role, item.shape[:1] if item.role == LATENTS else (), frozenset((item.role,)))
    if item.one_hot:
        flow = builder.add(layers.OneHot(item.shape[0]), [flow])
    return builder.add(layers.Reshape(item.shape), [flow]) if len(item.shape) == 3 else flow
