"""Published generators by the names and shapes of their arrays: known.json, read off their source.

A match says what arrays don't: strides, epsilons, activations. The file itself documents its form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan.architecture.parts import Part
from mxgan.graph import Graph, Node, layers
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.graph.layers import Layer
from mxgan.graph.shapes import Shape, Unfit, after

FILE = Path(__file__).with_name("known.json")
_INPUTS = {"latent": LATENTS, "label": LABELS}
_PLAIN: dict[str, Layer] = {
    "ReLU": layers.Relu(), "ELU": layers.Elu(), "SELU": layers.Selu(), "PReLU": layers.PRelu(), "Tanh": layers.Tanh(),
    "Sigmoid": layers.Sigmoid(), "Linear": layers.Linear(), "Embedding": layers.Embedding(), "Add": layers.Add(),
    "Multiply": layers.Multiply(), "Concat": layers.Concat(),
}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A published architecture with a file's arrays in it."""

    name: str
    source: str
    graph: Graph
    uniform: bool  # latents from U(-1, 1)
    collides: tuple[str, ...]  # other architectures whose arrays can be the same


def matches(found: Sequence[Part]) -> list[Known]:
    """The known architectures with just these arrays, whatever stands before their names."""
    said = json.loads(FILE.read_text(encoding="utf-8"))
    by_name = {name: part.arrays[word].shape for part in found for word, name in part.names.items()}
    by_key = {_plain_name(part.key): part for part in found}
    fitting: list[Known] = []
    alike: list[str] = []  # names of all that match
    for entry in said["architectures"]:
        symbols, prefix = _matched(entry["pattern"], {_plain_name(name): shape for name, shape in by_name.items()})
        if symbols is not None:
            alike.append(entry["name"])
            # sizes that no array shows, as of a latent beside a one-hot label
            symbols = {**entry.get("example", {}), **symbols}
        graph = None if symbols is None else _graph(entry, said["defaults"], symbols, by_key, prefix)
        if graph is not None:
            uniform = entry["latent_distribution"] == "uniform -1..1"
            fitting.append(Known(entry["name"], entry["source"], graph, uniform, tuple(entry.get("collides", ()))))
    return [replace(one, collides=tuple(name for name in one.collides if name in alike)) for one in fitting]


def _plain_name(name: str) -> str:
    return re.sub(r"^(arg:|aux:)", "", name)


def _matched(
    pattern: Mapping[str, Sequence[Any]], shapes_found: Mapping[str, tuple[int, ...]]
) -> tuple[Optional[dict[str, int]], str]:
    """The symbols' values, and what the file has before the names; None where it is another network."""
    if len(pattern) != len(shapes_found):
        return None, ""
    first = next(iter(pattern))
    tail = _expression(first)
    starts = {match[1] for name in shapes_found if (match := re.fullmatch(rf"(|.+[._]){tail.pattern}", name))}
    for prefix in sorted(starts, key=len):
        symbols = _solved(pattern, shapes_found, prefix)
        if symbols is not None:
            return symbols, prefix
    return None, ""


def _solved(
    pattern: Mapping[str, Sequence[Any]], shapes_found: Mapping[str, tuple[int, ...]], prefix: str
) -> Optional[dict[str, int]]:
    equations: list[tuple[str, int]] = []
    for name, shape in pattern.items():
        exact = prefix + name if "{" not in name else None
        if exact is None:
            finder = re.compile(re.escape(prefix) + _expression(name).pattern)
            fitting = [(other, match) for other in shapes_found if (match := finder.fullmatch(other))]
            fitting = [(other, match) for other, match in fitting if len(shapes_found[other]) == len(shape)]
            if not fitting:
                return None
            # several names of one form (other numbers in them): the first whose numbers agree is found by the shapes
            exact, match = next(
                ((other, match) for other, match in fitting if _agree(shape, shapes_found[other], dict(equations))),
                (None, None),
            )
            if exact is None or match is None:
                return None
            equations += list(zip(re.findall(r"{(.+?)}", name), map(int, match.groups())))
        if exact not in shapes_found or len(shapes_found[exact]) != len(shape):
            return None
        equations += [(str(entry), size) for entry, size in zip(shape, shapes_found[exact])]
    return _symbols(equations)


def _agree(shape: Sequence[Any], found: tuple[int, ...], known: Mapping[str, int]) -> bool:
    return all(known.get(str(entry), size) == size for entry, size in zip(shape, found))


def _expression(name: str) -> re.Pattern:
    """A pattern's name as a regular expression: {ngf*8} is a number."""
    return re.compile("".join(r"(\d+)" if part.startswith("{") else re.escape(part)
                              for part in re.split(r"({.+?})", name)))  # fmt: skip


def _symbols(equations: Sequence[tuple[str, int]]) -> Optional[dict[str, int]]:
    """The whole numbers that make every product equal its size; None where there are none."""
    known: dict[str, int] = {}
    open_ones = list(dict.fromkeys(equations))
    for _ in range(len(open_ones) + 1):
        waiting = []
        for text, size in open_ones:
            factors = text.split("*")
            number = prod(int(factor) if factor.isdigit() else known.get(factor, 1) for factor in factors)
            unknown = [factor for factor in factors if not factor.isdigit() and factor not in known]
            if not unknown:
                if number != size:
                    return None
            elif len(set(unknown)) > 1:
                waiting.append((text, size))
            else:
                value = round((size / number) ** (1 / len(unknown)))
                if value < 1 or number * value ** len(unknown) != size:
                    return None
                known[unknown[0]] = value
        if not waiting:
            return known
        open_ones = waiting
    return None


def _graph(
    entry: Mapping[str, Any],
    defaults: Mapping[str, Any],
    symbols: Mapping[str, int],
    parts: Mapping[str, Part],
    prefix: str,
) -> Optional[Graph]:
    """The entry's layers with the file's arrays; None where they don't fit together."""
    nodes: list[Node] = []
    arrays: dict[str, np.ndarray] = {}
    ids: dict[str, str] = {}  # the entry's own names, which may be those of inputs, to nodes'
    given: dict[str, Shape] = {LATENTS: (symbols["latent"],), LABELS: ()}
    try:
        for place, row in enumerate(entry["layers"]):
            row = {**defaults.get(row["kind"], {}), **row}
            key = prefix + re.sub(r"{(.+?)}", lambda match: str(_number(match[1], symbols)), row.get("arrays", ""))
            before = nodes[-1].name if nodes else "latent"
            inputs = tuple(_INPUTS.get(one, ids.get(one, one)) for one in _listed(row.get("from", before)))
            layer = _layer(row, symbols)
            name = key if "arrays" in row else f"{place}-{row['kind'].lower()}"
            if "id" in row:
                name = ids.setdefault(row["id"], f"id-{row['id']}")
            for word, array in parts[key].arrays.items() if "arrays" in row else ():
                if not (word == "gamma" and row.get("fix_gamma")):
                    arrays[f"{name}.{word}"] = array
            if isinstance(layer, layers.ConvTranspose) and len(given[inputs[0]]) == 1:
                inputs = _added(nodes, arrays, given, Node(f"{name}-reshape", layers.Reshape((-1, 1, 1)), inputs))
            _added(nodes, arrays, given, Node(name, layer, inputs))
        if isinstance(nodes[-1].layer, layers.Sigmoid):
            _added(nodes, arrays, given, Node("signed", layers.Affine(2.0, -1.0), (nodes[-1].name,)))
    except (KeyError, Unfit):
        return None
    used = any(LABELS in node.inputs for node in nodes)
    return Graph(tuple(nodes), arrays, {LATENTS: given[LATENTS], **({LABELS: ()} if used else {})})


def _added(nodes: list[Node], arrays: Mapping[str, np.ndarray], given: dict[str, Shape], node: Node) -> tuple[str, ...]:
    """One node more, with the shape it gives. Raises Unfit where it doesn't fit."""
    given[node.name] = after(Graph((), arrays, {}), node, [given[name] for name in node.inputs])
    nodes.append(node)
    return (node.name,)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _number(value: Any, symbols: Mapping[str, int]) -> int:
    return prod(int(factor) if factor.isdigit() else symbols[factor] for factor in str(value).split("*"))


def _layer(row: Mapping[str, Any], symbols: Mapping[str, int]) -> Layer:
    """A row's layer. Raises KeyError for a kind that isn't known here."""
    kind = row["kind"]

    def pair(key: str) -> tuple[int, int]:
        return (int(row[key]), int(row[key]))

    if kind == "ConvTranspose":
        return layers.ConvTranspose(pair("stride"), pair("padding"), pair("output_padding"))
    if kind == "Conv":
        return layers.Conv(pair("stride"), pair("padding"))
    if kind in ("BatchNorm", "InstanceNorm"):
        return (layers.BatchNorm if kind == "BatchNorm" else layers.InstanceNorm)(float(row.get("eps", 1e-5)))
    if kind == "Upsample":
        return layers.Upsample(pair("scale"), row["mode"])
    if kind == "PixelShuffle":
        return layers.PixelShuffle(int(row["factor"]))
    if kind == "Reshape":
        return layers.Reshape(tuple(_number(size, symbols) for size in row["shape"]))
    if kind == "LeakyReLU":
        return layers.LeakyRelu(float(row.get("slope", 0.01)))
    if kind == "OneHot":
        return layers.OneHot(_number(row["classes"], symbols))
    return _PLAIN[kind]
