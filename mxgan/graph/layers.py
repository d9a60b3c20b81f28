"""The layers that a graph is made of, with the settings that decide what they compute. Their arrays are the graph's.

Shapes are those of one sample, without the batch: (channels, H, W), (features,), or () for a label. A pair is (height,
width). Weights have the axes that MXNet and PyTorch share: Linear (out, in), Conv (out, in / groups, kH, kW),
ConvTranspose (in, out / groups, kH, kW).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Optional

Pair = tuple[int, int]


@dataclass(frozen=True)
class Layer:
    """What a node computes. ``needs`` and ``may`` name its arrays.

    Layers without settings of their own are dataclasses by inheritance.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    may: ClassVar[tuple[str, ...]] = ()


class Linear(Layer):
    """(in,) to (out,)."""

    needs = ("weight",)
    may = ("bias",)


class Embedding(Layer):
    """A label to its row of ``weight`` (classes, features)."""

    needs = ("weight",)


@dataclass(frozen=True)
class OneHot(Layer):
    """A label to (classes,): 1 at its place, else 0."""

    classes: int


@dataclass(frozen=True)
class Conv(Layer):
    """A convolution (cross-correlation, as both frameworks have it), zero-padded on both sides."""

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    needs = ("weight",)
    may = ("bias",)


@dataclass(frozen=True)
class ConvTranspose(Layer):
    """A transposed convolution.

    It gives (H - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1 pixels.
    """

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    output_padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    needs = ("weight",)
    may = ("bias",)


@dataclass(frozen=True)
class BatchNorm(Layer):
    """(x - running_mean) / sqrt(running_var + eps) * gamma + beta, by channel; without gamma and beta, 1 and 0."""

    eps: float = 1e-5
    needs = ("running_mean", "running_var")
    may = ("gamma", "beta")


@dataclass(frozen=True)
class InstanceNorm(Layer):
    """As BatchNorm, by channel, but with each image's own mean and biased variance."""

    eps: float = 1e-5
    may = ("gamma", "beta")


@dataclass(frozen=True)
class Reshape(Layer):
    """Another shape for the same numbers in row-major order. One size may be -1."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Permute(Layer):
    """Axes in another order: axis i of the output is axis ``axes[i]`` of the input."""

    axes: tuple[int, ...]


@dataclass(frozen=True)
class Upsample(Layer):
    """Larger by a whole factor: each pixel repeated (nearest), or bilinear between the pixels' centres."""

    scale: Pair = (2, 2)
    mode: str = "nearest"  # nearest | bilinear
    align_corners: bool = False  # bilinear: are the corner pixels' centres kept?


@dataclass(frozen=True)
class PixelShuffle(Layer):
    """(C * f * f, H, W) to (C, H * f, W * f): channel c * f * f + i * f + j becomes pixel (i, j) of each block."""

    factor: int = 2


@dataclass(frozen=True)
class Pad(Layer):
    """More pixels at the edges: zeros (constant), the edge's own (edge), or mirrored (reflect)."""

    top: int
    bottom: int
    left: int
    right: int
    mode: str = "constant"  # constant | edge | reflect


@dataclass(frozen=True)
class Crop(Layer):
    """The pixels [top : top + height, left : left + width]."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Affine(Layer):
    """x * scale + shift, with two numbers."""

    scale: float = 1.0
    shift: float = 0.0


class Add(Layer):
    """The sum of all inputs, which have one shape."""


class Multiply(Layer):
    """The product of all inputs, which have one shape."""


class Concat(Layer):
    """All inputs along their first axis: channels or features."""


class Relu(Layer):
    """max(x, 0)."""


@dataclass(frozen=True)
class LeakyRelu(Layer):
    """x where positive, else slope * x."""

    slope: float = 0.01


class PRelu(Layer):
    """LeakyRelu with slopes in an array: one for all (1,), or one a channel."""

    needs = ("slope",)


@dataclass(frozen=True)
class Elu(Layer):
    """x where positive, else alpha * (exp(x) - 1)."""

    alpha: float = 1.0


class Selu(Layer):
    """Elu scaled to keep mean 0 and variance 1 (Klambauer et al. 2017, arXiv:1706.02515)."""


class Tanh(Layer):
    """The hyperbolic tangent."""


class Sigmoid(Layer):
    """1 / (1 + exp(-x))."""


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
KINDS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        Linear, Embedding, OneHot, Conv, ConvTranspose, BatchNorm, InstanceNorm, Reshape, Permute, Upsample,
        PixelShuffle, Pad, Crop, Affine, Add, Multiply, Concat, Relu, LeakyRelu, PRelu, Elu, Selu, Tanh, Sigmoid,
    )
}  # fmt: skip


def name_of(layer: Optional[Layer]) -> str:
    """The layer's kind as tables and layouts call it."""
    return type(layer).__name__
