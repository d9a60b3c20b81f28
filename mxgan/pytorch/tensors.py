"""A network's tensors under canonical names, and conversion between tensors and NumPy's arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from mxgan.pytorch import nets
from mxgan.weights import fit

WORDS = {"weight": "gamma", "bias": "beta"}  # of BatchNorm: PyTorch's to the canonical ones; the running ones agree


def tensors(net: nn.Sequential) -> dict[str, torch.Tensor]:
    """A network's parameters and running statistics under canonical names (0.weight, 1.gamma, ...), in layer order."""
    return {
        f"{index}.{WORDS.get(word, word) if isinstance(layer, nets.BatchNorm) else word}": tensor
        for index, layer in enumerate(net)
        for word, tensor in layer.state_dict(keep_vars=True).items()
        if word != "num_batches_tracked"
    }


def trainable(net: nn.Sequential) -> dict[str, torch.Tensor]:
    """The parameters alone: running statistics aren't trained."""
    return {name: tensor for name, tensor in tensors(net).items() if isinstance(tensor, nn.Parameter)}


def arrays(net: nn.Sequential) -> dict[str, np.ndarray]:
    """A network's parameters and running statistics as arrays, under canonical names."""
    return {name: to_array(tensor) for name, tensor in tensors(net).items()}


def write(net: nn.Sequential, values: Mapping[str, np.ndarray], where: str) -> None:
    """Set every tensor of ``net`` from canonical arrays. Raises ParamsError unless names and shapes are the net's.

    ``where`` names the file or the network in the message.
    """
    fill(tensors(net), values, where)


def fill(mine: dict[str, torch.Tensor], values: Mapping[str, np.ndarray], where: str) -> None:
    """Set tensors from arrays of the same names. Raises ParamsError unless names and shapes are the same.

    ``where`` names the file or the network in the message.
    """
    fit.check(values, {name: tuple(tensor.shape) for name, tensor in mine.items()}, where)
    with torch.no_grad():
        for name, tensor in mine.items():
            tensor.copy_(to_tensor(values[name], tensor.device, tensor.dtype))


def place(net: nn.Sequential, device: torch.device, dtype: torch.dtype) -> nn.Sequential:
    """Move a new network to ``device``, in the layout that convolutions are fastest in; returns the network."""
    return net.to(device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack this form


def to_array(tensor: torch.Tensor) -> np.ndarray:
    """A tensor as an array of its own: on the CPU, in row-major order."""
    return np.array(tensor.detach().cpu().numpy(), order="C")


def to_tensor(values: np.ndarray, device: Any, dtype: torch.dtype) -> torch.Tensor:
    """NumPy's numbers as a tensor on ``device``, copied: arrays read from files are read-only.

    To a GPU they travel from page-locked memory while it computes.
    """
    tensor = torch.from_numpy(np.array(values, order="C"))
    if torch.device(device).type == "cuda":
        tensor = tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(dtype).to(device)  # the type first: Apple's GPUs have no float64
