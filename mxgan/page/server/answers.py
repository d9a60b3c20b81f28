"""Pictures as the bytes of an answer."""

from __future__ import annotations

import io

import cv2
import numpy as np

from mxgan import pixels


def png(image: np.ndarray) -> bytes:
    """One picture, uint8 (h, w, 3) or (h, w, 4), as a PNG.

    OpenCV writes it in half Pillow's time. Faces are too noisy for zlib to find repetitions in, so it looks
    for runs alone: faster again, and no larger.
    """
    swapped = cv2.cvtColor(image, cv2.COLOR_RGB2BGR if image.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    how = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return cv2.imencode(".png", swapped, how)[1].tobytes()


def gif(images: np.ndarray, ms: int) -> bytes:
    """Pictures uint8 (n, h, w, channels) as a GIF that repeats, each shown for ``ms`` milliseconds."""
    from PIL import Image

    first, *others = (Image.fromarray(image) for image in pixels.on_white(images))
    data = io.BytesIO()
    first.save(data, "GIF", save_all=True, append_images=others, duration=ms, loop=0)
    return data.getvalue()


def sized(images: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pictures uint8 (n, h, w, channels) in ``shape`` (h, w): area averages to shrink, bilinear to enlarge."""
    if images.shape[1:3] == shape:
        return images
    how = cv2.INTER_AREA if images.shape[1] > shape[0] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(image, shape[::-1], interpolation=how) for image in images])
