"""Strides and paddings that published generators use, with a cost for how unusual each is.

A weights file holds kernels, not strides. Most layers double the image or keep it; the costs order the rest, so that a
search can try likely ones first. They were set by the networks in known.json and measured by benchmarks/published.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from mxgan.graph.layers import Conv, ConvTranspose, Layer

COMMON_SIZES = {64: 0.0, 32: 0.0, 28: 0.0, 128: 0.3, 16: 0.6, 256: 0.5, 96: 0.1, 48: 0.8, 512: 0.8, 8: 1.5}
OTHER_SIZE = 4.0

# kernel -> (stride, padding, output padding, cost)
_TRANSPOSED: dict[int, tuple[tuple[int, int, int, float], ...]] = {
    1: ((1, 0, 0, 0.0),),
    2: ((2, 0, 0, 0.0), (1, 0, 0, 2.0), (2, 1, 0, 2.2)),
    3: ((2, 1, 1, 0.4), (1, 1, 0, 0.6), (2, 1, 0, 0.8), (2, 0, 0, 1.2), (1, 0, 0, 1.6)),
    4: ((2, 1, 0, 0.0), (1, 0, 0, 1.6), (2, 0, 0, 1.8), (2, 2, 0, 2.5), (4, 0, 0, 2.5), (2, 2, 1, 2.6)),
    5: ((2, 2, 1, 0.2), (1, 2, 0, 0.8), (2, 2, 0, 1.6), (2, 1, 0, 1.8), (1, 0, 0, 1.8), (2, 0, 0, 2.0)),
    6: ((2, 2, 0, 0.2), (1, 0, 0, 2.0), (4, 1, 0, 2.0), (2, 0, 0, 2.0)),
    7: ((1, 3, 0, 0.6), (2, 3, 1, 0.8), (1, 0, 0, 2.0), (2, 0, 0, 2.2)),
    8: ((4, 2, 0, 0.3), (2, 3, 0, 0.4), (2, 0, 0, 1.8), (1, 0, 0, 2.2)),
}
# kernel -> (padding, cost), stride 1
_PLAIN: dict[int, tuple[tuple[int, float], ...]] = {
    1: ((0, 0.0),),
    2: ((0, 1.0), (1, 1.5)),
    3: ((1, 0.0), (0, 1.6), (2, 2.2)),
    4: ((0, 1.0), (1, 1.0), (2, 1.4)),
    5: ((2, 0.0), (0, 1.6), (1, 2.0)),
    7: ((3, 0.0), (0, 1.6)),
    9: ((4, 0.0),),
}


def transposed(
    weight: tuple[int, ...], image: tuple[int, ...], before: Optional[int] = None
) -> Iterator[tuple[Layer, float]]:
    """Settings for a transposed convolution with a weight of this shape, of such an image, with their costs.

    ``before``: the kernel of the one before it.
    """
    kernel = weight[2:]
    if kernel == (5, 5) and before == 4:  # the last layer of 96 pixels, as in chenyuntc/pytorch-book's AnimeGAN
        yield ConvTranspose((3, 3), (1, 1)), 0.0
    if image[1:] == (1, 1):  # a stride changes nothing here
        yield ConvTranspose(), 0.0
        if kernel == (4, 4):
            yield ConvTranspose((2, 2), (1, 1)), 3.0
        return
    if kernel[0] != kernel[1]:
        yield ConvTranspose((1, 1), (kernel[0] // 2, kernel[1] // 2)), 2.0
        return
    for stride, padding, more, cost in _TRANSPOSED.get(kernel[0], ((1, 0, 0, 2.0),)):
        yield ConvTranspose((stride, stride), (padding, padding), (more, more)), cost


def plain(weight: tuple[int, ...]) -> Iterator[tuple[Layer, float]]:
    """Settings for a convolution with a weight of this shape, with their costs."""
    kernel = weight[2:]
    if kernel[0] != kernel[1]:
        yield Conv((1, 1), (kernel[0] // 2, kernel[1] // 2)), 1.0
        return
    for padding, cost in _PLAIN.get(kernel[0], ((kernel[0] // 2, 0.5),)):
        yield Conv((1, 1), (padding, padding)), cost


def of_size(height: int, width: int) -> float:
    """How unusual images of this size are."""
    return COMMON_SIZES.get(height, OTHER_SIZE) if height == width else OTHER_SIZE + 1
