"""Every kind of layer in small graphs, with the settings that tell right from nearly right."""

from __future__ import annotations

from typing import Optional

import numpy as np

from mxgan.graph import Graph, Node
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

CLASSES, BATCH = 5, 3
IMAGE = (4, 3, 5)


def inputs(graph: Graph) -> tuple[np.ndarray, Optional[np.ndarray]]:
    """Latents float32 (3, latent), and labels where the graph takes them."""
    z = np.random.RandomState(1).normal(size=(BATCH, graph.latent or 0)).astype(np.float32)
    return z, np.array([4, 0, 2]) if LABELS in graph.inputs else None


def of(layer: Layer, shape: tuple[int, ...] = IMAGE, times: int = 1, **arrays: tuple[int, ...]) -> Graph:
    """The layer, called "x", over ``times`` samples of this shape; its arrays are random, of the shapes given."""
    latent = int(np.prod(shape))
    nodes = [Node("in", Reshape(shape), (LATENTS,))]
    nodes += [Node(f"in{place}", Affine(1 + place, 0.1), ("in",)) for place in range(1, times)]
    nodes.append(Node("x", layer, tuple(node.name for node in nodes)))
    return Graph(tuple(nodes), numbers(arrays), {LATENTS: (latent,)})


def numbers(shapes: dict[str, tuple[int, ...]], node: str = "x") -> dict[str, np.ndarray]:
    """Random float32 arrays of a node by word; variances are positive."""
    random = np.random.RandomState(0)
    return {
        f"{node}.{word}": (
            random.uniform(0.1, 2, shape) if word == "running_var" else random.normal(size=shape)
        ).astype(np.float32)
        for word, shape in shapes.items()
    }


def by_label(layer: Layer, **arrays: tuple[int, ...]) -> Graph:
    """The layer, over the labels."""
    return Graph((Node("x", layer, (LABELS,)),), numbers(arrays), {LATENTS: (2,), LABELS: ()})


def norm(*words: str, size: int = 4) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys((*words, "running_mean", "running_var"), (size,))


CASES = {
    "Linear": of(Linear(), (6,), weight=(4, 6), bias=(4,)),
    "Linear without bias": of(Linear(), (6,), weight=(4, 6)),
    "Conv": of(Conv(), weight=(2, 4, 3, 3), bias=(2,)),
    "Conv of one pixel": of(Conv(), (4, 1, 1), weight=(2, 4, 1, 1)),
    "Conv with settings": of(Conv((1, 2), (2, 1), (2, 1)), weight=(2, 4, 3, 2)),
    "Conv in groups": of(Conv((2, 1), (1, 2), groups=2), weight=(6, 2, 2, 3), bias=(6,)),
    "Conv by depth": of(Conv(groups=4), weight=(4, 1, 2, 2)),
    "Conv with wide padding": of(Conv(padding=(4, 3)), weight=(2, 4, 2, 2), bias=(2,)),
    # PyTorch 2.13 computes these two wrongly, or crashes, in its channels_last layout
    "Conv of one channel, unequal strides": of(Conv((1, 2), (1, 1)), (1, 3, 2), weight=(16, 1, 2, 4), bias=(16,)),
    "Conv of kernel 1, dilated": of(Conv((1, 2), (0, 1), (1, 2)), (3, 2, 1), weight=(1, 3, 1, 1), bias=(1,)),
    "ConvTranspose": of(ConvTranspose(), weight=(4, 2, 3, 3), bias=(2,)),
    "ConvTranspose of one pixel": of(ConvTranspose(), (4, 1, 1), weight=(4, 2, 4, 4)),
    "ConvTranspose with settings": of(ConvTranspose((2, 3), (1, 2), (1, 2)), weight=(4, 2, 3, 5)),
    "ConvTranspose dilated": of(ConvTranspose((1, 2), (1, 1), dilation=(2, 3)), weight=(4, 2, 3, 2), bias=(2,)),
    "ConvTranspose in groups": of(ConvTranspose((2, 2), (1, 1), groups=2), weight=(4, 3, 4, 4), bias=(6,)),
    "ConvTranspose with a stride over its kernel": of(
        ConvTranspose((3, 3), output_padding=(2, 1)), weight=(4, 2, 2, 2)
    ),
    "ConvTranspose with wide padding": of(ConvTranspose((3, 3), (3, 3)), weight=(4, 2, 3, 3), bias=(2,)),
    "BatchNorm": of(BatchNorm(), **norm("gamma", "beta")),
    "BatchNorm of features": of(BatchNorm(1e-3), (4,), **norm("gamma", "beta")),
    "BatchNorm without gamma and beta": of(BatchNorm(0.8), **norm()),
    "BatchNorm with beta alone": of(BatchNorm(1e-12), **norm("beta")),
    "InstanceNorm": of(InstanceNorm(1e-3), gamma=(4,), beta=(4,)),
    "InstanceNorm without gamma and beta": of(InstanceNorm()),
    "InstanceNorm of one pixel": of(InstanceNorm(), (4, 1, 1), beta=(4,)),
    "Reshape": of(Reshape((2, -1, 3))),
    "Reshape to features": of(Reshape((-1,))),
    "Permute": of(Permute((2, 0, 1))),
    "Permute of many axes": of(Permute((3, 0, 4, 2, 1)), (2, 3, 2, 1, 2)),
    "Upsample": of(Upsample()),
    "Upsample in one direction": of(Upsample((1, 3))),
    "Upsample bilinear": of(Upsample((2, 2), "bilinear")),
    "Upsample bilinear, unequal": of(Upsample((3, 4), "bilinear")),
    "Upsample bilinear, corners kept": of(Upsample((2, 3), "bilinear", True)),
    "Upsample bilinear, one pixel": of(Upsample((2, 2), "bilinear"), (4, 1, 1)),
    "Upsample bilinear, one pixel, corners kept": of(Upsample((2, 1), "bilinear", True), (4, 1, 1)),
    "PixelShuffle": of(PixelShuffle()),
    "PixelShuffle by 3": of(PixelShuffle(3), (18, 2, 1)),
    "Pad": of(Pad(1, 2, 3, 0)),
    "Pad by the edge": of(Pad(1, 4, 6, 0, "edge")),
    "Pad reflected": of(Pad(1, 2, 3, 0, "reflect")),
    "Crop": of(Crop(1, 2, 2, 3)),
    "Affine": of(Affine(2.5, -1.25)),
    "Add": of(Add(), times=2),
    "Add of three": of(Add(), (4,), times=3),
    "Add of one": of(Add()),
    "Multiply": of(Multiply(), times=2),
    "Multiply of three": of(Multiply(), (4,), times=3),
    "Multiply of one": of(Multiply()),
    "Concat": of(Concat(), times=3),
    "Concat of features": of(Concat(), (4,), times=2),
    "Relu": of(Relu()),
    "LeakyRelu": of(LeakyRelu(0.2)),
    "PRelu": of(PRelu(), slope=(1,)),
    "PRelu by channel": of(PRelu(), slope=(4,)),
    "PRelu of features": of(PRelu(), (4,), slope=(4,)),
    "Elu": of(Elu(1.5)),
    "Selu": of(Selu()),
    "Tanh": of(Tanh()),
    "Sigmoid": of(Sigmoid()),
    "Embedding": by_label(Embedding(), weight=(CLASSES, 3)),
    "OneHot": by_label(OneHot(CLASSES)),
}
