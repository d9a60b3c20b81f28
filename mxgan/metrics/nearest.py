"""Is netG memorising? The generated faces nearest to a real one, each beside its nearest real faces."""

from __future__ import annotations

import numpy as np

from mxgan import plots
from mxgan.metrics.prdc import neighbours

ROWS, COLUMNS = 10, 7  # of the picture, without the column of generated faces


def find(fake: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The `ROWS` generated features (m, d) nearest to any real one (n, d), the nearest first: their places (rows,), and
    those of their nearest real ones, the nearest first (rows, `COLUMNS`).
    """
    distances, places = neighbours(fake, real, min(COLUMNS, len(real)))
    rows = np.argsort(distances[:, 0], kind="stable")[:ROWS]
    return rows, places[rows]


def sheet(fake: np.ndarray, real: np.ndarray) -> np.ndarray:
    """One picture, a row for each of ``fake`` (rows, S, S, 3): it, then its real ones (rows, columns, S, S, 3)."""
    rows = np.concatenate([fake[:, None], real], axis=1)
    return plots.grid(rows.reshape(-1, *fake.shape[1:]), columns=rows.shape[1])
