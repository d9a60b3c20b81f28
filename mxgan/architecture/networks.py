"""The networks in a weights file, each as a graph.

Where a file says its graph, it decides: MXNet's symbol beside it, a whole module, a TorchScript program, an .onnx
model. A file of arrays alone is recognised, looked up among published architectures, or worked out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, Union

import numpy as np

from mxgan.architecture import known, modules, statistics, symbol, torchscript
from mxgan.architecture.assume import Hints, NoGenerator, assume
from mxgan.architecture.parts import Part, groups, parts
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.errors import MxganError, ParamsError
from mxgan.graph import layers, layout
from mxgan.graph.reading import Reading
from mxgan.weights import files, names
from mxgan.weights.dcgan import EPSILON, graph_of
from mxgan.weights.net import LIST_NOTE, Net, recognise_all
from mxgan.weights.pickled_modules import Module

AVERAGES = ("ema", "avg", "average", "shadow")  # in the names of a moving average, which makes better pictures
JUDGES = re.compile(r"(net|model)?_?(d|dis|disc|discriminator|critic)(_?net)?(_?state_?dict)?", re.I)
FEWEST = 3  # layers of a network among others in a file
DEEPEST = 4  # blocks inside blocks that are looked into for networks


@dataclass(frozen=True)
class Unknown:
    """A network that isn't known, or layers that form none."""

    prefix: str  # of its arrays' names
    why: str
    found: tuple[Part, ...]


Network = Union[Reading, Unknown]


def generator(path: str | os.PathLike, wish: Wishes = NONE) -> Reading:
    """The generator in a weights file; of several, the moving average, which is said.

    Raises ParamsError where there is none, or several that nothing tells apart, with what to type.
    """
    file = load(path)
    found = networks(file, wish)
    makers = [one for one in found if isinstance(one, Reading) and one.graph.latent is not None]
    if not makers:
        raise ParamsError(_no_generator(file, found))
    if len(makers) > 1:
        averaged = [one for one in makers if _is_average(one)]
        if len(averaged) != 1:
            said = "; ".join(_prefix(one) for one in makers)
            raise ParamsError(
                f"{file.path}: holds {len(makers)} generators: {said}; convert one with --names keep first"
            )
        others = ", ".join(_prefix(one) for one in makers if one is not averaged[0])
        note = f"{_prefix(averaged[0])} is used, a moving average; the file holds {others} too"
        makers = [replace(averaged[0], assumed=(*averaged[0].assumed, note))]
    return makers[0]


def load(path: str | os.PathLike) -> files.WeightsFile:
    """Any weights file, .onnx too. Raises ParamsError, or MissingPackage where its extra isn't installed."""
    if Path(path).suffix.lower() != ".onnx":
        return files.load(path)
    from mxgan.onnx import file as onnx_file

    said = onnx_file.contents(path)
    size = Path(path).stat().st_size
    return files.WeightsFile(os.fspath(path), size, "onnx", said.writer, said.arrays, said.dtypes, ())


def networks(file: files.WeightsFile, wish: Wishes = NONE) -> list[Network]:
    """Every network in a file, in its order. Raises ParamsError where what the file or the user says can't be read."""
    path = Path(file.path)
    if wish.layout is not None:
        said = layout.read(wish.layout, file.arrays)
        return [Reading(said.graph, f"{wish.layout}", said.names, uniform=_uniform(said.uniform, wish))]
    beside = wish.symbol or symbol.beside(path)
    if beside is not None:
        return [_decided(symbol.read(beside, file.arrays, file.path), wish)]
    if file.container == "onnx":
        from mxgan.onnx import reader

        return [_decided(reader.read(path), wish)]
    if file.script:
        return [_decided(torchscript.read(path), wish)]
    if file.modules:
        return [_of_module(module, file.arrays, wish, file.path) for module in file.modules]
    return _of_arrays(file.arrays, wish, file.path)


def _decided(reading: Reading, wish: Wishes) -> Reading:
    """A reading of a file that says its own graph. Raises MxganError for wishes that contradict it."""
    for option in ("activation", "output", "eps", "size"):
        if getattr(wish, option) is not None:
            raise MxganError(
                f"--{option}: {reading.source} says it; leave the option out, or describe all with --layout"
            )
    if wish.uniform is None and reading.graph.latent is not None and statistics.tells_uniform(reading.graph):
        return replace(reading, uniform=True, assumed=(*reading.assumed, "uniform latents, by its running statistics"))
    return replace(reading, uniform=_uniform(reading.uniform, wish))


def _uniform(found: bool, wish: Wishes) -> bool:
    return found if wish.uniform is None else wish.uniform


def _of_module(module: Module, arrays: dict[str, np.ndarray], wish: Wishes, where: str) -> Network:
    """A whole module: its own graph where it says one, else worked out from its layers."""
    try:
        reading = modules.sequential(module, where)
        if reading is not None:
            return _decided(reading, wish)
        return _worked_out(module, arrays, wish, where)
    except ParamsError as error:
        return Unknown(module.name or module.bare, str(error), ())


def _worked_out(module: Module, arrays: dict[str, np.ndarray], wish: Wishes, where: str) -> Reading:
    """A module whose forward pass is code: a published architecture, or what its layers and their order suggest."""
    start = f"{module.name}." if module.name else ""
    alone, _ = parts({name: array for name, array in arrays.items() if name.startswith(start)})
    if any(statistics.doubt(one.graph, one.uniform) is not None for one in known.matches(alone)):
        return _looked_up(alone, wish, where)
    found, hints = _from_module(modules.parts(module), where)
    try:
        reading = assume(found, wish, where, hints)
    except NoGenerator:  # what its module says of it doesn't help
        return assume(alone, wish, where, hints)
    return replace(reading, source=f"the module in {where}, but for what follows")


def _from_module(found: Sequence[modules.Part], where: str) -> tuple[list[Part], Hints]:
    """A module's layers for `assume`, and what those of its layers say that a class of its own calls as it likes."""
    kept: list[Part] = []
    loose: list[layers.Layer] = []
    for part in found:
        layer = part.layer
        if layer is None:
            raise NoGenerator(f"{where}: {part.key} ({part.kind}): {part.why}; describe the network with --layout")
        kind = _KINDS.get(type(layer), "fixed")
        if kind == "fixed" and part.container != "Sequential":
            loose.append(layer)
        else:
            kept.append(Part(part.key, kind, dict(part.arrays), dict(part.names), layer, part.container))
    ends = {layers.Tanh: "tanh", layers.Sigmoid: "sigmoid"}
    outputs = {ends[type(layer)] for layer in loose if type(layer) in ends}
    hidden = {layer for layer in loose if isinstance(layer, (layers.Relu, layers.LeakyRelu, layers.Elu, layers.Selu))}
    ups = {layer for layer in loose if isinstance(layer, layers.Upsample)}
    return kept, Hints(
        activation=hidden.pop() if len(hidden) == 1 else None,
        output=outputs.pop() if len(outputs) == 1 else None,
        upsample=ups.pop() if len(ups) == 1 else None,
    )


_KINDS: dict[type, str] = {
    layers.Conv: "conv", layers.ConvTranspose: "conv", layers.Linear: "linear", layers.Embedding: "embedding",
    layers.BatchNorm: "batchnorm", layers.InstanceNorm: "norm", layers.PRelu: "prelu",
}  # fmt: skip


def _of_arrays(arrays: dict[str, np.ndarray], wish: Wishes, where: str) -> list[Network]:
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
    reading = Reading(graph_of(net), "its arrays", net.names, uniform=_uniform(False, wish))
    if net.latent is None:
        return reading
    notes = (LIST_NOTE,) if net.scheme == "list" else ()
    said: tuple[str, ...] = ("ReLU", "tanh at the end", f"eps {EPSILON:g}", "stride 2")
    if _is_module_api(found):  # whose own defaults hold
        return replace(_looked_up(found, wish, where), warnings=notes)
    seen = statistics.look(reading.graph, reading.uniform)
    if seen is not None and not seen.relu_fits:
        other = assume(found, wish, where)
        if not other.warnings:
            return replace(other, warnings=notes)
        said = (*said, *other.warnings)
    layers_of = [node.layer for node in reading.graph.nodes]
    names_of = [one.name for one in known.matches(found) if [node.layer for node in one.graph.nodes] == layers_of]
    if names_of:
        reading, said = replace(reading, source=names_of[0], known=True), said[4:]
    return replace(reading, assumed=said, warnings=notes)


def _looked_up(found: Sequence[Part], wish: Wishes, where: str) -> Reading:
    """A published architecture whose arrays these can be, unless its running statistics contradict it; else assumed."""
    hints = Hints(module_api=_is_module_api(found))
    fitting = known.matches(found) if wish == Wishes(uniform=wish.uniform) else []
    doubts = [(statistics.doubt(one.graph, _uniform(one.uniform, wish)), one) for one in fitting]
    if not doubts:
        return assume(found, wish, where, hints)
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
    return Reading(best.graph, best.name, kept, (), doubts, _uniform(best.uniform, wish), known=True)


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
        reading = _looked_up(found, wish, where)
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


def _prefix(reading: Reading) -> str:
    stored = list(reading.names.values())
    return stored[0][: names.shared(stored)].rstrip("._") or "the generator"


def _is_average(reading: Reading) -> bool:
    return any(word in _prefix(reading).lower() for word in AVERAGES)


def _no_generator(file: files.WeightsFile, found: Sequence[Network]) -> str:
    whys = [one.why for one in found if isinstance(one, Unknown)]
    if whys:
        return whys[0] if len(found) == 1 else f"{file.path}: no generator: {'; '.join(whys)}"
    return f"{file.path}: holds a discriminator; a generator is wanted"


def kinds(found: Sequence[Network]) -> list[Optional[str]]:
    """generator, discriminator or None for each."""
    return [one.graph.kind if isinstance(one, Reading) else None for one in found]
