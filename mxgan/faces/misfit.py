"""Why an array is no set of pictures, and what makes it one."""

from __future__ import annotations

import numpy as np

from mxgan.config import SIZES
from mxgan.faces.pictures import MAX_PIXELS, MIN_SIDE

WANTED = "(N, H, W, 3), (N, 3, H, W) or grey (N, H, W)"


def misfit(shape: tuple[int, ...], dtype: np.dtype) -> str:
    """Why an array of this shape and type isn't a set of pictures, as `WANTED`, and the fix; empty if it is."""
    last = shape[-1] if shape else 0
    if dtype.kind == "O":
        return "these are Python objects, and numbers from 0 to 255 are wanted"
    if dtype.kind not in "uif":
        return "make them whole numbers from 0 to 255"
    if len(shape) == 3 and last in (3, 4):
        return "this is one picture; a set has many"
    if len(shape) not in (3, 4):
        return "this is not a set of pictures"
    if not shape[0]:
        return "it is empty"
    return _channels(shape) or _sides(shape)


def layout(shape: tuple[int, ...]) -> str:
    """NHW, NHWC or NCHW: what the axes of a set of pictures are, if `misfit` has nothing against it."""
    if len(shape) == 3:
        return "NHW"
    return "NHWC" if shape[3] in (1, 3) else "NCHW"


def other_size(has: int, size: int) -> str:
    """What to do with a set packed at ``has`` pixels where ``size`` is wanted."""
    other = f", or train with --size {has}" if has in SIZES else ""
    return f"pack the pictures again with --size {size}{other}"


def _channels(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 or shape[3] in (1, 3) or shape[1] in (1, 3):
        return ""
    if shape[3] == 4:
        return "images[..., :3] leaves the transparency out"
    if shape[1] == 4:
        return "images[:, :3] leaves the transparency out"
    return f"pictures have 3 channels, and these {min(shape[1], shape[3])}"


def _sides(shape: tuple[int, ...]) -> str:
    height, width = shape[2:] if layout(shape) == "NCHW" else shape[1:3]
    if min(height, width) < MIN_SIDE:
        return f"pictures have at least {MIN_SIDE}×{MIN_SIDE} pixels, and these {width}×{height}"
    return f"pictures have at most {MAX_PIXELS:,} pixels" if height * width > MAX_PIXELS else ""
