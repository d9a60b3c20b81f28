"""The networks that a file's arrays alone can be: recognised, published, or worked out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mxgan.architecture import known, one_hot, statistics
from mxgan.architecture.assume import Hints, NoGenerator, assume
from mxgan.architecture.parts import Network, Part, Unknown, groups, parts
from mxgan.architecture.wishes import Wishes
from mxgan.errors import ParamsError
from mxgan.graph.reading import Reading
from mxgan.weights import names
from mxgan.weights.dcgan import EPSILON, graph_of
from mxgan.weights.net import LIST_NOTE, Net, recognise_all

JUDGES = re.compile(r"(net|model)?_?(d|dis|disc|discriminator|critic)(_?net)?(_?state_?dict)?", re.I)
LABELLED = 0.004  # and from which a one-hot label among its latents is looked for
STRANGE = 1.0  # misfit of the first running statistics from which a recognised network's pictures may be wrong
FEWEST = 3  # layers of a network among others in a file
DEEPEST = 4  # blocks inside blocks that are looked into for networks


def of_arrays(arrays: dict[str, np.ndarray], wish: Wishes, where: str) -> list[Network]:
    """The networks that arrays alone can be."""
    found, strays = parts(arrays)
    plain = wish == Wishes(uniform=wish.uniform)
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
    notes: tuple[str, ...] = (LIST_NOTE,) if net.scheme == "list" else ()
    said: tuple[str, ...] = ("ReLU", "tanh at the end", f"eps {EPSILON:g}", "stride 2")
    if _is_module_api(found):  # whose own defaults hold
        return replace(looked_up(found, wish, where), warnings=notes)
    seen = statistics.look(reading.graph, reading.uniform)
    if seen is not None and not seen.relu_fits:
        try:
            other = assume(found, wish, where)
        except NoGenerator:  # channels as few as pictures', say
            other = None
        if other is not None and not other.warnings:
            return replace(other, warnings=notes)
        doubts = other.warnings if other else ()
        if seen.first > STRANGE:
            notes += doubts
        else:
            said = (*said, *doubts)
    if seen is not None and seen.first > LABELLED:
        reading = one_hot.labelled(reading, wish.uniform)
        said, notes = (*said, *reading.assumed), (*notes, *reading.warnings)
    layers_of = [node.layer for node in reading.graph.nodes]
    names_of = [one.name for one in known.matches(found) if [node.layer for node in one.graph.nodes] == layers_of]
    if names_of:
        reading, said = replace(reading, source=names_of[0], known=True), said[4:]
    return replace(reading, assumed=said, warnings=notes)


def looked_up(found: Sequence[Part], wish: Wishes, where: str) -> Reading:
    """A published architecture whose arrays these can be, unless its running statistics contradict it; else assumed."""
    hints = Hints(module_api=_is_module_api(found))
    fitting = known.matches(found) if wish == Wishes(uniform=wish.uniform) else []
    doubts = [(statistics.doubt(one.graph, wish.uniform_or(one.uniform)), one) for one in fitting]
    if not doubts:
        return one_hot.labelled(assume(found, wish, where, hints), wish.uniform)
    doubt, best = min(doubts, key=lambda pair: pair[0] or 0.0)
    if (doubt or 0.0) > statistics.WELL:
        other = assume(found, wish, where, hints)
        others = statistics.doubt(other.graph, other.uniform)
        if not other.warnings and others is not None and others < 0.5 * (doubt or 0.0):
            return other
    return _of_known(best, found, wish)


def _of_known(best: known.Known, found: Sequence[Part], wish: Wishes) -> Reading:
    file_names = {f"{part.key}.{word}": name for part in found for word, name in part.names.items()}
    kept = {name: file_names[name] for name in best.graph.arrays if name in file_names}
    doubts: tuple[str, ...] = ()
    if best.collides:
        doubts = (f"its arrays can also be those of {' and '.join(best.collides)}, which makes other pictures",)
    return Reading(best.graph, best.name, kept, (), doubts, wish.uniform_or(best.uniform), known=True)


def _is_module_api(found: Sequence[Part]) -> bool:
    """Whether MXNet's Module API wrote these names: arg: and aux:, and none of Gluon's."""
    stored = [name for part in found for name in part.names.values()]
    return (
        bool(stored)
        and all(name.startswith(("arg:", "aux:")) for name in stored)
        and any(name.endswith(("moving_mean", "moving_var")) for name in stored)
    )


def _split(
    found: Sequence[Part], wish: Wishes, where: str, strays: Sequence[str], depth: int, plain: bool
) -> list[Network]:
    """One network of all layers, or else one for each block of them."""
    try:
        reading = looked_up(found, wish, where)
        lost = (f"{', '.join(map(names.printable, strays[:5]))}: no layer's arrays; left out",) if strays else ()
        return [replace(reading, warnings=(*reading.warnings, *lost))]
    except NoGenerator as error:
        why = str(error)
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
