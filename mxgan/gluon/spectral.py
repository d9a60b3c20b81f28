"""Spectral norm (Miyato et al. 2018, arXiv:1802.05957) outside the graph: netD itself holds W/sigma.

In the graph it adds half to a pass through netD. Here netD stays the tutorial's network, with its parameters' names,
and its file loads into that network. W counts as a matrix of (channels out) × (all else). Its largest singular value
sigma is followed by one power iteration an update, as in the paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from mxnet import nd

from mxgan import rng
from mxgan.gluon.tensors import fill, tensors, to_array, to_tensor


class SpectralNorm:
    """Keeps W of netD's convolutions, whose parameters are W/sigma from now on. With ``on`` False it does nothing.

    A step is: forward and backward with W/sigma; `pull_back`; and ``with unfolded()``, the optimizer's update of W.
    """

    def __init__(self, netD: Any, seed: int, on: bool = True) -> None:
        self._layers = {
            name.partition(".")[0]: _Layer(parameter, name, seed)
            for name, parameter in (tensors(netD).items() if on else ())
            if len(parameter.shape) == 4
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
        for layer in self._layers.values():
            layer.w.copyto(layer.parameter.data())
        yield
        for layer in self._layers.values():
            layer.parameter.data().copyto(layer.w)
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

    def _tensors(self) -> dict[str, Any]:
        return {
            f"{name}.{word}": tensor
            for name, layer in self._layers.items()
            for word, tensor in (("weight", layer.w), ("u", layer.u), ("v", layer.v))
        }


class _Layer:
    """One convolution: its ``parameter`` holds W/sigma, with sigma = u·W v."""

    def __init__(self, parameter: Any, name: str, seed: int) -> None:
        self.parameter = parameter
        drawn = rng.normal(seed, f"netD.{name.partition('.')[0]}.u", parameter.shape[:1])
        self._first = to_tensor(drawn, parameter.list_ctx()[0], parameter.dtype)
        self.start()

    def start(self) -> None:
        """W is what the parameter is now."""
        self.w = self.parameter.data().copy()
        self.u = _unit(self._first)
        self.iterate()

    def iterate(self) -> None:
        """Bring u and v one power iteration closer to the vectors of the largest singular value."""
        self.v = _unit(nd.dot(self.u, self._matrix()))
        self.u = _unit(nd.dot(self._matrix(), self.v))
        self.fold()

    def fold(self) -> None:
        """The parameter becomes W/sigma."""
        self.sigma = nd.dot(self.u, nd.dot(self._matrix(), self.v))
        nd.broadcast_div(self.w.reshape(-1), self.sigma, out=self.parameter.data().reshape(-1))

    def pull_back(self) -> None:
        """The gradient G of W/sigma becomes (G - <G, W/sigma>·u vᵀ)/sigma: sigma is a function of W, u and v aren't."""
        gradient = self.parameter.grad().reshape(-1)
        share = nd.dot(gradient, self.parameter.data().reshape(-1))
        u, v = (self.u * share).reshape((-1, 1)), self.v.reshape((1, -1))
        by_w = nd.linalg.gemm(u, v, gradient.reshape(self._matrix().shape), alpha=-1.0, beta=1.0)
        nd.broadcast_div(by_w.reshape(-1), self.sigma, out=gradient)

    def _matrix(self) -> Any:
        return self.w.reshape((len(self.w), -1))


def _unit(x: Any) -> Any:
    return nd.broadcast_div(x, nd.maximum(nd.norm(x), 1e-12))
