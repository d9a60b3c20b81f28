"""A network's Parameters under canonical names, for reading, writing and training."""

from __future__ import annotations

import numpy as np

from mxgan.gluon import runtime
from mxgan.weights import fit


def parameters(net) -> dict:
    """A HybridSequential's Parameters under canonical names (0.weight, 0.bias, 1.gamma, ...), in layer order."""
    return {
        f"{index}.{name[len(layer.prefix) :]}": parameter
        for index, layer in enumerate(net)
        for name, parameter in layer.collect_params().items()
    }


def trainable(net) -> dict[str, int]:
    """Canonical name to the index that the Trainer knows a Parameter by; running statistics aren't trained."""
    return {name: i for i, (name, parameter) in enumerate(parameters(net).items()) if parameter.grad_req != "null"}


def write(net, arrays: dict[str, np.ndarray], where: str) -> None:
    """Set every Parameter of ``net`` from canonical arrays. Raises ParamsError unless names and shapes are the net's.

    ``where`` names the file or the network in the message.
    """
    mine = parameters(net)
    fit.check(arrays, {name: parameter.shape for name, parameter in mine.items()}, where)
    for name, parameter in mine.items():
        parameter.set_data(runtime.array(arrays[name], parameter.list_ctx()[0], parameter.dtype))
