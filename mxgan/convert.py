"""Weights from one file format to another, without loss."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

import numpy as np

from mxgan.errors import ParamsError
from mxgan.onnx import export
from mxgan.weights import files
from mxgan.weights.dcgan import graph_of
from mxgan.weights.net import LIST_NOTE, Net, check_finite, recognise, recognise_all

DESTINATIONS = (*files.SUFFIXES, ".onnx")
NAMES = ("canonical", "keep")
LAYOUTS = ("plain", "main")
DTYPES = ("float16", "float32", "float64")
_PYTORCH = {"gamma": "weight", "beta": "bias"}  # BatchNorm's words


@dataclass(frozen=True)
class Conversion:
    """What `convert` did."""

    path: Path
    net: Optional[Net]  # None: the names were kept, because the caller asked or because no network was recognised
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

    Values, shapes and dtypes stay the same (bfloat16 widens to float32).

    ``names``: "canonical" renames a network's arrays and leaves others alone; "keep" leaves all names alone.
    ``layout``: "plain" names a network's .pth like a plain Sequential's state dict, ``0.weight``; "main" like the
    reference DCGAN's, ``main.0.weight``. Either includes ``num_batches_tracked``, so that a strict load accepts it.
    ``dtype``: rounds or widens the floating-point arrays.
    ``kind``: "generator" or "discriminator", to pick one from a file that holds both.

    An .onnx is the generator itself, checked by running it. ``dst`` is replaced as a whole or left alone. Raises
    ParamsError for files, names, shapes or dtypes that can't be read or written, MissingPackage without an extra.
    """
    suffix = _check(src, dst, names, layout, dtype, kind)
    file = files.load(src)
    where, notes = os.fspath(src), file.notes
    net: Optional[Net] = None
    if suffix == ".onnx" or kind is not None or layout == "main":
        net = recognise(file.arrays, where, kind)
    elif names == "canonical":
        net = _only_network(file.arrays, where)
        if net is None:
            notes.append("no network was recognised: every array is kept under its own name")
    if net is None:
        arrays = file.arrays
    elif names == "keep" and suffix != ".onnx":
        arrays, net = {net.names[name]: array for name, array in net.arrays.items()}, None
    else:
        arrays = net.arrays
    arrays = {name: _cast(array, dtype, f"{where}: {name}") for name, array in arrays.items()}
    if net is not None and net.scheme == "list":
        notes.append(LIST_NOTE)

    if net is not None and suffix == ".onnx":
        net = replace(net, arrays=arrays)
        check_finite(net, where)
        export.save(dst, graph_of(net))
        return Conversion(Path(dst), net, len(arrays), tuple(notes))
    if net is not None and suffix == ".pth":
        arrays = state_dict(arrays, net.batches, "main." if layout == "main" else "")
    elif net is not None and any(net.batches.values()):
        notes.append("num_batches_tracked is left out: only PyTorch's training reads it")
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


def _check(
    src: str | os.PathLike, dst: str | os.PathLike, names: str, layout: str, dtype: Optional[str], kind: Optional[str]
) -> str:
    """The destination's suffix. Raises ParamsError for any argument that makes no sense."""
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


def _only_network(arrays: Mapping[str, np.ndarray], where: str) -> Optional[Net]:
    """The network that the arrays are, None if they are none. Raises ParamsError for two, which no file may mix."""
    try:
        nets = recognise_all(arrays, where)
    except ParamsError:
        return None
    if len(nets) > 1:
        found = " and ".join(f"a {net.kind}" for net in nets)
        raise ParamsError(f"{where}: holds {found}; choose one (--kind), or keep the names (--names keep)")
    return nets[0]


def _cast(array: np.ndarray, dtype: Optional[str], where: str) -> np.ndarray:
    """A floating-point array in another precision; any other array unchanged."""
    if dtype is None or array.dtype.kind != "f":
        return array
    with np.errstate(over="ignore"):
        cast = array.astype(dtype)
    if np.isfinite(array).all() and not np.isfinite(cast).all():
        raise ParamsError(
            f"{where}: has values up to {np.abs(array).max():.3g}, too large for {dtype}; leave --dtype out"
        )
    return cast
