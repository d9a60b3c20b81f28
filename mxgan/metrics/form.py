"""Form and colours of pictures as numbers, without a trained network; needs only NumPy and OpenCV.

Histograms of oriented gradients (Dalal & Triggs 2005, "Histograms of Oriented Gradients for Human Detection"): which
edges each part of a picture has, whatever their contrast; and the picture's colours, shrunk to 8×8 pixels.
"""

from __future__ import annotations

import numpy as np

from mxgan.pixels import resized

SIDE = 64  # pixels on a side that a picture is resized to
CELL = 8  # pixels on a side of one histogram; of one colour too
BINS = 9  # of the directions of an edge, half a turn
BLOCK = 2  # cells on a side that are normalised together
MOST = 0.2  # of a block's length: larger numbers are cut to this, so that no single edge dominates
FAINT = 0.1  # contrast, of 1 from black to white, below which edges fade out
CELLS = SIDE // CELL
LENGTH = CELLS * CELLS * (BINS + 3)
BATCH = 64  # pictures at a time


def describe(images: np.ndarray) -> np.ndarray:
    """Features, float32 (n, 768), of images, uint8 (n, S, S, 3): histograms of edges first, colours in [0, 1] last."""
    found = np.empty((len(images), LENGTH), np.float32)
    for first in range(0, len(images), BATCH):
        batch = resized(images[first : first + BATCH], SIDE)
        found[first : first + BATCH] = np.concatenate([_edges(batch), _colours(batch)], axis=1)
    return found


def _edges(images: np.ndarray) -> np.ndarray:
    grey = np.pad(images @ np.array([0.299, 0.587, 0.114], np.float32) / 255, ((0, 0), (1, 1), (1, 1)), mode="edge")
    down, right = grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1], grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
    strength, direction = np.hypot(down, right), np.arctan2(down, right) * np.float32(BINS / np.pi)
    cells = np.empty((len(images), CELLS, CELLS, BINS), np.float32)
    for one in range(BINS):  # a direction between two bins counts for both
        apart = np.abs((direction - one + BINS / 2) % BINS - BINS / 2)
        votes = strength * np.maximum(0, 1 - apart)
        cells[..., one] = votes.reshape(-1, CELLS, CELL, CELLS, CELL).mean((2, 4))
    blocks = CELLS // BLOCK
    cells = (
        cells.reshape(-1, blocks, BLOCK, blocks, BLOCK, BINS)
        .swapaxes(2, 3)
        .reshape(-1, blocks * blocks, BLOCK * BLOCK * BINS)
    )
    lengths = np.sqrt((cells**2).sum(-1, keepdims=True) + np.float32((FAINT / BINS) ** 2))
    return np.minimum(cells / lengths, MOST).reshape(len(images), -1)


def _colours(images: np.ndarray) -> np.ndarray:
    return resized(images, CELLS).reshape(len(images), -1) / np.float32(255)
