"""A generator out of a TorchScript archive: its program is followed symbolically and never run.

An archive of ``torch.jit.save`` holds the module tree with its tensors, and the source of every ``forward``, whether
traced or scripted. What it leaves open is how many latents there are and whether they come as (latent,) or
(latent, 1, 1): the sizes of its first weights are tried until the program goes through to an image.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from itertools import permutations
from math import prod
from typing import Any, Optional

from mxgan.architecture.modules import ending
from mxgan.architecture.torchscript_code import Program
from mxgan.architecture.torchscript_graph import Builder, Flow
from mxgan.architecture.torchscript_moves import flow_of
from mxgan.architecture.torchscript_ops import operate
from mxgan.architecture.torchscript_source import Failed
from mxgan.architecture.torchscript_values import Held
from mxgan.errors import ParamsError
from mxgan.graph import Graph, layers
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.graph.reading import Reading
from mxgan.graph.shapes import check
from mxgan.weights import pickled_torch
from mxgan.weights.names import printable
from mxgan.weights.pickled import Made
from mxgan.weights.pickled_modules import is_module
from mxgan.weights.pickled_numbers import Tensor
from mxgan.weights.pickled_torch import ZipFile

MOST_TRIED = 12  # weights whose sizes are tried
LARGEST_LATENT = 2**16


def read(path: str | os.PathLike) -> Reading:
    """The generator in a TorchScript archive.

    Its ``forward`` takes latents, and labels if it is conditional, in either order. Raises ParamsError where the file
    is damaged or no archive, or the program does what no layer does, naming it.
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
    count = program.forward_arguments(file.value)
    if count not in (1, 2):
        raise Failed(f"forward() takes {count} arguments; latents, or latents and labels, are known")
    furthest, why = -1, Failed("it has no weights that tell how many latents it takes")
    for shape in _shapes(file.value):
        for order in permutations((LATENTS, LABELS)[:count]):
            builder.restart()
            try:
                return _reading(file, program, builder, shape, order)
            except (Failed, ParamsError) as error:
                if len(builder.nodes) > furthest:
                    furthest, why = len(builder.nodes), Failed(str(error).removeprefix(f"{file.where}: "))
    raise why


def _reading(
    file: ZipFile, program: Program, builder: Builder, shape: tuple[int, ...], order: tuple[str, ...]
) -> Reading:
    latents = builder.input(LATENTS, shape[:1])
    labels = builder.input(LABELS, ())
    if len(shape) == 3:
        latents = builder.add(layers.Reshape(shape), [latents])
    result = program.forward(file.value, [latents if name == LATENTS else labels for name in order])
    if not isinstance(result, Flow) or not builder.nodes:
        raise Failed("it returns something else than one tensor")
    nodes, result = builder.nodes, flow_of(result)
    while nodes and nodes[-1].name != result.name:  # computed, and not used
        nodes.pop()
    assumed = ending(nodes)
    used = {name for node in nodes for name in node.inputs}
    if LATENTS not in used:
        raise Failed("it doesn't use the latents")
    inputs: dict[str, tuple[int, ...]] = {LATENTS: shape[:1], **({LABELS: ()} if LABELS in used else {})}
    kept = {node.name for node in nodes}
    arrays = {name: array for name, array in builder.arrays.items() if name.rpartition(".")[0] in kept}
    graph = Graph(tuple(nodes), arrays, inputs)
    if prod(check(graph, file.where)[nodes[-1].name][1:]) == 1:
        raise Failed("it gives single numbers, as a discriminator does")
    names = {name: theirs for name, theirs in builder.names.items() if name in arrays}
    return Reading(graph, f"the program in {file.where}", names, tuple(assumed), tuple(builder.warnings))


def _shapes(made: Made) -> Iterator[tuple[int, ...]]:
    """Shapes that latents may have: by the first weights, in the order of definition, the likelier first."""
    seen: set[tuple[int, ...]] = set()
    for shape in _weights(made):
        sizes = shape[:1] if len(shape) in (1, 4) else shape[1:2]
        more = shape[1:2] if len(shape) == 4 else shape[:1]
        for size in (*sizes, *more):
            for wanted in ((size, 1, 1), (size,)) if len(shape) == 4 else ((size,), (size, 1, 1)):
                if 0 < size <= LARGEST_LATENT and wanted not in seen:
                    seen.add(wanted)
                    yield wanted


def _weights(made: Made) -> list[tuple[int, ...]]:
    """The shapes of the first tensors of a module tree that have any."""
    found: list[tuple[int, ...]] = []
    waiting: list[Any] = [made]
    visited = 0
    while waiting and len(found) < MOST_TRIED and visited < 10_000:
        value = waiting.pop()
        visited += 1
        if isinstance(value, Tensor) and len(value.shape) in (1, 2, 4) and value.shape not in found:
            found.append(value.shape)
        elif is_module(value):
            waiting += _children(value)
    return found


def _children(made: Made) -> list[Any]:
    state: Optional[Any] = made.state
    return list(reversed(list(state.values()))) if isinstance(state, dict) else []
