"""A network's arrays as a file format wants them: names, counters, precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import numpy as np

from mxgan.errors import ParamsError
from mxgan.weights.net import Net

_PYTORCH = {"gamma": "weight", "beta": "bias"}  # BatchNorm's words
_COUNTER = "num_batches_tracked"


def for_format(
    arrays: dict[str, np.ndarray], net: Optional[Net], suffix: str, prefix: str, notes: list[str], keep: bool
) -> dict[str, np.ndarray]:
    """The arrays as a format wants them: a DCGAN's .pth in PyTorch's words, counters where they have a place.

    ``keep``: every array was asked for, so none is dropped, and the format refuses what it can't hold.
    """
    if net is not None and suffix == ".pth":
        return state_dict(arrays, net.batches, prefix)
    if keep:
        return arrays
    counters = [name for name, array in arrays.items() if name.endswith(_COUNTER) and array.ndim == 0]
    dropped = any(net.batches.values()) if net is not None else bool(counters) and suffix == ".params"
    if dropped:
        notes.append("num_batches_tracked is left out: only PyTorch's training reads it")
    return {name: array for name, array in arrays.items() if suffix != ".params" or name not in counters}


def state_dict(arrays: Mapping[str, np.ndarray], batches: Mapping[str, int], prefix: str = "") -> dict[str, np.ndarray]:
    """Canonical arrays as a PyTorch Sequential's state dict names and orders them.

    BatchNorm's gamma and beta are its weight and bias, and a 0-d int64 num_batches_tracked follows: ``batches[layer]``,
    else 0. PyTorch's convolutions keep their axes in MXNet's order.
    """
    state = {}
    for name, array in arrays.items():
        layer, _, word = name.rpartition(".")
        state[f"{prefix}{layer}.{_PYTORCH.get(word, word)}"] = array
        if word == "running_var":
            state[f"{prefix}{layer}.{_COUNTER}"] = np.array(batches.get(layer, 0), np.int64)
    return state


def cast(array: np.ndarray, dtype: Optional[str], where: str) -> np.ndarray:
    """A floating-point array in another precision; any other array unchanged."""
    if dtype is None or array.dtype.kind != "f":
        return array
    with np.errstate(over="ignore"):
        rounded = array.astype(dtype)
    if np.isfinite(array).all() and not np.isfinite(rounded).all():
        raise ParamsError(
            f"{where}: has values up to {np.abs(array).max():.3g}, too large for {dtype}; leave --dtype out"
        )
    return rounded
