"""DiffAugment as numbers and 0/1 matrices that an engine multiplies images with.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training" (arXiv:2006.10738): netD sees real and
fake images through the same kinds of random change, and netG's gradients flow through the changes. The random numbers
become NumPy arrays here, so that both engines change the same images in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mxgan import rng
from mxgan.config import RunConfig

SHIFT = 1 / 8  # of the image's side: the largest translation in each direction
CUT = 1 / 2  # of the image's side: the square that cutout sets to 0
NUMBERS = (
    7  # random ones an image: 3 for color, 2 each for translation and cutout; all are drawn, even if not all are used
)
BATCHES = 3  # a step: netD's real and fake images, and the fake images of netG's step


@dataclass(frozen=True)
class Augmentation:
    """One batch's changes: float32 arrays for n images of S×S pixels; None for a part that is switched off.

    In this order: y = color · x + brightness + (1 - contrast) · mean(x), over the three channels, where the mean is
    that of the whole image; then rows · y · columns on each channel; then mask times that.
    """

    color: Optional[np.ndarray] = None  # (n, 3, 3): out, in
    brightness: Optional[np.ndarray] = None  # (n,)
    contrast: Optional[np.ndarray] = None  # (n,)
    rows: Optional[np.ndarray] = None  # (n, S, S), 0 or 1
    columns: Optional[np.ndarray] = None  # (n, S, S), 0 or 1
    mask: Optional[np.ndarray] = None  # (n, 1, S, S), 0 or 1


def draw(config: RunConfig, step: int) -> Optional[tuple[Augmentation, Augmentation, Augmentation]]:
    """The changes of one step, to netD's real batch, its fake batch and netG's; None without augmentation."""
    if not config.augment:
        return None
    numbers = rng.fractions(config.seed, "augmentation", step, (BATCHES, NUMBERS, config.batch_size))
    parts = config.augment.split(",")
    real, fake, for_netG = (_augmentation(parts, config.size, batch) for batch in numbers)
    return real, fake, for_netG


def mirrored(config: RunConfig, step: int, images: np.ndarray) -> np.ndarray:
    """A step's real images, uint8 NHWC; with ``flip``, each is mirrored with probability 1/2."""
    if not config.flip:
        return images
    chosen = rng.fractions(config.seed, "flip", step, (len(images),)) < 0.5
    changed = images.copy()
    changed[chosen] = np.take(images[chosen], np.arange(images.shape[2])[::-1], axis=2)
    return changed


def _augmentation(parts: list[str], size: int, numbers: np.ndarray) -> Augmentation:
    """``numbers``: (NUMBERS, n), uniform in [0, 1)."""
    arrays = {}
    if "color" in parts:
        arrays.update(_color(*numbers[:3]))
    if "translation" in parts:
        most = int(size * SHIFT + 0.5)
        down, right = _whole(numbers[3:5], 2 * most + 1) - most
        arrays.update(
            rows=_shifted(size, down, most), columns=_shifted(size, -right, most)
        )  # minus, as it multiplies from the other side
    if "cutout" in parts:
        cut = int(size * CUT + 0.5)
        first = _whole(numbers[5:7], size + 1 - cut % 2) - cut // 2  # row, column; part of the square may be outside
        place = np.arange(size) - first[:, :, None]
        rows, columns = ((place >= 0) & (place < cut)).astype(np.float32)
        arrays.update(mask=1 - rows[:, None, :, None] * columns[:, None, None, :])
    return Augmentation(**arrays)


def _color(lighter: np.ndarray, colorful: np.ndarray, contrasting: np.ndarray) -> dict[str, np.ndarray]:
    """Brightness x + r - 0.5; saturation by 2r about the mean of the channels; contrast by r + 0.5 about that of all.

    Brightness commutes with the other two, and saturation leaves the mean as it is, so they are one linear map.
    """
    one, three = np.float32(1), np.float32(3)
    saturation, contrast = 2 * colorful, contrasting + np.float32(0.5)
    grey = np.full((3, 3), one / three)
    matrix = saturation[:, None, None] * np.eye(3, dtype=np.float32) + (one - saturation)[:, None, None] * grey
    color = contrast[:, None, None] * matrix
    return {"color": color, "brightness": lighter - np.float32(0.5), "contrast": contrast}


def _shifted(size: int, by: np.ndarray, most: int) -> np.ndarray:
    """Matrices (n, size, size): the product with a column of pixels has at i the pixel i + by, or 0 beyond the edge."""
    every = np.eye(size + 2 * most, size, -most, np.float32)  # the matrices of all shifts, stacked
    return every[(by + most)[:, None] + np.arange(size)]


def _whole(fractions: np.ndarray, n: int) -> np.ndarray:
    """Numbers uniform in [0, 1) as whole numbers from 0 to n - 1."""
    return np.floor(fractions * np.float32(n)).astype(np.int64).clip(max=n - 1)
