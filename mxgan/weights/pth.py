"""PyTorch's ``.pth`` files: state dicts and checkpoints of them, as NumPy arrays. Never unpickles arbitrary objects."""

from __future__ import annotations

import os
import re
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mxgan import atomic, machine
from mxgan.errors import MissingPackage, ParamsError
from mxgan.weights.names import printable

LEGACY_MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."  # torch.save before 1.6: a pickled number
MAX_DEPTH = 8  # dicts inside dicts of a checkpoint


@dataclass(frozen=True)
class PthFile:
    """What a file holds: ``state_dict.0.weight`` is the array ``0.weight`` of the checkpoint's ``state_dict``."""

    container: str  # "zip" (PyTorch 1.6 and newer) | "legacy"
    arrays: dict[str, np.ndarray]
    dtypes: dict[str, str]  # as stored: "bfloat16" where the array is float32
    left_out: tuple[str, ...]  # the rest of the checkpoint: epochs, optimizers, single tensors beside state dicts


def is_pth(path: str | os.PathLike, head: bytes) -> bool:
    """Whether ``torch.save`` wrote this file, by its first bytes and, of a ZIP, its members. Needs no PyTorch."""
    if head.startswith(LEGACY_MAGIC):
        return True
    if not head.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def read(path: str | os.PathLike) -> PthFile:
    """The tensors of a state dict, of a checkpoint (a dict of state dicts), or of a list, on the CPU.

    Loaded with ``weights_only=True``; bfloat16 and the 8-bit floats widen exactly to float32, everything else keeps its
    dtype. Raises ParamsError for anything but dense tensors in dicts, MissingPackage without PyTorch.
    """
    where = os.fspath(path)
    torch = _torch("reading .pth needs PyTorch")
    legacy = _check_container(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged files warn of pickle protocols
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle can raise anything
        raise ParamsError(f"{where}: {_reason(error)}") from error
    if isinstance(loaded, (list, tuple)) and all(isinstance(item, torch.Tensor) for item in loaded):
        loaded = {str(index): item for index, item in enumerate(loaded)}
    if not isinstance(loaded, Mapping):
        raise ParamsError(
            f"{where}: holds a {type(loaded).__name__}; expected a state dict: torch.save(net.state_dict(), ...)"
        )
    tensors = _Tensors(torch)
    tensors.collect(loaded)
    arrays = {name: _array(torch, tensor, f"{where}: {name}") for name, tensor in tensors.found.items()}
    dtypes = {name: str(tensor.dtype).partition(".")[2] for name, tensor in tensors.found.items()}
    return PthFile("legacy" if legacy else "zip", arrays, dtypes, tuple(tensors.left_out))


def write(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Save the arrays as a state dict, atomically, in their order. Raises ParamsError for a dtype PyTorch lacks."""
    torch = _torch("writing .pth needs PyTorch")
    state = OrderedDict()
    for name, array in arrays.items():
        try:
            native = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")  # a copy: torch wants it writable
            state[name] = torch.from_numpy(native)
        except TypeError as error:
            raise ParamsError(
                f"{os.fspath(path)}: {name}: PyTorch can't hold {array.dtype}; convert it first"
            ) from error
    with atomic.writing(path) as file:
        torch.save(state, file)


def _torch(why: str) -> Any:
    machine.spare_others()
    try:
        import torch
    except ImportError as error:
        raise MissingPackage(why, "pytorch") from error
    return torch


def _check_container(path: str | os.PathLike) -> bool:
    """Whether the file is in the legacy format. Raises ParamsError for a ZIP that torch.save wouldn't have written."""
    where = os.fspath(path)
    with open(path, "rb") as file:
        if file.read(len(LEGACY_MAGIC)) == LEGACY_MAGIC:
            return True
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise ParamsError(f"{where}: no file of torch.save: {error}; fetch it again") from error
    if any(member.filename.endswith("/constants.pkl") for member in members):
        raise ParamsError(f"{where}: a TorchScript program; expected a state dict: torch.save(net.state_dict(), ...)")
    packed = next((member for member in members if member.compress_type != zipfile.ZIP_STORED), None)
    if packed is not None:  # torch.save never compresses; a bomb does
        raise ParamsError(f"{where}: {packed.filename!r} is compressed, which torch.save never does; fetch it again")
    return False


class _Tensors:
    """The tensors of dicts in dicts, and the names of everything else."""

    def __init__(self, torch: Any) -> None:
        self.is_tensor = lambda item: isinstance(item, torch.Tensor)
        self.found: dict = {}
        self.left_out: list[str] = []
        self.seen: set[int] = set()  # ids of dicts, so that a dict inside itself doesn't recurse for ever

    def collect(self, value: Mapping, prefix: str = "", depth: int = 0) -> None:
        """Gather a dict's tensors. Beside dicts of tensors, single ones (a fixed noise, say) are left out."""
        self.seen.add(id(value))
        loose, before = {}, len(self.found)
        for key, item in value.items():
            name = f"{prefix}{key}"
            if isinstance(key, str) and self.is_tensor(item):
                loose[name] = item
            elif self._is_block(key, item) and depth < MAX_DEPTH:
                self.collect(item, name + ".", depth + 1)
            else:
                self.left_out.append(name)
        if len(self.found) > before:
            self.left_out.extend(loose)
        else:
            self.found.update(loose)

    def _is_block(self, key: object, item: object) -> bool:
        """Whether to look inside: a dict that isn't an optimizer's and hasn't been seen."""
        return (
            isinstance(key, str)
            and isinstance(item, Mapping)
            and "param_groups" not in item
            and id(item) not in self.seen
        )


def _array(torch: Any, tensor: Any, where: str) -> np.ndarray:
    """A dense tensor as an array of its own dtype; bfloat16 and 8-bit floats as float32."""
    tensor = tensor.detach()
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        raise ParamsError(f"{where}: a sparse, quantised or empty (meta) tensor; expected a dense one")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise ParamsError(f"{where}: shape {tuple(tensor.shape)} is larger than its data; save a .contiguous() copy")
    if tensor.dtype is torch.bfloat16 or "float8" in str(tensor.dtype):
        tensor = tensor.float()
    try:
        return tensor.resolve_conj().resolve_neg().contiguous().numpy()
    except (TypeError, RuntimeError) as error:
        raise ParamsError(f"{where}: a tensor of {tensor.dtype}, which NumPy can't hold") from error


def _reason(error: Exception) -> str:
    """Why torch.load refused, in a line, without its advice to switch the safety off."""
    text = str(error)
    if re.search(r"nsupported (global|class)|Trying to (call|instantiate)", text):
        return (
            "holds Python objects, which may run code and are never unpickled; expected a state dict: "
            "where you trust the file, load it in PyTorch and torch.save(net.state_dict(), ...)"
        )
    inner = re.search(r"WeightsUnpickler error: (.+)", text)
    cause = inner[1] if inner else (text.strip().splitlines() or [""])[0]
    return printable(f"damaged or cut short ({type(error).__name__}: {cause[:200]}); fetch it again")
