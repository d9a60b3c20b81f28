"""A decoded frame of a video as RGB, by the standards' own formulas: PyAV's versions differ in what they assume."""

from __future__ import annotations

from typing import Any

import numpy as np

SHARES = {"ITU709": (0.2126, 0.0722), "ITU601": (0.299, 0.114)}  # of red and blue in the brightness


def rgb(frame: Any, colours: str) -> np.ndarray:
    """A frame in yuv420p, 16 to 235, as uint8 (H, W, 3); each colour stands for its 2×2 pixels."""
    assert frame.format.name == "yuv420p"
    planes = [np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size) for plane in frame.planes]
    y, u, v = (plane[:, : one.width].astype(float) for plane, one in zip(planes, frame.planes))
    u, v = (plane.repeat(2, axis=0).repeat(2, axis=1)[: frame.height, : frame.width] for plane in (u, v))
    y, u, v = (y - 16) * 255 / 219, (u - 128) * 255 / 224, (v - 128) * 255 / 224
    red, blue = SHARES[colours]
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.rint(np.stack([r, g, b], axis=-1)), 0, 255).astype(np.uint8)
