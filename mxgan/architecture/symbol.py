"""MXNet's ``-symbol.json`` of every version as a graph: the file that says what the ``.params`` beside it are for."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np

from mxgan.architecture import symbol_json, symbol_walk
from mxgan.architecture.symbol_draft import Unreadable
from mxgan.architecture.symbol_json import VARIABLE, Operation, Output, Symbol
from mxgan.architecture.symbol_rules import same_name
from mxgan.architecture.symbol_walk import Found, Stopped, Weights
from mxgan.errors import ParamsError
from mxgan.graph import Graph, Node, check
from mxgan.graph.graph import LATENTS
from mxgan.graph.layers import Affine, Concat, Crop, Permute, PixelShuffle, Reshape, Sigmoid, Tanh, Upsample
from mxgan.graph.reading import Reading

__all__ = ["Unreadable", "beside", "read"]

_MOST_ENDS = 8  # outputs that are tried
_NAMED = 5  # names that a warning lists
_MOVES = (Reshape, Permute, Upsample, Crop, PixelShuffle, Concat)  # what only moves numbers about, or mixes them
Range = Optional[tuple[float, float]]


def beside(path: str | os.PathLike) -> Optional[Path]:
    """The symbol that lies in the same folder as a .params file and is named after it, or None.

    MXNet writes ``net-symbol.json`` beside ``net-0010.params``; ``name-symbol.json`` and ``name.json`` beside
    ``name.params`` count too, the last only if it is a symbol.
    """
    path = Path(path)
    if path.suffix.lower() != ".params":
        return None
    epoch = re.fullmatch(r"(.+)-\d{4,}", path.stem)
    for stem in ([epoch[1]] if epoch else []) + [path.stem]:
        found = path.with_name(f"{stem}-symbol.json")
        if found.is_file():
            return found
    plain = path.with_name(f"{path.stem}.json")
    if not plain.is_file():
        return None
    try:
        symbol_json.load(plain)
    except ParamsError:
        return None
    return plain


def read(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], where: str) -> Reading:
    """The network of a symbol file, with the arrays of the .params file ``where`` under the names they have there.

    Of a symbol with several outputs, or one that goes on (into a discriminator, into losses), the part that gives
    images of 1 to 4 channels is read; a discriminator alone is read as it is. Raises ParamsError where the two files
    don't fit or the network isn't one that layers can be, Unreadable for an operator that none stands for.
    """
    symbol = symbol_json.load(path)
    weights = Weights(arrays, _plain_names(arrays), where)
    try:
        found, warnings = _best(symbol, weights)
        graph, ended = _finished(found)
    except Unreadable as error:
        raise Unreadable(f"{os.fspath(path)}: {error}", error.operator) from None
    except Stopped as error:
        raise ParamsError(f"{os.fspath(path)}: {error}") from None
    check(graph, os.fspath(path))
    names = {mine: stored for mine, stored in found.draft.names.items() if mine in graph.arrays}
    warnings += _held_inputs(found, weights) + _left_over(symbol, weights)
    return Reading(graph, Path(path).name, names, (*dict.fromkeys(found.draft.notes), *ended), tuple(warnings))


def _plain_names(arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    """MXNet's names, without the ``arg:`` and ``aux:`` that Module and export write, to those of the file."""
    found: dict[str, str] = {}
    for name in arrays:
        found.setdefault(name[4:] if name.startswith(("arg:", "aux:")) else name, name)
    return found


def _best(symbol: Symbol, weights: Weights) -> tuple[Found, list[str]]:
    """The part of the symbol to read, and what may be wrong with that. Raises the first output's error if none is."""
    tried = [_tried(symbol, head, weights) for head in symbol.heads[:_MOST_ENDS]]
    pictures = sorted((one for one in tried if isinstance(one, Found) and _side(one)), key=_worth, reverse=True)
    inner = _inner(symbol, weights)
    if inner is not None and (not pictures or 2 * _side(pictures[0]) <= _side(inner)):
        into = symbol_walk.convolutions_after(symbol)[inner.part.end]
        return inner, [f"the symbol goes on after {_name(inner)!r}, into {into!r}: read as far as that"]
    if pictures:
        several = f"{len(pictures)} outputs are images: {', '.join(map(_name, pictures))}; the first is taken"
        return pictures[0], [several] if len(pictures) > 1 else []
    for one in tried:
        if isinstance(one, Found) and LATENTS not in one.inputs:
            return one, []
    for one in tried:
        if not isinstance(one, Found):
            raise one
    said = f"its outputs are of {', '.join(str(one.end.shape) for one in tried if isinstance(one, Found))}"
    raise Stopped(0, f"{said}; images of 1 to 4 channels wanted; --layout can say how")


def _tried(symbol: Symbol, head: Output, weights: Weights) -> Union[Found, Stopped, Unreadable]:
    try:
        return symbol_walk.translate(symbol_walk.part_to(symbol, head), weights)
    except (Stopped, Unreadable) as error:
        return error


def _inner(symbol: Symbol, weights: Weights) -> Optional[Found]:
    """The largest images that a tanh or sigmoid gives to a Convolution: a generator that a discriminator looks at."""
    heads = {number for number, _ in symbol.heads}
    after = symbol_walk.convolutions_after(symbol)
    ends = [number for number in sorted(after) if number not in heads and _squashes(symbol.operations[number])]
    tried = [_tried(symbol, (number, 0), weights) for number in ends[-_MOST_ENDS:]]
    return max((one for one in tried if isinstance(one, Found) and _side(one)), key=_side, default=None)


def _squashes(operation: Operation) -> bool:
    kind = operation.settings.get("act_type") if same_name(operation) == "Activation" else same_name(operation)
    return kind in ("tanh", "sigmoid")


def _side(found: Found) -> int:
    """The longer side of a generator's images; 0 for what gives none."""
    shape = found.end.shape
    return max(shape[1:]) if LATENTS in found.inputs and len(shape) == 3 and shape[0] <= 4 and max(shape[1:]) > 1 else 0


def _worth(found: Found) -> tuple[bool, int]:
    """For choosing among images: those that a tanh or sigmoid gives, then larger ones."""
    return _squashes(found.part.symbol.operations[found.part.end]), _side(found)


def _name(found: Found) -> str:
    return found.part.symbol.operations[found.part.end].name


def _finished(found: Found) -> tuple[Graph, tuple[str, ...]]:
    """The graph without what its end doesn't need, its images brought to [-1, 1], and what that assumes."""
    draft, needed, nodes = found.draft, {found.end.name}, []
    for node in reversed(draft.nodes):
        if node.name in needed:
            nodes.append(node)
            needed.update(node.inputs)
    nodes.reverse()
    assumed: tuple[str, ...] = ()
    if LATENTS in found.inputs:
        low, high = _range(nodes) or (None, None)
        if low is None or high is None:
            assumed = ("the symbol ends without tanh or sigmoid: taken as [-1, 1]",)
        elif (low, high) != (-1.0, 1.0):
            signed = Affine(2 / (high - low), -(high + low) / (high - low))
            nodes.append(Node(draft.fresh("signed"), signed, (found.end.name,)))
    arrays = {name: array for name, array in draft.arrays.items() if name.rpartition(".")[0] in needed}
    if not arrays:
        raise Stopped(0, f"{_name(found)} takes no arrays; the symbol of a network wanted")
    return Graph(tuple(nodes), arrays, found.inputs), assumed


def _range(nodes: Sequence[Node]) -> Range:
    """Where the last node's outputs lie: [-1, 1], [0, 1] or [0, 255]; None where that isn't known."""
    ranges: dict[str, Range] = {}
    for node in nodes:
        before = [ranges.get(name) for name in node.inputs]
        one, layer = before[0], node.layer
        if isinstance(layer, (Tanh, Sigmoid)):
            ranges[node.name] = (-1.0 if isinstance(layer, Tanh) else 0.0, 1.0)
        elif isinstance(layer, Affine) and one:
            low, high = sorted(end * layer.scale + layer.shift for end in one)
            ranges[node.name] = (low, high)
        elif isinstance(layer, _MOVES) and all(other == one for other in before):
            ranges[node.name] = one
    last = ranges.get(nodes[-1].name)
    for known in ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0)):
        if last and all(abs(end - wanted) <= 1e-6 * max(1, known[1]) for end, wanted in zip(last, known)):
            return known
    return None


def _held_inputs(found: Found, weights: Weights) -> list[str]:
    """Inputs that the file has arrays for: what the network was last given, saved with the rest."""
    held = [variable.name for variable in found.part.inputs if variable.name in weights.stored]
    return [f"{weights.where} holds an array for {name!r}, which is read as an input" for name in held]


def _left_over(symbol: Symbol, weights: Weights) -> list[str]:
    """Arrays that the symbol has no variable for."""
    known = {operation.name for operation in symbol.operations if operation.operator == VARIABLE}
    for operation in symbol.operations:
        if same_name(operation) == "BatchNorm" and len(operation.inputs) < 5:
            known |= {f"{operation.name}_moving_mean", f"{operation.name}_moving_var"}
    strange = [stored for name, stored in weights.stored.items() if name not in known]
    if not strange:
        return []
    more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
    return [f"{weights.where} has arrays that the symbol doesn't: {', '.join(strange[:_NAMED])}{more}"]
