"""The networks that a file's arrays alone can be: recognised, published, or worked out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mxgan.architecture import statistics
from mxgan.architecture.parts import Network, NoGenerator, Part, Unknown, groups, parts
from mxgan.architecture.wishes import Wishes
from mxgan.errors import ParamsError, in_shell
from mxgan.graph.reading import Reading
from mxgan.weights import names
from mxgan.weights.dcgan import EPSILON, graph_of
from mxgan.weights.net import LIST_NOTE, Net, recognise_all

JUDGES = re.compile(r"(net|model)?_?(d|dis|disc|discriminator|critic)(_?net)?(_?state_?dict)?", re.I)
LABELLED = 0.012  # misfit of the first running statistics from which a label among the latents is looked for
GLUONS = ("save_parameters", "save_params", "collect_params")  # schemes of the tutorial's writers
FEWEST = 3  # layers of a network among others in a file
DEEPEST = 4  # blocks inside blocks that are looked into for networks


def of_arrays(arrays: dict[str, np.ndarray], wish: Wishes, where: str) -> list[Network]:
    """The networks that arrays alone can be."""
    found, strays = parts(arrays)
    plain = wish.activation in (None, "relu") and wish.output in (None, "tanh") and wish.eps in (None, EPSILON)
    plain = plain and (wish.size, wish.layout, wish.symbol) == (None, None, None)  # nothing but what a DCGAN is anyway
    try:
        nets = recognise_all(arrays, where) if plain else []
    except ParamsError:
        nets = []
    if nets:
        by_net = [[part for part in found if set(part.names.values()) & set(net.names.values())] for net in nets]
        return [_of_net(net, layers_of, wish, where) for net, layers_of in zip(nets, by_net)]
    return _split(found, wish, where, strays, 0, plain)


def _of_net(net: Net, found: Sequence[Part], wish: Wishes, where: str) -> Reading:
    """A recognised DCGAN, unless its running statistics say that it is another network with the same arrays."""
    reading = Reading(graph_of(net), "its arrays", net.names, uniform=wish.uniform_or(False))
    if net.latent is None:
        return reading
    left_open = {
        "ReLU": wish.activation is None,
        "tanh at the end": wish.output is None,
        f"eps {EPSILON:g}": wish.eps is None,
        "stride 2": True,
    }
    said = tuple(text for text, is_open in left_open.items() if is_open)
    notes = (LIST_NOTE,) if net.scheme == "list" else ()
    own = list(net.names) == list(net.names.values()) or net.scheme == "list"  # Gluon's own names
    reading = replace(reading, assumed=said, warnings=notes, guessed=not own and net.scheme not in GLUONS)
    seen = statistics.look(reading.graph, reading.uniform)
    sound = seen is None or (seen.relu_fits and seen.first < LABELLED)
    if sound and own:
        return reading
    from mxgan.architecture import lookup

    return lookup.doubted(reading, seen, found, wish, where)


def _split(
    found: Sequence[Part], wish: Wishes, where: str, strays: Sequence[str], depth: int, plain: bool
) -> list[Network]:
    """One network of all layers, or else one for each block of them."""
    from mxgan.architecture.lookup import looked_up  # not above: most files are recognised without it

    try:
        reading = looked_up(found, wish, where)
        lost = (f"{', '.join(map(names.printable, strays[:5]))}: no layer's arrays; left out",) if strays else ()
        return [replace(reading, warnings=(*reading.warnings, *lost))]
    except NoGenerator as error:
        why = in_shell(error)
    blocks = groups(found)
    inner: list[Network] = []
    for name, block in blocks.items() if depth < DEEPEST else ():
        if sum(part.kind in ("conv", "linear") for part in block) >= FEWEST:
            inner += _block(block, wish, where, depth, plain, JUDGES.fullmatch(name.split(".")[-1]) is not None)
    if any(isinstance(one, Reading) for one in inner):
        return inner
    return [Unknown(_shared(found), why, tuple(found))]


def _block(block: Sequence[Part], wish: Wishes, where: str, depth: int, plain: bool, is_judge: bool) -> list[Network]:
    """The networks in one block; one that is called a discriminator isn't tried as a generator."""
    stored = {name: part.arrays[word] for part in block for word, name in part.names.items()}
    try:
        nets = recognise_all(stored, where) if plain else []
    except ParamsError:
        nets = []
    if len(nets) == 1:
        return [_of_net(nets[0], block, wish, where)]
    if is_judge:
        shared = _shared(block)
        return [Unknown(shared, f"{where}: {shared}: a discriminator of a kind that isn't known", tuple(block))]
    return _split(block, wish, where, (), depth + 1, plain)


def _shared(found: Sequence[Part]) -> str:
    keys = [part.key for part in found]
    return keys[0][: names.shared(keys)].rstrip("._") if keys else ""
