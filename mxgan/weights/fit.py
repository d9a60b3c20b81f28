"""Do these arrays fit that network? All of them or none: there is no partial load."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mxgan.errors import ParamsError


def check(arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], where: str) -> None:
    """Raise ParamsError, saying what was found and what was expected, unless names and shapes are the network's.

    ``where`` names the file or the network in the message.
    """
    missing = [name for name in shapes if name not in arrays]
    extra = [name for name in arrays if name not in shapes]
    if missing or extra:
        said = [f"{word} {', '.join(names)}" for word, names in (("without", missing), ("with", extra)) if names]
        raise ParamsError(f"{where}: these weights are another network's: {' and '.join(said)}")
    for name, shape in shapes.items():
        if tuple(arrays[name].shape) != tuple(shape):
            raise ParamsError(f"{where}: {name} is {tuple(arrays[name].shape)} and the network's is {tuple(shape)}")
