"""MS-SSIM of random pairs: how alike generated faces are. The same number for real faces says how alike they should be.

Wang et al. 2003, "Multi-scale structural similarity", as Odena et al. 2017 (arXiv:1610.09585) and Karras et al. 2017
measure diversity with it: five scales, Gaussian windows of 11 pixels (deviation 1.5), smaller where the image is,
colour channels alike.
"""

from __future__ import annotations

import cv2
import numpy as np

from mxgan.errors import MxganError
from mxgan.words import counted

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, SPREAD = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
MOST = 2000  # images that are compared, two and two
LEAST = 2  # images
SMALLEST = 16  # pixels on a side: one pixel at the last scale


def diversity(images: np.ndarray) -> float:
    """The mean MS-SSIM of images 0 and 1, 2 and 3, ...: uint8 (n, H, W, 3) in random order, from 0 to 1 (all alike).

    Raises MxganError for fewer than two images or smaller than `SMALLEST`.
    """
    if len(images) < LEAST:
        raise MxganError(f"MS-SSIM: {counted(len(images), 'image')}, no pair; at least {LEAST}")
    pairs = zip(images[0:MOST:2], images[1:MOST:2])
    return float(np.mean([msssim(one, other) for one, other in pairs]))


def msssim(one: np.ndarray, other: np.ndarray) -> float:
    """MS-SSIM of two images, uint8 (H, W, 3), sides divisible by 16: 1 for the same, no less than 0."""
    if one.shape != other.shape or min(one.shape[:2]) < SMALLEST:
        raise MxganError(f"MS-SSIM: images {one.shape} and {other.shape}: one size, at least {SMALLEST} pixels a side")
    x: np.ndarray = one.astype(np.float64)
    y: np.ndarray = other.astype(np.float64)
    product = 1.0
    for weight in WEIGHTS[:-1]:
        product *= max(0.0, _ssim(x, y)[1]) ** weight
        x, y = (_halved(image) for image in (x, y))
    return product * max(0.0, _ssim(x, y)[0]) ** WEIGHTS[-1]


def _halved(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _ssim(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Mean SSIM, and its part of contrast and structure, wherever the whole window fits."""
    kernel = _window(min(WINDOW, *x.shape[:2]))
    x_mean, y_mean, xx, yy, xy = (_filtered(image, kernel) for image in (x, y, x * x, y * y, x * y))
    both = x_mean * y_mean
    squares = x_mean**2 + y_mean**2
    contrast = (2 * (xy - both) + C2) / (xx + yy - squares + C2)
    return float(((2 * both + C1) / (squares + C1) * contrast).mean()), float(contrast.mean())


def _window(size: int) -> np.ndarray:
    """A Gaussian of ``size`` pixels, whose deviation shrinks with it: sums to 1."""
    places = np.arange(size) - (size - 1) / 2
    window = np.exp(-(places**2) / (2 * (SPREAD * size / WINDOW) ** 2))
    return window / window.sum()


def _filtered(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    size = len(kernel)
    whole = cv2.sepFilter2D(image, -1, kernel, kernel, anchor=(0, 0))  # the window begins at each pixel
    return whole[: image.shape[0] - size + 1, : image.shape[1] - size + 1]
