"""Numbers to pixels and back, with the only rounding in the program; and resizing."""

from __future__ import annotations

import numpy as np


def to_uint8(y: np.ndarray) -> np.ndarray:
    """Images in [-1, 1], float (n, channels, H, W), as uint8 (n, H, W, channels).

    ``clip(rint((y + 1) * 127.5), 0, 255)`` in the input's own precision. Every engine uses it.
    """
    return np.ascontiguousarray(np.clip(np.rint((y + 1) * 127.5), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1))


def on_white(images: np.ndarray) -> np.ndarray:
    """Images uint8 (n, H, W, 4) with transparency as (n, H, W, 3) on white; those without as they are."""
    if images.shape[-1] != 4:
        return images
    alpha = images[..., 3:].astype(np.float32) / 255
    return np.rint(images[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """Square images uint8 (n, S, S, 3) at another size: area averages to shrink, bilinear to enlarge, both OpenCV's."""
    if images.shape[1] == side:
        return images
    import cv2

    how = cv2.INTER_AREA if images.shape[1] > side else cv2.INTER_LINEAR
    return np.stack([cv2.resize(image, (side, side), interpolation=how) for image in images])


def from_uint8(images: np.ndarray) -> np.ndarray:
    """Images uint8 (n, H, W, channels) as float32 (n, channels, H, W) in [-1, 1]: x / 127.5 - 1."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(127.5) - np.float32(1)
