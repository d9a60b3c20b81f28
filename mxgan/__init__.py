"""mxgan: the DCGAN of the Apache MXNet Gluon tutorial, alive again.

Importing this package imports no framework; each name below is looked up when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "MxganError": "mxgan.errors",
    "ParamsError": "mxgan.errors",
    "TrainConfig": "mxgan.config",
    "train": "mxgan.training",
    "resume": "mxgan.training",
    "load_generator": "mxgan.sampling",
    "load_discriminator": "mxgan.discriminator",
    "Wishes": "mxgan.architecture.wishes",
    "latents": "mxgan.sampling",
    "save_video": "mxgan.video",
    "inspect_weights": "mxgan.architecture.table",
    "convert_weights": "mxgan.convert",
    "load_params": "mxgan.weights",
    "save_params": "mxgan.weights",
}

_MODULES = ("errors", "pixels", "walks")  # whose names the documentation uses

__all__ = [*sorted([*_HOME, *_MODULES]), "__version__"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"mxgan.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'mxgan' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
