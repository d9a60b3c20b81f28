"""The layout of a file's generator; of one that isn't known, a first draft for somebody who knows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

import numpy as np

from mxgan.architecture import members, modules, spatial
from mxgan.architecture.inspect import read
from mxgan.architecture.parts import Part, parts
from mxgan.architecture.wishes import Wishes
from mxgan.errors import ParamsError
from mxgan.graph import Graph, Node, layers, layout
from mxgan.graph.graph import LATENTS
from mxgan.graph.layers import Layer
from mxgan.graph.reading import Reading
from mxgan.weights.files import WeightsFile
from mxgan.weights.names import printable

MOST = 200  # layers of a draft
_WEIGHTED = (layers.Linear, layers.Conv, layers.ConvTranspose)
Draft = tuple[Node, dict[str, np.ndarray], dict[str, str]]  # a layer with its arrays, and their names in the file


def describe(file: WeightsFile, wish: Wishes) -> tuple[str, list[str]]:
    """The layout of the generator in a file, as JSON text, and what its user has to know, in lines.

    Raises ParamsError where a layout can't say what the network is, and where the file has no layers at all.
    """
    found, unknown = read(file, wish)
    readings = [one.reading for one in found]
    reading = members.chosen(readings)
    if reading is None and len(readings) == 1 and not unknown:
        (reading,) = readings
    if reading is not None:
        _check_arrays(reading, file)
        return layout.describe(reading.graph, reading.names, reading.uniform), reading.told
    if any(one.graph.latent is not None for one in readings):
        said = ", ".join(members.prefix(one) for one in readings if one.graph.latent is not None)
        raise ParamsError(f"{file.path}: holds several generators, {said}; convert one with --names keep first")
    return _draft(file, unknown[0].found if len(unknown) == 1 else (), "; ".join(one.why for one in unknown))


def _check_arrays(reading: Reading, file: WeightsFile) -> None:
    """Raise ParamsError where the network computes with other arrays than those that the file holds."""
    for name, array in reading.graph.arrays.items():
        stored = file.arrays.get(reading.names.get(name, ""))
        if stored is None or stored.shape != array.shape or not np.array_equal(stored, array, equal_nan=True):
            raise ParamsError(
                f"{file.path}: {printable(name)} isn't in the file as the network has it, and a layout can only name "
                f"arrays: convert the file to .onnx and describe that"
            )


def _draft(file: WeightsFile, found: Sequence[Part], why: str) -> tuple[str, list[str]]:
    """The layers in order, with usual settings."""
    drawn, left_out = _of_modules(file) if file.modules else ([], [])
    if not drawn:
        drawn = list(_of_parts(found or parts(file.arrays)[0]))
    if not drawn:
        raise ParamsError(f"{file.path}: no layers to describe: {why or 'its arrays are none that a layer has'}")
    weighted = [(node.layer, arrays["weight"].shape) for node, arrays, _ in drawn if isinstance(node.layer, _WEIGHTED)]
    first, shape = weighted[0] if weighted else (layers.Linear(), (100, 100))
    latent = shape[0] if isinstance(first, layers.ConvTranspose) else shape[1]
    graph, names = _joined(drawn[:MOST], latent, flat=isinstance(first, layers.Linear))
    notes = [f"{file.path}: a draft: {why}" if why else f"{file.path}: a draft"]
    notes.append(
        "to complete: the order of the layers, kinds of convolution, strides, paddings, activations, reshapes; "
        "docs/weights.md has the format"
    )
    if left_out:
        notes.append(printable(f"left out, as no known layers: {', '.join(left_out[:10])}"))
    return layout.describe(graph, names, uniform=False, whole=True), notes


def _of_modules(file: WeightsFile) -> tuple[list[Draft], list[str]]:
    """The layers of whole modules, with their own settings, and the modules that are none."""
    drawn: list[Draft] = []
    strange = []
    for module in file.modules[:1]:
        for part in modules.parts(module):
            if part.layer is None:
                strange.append(f"{part.key} ({part.kind})")
            else:
                drawn.append(_drawn(part.key, part.layer, part.arrays, part.names))
    return drawn, strange


def _of_parts(found: Sequence[Part]) -> Iterator[Draft]:
    """Layers by their arrays: convolutions of the usual settings, activations where they usually are."""
    channels: Optional[int] = None
    for place, part in enumerate(found):
        layer, channels = _usual(part, channels)
        yield _drawn(part.key, layer, part.arrays, part.names)
        if place + 1 == len(found):
            yield Node("end", layers.Tanh(), ()), {}, {}
        elif found[place + 1].kind not in ("batchnorm", "norm", "prelu") and part.kind not in ("prelu", "fixed"):
            yield Node(f"{part.key}-activation", layers.Relu(), ()), {}, {}


def _usual(part: Part, channels: Optional[int]) -> tuple[Layer, Optional[int]]:
    """A part's likeliest layer after so many channels, and how many it gives."""
    if part.layer is not None:
        return part.layer, channels
    if part.kind == "batchnorm":
        return layers.BatchNorm(), channels
    if part.kind in ("norm", "prelu"):
        return (layers.InstanceNorm() if part.kind == "norm" else layers.PRelu()), channels
    shape = part.weight.shape
    if part.kind == "linear":
        return layers.Linear(), None
    if channels is None or channels == shape[0] != shape[1]:
        size = (0, 1, 1) if channels is None else (0, 4, 4)
        return next(spatial.transposed(shape, size))[0], shape[1]
    return next(spatial.plain(shape))[0], shape[0]


def _drawn(key: str, layer: Layer, arrays: Mapping[str, np.ndarray], names: Mapping[str, str]) -> Draft:
    mine = {f"{key}.{word}": name for word, name in names.items()}
    return Node(key, layer, ()), dict(arrays), mine


def _joined(drawn: Sequence[Draft], latent: int, flat: bool) -> tuple[Graph, dict[str, str]]:
    """The layers as a chain from the latents."""
    nodes = [] if flat else [Node("latents", layers.Reshape((latent, 1, 1)), (LATENTS,))]
    names: dict[str, str] = {}
    for node, _, mine in drawn:
        nodes.append(Node(node.name, node.layer, (nodes[-1].name if nodes else LATENTS,)))
        names.update(mine)
    return Graph(tuple(nodes), {}, {LATENTS: (latent,)}), names
