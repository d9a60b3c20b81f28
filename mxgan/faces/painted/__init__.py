"""Anime-like faces drawn by code: any number, the same for the same seed on every machine.

pictures = faces(6000, seed=0)               # uint8 (6000, 64, 64, 3), RGB
picture, factors = face(0, 17)               # the same as pictures[17], and what is in it
paint(replace(factors, hair_colour="pink"))  # the same face with one thing changed
"""

from __future__ import annotations

import numpy as np

from ...errors import MxganError
from .factors import CHOICES, Factors, draw_factors
from .scene import check_size, paint

__all__ = ["CHOICES", "Factors", "draw_factors", "face", "faces", "paint"]


def face(seed: int, index: int, size: int = 64) -> tuple[np.ndarray, Factors]:
    """Face ``index`` of ``seed``: uint8 RGB (size, size, 3), and its factors."""
    factors = draw_factors(seed, index)
    return paint(factors, size), factors


def faces(n: int, seed: int = 0, size: int = 64, first: int = 0) -> np.ndarray:
    """Faces ``first`` .. ``first + n - 1`` of ``seed``: uint8 RGB (n, size, size, 3).

    A face depends on seed, index and size alone. Raises MxganError for n < 1, first < 0, a seed outside
    0 .. 2**63 - 1 or an unknown size.
    """
    if n < 1:
        raise MxganError(f"painted faces: n is {n}, but at least 1 is needed")
    if first < 0:
        raise MxganError(f"painted faces: first is {first}, but faces are numbered from 0")
    if not 0 <= seed < 2**63:
        raise MxganError(f"painted faces: seed {seed} is out of range: 0 to {2**63 - 1}")
    check_size(size)
    pictures = np.empty((n, size, size, 3), np.uint8)
    for i in range(n):
        pictures[i] = paint(draw_factors(seed, first + i), size)
    return pictures
