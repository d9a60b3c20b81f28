"""From one weights format to another, losing nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

import numpy as np

from mxgan.errors import ParamsError
from mxgan.weights import files
from mxgan.weights.net import LIST_NOTE, Net, recognise, recognise_all

DESTINATIONS = (*files.SUFFIXES, ".onnx")
NAMES = ("canonical", "keep")
LAYOUTS = ("plain", "main")
DTYPES = ("float16", "float32", "float64")
_PYTORCH = {"gamma": "weight", "beta": "bias"}  # BatchNorm's words


@dataclass(frozen=True)
class Conversion:
    """What `convert` did."""

    path: Path
    net: Optional[Net]  # None: names were kept, of what is no single network or because it was asked for
    arrays: int  # how many were written
    notes: tuple[str, ...]  # what the user should know


def convert(
    src: str | os.PathLike,
    dst: str | os.PathLike,
    names: str = "canonical",
    layout: str = "plain",
    dtype: Optional[str] = None,
    kind: Optional[str] = None,
) -> Conversion:
    """Write the arrays of ``src`` to ``dst`` in the format of its suffix: .params .npz .safetensors .pth .onnx.

    Values, shapes and dtypes stay (bfloat16 widens to float32). ``names``: "canonical" where the file is a network,
    else as they are; "keep" always as they are. A network's .pth is a plain Sequential's state dict, ``0.weight``, with
    BatchNorm's ``num_batches_tracked``, for a strict load in the pytorch-* recipes; ``layout`` "main" is the reference
    DCGAN's, ``main.0.weight``. An .onnx is the generator itself, checked by running it. ``dtype`` rounds or widens
    the floating-point arrays. ``kind``, "generator" or "discriminator", picks from a file that holds both.

    ``dst`` is replaced as a whole or left alone. Raises ParamsError for files, names, shapes or dtypes that can't be
    read or written, and MissingPackage.
    """
    suffix = _check(src, dst, names, layout, dtype, kind)
    file = files.load(src)
    notes = file.notes
    net = None
    if names == "canonical" or suffix == ".onnx" or kind:
        net = _network(file, os.fspath(src), kind, needed=suffix == ".onnx" or kind is not None or layout == "main")
    if names == "keep" and suffix != ".onnx":
        arrays = {net.names[name]: array for name, array in net.arrays.items()} if kind else file.arrays
        net = None
    elif net is None:
        arrays = file.arrays
        notes.append("no network was recognised: every array is kept under its own name")
    else:
        arrays = net.arrays
    if net is not None and net.scheme == "list":
        notes.append(LIST_NOTE)
    arrays = {name: _cast(array, dtype, f"{os.fspath(src)}: {name}") for name, array in arrays.items()}
    if suffix == ".onnx":
        from mxgan.onnx import export

        export.save(dst, replace(net, arrays=arrays))
        return Conversion(Path(dst), net, len(arrays), tuple(notes))
    if net is not None and suffix == ".pth":
        arrays = state_dict(arrays, net.batches, "main." if layout == "main" else "")
    elif net is not None and any(net.batches.values()):
        notes.append("num_batches_tracked, which only PyTorch's training reads, is left out")
    files.save(dst, arrays)
    return Conversion(Path(dst), net, len(arrays), tuple(notes))


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
            state[f"{prefix}{layer}.num_batches_tracked"] = np.array(batches.get(layer, 0), np.int64)
    return state


def _check(src, dst, names, layout, dtype, kind) -> str:
    """The destination's suffix, once every argument has been found sound."""
    suffix = Path(dst).suffix.lower()
    if suffix not in DESTINATIONS:
        raise ParamsError(f"{dst}: unknown suffix {suffix!r}; a destination ends in {', '.join(DESTINATIONS)}")
    for option, value, known in (
        ("names", names, NAMES),
        ("layout", layout, LAYOUTS),
        ("dtype", dtype, (None, *DTYPES)),
        ("kind", kind, (None, "generator", "discriminator")),
    ):
        if value not in known:
            raise ParamsError(f"{option} {value!r}: expected {' or '.join(str(item) for item in known if item)}")
    if layout == "main" and (suffix != ".pth" or names == "keep"):
        raise ParamsError(f"{dst}: the layout main names a .pth's arrays; write a .pth, without keeping names")
    if os.path.exists(dst) and os.path.exists(src) and os.path.samefile(src, dst):
        raise ParamsError(f"{dst}: source and destination are the same file; give another destination")
    return suffix


def _network(file: files.WeightsFile, where: str, kind: Optional[str], needed: bool) -> Optional[Net]:
    """The network to write; None where the file is none and that doesn't matter. Two are never written as one."""
    if needed:
        return recognise(file.arrays, where, kind)
    try:
        nets = recognise_all(file.arrays, where)
    except ParamsError:
        return None
    if len(nets) > 1:
        found = " and ".join(f"a {net.kind}" for net in nets)
        raise ParamsError(f"{where}: holds {found}; choose one (--kind), or keep the names (--names keep)")
    return nets[0]


def _cast(array: np.ndarray, dtype: Optional[str], where: str) -> np.ndarray:
    """A floating-point array in another precision; every other array as it is."""
    if dtype is None or array.dtype.kind != "f":
        return array
    with np.errstate(over="ignore"):
        cast = array.astype(dtype)
    if np.isfinite(array).all() and not np.isfinite(cast).all():
        raise ParamsError(
            f"{where}: has values up to {np.abs(array).max():.3g}, too large for {dtype}; leave --dtype out"
        )
    return cast
