"""A network's layers as rows of plain values: what each is, and where that was read from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from mxgan.architecture import known
from mxgan.architecture.wishes import spelled
from mxgan.graph import Node, layers
from mxgan.graph.reading import Reading
from mxgan.graph.shapes import Shape

ASSUMED, OPTIONS = "assumed", "the options"
_ACTIVE = (layers.Relu, layers.LeakyRelu, layers.Elu, layers.Selu, layers.Tanh, layers.Sigmoid)
_BY_SHAPE = (layers.Reshape, layers.PixelShuffle)  # without arrays, but their neighbours' shapes decide them
_DISCRIMINATOR = ("LeakyReLU(0.2)", "eps 1e-05", "stride 2")  # what a recognised one has; its reading doesn't say so


def rows(reading: Reading, shapes: Mapping[str, Shape]) -> list[dict[str, Any]]:
    """A dict for each layer, as JSON can hold it. ``shapes``: after each layer, by `mxgan.graph.shapes`.

    name, kind (of `mxgan.graph.layers`), inputs (names), kernel, stride, padding ([height, width], or null), in (of the
    first input) and out (shapes of a sample), parameters (without running statistics), settings, arrays (word to name
    in the file), read_from, assumed (settings that nothing says).
    """
    return [_row(node, reading, shapes) for node in reading.graph.nodes]


def parameters(reading: Reading) -> int:
    """How many numbers a network has that training moves."""
    return sum(_parameters(node, reading) for node in reading.graph.nodes)


def _row(node: Node, reading: Reading, shapes: Mapping[str, Shape]) -> dict[str, Any]:
    layer = node.layer
    weight = reading.graph.array(node, "weight")
    settings = dataclasses.asdict(layer)
    before = shapes[node.inputs[0]]
    read_from, assumed = _read_from(node, reading, before)
    words = (*layer.needs, *layer.may)
    return {
        "name": node.name,
        "kind": layers.name_of(layer),
        "inputs": list(node.inputs),
        "kernel": list(weight.shape[2:]) if weight is not None and weight.ndim == 4 else None,
        "stride": list(settings["stride"]) if "stride" in settings else None,
        "padding": list(settings["padding"]) if "padding" in settings else None,
        "in": list(before),
        "out": list(shapes[node.name]),
        "parameters": _parameters(node, reading),
        "settings": {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()},
        "arrays": {word: reading.names[key] for word in words if (key := f"{node.name}.{word}") in reading.names},
        "read_from": read_from,
        "assumed": assumed,
    }


def _parameters(node: Node, reading: Reading) -> int:
    words = [word for word in (*node.layer.needs, *node.layer.may) if not word.startswith("running")]
    found = (reading.graph.array(node, word) for word in words)
    return sum(array.size for array in found if array is not None)


def source(reading: Reading) -> str:
    """What decided a network, in a word or two."""
    for start, short in (("the module in ", "the module"), ("the program in ", "its program")):
        if reading.source.startswith(start):
            return short
    if reading.source.endswith("'s own graph"):
        return "its graph"
    return "a known architecture" if reading.known else reading.source


@cache
def published() -> dict[str, str]:
    """Where each known architecture was published, by its name."""
    said = json.loads(known.FILE.read_text(encoding="utf-8"))
    return {entry["name"]: entry["source"] for entry in said["architectures"]}


def _read_from(node: Node, reading: Reading, before: Shape) -> tuple[str, list[str]]:
    """What a layer was read from, and which of its settings were assumed."""
    said, short = reading.assumed, source(reading)
    open_ended = reading.source.endswith("but for what follows")
    if short != "its arrays" and not open_ended:
        return short, []
    if reading.graph.kind == "discriminator":
        said = _DISCRIMINATOR
    layer = node.layer
    if any(key.rpartition(".")[0] == node.name for key in reading.graph.arrays):
        return short, _assumed_settings(layer, said, before)
    if isinstance(layer, _BY_SHAPE):
        return short, []
    end = node.name == reading.graph.nodes[-1].name or node.name.startswith("end-")
    texts = {spelled(layer)} if isinstance(layer, _ACTIVE) and not end else set()
    texts |= {text for text in said if end and text.endswith("at the end")}
    guessed = bool(texts & set(said)) or not isinstance(layer, (*_ACTIVE, layers.Affine))
    return ASSUMED if guessed else short if open_ended else OPTIONS, []


def _assumed_settings(layer: layers.Layer, said: tuple[str, ...], before: Shape) -> list[str]:
    if isinstance(layer, (layers.Conv, layers.ConvTranspose)):
        plain = isinstance(layer, layers.ConvTranspose) and before[1:] == (1, 1)  # any stride does the same
        return ["stride", "padding"] if any(text.startswith("stride ") for text in said) and not plain else []
    if isinstance(layer, layers.BatchNorm):
        return ["eps"] if any(text.startswith("eps ") for text in said) else []
    return ["kind", "eps"] if isinstance(layer, layers.InstanceNorm) and "InstanceNorm" in said else []
