"""Spectral norm (Miyato et al. 2018, arXiv:1802.05957) outside the graph: netD itself holds W/sigma.

In the graph it adds half to a pass through netD. Here netD stays the tutorial's network, with its parameters' names,
and its file loads into that network. W counts as a matrix of (channels out) × (all else), and its largest singular
value sigma is followed by one power iteration an update, as in the paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from mxnet import nd
from mxnet.gluon import Parameter
from mxnet.gluon.nn import HybridSequential

from mxgan import rng
from mxgan.gluon import runtime
from mxgan.gluon.tensors import parameters
from mxgan.weights import fit


class SpectralNorm:
    """Keeps W of netD's convolutions, whose parameters from now on are W/sigma.

    A step is: forward and backward with W/sigma; `chain`; and ``with unfolded()``, the optimizer's update of W.
    """

    def __init__(self, netD: HybridSequential, seed: int) -> None:
        self._layers = {}
        for name, parameter in parameters(netD).items():
            layer = name.partition(".")[0]
            if len(parameter.shape) == 4:
                self._layers[layer] = _Layer(parameter, rng.normal(seed, f"netD.{layer}.u", parameter.shape[:1]))

    def chain(self) -> None:
        """The gradients by W/sigma become those by W."""
        for layer in self._layers.values():
            layer.chain()

    @contextmanager
    def unfolded(self) -> Iterator[None]:
        """In this block the parameters are W; after it the new W/sigma, by one more power iteration."""
        for layer in self._layers.values():
            layer.w.copyto(layer.parameter.data())
        yield
        for layer in self._layers.values():
            layer.parameter.data().copyto(layer.w)
            layer.iterate()

    def restart(self) -> None:
        """Begin anew with the parameters as they are for W."""
        for layer in self._layers.values():
            layer.start()

    def state(self) -> dict[str, np.ndarray]:
        """W and the singular vectors found so far, as <layer>.weight, <layer>.u and <layer>.v."""
        return {name: array.asnumpy() for name, array in self._arrays().items()}

    def load_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from what `state` gave, bit for bit. Raises ParamsError where an array doesn't fit."""
        mine = self._arrays()
        fit.check(arrays, {name: array.shape for name, array in mine.items()}, "spectral")
        for name, array in mine.items():
            array[:] = runtime.array(arrays[name], array.context, array.dtype)
        for layer in self._layers.values():
            layer.fold()

    def _arrays(self) -> dict:
        return {
            f"{name}.{word}": array
            for name, layer in self._layers.items()
            for word, array in (("weight", layer.w), ("u", layer.u), ("v", layer.v))
        }


class _Layer:
    """One convolution: its ``parameter`` holds W/sigma, with sigma = u·W v."""

    def __init__(self, parameter: Parameter, u: np.ndarray) -> None:
        self.parameter = parameter
        self._first = runtime.array(u, parameter.list_ctx()[0], parameter.dtype)
        self.start()

    def start(self) -> None:
        """W is what the parameter is now."""
        self.w = self.parameter.data().copy()
        self.u = _unit(self._first)
        self.iterate()

    def iterate(self) -> None:
        """Power iteration: u and v come closer to the largest singular value's vectors."""
        self.v = _unit(nd.dot(self.u, self._matrix()))
        self.u = _unit(nd.dot(self._matrix(), self.v))
        self.fold()

    def fold(self) -> None:
        """The parameter becomes W/sigma."""
        self.sigma = nd.dot(self.u, nd.dot(self._matrix(), self.v))
        nd.broadcast_div(self.w.reshape(-1), self.sigma, out=self.parameter.data().reshape(-1))

    def chain(self) -> None:
        """The gradient G by W/sigma becomes (G - <G, W/sigma>·u vᵀ)/sigma."""
        gradient = self.parameter.grad().reshape(-1)
        share = nd.dot(gradient, self.parameter.data().reshape(-1))
        u, v = (self.u * share).reshape((-1, 1)), self.v.reshape((1, -1))
        by_w = nd.linalg.gemm(u, v, gradient.reshape(self._matrix().shape), alpha=-1.0, beta=1.0)
        nd.broadcast_div(by_w.reshape(-1), self.sigma, out=gradient)

    def _matrix(self):
        return self.w.reshape((len(self.w), -1))


def _unit(x):
    return nd.broadcast_div(x, nd.maximum(nd.norm(x), 1e-12))
