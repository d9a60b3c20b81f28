"""Why a .npy file isn't a packed set of faces, and what makes it one."""

from __future__ import annotations

import os

import numpy as np

from mxgan.config import SIZES

MAGIC = b"\x93NUMPY"


def broken(path: str, error: ValueError) -> str:
    """What is wrong with a .npy file that NumPy can't open as it lies; empty if the file is something else."""
    if not os.path.isfile(path):
        return ""
    with open(path, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return ""
    if "Python objects" in str(error):
        return "a .npy of Python objects, and whole numbers from 0 to 255 are wanted"
    return "a .npy that is damaged or cut off"


def misfit(images: np.ndarray, size: int) -> str:
    """Why an array isn't a set of faces of ``size`` pixels, uint8 (N, size, size, 3), and the fix; empty if it is."""
    return _shape(images.shape) or _numbers(images) or _size(images.shape, size)


def _shape(shape: tuple[int, ...]) -> str:
    last = shape[-1] if shape else 0
    if len(shape) == 3 and last in (3, 4):
        return "this is one picture; a set has many"
    if len(shape) == 3 or (len(shape) == 4 and last == 1):
        return "grey faces have three equal channels: np.repeat(images.reshape(*images.shape[:3], 1), 3, axis=3)"
    if len(shape) != 4:
        return "this is no set of pictures"
    if last != 3 and shape[1] in (1, 3, 4):
        return "the channels come last: images.transpose(0, 2, 3, 1)"
    if last == 4:
        return "images[..., :3] leaves the transparency out"
    if last != 3:
        return f"pictures have 3 channels, and these {last}"
    if not shape[0]:
        return "it is empty"
    return "" if shape[1] == shape[2] else "faces are square"


def _numbers(images: np.ndarray) -> str:
    """How numbers of another type become bytes: their range says what they mean."""
    if images.dtype == np.uint8:
        return ""
    if images.dtype.kind not in "fiu":
        return "make them whole numbers from 0 to 255"
    some = np.asarray(images[:256], np.float64)
    low, high = float(some.min()), float(some.max())
    if images.dtype.kind != "f" and low >= 0 and high <= 255:
        how = "images.astype('uint8')"
    elif low >= 0 and 1 < high <= 255:
        how = "images.round().astype('uint8')"
    elif low >= 0 and high <= 1:
        how = "(images * 255).round().astype('uint8')"
    elif low >= -1 and high <= 1:
        how = "((images + 1) * 127.5).round().astype('uint8')"
    else:
        return f"its numbers go from {low:.3g} to {high:.3g}; make them whole, from 0 to 255"
    return f"its numbers go from {low:.3g} to {high:.3g}: {how}"


def _size(shape: tuple[int, ...], size: int) -> str:
    if shape[1] == size:
        return ""
    other = f", or train with --size {shape[1]}" if shape[1] in SIZES else ""
    return f"pack the pictures again with --size {size}{other}"
