"""PyTorch's ``.pth`` files as NumPy arrays: state dicts, checkpoints, whole modules. Nothing in a file is run."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from mxgan import atomic, machine
from mxgan.errors import MissingPackage, ParamsError
from mxgan.weights import pickled_torch
from mxgan.weights.names import printable
from mxgan.weights.pickled import Made
from mxgan.weights.pickled_modules import Contents, Module, is_module, is_tensor


@dataclass(frozen=True)
class PthFile:
    """What a file holds: ``state_dict.0.weight`` is the array ``0.weight`` of the checkpoint's ``state_dict``."""

    container: str  # "zip" (PyTorch 1.6 and newer) | "legacy"
    arrays: dict[str, np.ndarray]  # read-only
    dtypes: dict[str, str]  # as stored: "bfloat16" where the array is float32
    left_out: tuple[str, ...]  # the rest of the checkpoint: epochs, optimizers, single tensors beside state dicts
    modules: tuple[Module, ...] = ()  # whole modules, of torch.save(net) or {"netG": net, ...}; a program's one
    script: bool = False  # a TorchScript archive, which holds the program too
    layout: Optional[str] = None  # the network, as `write` was told it


def is_pth(path: str | os.PathLike, head: bytes) -> bool:
    """Whether PyTorch wrote this file, by its first 64 bytes and, of a ZIP, its members."""
    return pickled_torch.recognises(path, head)


def read(path: str | os.PathLike) -> PthFile:
    """The tensors of a state dict, of a checkpoint (a dict of state dicts), of a list, or of whole modules.

    Needs no PyTorch, and nothing in the file is run: see `mxgan.weights.pickled`. bfloat16 and the 8-bit floats widen
    exactly to float32, everything else keeps its dtype; complex, sparse and quantised tensors stay what they are or are
    refused. Raises ParamsError for anything but tensors in dicts and modules.
    """
    with pickled_torch.opened(path) as file:
        value, contents = file.value, Contents(file)
        if isinstance(value, (list, tuple)) and all(is_tensor(item) for item in value):
            value = {str(index): item for index, item in enumerate(value)}
        if is_module(value):
            contents.collect_module(value, "")
        elif isinstance(value, dict):
            contents.collect(value)
        else:
            kind = value.kind if isinstance(value, Made) else type(value).__name__
            raise ParamsError(
                printable(f"{file.where}: holds a {kind}; expected a state dict: torch.save(net.state_dict(), ...)")
            )
        return PthFile(
            file.container, contents.arrays, contents.dtypes, contents.told(), tuple(contents.modules), file.script,
            file.layout,
        )  # fmt: skip


def write(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], layout: Optional[str] = None) -> None:
    """Save the arrays as a state dict, atomically, in their order. Raises ParamsError for a dtype PyTorch lacks.

    ``layout``: the network that they are, as `mxgan.graph.layout` describes it. It lies in the file as a record of its
    own, which PyTorch passes over; a state dict alone doesn't say how its layers are joined.
    """
    torch = _torch()
    state = OrderedDict()
    for name, array in arrays.items():
        try:
            native = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")  # a copy: torch wants it writable
            state[name] = torch.from_numpy(native)
        except TypeError as error:
            raise ParamsError(
                f"{os.fspath(path)}: {name}: PyTorch can't hold {array.dtype}; convert it first"
            ) from error
    data = io.BytesIO()
    torch.save(state, data)
    if layout is not None:
        pickled_torch.add_layout(data, layout)
    atomic.write(path, data.getbuffer())


def _torch() -> Any:
    machine.spare_others()
    try:
        import torch
    except ImportError as error:
        raise MissingPackage("writing .pth needs PyTorch", "pytorch") from error
    return torch
