"""Spectral norm of netD's convolutions (Miyato et al. 2018, arXiv:1802.05957), beside the network.

Each layer holds W/σ, so that it computes, is saved and is loaded as any other; W, which is trained, stands here. σ is
W's largest singular value by the power method, one iteration an update, as (output channels, everything else).
"""

from __future__ import annotations

import numpy as np
import torch

from mxgan import rng
from mxgan.pytorch.tensors import array, fill, trainable

TINY = 1e-12  # a vector is divided by its length, but at least by this


class SpectralNorm:
    """``weights``: W by canonical name, in place of netD's own what an optimizer updates."""

    def __init__(self, netD: torch.nn.Sequential, seed: int) -> None:
        self._layers = {name: tensor for name, tensor in trainable(netD).items() if tensor.dim() == 4}
        self._seed = seed
        self.weights = {name: torch.empty(w.shape, dtype=w.dtype, device=w.device) for name, w in self._layers.items()}
        self._u = {name: w.new_empty(len(w)) for name, w in self.weights.items()}
        self._v = {name: w.new_empty(w[0].numel()) for name, w in self.weights.items()}
        self._sigma: dict[str, torch.Tensor] = {}
        self.start()

    @torch.no_grad()
    def start(self) -> None:
        """Take netD's convolutions as they are for W, and normalise them."""
        for name, layer in self._layers.items():
            self.weights[name].copy_(layer)
            drawn = rng.normal(self._seed, f"netD.{name.partition('.')[0]}.u", tuple(self._u[name].shape))
            self._u[name].copy_(_unit(torch.from_numpy(drawn).to(self._u[name])))
        self.follow()

    @torch.no_grad()
    def follow(self) -> None:
        """Put W/σ into the layers, with u and v one iteration further: after each update of W."""
        for name, w in self.weights.items():
            matrix, u, v = w.flatten(1), self._u[name], self._v[name]
            v.copy_(_unit(matrix.t() @ u))
            u.copy_(_unit(matrix @ v))
            self._fold(name)

    @torch.no_grad()
    def pull_back(self) -> None:
        """Turn the layers' gradients, by W/σ, into those by W, in ``weights``' ``grad``; the layers' own are dropped.

        σ is a function of W too, u and v are not (section 2.1 and appendix A of the paper).
        """
        for name, layer in self._layers.items():
            u, v, sigma = self._u[name], self._v[name], self._sigma[name]
            gradient, folded = layer.grad.reshape(len(u), -1), layer.reshape(len(u), -1)
            by_weight = (gradient - (gradient * folded).sum() * torch.outer(u, v)) / sigma
            self.weights[name].grad, layer.grad = by_weight.reshape(layer.shape), None

    def arrays(self) -> dict[str, np.ndarray]:
        """<layer>.weight (W), <layer>.u and <layer>.v: all that `load` needs to go on bit for bit."""
        return {name: array(tensor) for name, tensor in self._tensors().items()}

    @torch.no_grad()
    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from what `arrays` gave, here or on another engine. Raises ParamsError where it doesn't fit."""
        fill(self._tensors(), arrays, "spectral")
        for name in self.weights:
            self._fold(name)

    def _tensors(self) -> dict[str, torch.Tensor]:
        both = (("u", self._u), ("v", self._v))
        vectors = {f"{name.partition('.')[0]}.{word}": x for word, many in both for name, x in many.items()}
        return {**self.weights, **vectors}

    def _fold(self, name: str) -> None:
        w = self.weights[name]
        self._sigma[name] = sigma = torch.dot(self._u[name], w.flatten(1) @ self._v[name])
        self._layers[name].copy_(w / sigma)


def _unit(x: torch.Tensor) -> torch.Tensor:
    return x / x.norm().clamp(min=TINY)
