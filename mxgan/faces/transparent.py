"""The transparent colour of a PNG (its tRNS chunk), compared with the samples as the file has them.

PNG, second edition, 11.3.2.1: "only pixels matching the entire 16-bit values in tRNS chunks are transparent", before
any rescaling, and of a chunk's value as many low bits count as a sample has. Pillow compares what it has already
rescaled: it clips 16-bit grey at 255, keeps the high byte of 16-bit colour, and widens 2- and 4-bit grey to 8 bits.
"""

from __future__ import annotations

from typing import Optional

import cv2
import numpy as np
from PIL import ImageFile


def transparent(picture: ImageFile.ImageFile, data: bytes) -> Optional[np.ndarray]:
    """Which pixels of a picture, opened from ``data`` but not yet decoded, have the transparent colour: bool (H, W).

    None where it has none, or one that Pillow compares rightly. Raises ValueError for 16-bit colour that OpenCV, which
    keeps all its bits, can't read.
    """
    key = picture.info.get("transparency")
    if picture.format != "PNG" or key is None:
        return None
    stored = picture.tile[0][3]  # how the samples are packed: I;16B, RGB;16B, L;4, ...
    if picture.mode.startswith("I"):
        return np.asarray(picture) == key
    if stored in ("L;2", "L;4"):
        most = 2 ** int(stored[2:]) - 1
        return np.asarray(picture) == (key & most) * (255 // most)
    if stored == "RGB;16B":
        picture.load()  # first, as it says what is wrong with a damaged file
        how = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), how)
        if samples is None or samples.dtype != np.uint16 or samples.shape != (picture.height, picture.width, 3):
            raise ValueError("16-bit colour with a transparent one that can't be read: save it with 8 bits")
        return (samples == np.array(key[::-1], np.uint16)).all(-1)  # OpenCV's order is BGR
    return None
