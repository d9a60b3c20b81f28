"""A label as a one-hot vector that is joined to the latents, told by the first BatchNorm's running statistics.

Where a class's `forward` joins them, its arrays alone can't tell it: 64 latents and 10 classes look like 74 latents.
But the first BatchNorm has seen them. Before it, layers are linear, so the mean and variance that any latents give it
can be computed exactly: latents have mean 0 and variance 1 (or 1/3, from U(-1, 1)); exactly one of K one-hot numbers is
1. Each K at either end is tried, and what explains the running statistics clearly better than latents alone is right.

Measured on generators trained for 60 to 300 steps, of 16 to 128 latents, 16 to 128 channels and 2 to 40 classes: of 65
with a label, 60 are found, 5 are left open and none is taken for another; of 76 without, none is taken for one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Optional

import numpy as np

from mxgan.architecture.statistics import work
from mxgan.graph import Graph, Node, layers, shapes
from mxgan.graph.forward import compute
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.graph.reading import Reading

MOST_CLASSES = 200
VARIANCES = (1.0, 1 / 3)  # of latents from N(0, 1) and U(-1, 1)
GAIN, LEAD = 6.0, 1.5  # least differences of log-likelihoods: to latents alone, and to the next number of classes
ERROR = 1e-4  # variance of a relative error that no running statistic is free of
LARGEST_ERRORS = 0.2, 0.3  # root mean squares, of mean and log variance, of a hypothesis that explains them
SCALE = 0.1  # how far, as a logarithm, all running variances may lag behind growing weights
WORK = 5e9  # multiplications at most
AT_ONCE = 64  # latents
LARGEST = 2**25  # numbers that they give
_LINEAR = (
    layers.Reshape, layers.Permute, layers.Linear, layers.Conv, layers.ConvTranspose, layers.Upsample, layers.Pad,
    layers.Crop, layers.PixelShuffle, layers.Affine,
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What the statistics say: a label of ``classes`` at the ``end`` (or "start") of what was taken for latents."""

    end: str
    classes: int
    gain: float  # log-likelihood over that of latents alone
    lead: float  # log-likelihood over that of the next best number of classes


@dataclass(frozen=True)
class _Front:
    """What the first BatchNorm is given for each latent k alone, by channel c: averages over pixels."""

    square: np.ndarray  # (k, c) of the latent's own share, squared
    whole: np.ndarray  # (k, c) of the share and the biases, squared
    mean: np.ndarray  # (k, c) of the share and the biases
    bias: np.ndarray  # (c, pixels) without any latent
    running_mean: np.ndarray
    running_var: np.ndarray


def one_hot(graph: Graph, uniform: Optional[bool] = None) -> Optional[tuple[str, int]]:
    """Where in an unconditional generator's latents a one-hot label hides, "end" or "start", and of how many classes.

    ``uniform``: the others are from U(-1, 1), not N(0, 1); None where that isn't known. Gives None where the first
    layers aren't linear up to a BatchNorm, and where the statistics don't say it clearly.
    """
    seen = look(graph, uniform)
    return (seen.end, seen.classes) if seen is not None and seen.gain > GAIN and seen.lead > LEAD else None


def labelled(reading: Reading, uniform: Optional[bool] = None) -> Reading:
    """The reading of an unconditional generator as a conditional one, where the statistics say so clearly.

    With a warning instead where they say that there is a label, and not of how many classes.
    """
    graph = reading.graph
    seen = look(graph, uniform) if graph.latent is not None and LABELS not in graph.inputs else None
    if seen is None or seen.gain <= GAIN:
        return reading
    place = "last" if seen.end == "end" else "first"
    if seen.lead <= LEAD:
        doubt = (
            f"its running statistics say that the {place} of its {graph.latent} latents, about {seen.classes}, are a "
            "one-hot label; describe the network with --layout"
        )
        return replace(reading, warnings=(*reading.warnings, doubt))
    said = f"the {place} {seen.classes} of {graph.latent} latents are a one-hot label, as its running statistics say"
    return replace(
        reading, graph=with_label(graph, seen.end, seen.classes), assumed=(*reading.assumed, said), known=False
    )


def look(graph: Graph, uniform: Optional[bool] = None) -> Optional[Seen]:
    """The best hypothesis with a label, however good; None where nothing can be said."""
    front = _front(graph)
    if front is None or len(front.mean) < 4:
        return None
    variances = VARIANCES if uniform is None else VARIANCES[uniform : uniform + 1]
    seen = [one for variance in variances if (one := _best(front, variance)) is not None]
    return max(seen, key=lambda one: one.gain, default=None)


def _best(front: _Front, variance: float) -> Optional[Seen]:
    plain = max(_likelihood(front, *pair)[0] for each in VARIANCES for pair in _plain(front, each))
    found: dict[tuple[str, int], float] = {}
    for end in ("end", "start"):
        for classes, (mean, var) in _labelled(front, variance, end).items():
            likelihood, scale, explains = _likelihood(front, mean, var)
            if explains:
                found[end, classes] = likelihood - abs(scale) / SCALE + _usual(classes, len(front.mean) - classes)
    if not found:
        return None
    best, *others = sorted(found, key=lambda key: -found[key])
    lead = found[best] - found[others[0]] if others else np.inf
    return Seen(*best, found[best] - plain, lead)


def _usual(classes: int, latent: int) -> float:
    """How much likelier people's favourite numbers are: 10 classes; latents of tens and powers of 2."""
    return 1.0 * (classes == 10) + 2.0 * (latent % 10 == 0 or latent & (latent - 1) == 0)


def _front(graph: Graph) -> Optional[_Front]:
    """What is needed of the layers up to the first BatchNorm; None where it comes after others, or is untrained."""
    chain: list[Node] = []
    before = LATENTS
    for node in graph.nodes:
        if node.inputs != (before,) or not isinstance(node.layer, (*_LINEAR, layers.BatchNorm)):
            return None
        chain.append(node)
        if isinstance(node.layer, layers.BatchNorm):
            break
        before = node.name
    if not chain or not isinstance(chain[-1].layer, layers.BatchNorm):
        return None
    norm, part = chain.pop(), Graph(tuple(chain), graph.arrays, graph.inputs)
    mean, var = (graph.arrays[f"{norm.name}.{word}"].astype(np.float64) for word in norm.layer.needs)
    if not mean.any() or not (var > 0).any() or not (np.isfinite(mean).all() and np.isfinite(var).all()):
        return None
    latent = graph.inputs[LATENTS][0]
    size = max(map(prod, shapes(part).values())) if chain else latent
    if latent * (size + (work(part) if chain else 0)) > WORK or min(latent, AT_ONCE) * size > LARGEST:
        return None
    bias = _through(part, np.zeros((1, latent), np.float32))[0]
    square, whole, means = [], [], []
    for first in range(0, latent, AT_ONCE):
        y = _through(part, np.eye(min(AT_ONCE, latent - first), latent, first, dtype=np.float32))
        square.append(((y - bias) ** 2).mean(axis=2))
        whole.append((y**2).mean(axis=2))
        means.append(y.mean(axis=2))
    return _Front(np.concatenate(square), np.concatenate(whole), np.concatenate(means), bias, mean, var)


def _through(part: Graph, x: np.ndarray) -> np.ndarray:
    """What comes out, float64 (n, channels, pixels)."""
    for node in part.nodes:
        words = (*node.layer.needs, *node.layer.may)
        arrays = {word: array for word in words if (array := part.array(node, word)) is not None}
        x = compute(node.layer, arrays, x)
    return x.reshape(len(x), x.shape[1], -1).astype(np.float64)


Pair = tuple[np.ndarray, np.ndarray]  # mean and variance, by channel


def _plain(front: _Front, variance: float) -> list[Pair]:
    """Latents alone, of mean 0, and of whatever mean fits best: U(0, 1) has another."""
    bias, square = front.bias.mean(axis=1), (front.bias**2).mean(axis=1)
    var = variance * front.square.sum(axis=0) + square - bias**2
    way = (front.mean - bias).sum(axis=0)
    weights = way / np.maximum(front.running_var, 1e-30)
    shift = float(weights @ (front.running_mean - bias)) / max(float(weights @ way), 1e-30)
    return [(bias, var), (bias + shift * way, var)]


def _labelled(front: _Front, variance: float, end: str) -> dict[int, Pair]:
    """A label of 2, 3, ... classes at one end, each as often as the others."""
    order = slice(None, None, -1 if end == "end" else 1)
    square, whole, mean = (np.cumsum(part[order], axis=0) for part in (front.square, front.whole, front.mean))
    found = {}
    for classes in range(2, min(MOST_CLASSES, len(mean) - 1) + 1):
        means = mean[classes - 1] / classes
        squares = variance * (square[-1] - square[classes - 1]) + whole[classes - 1] / classes
        found[classes] = means, squares - means**2
    return found


def _likelihood(front: _Front, mean: np.ndarray, var: np.ndarray) -> tuple[float, float, bool]:
    """The log-likelihood of the running statistics, errors of whatever size being equally likely in each channel.

    With it how much larger they say all variances are, as a logarithm, and whether they are explained at all.
    """
    seen = front.running_var
    alive = seen > 1e-3 * np.median(seen)
    shifts = np.minimum((front.running_mean - mean)[alive] ** 2 / seen[alive], 9.0)
    ratios = np.log(seen[alive] / np.maximum(var[alive], 1e-30))
    scale = float(np.median(ratios))
    shift, spread = float(shifts.mean()), float(np.minimum((ratios - scale) ** 2, 9.0).mean())
    independent = min(int(alive.sum()), 2 * len(front.mean))  # errors come from the latents that were drawn
    likelihood = -0.5 * independent * (np.log(shift + ERROR) + np.log(spread + ERROR))
    return likelihood, scale, shift**0.5 < LARGEST_ERRORS[0] and spread**0.5 < LARGEST_ERRORS[1]


def with_label(graph: Graph, end: str, classes: int) -> Graph:
    """The same network, given the last (or, at the "start", the first) latents as a label of so many classes."""
    names = {node.name for node in graph.nodes}
    vector, joined = (_fresh(name, names) for name in ("label_one_hot", "latents_and_label"))
    sides = (LATENTS, vector) if end == "end" else (vector, LATENTS)
    nodes = [Node(vector, layers.OneHot(classes), (LABELS,)), Node(joined, layers.Concat(), sides)]
    for node in graph.nodes:
        inputs = tuple(joined if name == LATENTS else name for name in node.inputs)
        nodes.append(Node(node.name, node.layer, inputs))
    latent = graph.inputs[LATENTS][0] - classes
    return Graph(tuple(nodes), graph.arrays, {**graph.inputs, LATENTS: (latent,), LABELS: ()})


def without_label(graph: Graph) -> Optional[tuple[Graph, str]]:
    """What `with_label` gave, taken back, in whatever shape the two are joined, and the label's end; else None."""
    labels = [node for node in graph.nodes if node.inputs == (LABELS,)]
    if len(labels) != 1 or not isinstance(labels[0].layer, layers.OneHot):
        return None
    same, vectors = {LATENTS}, {labels[0].name}
    found = shapes(graph)
    nodes: list[Node] = []
    joined = end = ""
    for node in graph.nodes:
        sources = set(node.inputs)
        if node is labels[0]:
            continue
        if isinstance(node.layer, layers.Concat) and sources & vectors and sources & same and len(node.inputs) == 2:
            if joined:
                return None
            joined, end = node.name, "end" if node.inputs[1] in vectors else "start"
            nodes.append(Node(node.name, layers.Reshape(found[node.name]), (LATENTS,)))
        elif isinstance(node.layer, layers.Reshape) and sources <= same | vectors:
            (same if sources <= same else vectors).add(node.name)
        elif sources & (same | vectors):
            return None
        else:
            nodes.append(node)
    latent = graph.inputs[LATENTS][0] + labels[0].layer.classes
    return (Graph(tuple(nodes), graph.arrays, {LATENTS: (latent,)}), end) if joined else None


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
