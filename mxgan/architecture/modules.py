"""From a whole module in a ``.pth`` file to its layers, and to the graph itself where the forward pass is certain.

A pickled module says what its parts are and in which order they were defined. What ``forward`` does with them is code,
which isn't in the file: only a Sequential needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Optional

import numpy as np

from mxgan.architecture.modules_layers import RULES, Unknown, steps_of
from mxgan.errors import ParamsError, in_shell
from mxgan.graph import Graph, Node, layers, shapes
from mxgan.graph.graph import LATENTS
from mxgan.graph.layers import Layer
from mxgan.graph.reading import Reading
from mxgan.graph.shapes import Unfit, check
from mxgan.weights.names import printable
from mxgan.weights.pickled_modules import Module

SEQUENTIAL = "torch.nn.modules.container.Sequential"
WRAPPERS = ("DataParallel", "DistributedDataParallel")  # torch.nn.parallel's: they hold the network as `module`
FEW_CHANNELS = 4  # a first convolution from this many sees images, not latents
OPEN_END = "no activation at the end: taken as [-1, 1]"
_VECTORS = ("Linear", "BatchNorm1d", "Flatten", "Unflatten")  # modules that take features, not images


@dataclass(frozen=True)
class Part:
    """One layer of a module tree, or one module that has none."""

    key: str  # its dotted name in the file: "main.0"
    layer: Optional[Layer]  # with its settings; None for a module that isn't known
    container: str  # the bare class of the module that holds it: "Sequential", "Generator"
    kind: str  # its own bare class: "ConvTranspose2d"
    arrays: dict[str, np.ndarray]  # by the layer's words: weight, bias, gamma, beta, ...; its own names without a layer
    names: dict[str, str] = field(default_factory=dict)  # the same words -> names in the file
    why: str = ""  # why there is no layer


def parts(tree: Module) -> list[Part]:
    """The tree's layers in the order of their definition. What does nothing in inference mode has none."""
    return _parts(tree, "")


def _parts(module: Module, container: str) -> list[Part]:
    try:
        return [
            Part(
                module.name + step.suffix,
                step.layer,
                container,
                module.bare,
                dict(step.arrays),
                {word: _joined(module.name, name) for word, name in step.names.items()},
            )
            for step in steps_of(module)
        ]
    except Unknown as error:
        why = printable(in_shell(error))
    names = {name: _joined(module.name, name) for name in module.arrays}
    alone = Part(module.name, None, container, module.bare, dict(module.arrays), names, why)
    known = module.bare in RULES and module.kind.startswith("torch.nn.")
    inner = [part for child in module.children for part in _parts(child, module.bare)]
    return [alone] if known or not module.children else [*([alone] if module.arrays else []), *inner]


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def sequential(tree: Module, where: str) -> Optional[Reading]:
    """The generator that a tree is, where its forward pass is certain; else None.

    Certain are a Sequential, of Sequentials too, and one in DataParallel. A class of the file's author whose only child
    is a Sequential (``main`` of pytorch/examples' dcgan) is taken as that, and said so. ``where`` names the file.
    Raises ParamsError where such a network has a layer that isn't known, or its shapes don't go together.
    """
    root, assumed = tree, []
    while root.kind.startswith("torch.nn.parallel.") and root.bare in WRAPPERS and len(root.children) == 1:
        (root,) = root.children
    own = root.kind != SEQUENTIAL
    if own:
        if len(root.children) != 1 or root.children[0].kind != SEQUENTIAL or root.arrays or _is_torchs(root):
            return None
        (root,) = root.children
        assumed.append(f"forward() is taken to run `{root.name.rpartition('.')[2]}` alone")
    leaves = _leaves(root)
    if leaves is None:
        return None
    found = [part for leaf, container in leaves for part in _parts(leaf, container)]
    start = _start(found)
    if start is None:
        return None
    strange = next((part for part in found if part.layer is None), None)
    if strange is not None:
        raise ParamsError(
            printable(f"{where}: {strange.key} ({strange.kind}): {strange.why}; describe the network with --layout")
        )
    latent, reshaped = start
    reading = _reading(found, latent, reshaped, f"the module in {where}", assumed)
    try:
        last = shapes(reading.graph)[reading.graph.nodes[-1].name]
    except Unfit:
        last = ()
    if own and len(last) != 3:  # forward() does more than run its child: a view, say
        return None
    check(reading.graph, where)
    return reading if prod(last[1:]) > 1 else None  # one pixel: a discriminator's end


def _is_torchs(module: Module) -> bool:
    return module.kind.startswith("torch.")


def _leaves(module: Module) -> Optional[list[tuple[Module, str]]]:
    """A Sequential's modules in order, each with its container's class; None where an author's own is among them."""
    found: list[tuple[Module, str]] = []
    for child in module.children:
        if child.kind == SEQUENTIAL:
            inner = _leaves(child)
            if inner is None:
                return None
            found += inner
        elif _is_torchs(child):
            found.append((child, module.bare))
        else:
            return None
    return found


def _start(found: Sequence[Part]) -> Optional[tuple[int, bool]]:
    """How many latents there are, and whether they come as (latent, 1, 1); None where this is no generator."""
    images = next((part.kind not in _VECTORS for part in found if _has_rank(part)), None)
    for part in found:
        layer, weight = part.layer, part.arrays.get("weight")
        if isinstance(layer, layers.ConvTranspose) and weight is not None:
            return len(weight), bool(images)
        if isinstance(layer, layers.Conv) and weight is not None:
            channels = weight.shape[1] * layer.groups
            return None if channels <= FEW_CHANNELS else (channels, bool(images))
        if isinstance(layer, layers.Linear) and weight is not None:
            return weight.shape[1], bool(images)
        if isinstance(layer, layers.BatchNorm):
            return len(np.atleast_1d(part.arrays["running_mean"])), bool(images)
        if isinstance(layer, layers.Reshape) and -1 not in layer.shape:
            return prod(layer.shape), bool(images)
        if layer is None or isinstance(layer, (layers.PixelShuffle, layers.Embedding)):
            return None
    return None


def _has_rank(part: Part) -> bool:
    """Whether the layer tells features from images."""
    ranked = (layers.Conv, layers.ConvTranspose, layers.InstanceNorm, layers.Upsample, layers.PixelShuffle, layers.Pad)
    return part.kind in (*_VECTORS, "BatchNorm2d") or isinstance(part.layer, ranked)


def _reading(found: Sequence[Part], latent: int, reshaped: bool, source: str, assumed: list[str]) -> Reading:
    nodes: list[Node] = []

    def add(name: str, layer: Layer) -> None:
        nodes.append(Node(name, layer, (nodes[-1].name if nodes else LATENTS,)))

    if reshaped:
        add("latents", layers.Reshape((latent, 1, 1)))
    for part in found:
        if part.layer is not None:
            add(part.key, part.layer)
    assumed = assumed + ending(nodes)
    arrays = {f"{part.key}.{word}": array for part in found for word, array in part.arrays.items()}
    names = {f"{part.key}.{word}": name for part in found for word, name in part.names.items()}
    return Reading(Graph(tuple(nodes), arrays, {LATENTS: (latent,)}), source, names, tuple(assumed))


def ending(nodes: list[Node]) -> list[str]:
    """Add what brings a generator's sigmoid to [-1, 1]. Returns what is assumed where neither it nor tanh is there."""
    quiet = (layers.Reshape, layers.Permute, layers.Crop)
    last = next((node.layer for node in reversed(nodes) if not isinstance(node.layer, quiet)), None)
    if isinstance(last, layers.Sigmoid):
        nodes.append(Node("signed", layers.Affine(2.0, -1.0), (nodes[-1].name,)))
    return [] if isinstance(last, (layers.Sigmoid, layers.Tanh)) else [OPEN_END]
