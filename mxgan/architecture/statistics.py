"""What a BatchNorm has seen: its running mean and variance are those of its true input, so they tell a wrong one.

The network is computed up to a BatchNorm on latents as in training. Its input then has means and variances that must be
the running ones, but for sampling and the last steps of training. A wrong activation, stride, epsilon or latent
distribution before it moves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Optional

import numpy as np

from mxgan import rng
from mxgan.graph import Graph, Node, shapes
from mxgan.graph.forward import compute, steps
from mxgan.graph.graph import LABELS
from mxgan.graph.graph import LATENTS as Z
from mxgan.graph.layers import BatchNorm, Conv, ConvTranspose, LeakyRelu, Relu

LATENTS = 256  # drawn at first; later layers see fewer of them, so that each costs about `WORK`
WORK = 6e7  # multiplications a layer
FEWEST = 12  # samples, however much they cost
CHANNELS = 64  # of the second BatchNorm that a first look computes
LARGEST = 2**20  # numbers of a sample after a layer, above which nothing is computed
TRIED = {"relu": Relu(), "leaky": LeakyRelu(0.2), "less leaky": LeakyRelu(0.1)}  # ELU is nearer to these than to ReLU
WELL, FITS, CONTRADICTS = 0.04, 0.15, 0.5  # largest misfits up to which statistics agree well, agree, don't say


def misfit(x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> Optional[float]:
    """How far x (n, channels, ...) is from what a BatchNorm with this running mean and variance saw.

    0 where they agree; 0.5 is half a standard deviation or a factor of 2 in variance, in a typical channel. None where
    the statistics are still those of an untrained network.
    """
    mean, var = mean.astype(np.float64), var.astype(np.float64)
    if (not mean.any() and (var == 1).all()) or not (np.isfinite(mean).all() and np.isfinite(var).all()):
        return None
    axes = (0, *range(2, x.ndim))
    seen_mean, seen_var = x.mean(axis=axes, dtype=np.float64), x.var(axis=axes, dtype=np.float64)
    if not (np.isfinite(seen_mean).all() and np.isfinite(seen_var).all()):
        return 9.0
    var, small = np.maximum(var, 0), 1e-3 * float(np.median(np.maximum(var, 0))) + 1e-12
    shift = (seen_mean - mean) ** 2 / (var + seen_var + small) * 2
    scale = np.log((seen_var + small) / (var + small)) ** 2
    each = np.sort(np.minimum(shift, 9.0) + np.minimum(scale, 9.0))
    return float(each[: max(1, int(len(each) * 0.9))].mean())  # without the few channels that are all but dead


def enough(x: np.ndarray, multiplications: int, numbers: int) -> np.ndarray:
    """The first samples of x: as many as a layer may cost that takes so much for each, and gives so many numbers."""
    most = int(WORK / max(multiplications, 30 * numbers, 1))
    return x[: max(min(len(x), max(most, FEWEST), 2 * LARGEST // max(numbers, 1)), 1)]


@dataclass(frozen=True)
class Look:
    """What the first BatchNorms of a network say of it, at little cost."""

    first: float  # misfit of the first: of the latents and the layers before it
    second: dict[str, float]  # misfit of the second one's mean, by the activation between them

    @property
    def relu_fits(self) -> bool:
        """Whether nothing speaks against ReLU and these latents."""
        relu, other = self.second["relu"], min(self.second.values())
        return self.first < FITS and (relu < 5e-4 or (relu < FITS and other > 0.5 * relu))


def look(graph: Graph, uniform: bool) -> Optional[Look]:
    """A first look at a generator: latents, layers, BatchNorm, activation, one layer, BatchNorm.

    A mean goes through a linear layer as a sample does, so the second BatchNorm costs one sample for each activation
    tried. None where the network begins otherwise or its statistics say nothing.
    """
    nodes = list(graph.nodes)
    kinds = [type(node.layer) for node in nodes]
    if BatchNorm not in kinds:
        return None
    at = kinds.index(BatchNorm)
    if at + 3 >= len(nodes) or kinds[at + 3] is not BatchNorm or kinds[at + 2] not in (Conv, ConvTranspose):
        return None
    assert graph.latent is not None
    z = rng.latents(0, "statistics", 0, LATENTS // 8, graph.latent)
    x = uniform_of(z) if uniform else z
    for node in nodes[:at]:
        x = compute(node.layer, _arrays(graph, node), x)
    one = misfit(x, *_running(graph, nodes[at]))
    if one is None:
        return None
    x = compute(nodes[at].layer, _arrays(graph, nodes[at]), x)
    second = {}
    mean, var = (array[:CHANNELS] for array in _running(graph, nodes[at + 3]))
    means = np.concatenate([compute(layer, {}, x).mean(axis=0, keepdims=True) for layer in TRIED.values()])
    seen = compute(nodes[at + 2].layer, _of_channels(graph, nodes[at + 2]), means).mean(axis=(2, 3))[:, :CHANNELS]
    for name, one_seen in zip(TRIED, seen):
        second[name] = float(((one_seen - mean) ** 2 / (np.maximum(var, 0) + 1e-12)).mean())
    return Look(one, second)


def tells_uniform(graph: Graph) -> bool:
    """Whether a generator's first running statistics are those of uniform latents, and not of normal ones."""
    norms = [index for index, node in enumerate(graph.nodes) if isinstance(node.layer, BatchNorm)]
    if not norms or LABELS in graph.inputs:
        return False
    part = Graph(graph.nodes[: norms[0] + 1], graph.arrays, graph.inputs)
    normal, uniform = doubt(part, False), doubt(part, True)
    return normal is not None and uniform is not None and uniform < FITS and normal > 10 * max(uniform, 0.02)


def doubt(graph: Graph, uniform: bool) -> Optional[float]:
    """The largest misfit of a generator's BatchNorms; None where none can tell."""
    assert graph.latent is not None
    looked = [node for node in graph.nodes if isinstance(node.layer, BatchNorm)]
    if not looked or max(map(prod, shapes(graph).values())) > LARGEST:
        return None
    last = max(graph.nodes.index(node) for node in looked)
    part = Graph(graph.nodes[: last + 1], graph.arrays, graph.inputs)
    n = int(min(max(5 * WORK / max(work(part), 1), FEWEST), LATENTS))
    z = rng.latents(0, "statistics", 0, n, graph.latent)
    given = {Z: uniform_of(z) if uniform else z}
    if LABELS in graph.inputs:
        given[LABELS] = np.arange(n) % (graph.classes or 1)
    inputs = {node.inputs[0]: node for node in looked}
    worst: Optional[float] = None
    for node, y in steps(part, given, "float32"):
        norm = inputs.get(node.name)
        found = misfit(y, *_running(graph, norm)) if norm is not None else None
        if found is not None:
            worst = max(found, worst or 0.0)
    return worst


def _arrays(graph: Graph, node: Node) -> dict[str, np.ndarray]:
    words = (*node.layer.needs, *node.layer.may)
    return {word: array for word in words if (array := graph.array(node, word)) is not None}


def _of_channels(graph: Graph, node: Node) -> dict[str, np.ndarray]:
    """The arrays of a convolution's first `CHANNELS` outputs; of one in groups, which divide the outputs, all."""
    arrays, layer = _arrays(graph, node), node.layer
    assert isinstance(layer, (Conv, ConvTranspose))
    if layer.groups != 1:
        return arrays
    weight = arrays["weight"]
    some = {"weight": weight[:, :CHANNELS] if isinstance(layer, ConvTranspose) else weight[:CHANNELS]}
    return {**some, "bias": arrays["bias"][:CHANNELS]} if "bias" in arrays else some


def _running(graph: Graph, node: Node) -> tuple[np.ndarray, np.ndarray]:
    return graph.arrays[f"{node.name}.running_mean"], graph.arrays[f"{node.name}.running_var"]


def work(graph: Graph) -> int:
    """Multiplications that one sample costs."""
    found = shapes(graph)
    total = 0
    for node in graph.nodes:
        weight = graph.arrays.get(f"{node.name}.weight")
        if weight is not None and weight.ndim == 4:
            counted = node.inputs[0] if isinstance(node.layer, ConvTranspose) else node.name
            total += weight.size * prod(found[counted][1:]) if isinstance(node.layer, (Conv, ConvTranspose)) else 0
        elif weight is not None:
            total += weight.size
    return total


def uniform_of(z: np.ndarray) -> np.ndarray:
    """Standard normal numbers to uniform ones in [-1, 1] of the same ranks: erf(z / sqrt(2)), nearly."""
    return np.tanh(z * (0.7978845608 + 0.0356774 * z * z)).astype(np.float32)
