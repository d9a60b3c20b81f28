"""A network's tensors under canonical names, and the way between tensors and arrays."""

from __future__ import annotations

import numpy as np
import torch

from mxgan.pytorch import nets
from mxgan.weights import fit

WORDS = {"weight": "gamma", "bias": "beta"}  # of BatchNorm: PyTorch's to the canonical ones; the running ones agree


def tensors(net: torch.nn.Sequential) -> dict[str, torch.Tensor]:
    """A net's parameters and running statistics under canonical names (0.weight, 1.gamma, ...), in layer order."""
    return {
        f"{index}.{WORDS.get(word, word) if isinstance(layer, nets.BatchNorm) else word}": tensor
        for index, layer in enumerate(net)
        for word, tensor in layer.state_dict(keep_vars=True).items()
        if word != "num_batches_tracked"
    }


def trainable(net: torch.nn.Sequential) -> dict[str, torch.Tensor]:
    """The parameters alone: running statistics aren't trained."""
    return {name: tensor for name, tensor in tensors(net).items() if isinstance(tensor, torch.nn.Parameter)}


def write(net: torch.nn.Sequential, arrays: dict[str, np.ndarray], where: str) -> None:
    """Set every tensor of ``net`` from canonical arrays. Raises ParamsError unless names and shapes are the net's.

    ``where`` names the file or the network in the message.
    """
    fill(tensors(net), arrays, where)


def fill(mine: dict[str, torch.Tensor], arrays: dict[str, np.ndarray], where: str) -> None:
    """Set tensors from arrays of the same names. Raises ParamsError unless names and shapes are the same.

    ``where`` names the file or the network in the message.
    """
    fit.check(arrays, {name: tuple(tensor.shape) for name, tensor in mine.items()}, where)
    with torch.no_grad():
        for name, tensor in mine.items():
            tensor.copy_(tensor_of(arrays[name]))


def arrays_of(net: torch.nn.Sequential) -> dict[str, np.ndarray]:
    """A net's parameters and running statistics as arrays, under canonical names."""
    return {name: array(tensor) for name, tensor in tensors(net).items()}


def array(tensor: torch.Tensor) -> np.ndarray:
    """A tensor as an array of its own: on the CPU, in row-major order."""
    return np.array(tensor.detach().cpu(), order="C")


def tensor_of(values: np.ndarray) -> torch.Tensor:
    """An array as a tensor on the CPU, copied: arrays read from files are read-only."""
    return torch.from_numpy(np.array(values, order="C"))
