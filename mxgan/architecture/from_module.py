"""The network that a whole module in a PyTorch file is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mxgan.architecture import known, modules, statistics
from mxgan.architecture.assume import Hints, assume
from mxgan.architecture.lookup import looked_up
from mxgan.architecture.parts import Network, NoGenerator, Part, Unknown, parts
from mxgan.architecture.told import decided
from mxgan.architecture.wishes import Wishes
from mxgan.errors import ParamsError, in_shell
from mxgan.graph import layers
from mxgan.graph.reading import Reading
from mxgan.weights.pickled_modules import Module

_KINDS: dict[type, str] = {
    layers.Conv: "conv", layers.ConvTranspose: "conv", layers.Linear: "linear", layers.Embedding: "embedding",
    layers.BatchNorm: "batchnorm", layers.InstanceNorm: "norm", layers.PRelu: "prelu",
}  # fmt: skip


def of_module(module: Module, arrays: dict[str, np.ndarray], wish: Wishes, where: str) -> Network:
    """A whole module: its own graph where it says one, else worked out from its layers."""
    try:
        reading = modules.sequential(module, where)
        if reading is not None:
            return decided(reading, wish)
        return _worked_out(module, arrays, wish, where)
    except ParamsError as error:
        return Unknown(module.name or module.bare, in_shell(error), ())


def _worked_out(module: Module, arrays: dict[str, np.ndarray], wish: Wishes, where: str) -> Reading:
    """A module whose forward pass is code: a published architecture, or what its layers and their order suggest."""
    start = f"{module.name}." if module.name else ""
    alone, _ = parts({name: array for name, array in arrays.items() if name.startswith(start)})
    doubts = [statistics.doubt(one.graph, one.uniform) for one in known.matches(alone)]
    if any(doubt is not None and doubt <= statistics.FITS for doubt in doubts):
        return looked_up(alone, wish, where)
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
