"""Generators drawn at random: valid graphs of every kind of layer, with arrays, small enough to compute at once."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from mxgan.graph import Graph, Node, shapes
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.graph.layers import (
    Add,
    Affine,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Elu,
    Embedding,
    InstanceNorm,
    Layer,
    LeakyRelu,
    Linear,
    Multiply,
    OneHot,
    Pad,
    Permute,
    PixelShuffle,
    PRelu,
    Relu,
    Reshape,
    Selu,
    Sigmoid,
    Tanh,
    Upsample,
)

LARGEST = 16  # pixels on a side, before a layer that enlarges


class Builder:
    """A graph in the making: the newest node, and the shape that it gives."""

    def __init__(self, draw: Callable, latent: int) -> None:
        self.draw = draw
        self.random = np.random.RandomState(draw(st.integers(0, 2**31)))
        self.prefix = draw(st.sampled_from(("", "main.", "net.conv_")))
        self.nodes: list[Node] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.inputs: dict[str, tuple[int, ...]] = {LATENTS: (latent,)}
        self.last, self.shape = LATENTS, (latent,)

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def pair(self, low: int, high: int) -> tuple[int, int]:
        return self.number(low, high), self.number(low, high)

    def maybe(self) -> bool:
        return self.draw(st.booleans())

    def add(self, layer: Layer, *inputs: str, **arrays: tuple[int, ...]) -> str:
        """One more node, of the newest one if no inputs are named; its arrays are drawn in the shapes given."""
        name = f"{self.prefix}{len(self.nodes)}"
        for word, shape in arrays.items():
            scale = 1 / math.sqrt(math.prod(shape[1:]) if word == "weight" else 4)
            values = (
                self.random.uniform(0.5, 2, shape) if word == "running_var" else self.random.normal(0, scale, shape)
            )
            self.arrays[f"{name}.{word}"] = values.astype(np.float32)
        self.nodes.append(Node(name, layer, inputs or (self.last,)))
        self.last, self.shape = name, shapes(self.graph())[name]
        return name

    def graph(self) -> Graph:
        return Graph(tuple(self.nodes), self.arrays, self.inputs)

    def bias(self, size: int) -> dict[str, tuple[int, ...]]:
        return {"bias": (size,)} if self.maybe() else {}


@st.composite
def generators(draw: Callable, conditional: bool = True, plain: bool = False) -> Graph:
    """A generator of images of 1 to 4 channels, conditional or not: two to six layers, and what starts and ends it.

    ``plain``: of the layers that PyTorch has as modules, one after another.
    """
    b = Builder(draw, draw(st.integers(1, 5)))
    if conditional:
        _condition(b)
    if b.maybe():
        shape = (b.number(1, 6), *b.pair(1, 3))
        b.add(Linear(), weight=(math.prod(shape), *b.shape), **b.bias(math.prod(shape)))
        if b.maybe():
            _batch_norm(b)
        b.add(Reshape(shape))
    else:
        b.add(Reshape((b.shape[0], 1, 1)))
    for _ in range(b.number(2, 6)):
        draw(st.sampled_from(_PLAIN if plain else _LAYERS))(b)
    if b.shape[0] > 4:
        out = b.number(1, 4)
        b.add(Conv(), weight=(out, b.shape[0], 1, 1), **b.bias(out))
    for layer in draw(st.sampled_from(((Tanh(),), (Sigmoid(), Affine(2, -1)), ()))):
        b.add(layer)
    return b.graph()


def _condition(b: Builder) -> None:
    """Nothing, or a label that goes in beside the latents or over them."""
    how = b.draw(st.sampled_from((None, None, "beside", "over", "one of")))
    if how is None:
        return
    b.inputs[LABELS] = ()
    classes, features = b.number(1, 4), b.shape[0] if how == "over" else b.number(1, 4)
    if how == "one of":
        label = b.add(OneHot(classes), LABELS)
    else:
        label = b.add(Embedding(), LABELS, weight=(classes, features))
    b.add(Multiply() if how == "over" else Concat(), LATENTS, label)


def _conv(b: Builder) -> None:
    groups = b.draw(st.sampled_from([n for n in (1, 2, 3) if b.shape[0] % n == 0]))
    kernel, padding, dilation = b.pair(1, 4), b.pair(0, 2), b.pair(1, 2)
    sides = zip(b.shape[1:], kernel, padding, dilation)
    if any(side + 2 * pad < more * (k - 1) + 1 for side, k, pad, more in sides):
        kernel = (1, 1)
    out = groups * b.number(1, 3)
    weight = (out, b.shape[0] // groups, *kernel)
    b.add(Conv(b.pair(1, 2), padding, dilation, groups), weight=weight, **b.bias(out))


def _conv_transpose(b: Builder) -> None:
    groups = b.draw(st.sampled_from([n for n in (1, 2, 3) if b.shape[0] % n == 0]))
    stride = b.pair(1, 3 if max(b.shape[1:]) <= LARGEST else 1)
    kernel, dilation = b.pair(1, 5), b.pair(1, 2)
    more = tuple(b.number(0, one - 1) for one in stride)
    reach = [(n - 1) * s + d * (k - 1) + o + 1 for n, s, d, k, o in zip(b.shape[1:], stride, dilation, kernel, more)]
    padding = tuple(b.number(0, min(2, (size - 1) // 2)) for size in reach)
    out = b.number(1, 3)
    weight = (b.shape[0], out, *kernel)
    b.add(ConvTranspose(stride, padding, more, dilation, groups), weight=weight, **b.bias(out * groups))


def _scaling(b: Builder) -> dict[str, tuple[int, ...]]:
    return {word: (b.shape[0],) for word in ("gamma", "beta") if b.maybe()}


def _batch_norm(b: Builder) -> None:
    eps = b.draw(st.sampled_from((1e-12, 1e-5, 1e-3, 0.8)))
    b.add(BatchNorm(eps), **_scaling(b), running_mean=(b.shape[0],), running_var=(b.shape[0],))


def _instance_norm(b: Builder) -> None:
    # a smaller eps would enlarge the rounding errors of a single pixel, whose variance is 0, beyond the tolerance
    b.add(InstanceNorm(b.draw(st.sampled_from((0.01, 0.8)))), **_scaling(b))


def _activation(b: Builder) -> None:
    slope = b.draw(st.sampled_from((0.01, 0.2, 1.5)))
    layer = b.draw(st.sampled_from((Relu(), LeakyRelu(slope), PRelu(), Elu(slope), Selu(), Tanh(), Sigmoid())))
    b.add(layer, **({"slope": (b.shape[0] if b.maybe() else 1,)} if isinstance(layer, PRelu) else {}))


def _upsample(b: Builder) -> None:
    scale = b.pair(1, 3) if max(b.shape[1:]) <= LARGEST else (1, 1)
    mode = b.draw(st.sampled_from(("nearest", "bilinear")))
    b.add(Upsample(scale, mode, mode == "bilinear" and b.maybe()))


def _pixel_shuffle(b: Builder) -> None:
    if max(b.shape[1:]) <= LARGEST:
        out = 4 * b.number(1, 2)
        b.add(Conv(), weight=(out, b.shape[0], 1, 1), **b.bias(out))
        b.add(PixelShuffle(2))


def _residual(b: Builder) -> None:
    """A convolution of the same size, added to what went into it."""
    before, channels = b.last, b.shape[0]
    b.add(Conv(padding=(1, 1)), weight=(channels, channels, 3, 3), **b.bias(channels))
    b.add(b.draw(st.sampled_from((Add(), Multiply(), Concat()))), before, b.last)


def _pad(b: Builder) -> None:
    mode = b.draw(st.sampled_from(("constant", "edge", "reflect")))
    most = [min(2, size - 1 if mode == "reflect" else 2) for size in b.shape[1:]]
    b.add(Pad(*(b.number(0, most[axis]) for axis in (0, 0, 1, 1)), mode))


def _crop(b: Builder) -> None:
    height, width = (b.number(1, size) for size in b.shape[1:])
    b.add(Crop(b.number(0, b.shape[1] - height), b.number(0, b.shape[2] - width), height, width))


def _turn(b: Builder) -> None:
    b.add(Permute(b.draw(st.sampled_from(((0, 2, 1), (0, 1, 2))))))


def _affine(b: Builder) -> None:
    b.add(Affine(b.draw(st.sampled_from((0.5, -1.25))), b.draw(st.sampled_from((0.0, 0.3)))))


_LAYERS = (
    _conv, _conv_transpose, _conv_transpose, _batch_norm, _instance_norm, _activation, _activation, _upsample,
    _pixel_shuffle, _residual, _pad, _crop, _turn, _affine,
)  # fmt: skip
_PLAIN = tuple(layer for layer in _LAYERS if layer not in (_residual, _crop, _turn, _affine))
