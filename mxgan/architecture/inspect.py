"""What is in a weights file, for people and for programs."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from mxgan.architecture import members, networks
from mxgan.architecture.networks import Network, Unknown
from mxgan.architecture.rows import parameters, published, rows
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.config import SIZES
from mxgan.errors import ParamsError, in_shell
from mxgan.graph import check, layers
from mxgan.graph.graph import IMAGES
from mxgan.graph.reading import Reading
from mxgan.graph.shapes import Shape
from mxgan.weights.dcgan import graph_of
from mxgan.weights.files import WeightsFile
from mxgan.weights.names import scheme
from mxgan.weights.net import LIST_NOTE, Net, recognise
from mxgan.weights.of_run import weights_file

_CONVOLUTIONS = (layers.Conv, layers.ConvTranspose)


@dataclass(frozen=True)
class Found:
    """A network that can be computed."""

    reading: Reading
    shapes: dict[str, Shape]  # after each layer
    net: Optional[Net]  # the same as a DCGAN, if it is one


def inspect(path: str | os.PathLike, wish: Wishes = NONE) -> dict[str, Any]:
    """A weights file's contents, as JSON can hold them; of a run directory, its best generator's. The keys:

    file, bytes; container (legacy, V1, V2, V3, npz, safetensors, pth, onnx) and era, which program writes that; scheme
    (names.scheme); arrays: a list of name, canonical (null outside a DCGAN), net (its kind), shape, dtype (as stored),
    finite, and min, mean, max over the finite values (null where there are none); nets: every network; net: the only
    one, else null; unknown: what forms no network (prefix, why); usable_for: some of generate, evaluate, train, onnx,
    convert; warnings.

    A network: kind, latent, width (channels next to the images), channels, image_size (height), bias (of its
    convolutions; null if of some), first_norm (of a discriminator), prefix (of its arrays' names), shape (of its
    images: height, width, channels), latents (normal, uniform; null for a discriminator), classes, parameters,
    source, assumed, known (a published architecture's name and source, or null), layers (see rows.rows).

    Raises ParamsError where the file can't be read, MissingPackage where its extra isn't installed, MxganError for a
    wish that contradicts the file.
    """
    file = networks.load(weights_file(path))
    found, unknown = read(file, wish)
    warnings = [*file.notes, *(f"{one.prefix or 'the arrays'}: {one.why}" for one in unknown)]
    for one in found:
        start = f"{members.prefix(one.reading)}: " if len(found) > 1 else ""
        warnings += [start + text for text in one.reading.warnings]
    if any(one.net is not None and one.net.scheme == "list" for one in found) and LIST_NOTE not in warnings:
        warnings.append(LIST_NOTE)
    arrays = _arrays(file, found)
    for array in arrays:
        if not array["finite"]:
            warnings.append(f"{array['name']} has NaN or infinite values")
        elif array["canonical"] and array["canonical"].endswith("running_var") and array["min"] < 0:
            warnings.append(f"{array['name']} has negative variances")
    nets = [_net(one) for one in found]
    return {
        "file": file.path,
        "bytes": file.bytes,
        "container": file.container,
        "era": file.era,
        "scheme": scheme(file.arrays),
        "arrays": arrays,
        "net": nets[0] if len(nets) == 1 and not unknown else None,
        "nets": nets,
        "unknown": [{"prefix": one.prefix, "why": one.why} for one in unknown],
        "usable_for": _uses(file, found),
        "warnings": warnings,
    }


def read(file: WeightsFile, wish: Wishes) -> tuple[list[Found], list[Unknown]]:
    """The networks of a file, and what forms none. Raises as `inspect` does, but for a network that can't be read."""
    try:
        every: Sequence[Network] = networks.networks(file, wish)
    except ParamsError as error:
        if wish.symbol is not None:  # it was asked for
            raise
        every = [Unknown("", in_shell(error), ())]
    found: list[Found] = []
    unknown: list[Unknown] = []
    for one in every:
        if isinstance(one, Reading):
            try:
                shapes = check(one.graph, file.path)
                found.append(Found(one, shapes, members.dcgan(one, file.arrays, file.path)))
                continue
            except ParamsError as error:
                one = Unknown(members.prefix(one), in_shell(error), ())
        unknown.append(Unknown(one.prefix, one.why.removeprefix(f"{file.path}: "), one.found))
    return found, unknown


def _net(one: Found) -> dict[str, Any]:
    """A network's part of the report."""
    reading, graph = one.reading, one.reading.graph
    generator = graph.latent is not None
    channels, height, width = one.shapes[graph.nodes[-1].name] if generator else graph.inputs[IMAGES]
    convolutions = [node for node in graph.nodes if isinstance(node.layer, _CONVOLUTIONS)]
    biases = {f"{node.name}.bias" in graph.arrays for node in convolutions}
    return {
        "kind": graph.kind,
        "latent": graph.latent,
        "width": _width(one, [node.name for node in convolutions]),
        "channels": channels,
        "image_size": height,
        "bias": biases.pop() if len(biases) == 1 else None,
        "first_norm": True if one.net is None else one.net.first_norm,
        "prefix": members.prefix(reading),
        "shape": [height, width, channels],
        "latents": ("uniform" if reading.uniform else "normal") if generator else None,
        "classes": graph.classes,
        "parameters": parameters(reading),
        "source": reading.source,
        "assumed": list(reading.assumed),
        "known": {"name": reading.source, "source": published()[reading.source]} if reading.known else None,
        "layers": rows(reading, one.shapes),
    }


def _width(one: Found, convolutions: Sequence[str]) -> Optional[int]:
    """Channels next to the images: what a generator's last convolution takes, what a discriminator's first gives."""
    if not convolutions:
        return None
    graph = one.reading.graph
    last = next(node for node in graph.nodes if node.name == convolutions[-1])
    return one.shapes[last.inputs[0] if graph.latent is not None else convolutions[0]][0]


def _uses(file: WeightsFile, found: Sequence[Found]) -> list[str]:
    """What mxgan can do with the file."""
    maker = members.chosen([one.reading for one in found])
    able = maker is not None and not members.nonfinite(maker)
    if able and maker is not None:
        try:
            _, height, width = members.check_pictures(maker.graph, file.path)[maker.graph.nodes[-1].name]
        except ParamsError:
            able = False
    pictures = [("generate", True), ("evaluate", able and height == width >= 8), ("train", _trainable(file, maker))]
    uses = [name for name, can in (*pictures, ("onnx", True)) if able and can]
    return [*uses, *(["convert"] if file.arrays else [])]


def _trainable(file: WeightsFile, maker: Optional[Reading]) -> bool:
    """Whether training can start from the file: from one of the recipes' netGs, which isn't computed otherwise."""
    try:
        net = recognise(file.arrays, file.path, "generator")
    except ParamsError:
        return False
    same = maker is not None and [node.layer for node in maker.graph.nodes] == [n.layer for n in graph_of(net).nodes]
    return same and file.container != "onnx" and net.channels == 3 and net.image_size in SIZES


def _arrays(file: WeightsFile, found: Sequence[Found]) -> list[dict[str, Any]]:
    canonical: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for one in found:
        kinds.update(dict.fromkeys(members.own_arrays(one.reading, file.arrays), one.reading.graph.kind))
        if one.net is not None:
            canonical.update({stored: name for name, stored in one.net.names.items()})
    return [
        _described(name, array, file.dtypes.get(name, str(array.dtype)), canonical, kinds)
        for name, array in file.arrays.items()
    ]


def _described(
    name: str, array: np.ndarray, dtype: str, canonical: Mapping[str, str], kinds: Mapping[str, str]
) -> dict[str, Any]:
    numeric = array.dtype.kind in "biuf"
    finite = bool(np.isfinite(array).all()) if numeric else True
    values = array if finite else array[np.isfinite(array)]
    low = mean = high = None
    if numeric and values.size:
        with np.errstate(over="ignore", invalid="ignore"):
            low, mean, high = values.min().item(), float(values.mean(dtype=np.float64)), values.max().item()
        mean = mean if math.isfinite(mean) else None
    return {
        "name": name,
        "canonical": canonical.get(name),
        "net": kinds.get(name),
        "shape": list(array.shape),
        "dtype": dtype,
        "finite": finite,
        "min": low,
        "mean": mean,
        "max": high,
    }
