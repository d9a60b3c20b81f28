"""Real images to train on: the painted faces, at any size, in grey, RGB or RGBA."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image

from mxgan.faces.painted import faces


@cache
def painted(n: int, size: int) -> np.ndarray:
    """Faces 0 .. n - 1, uint8 (n, size, size, 3)."""
    at = next((s for s in (32, 64, 128) if s >= size), 128)
    rgb = faces(n, seed=0, size=at)
    if at != size:
        rgb = np.stack([np.asarray(Image.fromarray(x).resize((size, size), Image.Resampling.LANCZOS)) for x in rgb])
    return rgb


def reals(n: int, size: int, channels: int, classes: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images, float32 (n, channels, size, size) in 0..1, and labels, int64 (n,).

    Labels go round the classes; each class has its own tint, so that a label can be learned. Alpha is 1 in the middle
    and 0 in the corners.
    """
    images = painted(n, size).transpose(0, 3, 1, 2).astype(np.float32) / 255
    labels = np.arange(n, dtype=np.int64) % max(classes, 1)
    if classes:
        tints = np.random.default_rng(1).uniform(0.2, 1, (classes, 3, 1, 1)).astype(np.float32)
        images = images * tints[labels]
    if channels == 1:
        images = images.mean(axis=1, keepdims=True)
    if channels == 4:
        y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
        alpha = np.broadcast_to(x * x + y * y < 1.2, (n, 1, size, size)).astype(np.float32)
        images = np.concatenate([images, alpha], axis=1)
    return images, labels
