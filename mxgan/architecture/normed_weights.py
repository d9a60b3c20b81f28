"""Weights that spectral or weight normalisation keeps in parts, as inference has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import numpy as np


class Unknown(ValueError):
    """No layer does what this module does; the message says why."""


def plain_weights(arrays: Mapping[str, np.ndarray], transposed: Optional[bool]) -> dict[str, tuple[np.ndarray, str]]:
    """A layer's arrays with its weight as inference has it, each with the name of the array that it comes from.

    Undoes ``torch.nn.utils.spectral_norm`` (Miyato et al. 2018, arXiv:1802.05957: weight / u·W·v) and ``weight_norm``
    (Salimans and Kingma 2016, arXiv:1602.07868: g · v / |v|), in their old form and as parametrizations. ``transposed``
    tells a ConvTranspose, whose first axis isn't the output; None: whichever fits better. Raises Unknown where a part
    of it isn't there.
    """
    new = "parametrizations.weight."
    given = {name[len(new) :] if name.startswith(new) else name: name for name in arrays}
    by = {short: np.asarray(arrays[name]) for short, name in given.items()}
    found = {short: (by[short], name) for short, name in given.items() if short in ("weight", "bias")}
    for original, u, v in (("weight_orig", "weight_u", "weight_v"), ("original", "0._u", "0._v")):
        if original in by:
            if u not in by or (v not in by and transposed is not None):
                raise Unknown(f"spectral norm without its {u} or {v}, as before PyTorch 1.0")
            found["weight"] = _spectral(by[original], by[u], by.get(v), transposed), given[original]
    for size, direction in (("weight_g", "weight_v"), ("original0", "original1")):
        if size in by and direction in by:
            found["weight"] = _weight_normed(by[size], by[direction]), given[direction]
    return found


def _spectral(weight: np.ndarray, u: np.ndarray, v: Optional[np.ndarray], transposed: Optional[bool]) -> np.ndarray:
    """weight / u·W·v. u and v are singular vectors of W alone: with the wrong axis first, the product is smaller.

    Without v, as before PyTorch 1.0, it is what u makes of W, as PyTorch computed it then.
    """
    found = []
    for axis in (0, 1) if transposed is None else (int(transposed and weight.ndim > 1),):
        if axis < weight.ndim and u.shape == weight.shape[axis : axis + 1]:
            matrix = np.moveaxis(weight, axis, 0).reshape(len(u), -1).astype("f8")
            seen = u.astype("f8") @ matrix
            if v is None:
                found.append(float(np.linalg.norm(seen)))
            elif v.shape == seen.shape:
                found.append(float(seen @ v.astype("f8")))
    if not found:
        shapes = " and ".join(str(vector.shape) for vector in (u, v) if vector is not None)
        raise Unknown(f"spectral norm's vectors are {shapes} for a weight of {weight.shape}")
    with np.errstate(all="ignore"):
        return (weight / np.float64(max(found, key=abs))).astype(weight.dtype)


def _weight_normed(size: np.ndarray, direction: np.ndarray) -> np.ndarray:
    if size.ndim and (size.ndim != direction.ndim or any(n not in (1, m) for n, m in zip(size.shape, direction.shape))):
        raise Unknown(f"weight norm's sizes are {size.shape} for a weight of {direction.shape}")
    axes = tuple(axis for axis in range(direction.ndim) if not size.ndim or size.shape[axis] == 1)
    wide = direction.astype("f8")
    with np.errstate(all="ignore"):
        return (size * wide / np.sqrt((wide**2).sum(axis=axes, keepdims=True))).astype(direction.dtype)
