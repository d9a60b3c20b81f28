"""What beside the tutorial's step may be asked of it, in NumPy, float64: augmentation, spectral norm, an average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mxgan import rng

NO_CHANGES = (None, None, None)


def changed(x, one):
    """Images (n, 3, S, S) as a `mxgan.recipe.augment.Augmentation` says."""
    if one is None:
        return x
    if one.color is not None:
        mean = x.mean((1, 2, 3), keepdims=True)
        y = np.einsum("noc,nchw->nohw", one.color.astype(np.float64), x)
        x = y + numbers(one.brightness) + (1 - numbers(one.contrast)) * mean
    if one.rows is not None:
        x = np.einsum("nij,ncjk,nkl->ncil", one.rows, x, one.columns)
    return x if one.mask is None else x * one.mask


def changed_back(gradient, one):
    """The gradient by what `changed` was given, of the gradient by what it returned."""
    if one is None:
        return gradient
    if one.mask is not None:
        gradient = gradient * one.mask
    if one.rows is not None:
        gradient = np.einsum("nij,ncil,nkl->ncjk", one.rows, gradient, one.columns)
    if one.color is not None:
        of_mean = (1 - numbers(one.contrast)) * gradient.sum((1, 2, 3), keepdims=True) / gradient[0].size
        gradient = np.einsum("noc,nohw->nchw", one.color.astype(np.float64), gradient) + of_mean
    return gradient


def numbers(one_each):
    """One number an image, float64 (n, 1, 1, 1)."""
    return one_each.astype(np.float64)[:, None, None, None]


class Spectral:
    """netD's convolutions divided by their largest singular value, as the power method knows it."""

    def __init__(self, netD, weights: dict[str, np.ndarray], seed: int) -> None:
        """``weights``: W by canonical name; they become W/sigma in ``netD``."""
        self.weights = {name: w.astype(np.float64) for name, w in weights.items()}
        self.u = {
            name: rng.normal(seed, f"netD.{name.split('.')[0]}.u", (len(w),)).astype(np.float64)
            for name, w in weights.items()
        }
        self.v, self.sigma = {}, {}
        self._iterate(netD)

    def adam(self, netD, gradients) -> None:
        for name, w in self.weights.items():
            by_folded, uv = gradients[name], np.outer(self.u[name], self.v[name]).reshape(w.shape)
            # of L(W / sigma(W)), where d sigma / d W = u v'
            by_weight = by_folded / self.sigma[name] - (by_folded * w).sum() / self.sigma[name] ** 2 * uv
            gradients, netD.arrays[name] = {**gradients, name: by_weight}, w
        netD.adam(gradients)
        self.weights = {name: netD.arrays[name] for name in self.weights}
        self._iterate(netD)

    def _iterate(self, netD) -> None:
        for name, w in self.weights.items():
            matrix = w.reshape(len(w), -1)
            v = matrix.T @ self.u[name]
            self.v[name] = v / np.linalg.norm(v)
            u = matrix @ self.v[name]
            self.sigma[name] = np.linalg.norm(u)  # u normalised, times itself
            self.u[name] = u / self.sigma[name]
            netD.arrays[name] = w / self.sigma[name]


class Average:
    """netG's weights, averaged with a half-life in images that is at most a share of the images seen."""

    def __init__(self, netG, half_life: float, rampup: float) -> None:
        self.arrays = dict(netG.arrays)
        self.half_life, self.rampup, self.images = half_life, rampup, 0

    def follow(self, netG, batch: int) -> None:
        self.images += batch
        kept = 0.5 ** (batch / min(self.half_life, self.rampup * self.images))
        for name, array in netG.arrays.items():
            if "running" not in name:
                self.arrays[name] = kept * self.arrays[name] + (1 - kept) * array


@dataclass(frozen=True)
class Options:
    """How a step differs from the tutorial's."""

    loss: str = "bce"
    label_smoothing: float = 0.0
    spectral: Optional[Spectral] = None
    average: Optional[Average] = None


PLAIN = Options()
