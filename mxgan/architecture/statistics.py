"""What a BatchNorm has seen: its running mean and variance are those of its true input, so they tell a wrong one.

The network is computed up to a BatchNorm on latents as in training. Its input then has means and variances that must be
the running ones, but for sampling and the last steps of training. A wrong activation, stride, epsilon or latent
distribution before it moves them.
"""

from __future__ import annotations

from math import prod
from typing import Optional

import numpy as np

from mxgan import rng
from mxgan.graph import Graph, shapes
from mxgan.graph.forward import steps
from mxgan.graph.graph import LABELS
from mxgan.graph.graph import LATENTS as Z
from mxgan.graph.layers import BatchNorm, Conv, ConvTranspose

LATENTS = 256  # drawn at first; later layers see fewer of them, so that each costs about `WORK`
WORK = 6e7  # multiplications a layer
FITS, CONTRADICTS = 0.15, 0.5  # largest misfit below, above which the statistics agree and disagree


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
    return x[: min(len(x), max(most, 12))]


def doubt(graph: Graph, uniform: bool, norms: int = 100) -> Optional[float]:
    """The largest misfit of a generator's first ``norms`` BatchNorms; None where none can tell."""
    assert graph.latent is not None
    looked = [node for node in graph.nodes if isinstance(node.layer, BatchNorm)][:norms]
    if not looked:
        return None
    last = max(graph.nodes.index(node) for node in looked)
    part = Graph(graph.nodes[: last + 1], graph.arrays, graph.inputs)
    n = int(min(max(WORK / max(work(part), 1), 12), LATENTS))
    z = rng.latents(0, "statistics", 0, n, graph.latent)
    given = {Z: uniform_of(z) if uniform else z}
    if LABELS in graph.inputs:
        given[LABELS] = np.arange(n) % (graph.classes or 1)
    inputs = {node.inputs[0]: node for node in looked}
    worst: Optional[float] = None
    for node, y in steps(part, given, "float32"):
        norm = inputs.get(node.name)
        if norm is not None:
            arrays = (graph.arrays[f"{norm.name}.{word}"] for word in ("running_mean", "running_var"))
            found = misfit(y, *arrays)
            if found is not None:
                worst = max(found, worst or 0.0)
    return worst


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
