"""A graph's description as JSON: what ``--layout`` takes and ``mxgan weights inspect --layout`` writes.

    {"mxgan-layout": 1, "latent": 100, "latents": "normal", "images": "signed",
     "layers": [
      {"name": "0", "kind": "ConvTranspose", "arrays": {"weight": "main.0.weight"}, "stride": 1, "padding": 0},
      {"name": "1", "kind": "BatchNorm", "arrays": {"gamma": "main.1.weight", ...}, "eps": 1e-05},
      {"name": "2", "kind": "Relu"}, ...]}

Kinds and settings are those of `mxgan.graph.layers`; a setting left out has its default, and one number stands for a
pair of equal ones. A layer takes the output of the one before it, unless ``inputs`` names others: layers, ``z``, or
``label``. ``images`` is "signed" for a network that ends in [-1, 1] (tanh) and "unit" for [0, 1] (sigmoid).
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan.errors import ParamsError
from mxgan.graph.graph import IMAGES, LABELS, LATENTS, Graph, Node
from mxgan.graph.layers import KINDS, Affine, Layer, name_of
from mxgan.graph.shapes import MOST_NODES

VERSION = 1
LONGEST = 2**20  # bytes of a layout
DRAFT = "`mxgan weights inspect FILE --layout` writes a draft"
_TOP = ("mxgan-layout", "latent", "latents", "images", "input", "layers")
_OWN = ("name", "kind", "arrays", "inputs")


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a layout file says."""

    graph: Graph
    names: dict[str, str]  # the graph's arrays -> names in the weights file
    uniform: bool  # latents from U(-1, 1), not N(0, 1)


def describe(graph: Graph, names: Mapping[str, str], uniform: bool, whole: bool = False) -> str:
    """The graph as JSON text. ``names``: the graph's arrays by their names in the file.

    Settings that have their default are left out, unless the ``whole`` is wanted.
    """
    before: Optional[str] = next(iter(graph.inputs))
    rows = []
    for node in graph.nodes:
        row: dict[str, Any] = {"name": node.name, "kind": name_of(node.layer)}
        if node.inputs != (before,):
            row["inputs"] = list(node.inputs)
        words = (*node.layer.needs, *node.layer.may)
        arrays = {word: names[f"{node.name}.{word}"] for word in words if f"{node.name}.{word}" in names}
        if arrays:
            row["arrays"] = arrays
        for field in dataclasses.fields(node.layer):
            value = getattr(node.layer, field.name)
            if whole or value != field.default:
                pair = isinstance(value, tuple) and len(value) == 2 and field.name not in ("shape", "axes")
                row[field.name] = value[0] if pair and value[0] == value[1] else value
        rows.append(json.dumps(row))
        before = node.name
    top: dict[str, Any] = {"mxgan-layout": VERSION}
    if graph.latent is not None:
        top.update({"latent": graph.latent, "latents": "uniform" if uniform else "normal", "images": "signed"})
    else:
        top["input"] = list(graph.inputs[IMAGES])
    head = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in top.items())
    return "{" + head + ',\n "layers": [\n  ' + ",\n  ".join(rows) + "]}\n"


def read(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> Layout:
    """The layout in a file, with the arrays of a weights file. Raises ParamsError for anything it can't be."""
    where = os.fspath(path)
    try:
        if Path(path).stat().st_size > LONGEST:
            raise ParamsError(f"{where}: more than {LONGEST:,} bytes; a layout is a small JSON file")
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ParamsError(f"{where}: there is no such file") from error
    except OSError as error:
        raise ParamsError(f"{where}: the layout can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ParamsError(f"{where}: not UTF-8 text, so not a layout; {DRAFT}") from error
    return decoded(text, arrays, where)


def decoded(text: str, arrays: Mapping[str, np.ndarray], where: str) -> Layout:
    """What `read` does, with the text of the file."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParamsError(f"{where}: not JSON: {error}; {DRAFT}") from error
    return parse(said, arrays, where)


def parse(said: Any, arrays: Mapping[str, np.ndarray], where: str) -> Layout:
    """What `read` does, with the JSON already decoded. Array words that the layout leaves out are left out."""
    if not isinstance(said, dict) or said.get("mxgan-layout") != VERSION or not isinstance(said.get("layers"), list):
        raise ParamsError(
            f'{where}: not a layout: {{"mxgan-layout": {VERSION}, "latent": ..., "layers": [...]}} wanted'
        )
    _known(said, _TOP, where)
    rows = said["layers"]
    if not 0 < len(rows) <= MOST_NODES:
        raise ParamsError(f"{where}: {len(rows)} layers; 1 to {MOST_NODES} wanted")
    inputs = _inputs(said, where)
    before, nodes, names = next(iter(inputs)), [], {}
    for place, row in enumerate(rows):
        node, taken = _node(row, place, before, f"{where}: layer {place}")
        for word, name in taken.items():
            if name not in arrays:
                raise ParamsError(f"{where}: layer {node.name}: the weights have no array {name!r}")
            names[f"{node.name}.{word}"] = name
        nodes.append(node)
        before = node.name
    if said.get("images") == "unit":
        nodes.append(Node("signed", Affine(2.0, -1.0), (before,)))
    if not any(LABELS in node.inputs for node in nodes):
        inputs.pop(LABELS, None)
    graph = Graph(tuple(nodes), {mine: arrays[name] for mine, name in names.items()}, inputs)
    return Layout(graph, names, said.get("latents") == "uniform")


def _inputs(said: Mapping[str, Any], where: str) -> dict[str, tuple[int, ...]]:
    """What the network takes; a label too, where some layer wants one."""
    for key, choices in (("latents", ("normal", "uniform")), ("images", ("signed", "unit"))):
        if said.get(key, choices[0]) not in choices:
            raise ParamsError(f"{where}: {key} {said[key]!r}; {' or '.join(choices)} wanted")
    if "input" in said:
        return {IMAGES: _numbers(said["input"], f"{where}: input")}
    return {LATENTS: _numbers([said.get("latent")], f"{where}: latent"), LABELS: ()}


def _node(row: Any, place: int, before: str, where: str) -> tuple[Node, dict[str, str]]:
    """One layer, and its arrays' names in the file."""
    kind: Any = row.get("kind") if isinstance(row, dict) else row
    if not isinstance(row, dict) or not isinstance(kind, str) or kind not in KINDS:
        raise ParamsError(f"{where}: kind {kind!r}; one of {', '.join(KINDS)} wanted")
    kind = KINDS[row["kind"]]
    fields = {field.name: field for field in dataclasses.fields(kind)}
    _known(row, (*_OWN, *fields), where)
    name = row.get("name", str(place))
    inputs = row.get("inputs", [before])
    taken = row.get("arrays", {})
    words = (*kind.needs, *kind.may)
    if not isinstance(name, str) or not isinstance(inputs, list) or not all(isinstance(item, str) for item in inputs):
        raise ParamsError(f"{where}: a name is text, and inputs are a list of names")
    if (
        not isinstance(taken, dict)
        or not set(taken) <= set(words)
        or not all(isinstance(n, str) for n in taken.values())
    ):
        raise ParamsError(f"{where}: arrays {taken!r}; {', '.join(words) or 'none'} wanted")
    settings = {key: _setting(fields[key], row[key], f"{where}: {key}") for key in fields if key in row}
    try:
        layer: Layer = kind(**settings)
    except TypeError as error:
        raise ParamsError(f"{where}: {row['kind']} lacks a setting: {error}") from error
    return Node(name, layer, tuple(inputs)), taken


def _setting(field: dataclasses.Field, value: Any, where: str) -> Any:
    """A JSON value in the type that the layer's setting has."""
    kind = str(field.type)
    if kind == "Pair":
        return _numbers([value, value] if isinstance(value, int) else value, where, 2)
    if kind.startswith("tuple"):
        return _numbers(value, where)
    types: dict[str, Any] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
    if not isinstance(value, types[kind]) or (isinstance(value, bool) and kind != "bool"):
        raise ParamsError(f"{where}: {value!r}; {kind} wanted")
    if kind == "float" and not abs(value) < 1e30:  # NaN, infinity, and whole numbers that no float holds
        raise ParamsError(f"{where}: {value!r:.30}; a number below 1e30 wanted")
    return float(value) if kind == "float" else value


def _numbers(value: Any, where: str, count: Optional[int] = None) -> tuple[int, ...]:
    whole = isinstance(value, list) and all(type(item) is int and abs(item) < 2**31 for item in value)
    if not whole or not value or count not in (None, len(value)):
        raise ParamsError(f"{where}: {value!r}; {'two ' if count else ''}whole numbers wanted")
    return tuple(value)


def _known(said: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    strange = [key for key in said if key not in keys]
    if strange:
        raise ParamsError(f"{where}: {strange[0]!r} is not a setting; known: {', '.join(keys)}")
