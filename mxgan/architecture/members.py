"""Which arrays of a file belong to a network, and which network of several is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Optional

import numpy as np

from mxgan.architecture.parts import Network
from mxgan.errors import ParamsError
from mxgan.graph import Graph, check
from mxgan.graph.graph import LABELS
from mxgan.graph.reading import Reading
from mxgan.graph.shapes import Shape
from mxgan.weights import names
from mxgan.weights.net import Net, recognise

AVERAGES = ("ema", "avg", "average", "shadow")  # in the names of a moving average, which makes better pictures


def own_arrays(reading: Reading, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All arrays of a network's layers under the file's names, in its order.

    Those that its graph doesn't need too: counters, gammas that MXNet ignores, the vectors of spectral norm.
    """
    used = set(reading.names.values())
    kept = set(used)
    found, strays = (names.layers_of_list if names.is_unnamed(arrays) else names.layers)(arrays)
    for layer in found:
        if used & set(layer.names.values()):
            kept |= set(layer.names.values())
    stems = tuple(f"{name.rpartition('.')[0]}." for name in used if "." in name)
    kept |= {name for name in strays if stems and name.startswith(stems)}
    return {name: array for name, array in arrays.items() if name in kept}


def dcgan(reading: Reading, arrays: Mapping[str, np.ndarray], where: str) -> Optional[Net]:
    """The DCGAN that a network's arrays are, with canonical names; None where they are another's."""
    try:
        return recognise(own_arrays(reading, arrays), where, reading.graph.kind)
    except ParamsError:
        return None


def chosen(found: Sequence[Network], kind: str = "generator") -> Optional[Reading]:
    """The one network of a kind; of several, the one moving average. None where nothing tells them apart."""
    fitting = [one for one in found if isinstance(one, Reading) and one.graph.kind == kind]
    if len(fitting) > 1:
        fitting = [one for one in fitting if any(word in prefix(one).lower() for word in AVERAGES)]
    return fitting[0] if len(fitting) == 1 else None


def prefix(reading: Reading) -> str:
    """The blocks that all of a network's arrays lie in, "netG.main"; empty where there are none."""
    stored = list(reading.names.values())
    begin = stored[0][: names.shared(stored)] if stored else ""
    return re.split(r"[._:](?=[^._:]*$)", begin)[0] if re.search(r"[._:]", begin) else ""


def nonfinite(reading: Reading) -> list[str]:
    """The arrays with NaN or infinity that a network computes with, by their names in the file."""
    arrays = reading.graph.arrays.items()
    return [reading.names.get(name, name) for name, array in arrays if not np.isfinite(array).all()]


def check_finite(reading: Reading, where: str) -> None:
    """Raise ParamsError, naming the arrays, where a network computes with NaN or infinity."""
    bad = nonfinite(reading)
    if bad:
        named = names.printable(", ".join(bad[:30]))
        raise ParamsError(f"{where}: NaN or infinite values in {named}: the run diverged; use other weights")


def check_pictures(graph: Graph, where: str) -> dict[str, Shape]:
    """The shape after each layer of a generator. Raises ParamsError where it makes no pictures that can be shown."""
    found = check(graph, where)
    if found[graph.nodes[-1].name][0] == 2:
        raise ParamsError(f"{where}: its images have 2 channels; 1 (grey), 3 (RGB) or 4 (RGBA) make a picture")
    if graph.classes is None and any(LABELS in node.inputs for node in graph.nodes):
        raise ParamsError(f"{where}: it takes a label, and no Embedding or OneHot says how many there are")
    return found
