"""A generator as an .onnx file, checked by running it."""

from __future__ import annotations

import os

import numpy as np

from mxgan import atomic
from mxgan.errors import ParamsError
from mxgan.graph import Graph
from mxgan.graph.forward import generate
from mxgan.onnx.engine import Engine
from mxgan.onnx.model import check, serialise

TOLERANCE = 1e-4  # between onnxruntime's float32 and NumPy's float64 images, which lie in [-1, 1]


def save(path: str | os.PathLike, graph: Graph, uniform: bool = False) -> None:
    """Write the generator as ``.onnx``, atomically, once onnxruntime's images agree with plain NumPy's.

    ``uniform``: its latents are from U(-1, 1), which the file says with its input and output
    (`mxgan.onnx.model.serialise`). Raises ParamsError for a discriminator, NaN or infinite weights, or a model that
    differs; MissingPackage without the extra.
    """
    where = os.fspath(path)
    if graph.latent is None:
        raise ParamsError(f"{where}: the weights are a discriminator's; only a generator can be written as .onnx")
    bad = [name for name, array in graph.arrays.items() if not np.isfinite(array).all()]
    if bad:
        raise ParamsError(f"{where}: NaN or infinite values in {', '.join(bad)}: the run diverged; use other weights")
    data = serialise(graph, uniform)
    check(data)
    z = np.linspace(-2, 2, 2 * graph.latent, dtype=np.float32).reshape(2, graph.latent)
    labels = None if graph.classes is None else np.array([0, graph.classes - 1])
    difference = np.abs(Engine(graph, data).forward(z, labels) - generate(graph, z, labels)).max()
    if not difference <= TOLERANCE:
        raise ParamsError(
            f"{where}: onnxruntime's images differ from NumPy's by {difference:.1e}, {TOLERANCE:.0e} allowed"
        )
    atomic.write(path, data)
