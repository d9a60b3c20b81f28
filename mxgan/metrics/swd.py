"""Sliced Wasserstein distance of patches, per level of a Laplacian pyramid; needs only NumPy and OpenCV.

After Karras et al. 2017, "Progressive Growing of GANs" (arXiv:1710.10196, appendix B) and its published code: patches
of 7×7 pixels, each set normalised by its own mean and deviation per channel, projected onto random directions; the
mean distance of the sorted projections, times 1e3. The finest level is about texture, 16×16 about the whole face.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mxgan import rng
from mxgan.errors import MxganError

COARSEST = 16  # pixels on a side of the last level
SIDE = 7  # of a patch
LENGTH = 3 * SIDE * SIDE  # numbers in a patch
PER_IMAGE = 32  # patches of each image at each level; the paper's 128 overlap so much that they add little
MOST = 2**16  # patches of a level at most, so that memory is bounded for any number of images
DIRECTIONS = 128  # 4 × 128 in the paper
BATCH = 64  # images at a time; part of the definition, as patches are drawn by batch


@dataclass(frozen=True)
class Projections:
    """One set's patches, projected and sorted, which is all that a comparison needs. Made by `project`."""

    levels: dict[int, np.ndarray]  # by the level's size in pixels: float32 (directions, patches), rows ascending
    seed: int


def levels(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> dict[int, float]:
    """SWD × 1e3 by level, {64: ..., 32: ..., 16: ...} for S = 64, of two sets of n images, uint8 (n, S, S, 3).

    ``seed`` decides the patches and directions. Raises MxganError for sets of different n or size.
    """
    return distances(project(real, seed), project(fake, seed))


def project(images: np.ndarray, seed: int = 0) -> Projections:
    """One side of `levels`: images uint8 (n, S, S, 3), S = 16, 32, 64, ...; n > 0."""
    per_image = patches_per_image(len(images))
    parts = [patches(images[first : first + BATCH], seed, first, per_image) for first in range(0, len(images), BATCH)]
    return project_patches(parts, seed)


def distances(one: Projections, other: Projections) -> dict[int, float]:
    """SWD × 1e3 of two projected sets, by level. Raises MxganError where they can't be compared."""
    shapes = [{size: rows.shape for size, rows in side.levels.items()} for side in (one, other)]
    if shapes[0] != shapes[1] or one.seed != other.seed:
        raise MxganError("sliced Wasserstein distance: both sets need the same number and size of images, and one seed")
    return {size: _mean_gap(rows, other.levels[size]) * 1e3 for size, rows in one.levels.items()}


def patches_per_image(n: int) -> int:
    """How many patches of each of n images are taken: `PER_IMAGE`, fewer where that would be more than `MOST`."""
    if n < 1:
        raise MxganError("sliced Wasserstein distance: no images")
    return max(1, min(PER_IMAGE, MOST // n))


def patches(images: np.ndarray, seed: int, first: int, per_image: int) -> dict[int, np.ndarray]:
    """Random patches of a batch whose first image is number ``first`` of its set: by level, float32 (·, 147).

    Each patch is (channel, row, column), in levels of 0 to 255. Where they lie depends on seed, level and ``first``.
    """
    found = {}
    for level in pyramid(images):
        size = level.shape[1]
        random = rng.generator(seed, f"swd patches {size}", first)
        top, left = random.integers(0, size - SIDE + 1, (2, len(level), per_image))
        windows = np.lib.stride_tricks.sliding_window_view(level, (SIDE, SIDE), axis=(1, 2))  # type: ignore[call-overload]  # NumPy 1.x types one axis only
        found[size] = windows[np.arange(len(level))[:, None], top, left].reshape(-1, LENGTH)
    return found


def project_patches(parts: list[dict[int, np.ndarray]], seed: int) -> Projections:
    """Normalise, project and sort the patches of all batches of a set (`patches`, in order)."""
    found = {}
    for size in parts[0]:
        normal = normalised(np.concatenate([part[size] for part in parts]))
        projected = directions(seed, size) @ normal.T
        projected.sort(axis=1)
        found[size] = projected
    return Projections(found, seed)


def normalised(found: np.ndarray) -> np.ndarray:
    """Patches (n, 147) minus the set's mean and over its standard deviation, each of the three channels alone."""
    channels = found.reshape(len(found), 3, -1)
    mean = channels.mean(axis=(0, 2), dtype=np.float64, keepdims=True)
    spread = channels.std(axis=(0, 2), dtype=np.float64, keepdims=True)
    spread[spread == 0] = 1  # a set without any contrast is 0 everywhere
    return ((channels - mean.astype(np.float32)) / spread.astype(np.float32)).reshape(found.shape)


def directions(seed: int, size: int) -> np.ndarray:
    """The unit vectors patches of a level are projected on: float32 (DIRECTIONS, 147)."""
    drawn = rng.generator(seed, f"swd directions {size}").standard_normal((DIRECTIONS, LENGTH))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def pyramid(images: np.ndarray) -> Iterator[np.ndarray]:
    """The Laplacian pyramid of uint8 images (n, S, S, 3), finest level first: float32 (n, s, s, 3).

    Burt & Adelson's 5×5 binomial filter with mirrored borders; the last level, of 16 pixels, is the image made small.
    """
    size = images.shape[1] if images.ndim == 4 else 0
    if images.shape[1:] != (size, size, 3) or size < COARSEST or size & (size - 1):
        raise MxganError(
            f"sliced Wasserstein distance: images of shape {images.shape}, (n, S, S, 3) is wanted, S = 2^k"
        )
    fine = images.astype(np.float32)
    while size > COARSEST:
        coarse = np.stack([cv2.pyrDown(image) for image in fine])
        yield fine - np.stack([cv2.pyrUp(image) for image in coarse])
        fine, size = coarse, size // 2
    yield fine


def _mean_gap(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of sorted rows: the 1-D Wasserstein distance, averaged over directions; a row at a time."""
    return float(np.mean([np.abs(a - b).mean(dtype=np.float64) for a, b in zip(one, other)]))
