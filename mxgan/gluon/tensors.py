"""A network's Parameters under canonical names, and conversion between NDArrays and NumPy's arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mxgan.gluon import runtime
from mxgan.weights import fit


def tensors(net: Any) -> dict[str, Any]:
    """A network's Parameters and running statistics under canonical names (0.weight, 1.gamma, ...), in layer order."""
    return {
        f"{index}.{name[len(layer.prefix) :]}": parameter
        for index, layer in enumerate(net)
        for name, parameter in layer.collect_params().items()
    }


def trainable(net: Any) -> dict[str, Any]:
    """The Parameters alone that are trained: running statistics aren't."""
    return {name: parameter for name, parameter in tensors(net).items() if parameter.grad_req != "null"}


def arrays(net: Any) -> dict[str, np.ndarray]:
    """A network's Parameters and running statistics as arrays, under canonical names."""
    return {name: to_array(parameter.data()) for name, parameter in tensors(net).items()}


def write(net: Any, values: Mapping[str, np.ndarray], where: str) -> None:
    """Set every Parameter of ``net`` from canonical arrays. Raises ParamsError unless names and shapes are the net's.

    ``where`` names the file or the network in the message.
    """
    fill({name: parameter.data() for name, parameter in tensors(net).items()}, values, where)


def fill(mine: dict[str, Any], values: Mapping[str, np.ndarray], where: str) -> None:
    """Set NDArrays from arrays of the same names. Raises ParamsError unless names and shapes are the same.

    ``where`` names the file or the network in the message.
    """
    fit.check(values, {name: tensor.shape for name, tensor in mine.items()}, where)
    for name, tensor in mine.items():
        tensor[:] = to_tensor(values[name], tensor.context, tensor.dtype)


def place(net: Any, device: Any, dtype: str) -> Any:
    """Make room for a new network's numbers, all zero, on ``device``; returns the network."""
    net.cast(dtype)
    net.initialize(runtime.load().init.Zero(), ctx=device)
    return net


def to_array(tensor: Any) -> np.ndarray:
    """An NDArray as an array of its own; waits until it is computed."""
    return tensor.asnumpy()


def to_tensor(values: np.ndarray, device: Any, dtype: Any) -> Any:
    """NumPy's numbers as an NDArray on ``device``.

    As mx.nd.array makes it, but without its look at scipy.sparse.csr: SciPy warns of that module and will remove it.
    """
    return runtime.load().ndarray.ndarray.array(values, device, dtype)
