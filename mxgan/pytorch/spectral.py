"""Spectral norm (Miyato et al. 2018, arXiv:1802.05957) outside the graph: netD itself holds W/sigma.

So netD computes, is saved and is loaded as any other; W, which is trained, stands here. W counts as a matrix of
(channels out) × (all else). Its largest singular value sigma is followed by one power iteration an update, as in the
paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from mxgan import rng
from mxgan.pytorch.tensors import fill, to_array, to_tensor, trainable


class SpectralNorm:
    """Keeps W of netD's convolutions, whose parameters are W/sigma from now on. With ``on`` False it does nothing.

    A step is: forward and backward with W/sigma; `pull_back`; and ``with unfolded()``, the optimizer's update of W.
    """

    def __init__(self, netD: torch.nn.Sequential, seed: int, on: bool = True) -> None:
        self._layers = {
            name.partition(".")[0]: _Layer(parameter, name, seed)
            for name, parameter in (trainable(netD).items() if on else ())
            if parameter.dim() == 4
        }

    def __bool__(self) -> bool:
        return bool(self._layers)

    def pull_back(self) -> None:
        """Turn the gradients with respect to W/sigma into those with respect to W."""
        for layer in self._layers.values():
            layer.pull_back()

    @contextmanager
    def unfolded(self) -> Iterator[None]:
        """In this block the parameters are W; after it the new W/sigma, one power iteration further."""
        with torch.no_grad():
            for layer in self._layers.values():
                layer.parameter.copy_(layer.w)
            yield
            for layer in self._layers.values():
                layer.w.copy_(layer.parameter)
                layer.iterate()

    def restart(self) -> None:
        """Begin anew: the parameters as they are now become W."""
        for layer in self._layers.values():
            layer.start()

    def state(self) -> dict[str, np.ndarray]:
        """W and the singular vectors found so far, as <layer>.weight, <layer>.u and <layer>.v."""
        return {name: to_array(tensor) for name, tensor in self._tensors().items()}

    def load_state(self, values: dict[str, np.ndarray]) -> None:
        """Go on from what `state` gave, here or on the other engine. Raises ParamsError where an array doesn't fit."""
        fill(self._tensors(), values, "spectral")
        for layer in self._layers.values():
            layer.fold()

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {
            f"{name}.{word}": getattr(layer, place)
            for word, place in (("weight", "w"), ("u", "u"), ("v", "v"))
            for name, layer in self._layers.items()
        }


class _Layer:
    """One convolution: its ``parameter`` holds W/sigma, with sigma = u·W v."""

    def __init__(self, parameter: torch.Tensor, name: str, seed: int) -> None:
        self.parameter = parameter
        drawn = rng.normal(seed, f"netD.{name.partition('.')[0]}.u", tuple(parameter.shape[:1]))
        self._first = to_tensor(drawn, parameter.device, parameter.dtype)
        self.start()

    @torch.no_grad()
    def start(self) -> None:
        """W is what the parameter is now."""
        self.w = self.parameter.detach().clone(memory_format=torch.contiguous_format)
        self.u = _unit(self._first)
        self.iterate()

    @torch.no_grad()
    def iterate(self) -> None:
        """Bring u and v one power iteration closer to the vectors of the largest singular value."""
        self.v = _unit(self._matrix().t() @ self.u)
        self.u = _unit(self._matrix() @ self.v)
        self.fold()

    @torch.no_grad()
    def fold(self) -> None:
        """The parameter becomes W/sigma."""
        self.sigma = torch.dot(self.u, self._matrix() @ self.v)
        self.parameter.copy_(self.w / self.sigma)

    @torch.no_grad()
    def pull_back(self) -> None:
        """The gradient G of W/sigma becomes (G - <G, W/sigma>·u vᵀ)/sigma: sigma is a function of W, u and v aren't."""
        assert self.parameter.grad is not None  # a backward pass came before
        gradient, folded = (x.reshape(len(x), -1) for x in (self.parameter.grad, self.parameter))
        by_w = (gradient - (gradient * folded).sum() * torch.outer(self.u, self.v)) / self.sigma
        self.parameter.grad.copy_(by_w.reshape(self.parameter.shape))

    def _matrix(self) -> torch.Tensor:
        return self.w.flatten(1)


def _unit(x: torch.Tensor) -> torch.Tensor:
    return x / x.norm().clamp(min=1e-12)
