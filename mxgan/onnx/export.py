"""A generator as an .onnx file, checked by running it."""

from __future__ import annotations

import os

import numpy as np

from mxgan import atomic
from mxgan.errors import ParamsError
from mxgan.graph.forward import generate
from mxgan.onnx.engine import Engine
from mxgan.onnx.model import serialise
from mxgan.weights.dcgan import graph_of
from mxgan.weights.net import Net, check_finite

TOLERANCE = 1e-4  # between onnxruntime's float32 and NumPy's float64 images, which lie in [-1, 1]


def save(path: str | os.PathLike, net: Net) -> None:
    """Write the generator as ``.onnx``, atomically, once onnxruntime's images agree with plain NumPy's.

    `mxgan.onnx.model.serialise` describes its input and output. Raises ParamsError for a discriminator, NaN or infinite
    weights, or a model that differs; MissingPackage without the extra.
    """
    where = os.fspath(path)
    if net.latent is None:
        raise ParamsError(f"{where}: the weights are a {net}; only a generator can be written as .onnx")
    check_finite(net, where)
    data = serialise(net)
    z = np.linspace(-2, 2, 2 * net.latent, dtype=np.float32).reshape(2, net.latent)
    difference = np.abs(Engine(net, data).forward(z) - generate(graph_of(net), z)).max()
    if not difference <= TOLERANCE:
        raise ParamsError(
            f"{where}: onnxruntime's images differ from NumPy's by {difference:.1e}, {TOLERANCE:.0e} allowed"
        )
    atomic.write(path, data)
