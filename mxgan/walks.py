"""Latents between latents, and nearer to the middle: what walks, truncation and "more like this" are made of.

The page's JavaScript computes the same (mxgan/page/site/): change both.
"""

from __future__ import annotations

import numpy as np

from mxgan import checks
from mxgan.errors import MxganError

PARALLEL = 1e-6  # sine of the angle below which two latents have one direction: the great circle is not defined


def truncated(z: np.ndarray, truncation: float) -> np.ndarray:
    """Latents, float (n, latent), drawn towards the middle of their distribution: ``z * truncation``, float32.

    1 leaves them as they are; lower values give more usual faces that differ less. It is StyleGAN's truncation (Karras
    et al. 2019, appendix B) in the latent itself, whose mean is 0. Raises SettingError outside 0 < truncation <= 1.
    """
    checks.truncation(truncation)
    return np.asarray(z, np.float32) * np.float32(truncation)


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray | float) -> np.ndarray:
    """Points on the great circle from latent a to latent b, each float (latent,): float32 (*t.shape, latent).

    ``t`` is 0 at a, 1 at b. Normal latents lie near a sphere, which the straight line leaves: its middle is shorter
    than nearly any latent that netG was trained on (White 2016, "Sampling generative networks"). Latents of one
    direction, or of opposite ones, have no circle of their own: the straight line joins them. Computed in float64.
    Raises MxganError for latents of different or other shapes.
    """
    a, b, t = _ends(a, b, t)
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    cosine = float(np.clip(a @ b / lengths, -1, 1)) if lengths > 0 else 1.0
    angle = np.arccos(cosine)
    if np.sin(angle) < PARALLEL:
        return ((1 - t) * a + t * b).astype(np.float32)
    return ((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)).astype(np.float32)


def lerp(a: np.ndarray, b: np.ndarray, t: np.ndarray | float) -> np.ndarray:
    """Points on the straight line from latent a to latent b: as `slerp`, and in float64 too."""
    a, b, t = _ends(a, b, t)
    return ((1 - t) * a + t * b).astype(np.float32)


def through(latents: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Points of a walk from each latent to the next, by `slerp`: float32 (n, latent).

    ``latents``: float (stations, latent), two or more. ``at``: float (n,), from 0 to stations - 1; 1.5 is half-way
    between the second and the third. Raises MxganError for fewer latents.
    """
    if len(latents) < 2:
        raise MxganError(f"a walk of {len(latents)} latents: it takes two or more")
    legs = np.minimum(np.asarray(at).astype(int), len(latents) - 2)
    return np.stack([slerp(latents[leg], latents[leg + 1], place - leg) for leg, place in zip(legs, at)])


def _ends(a: np.ndarray, b: np.ndarray, t: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise MxganError(f"latents of shapes {a.shape} and {b.shape}: two of (latent,) are wanted")
    return a, b, np.asarray(t, np.float64)[..., None]
