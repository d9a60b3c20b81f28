"""What is in a weights file, for people and for programs."""

from __future__ import annotations

import math
import os
from typing import Any, Optional

import numpy as np

from mxgan.weights import files
from mxgan.weights.names import printable, scheme
from mxgan.weights.net import LIST_NOTE, Net, Unrecognised, recognise_all


def inspect(path: str | os.PathLike) -> dict[str, Any]:
    """A weights file's contents, as JSON can hold them. The keys:

    file, bytes; container (legacy, V1, V2, V3, npz, safetensors, pth) and era, which program writes that; scheme
    (names.scheme); arrays: a list of name, canonical (null outside a recognised network), net (its kind), shape, dtype
    (as stored), finite, and min, mean, max over the finite values (null where there are none); net: kind, latent,
    width, channels, image_size, bias, first_norm, or null where it isn't one network; nets: all of them; usable_for:
    some of generate, evaluate, train, onnx, convert; warnings.

    Raises ParamsError where the file can't be read, MissingPackage where its extra isn't installed.
    """
    file = files.load(path)
    warnings = file.notes
    try:
        nets = recognise_all(file.arrays, os.fspath(path))
    except Unrecognised as error:
        nets = []
        warnings.append(error.why)
    homes = {name: (canonical, net.kind) for net in nets for canonical, name in net.names.items()}
    arrays = [
        _describe(name, array, file.dtypes.get(name, str(array.dtype)), *homes.get(name, (None, None)))
        for name, array in file.arrays.items()
    ]
    if any(net.scheme == "list" for net in nets):
        warnings.append(LIST_NOTE)
    for array in arrays:
        if not array["finite"]:
            warnings.append(f"{array['name']} has NaN or infinite values")
        elif array["canonical"] and array["canonical"].endswith("running_var") and array["min"] < 0:
            warnings.append(f"{array['name']} has negative variances")
    return {
        "file": os.fspath(path),
        "bytes": file.bytes,
        "container": file.container,
        "era": file.era,
        "scheme": scheme(file.arrays),
        "arrays": arrays,
        "net": _net(nets[0]) if len(nets) == 1 else None,
        "nets": [_net(net) for net in nets],
        "usable_for": _uses(nets, all(array["finite"] for array in arrays)),
        "warnings": warnings,
    }


def lines(report: dict[str, Any]) -> list[str]:
    """The report as lines of text: what it is, a table of the arrays, warnings."""
    nets = [
        f"{net['kind']}: {'' if net['latent'] is None else 'latent {}, '.format(net['latent'])}width {net['width']}, "
        f"images {net['image_size']}×{net['image_size']}×{net['channels']}, "
        f"{'with' if net['bias'] else 'no'} convolution bias"
        + ("" if net["kind"] == "generator" or net["first_norm"] else ", no BatchNorm after the first convolution")
        for net in report["nets"]
    ]
    return [
        printable(f"{report['file']}: {report['bytes']:,} bytes, {len(report['arrays'])} arrays"),
        f"container: {report['container']}, written by {report['era']}; naming scheme: {report['scheme']}",
        *(nets or ["no network recognised"]),
        f"usable for: {', '.join(report['usable_for'])}",
        "",
        *_table(report["arrays"]),
        *(printable(f"warning: {text}") for text in report["warnings"]),
    ]


def _describe(name: str, array: np.ndarray, dtype: str, canonical: Optional[str], net: Optional[str]) -> dict[str, Any]:
    numeric = array.dtype.kind in "biuf"
    finite = bool(np.isfinite(array).all()) if numeric else True
    values = array if finite else array[np.isfinite(array)]
    low = mean = high = None
    if numeric and values.size:
        with np.errstate(over="ignore", invalid="ignore"):
            low, mean, high = values.min().item(), float(values.mean(dtype=np.float64)), values.max().item()
        mean = mean if math.isfinite(mean) else None
    return {
        "name": name,
        "canonical": canonical,
        "net": net,
        "shape": list(array.shape),
        "dtype": dtype,
        "finite": finite,
        "min": low,
        "mean": mean,
        "max": high,
    }


def _net(net: Net) -> dict[str, Any]:
    keys = ("kind", "latent", "width", "channels", "image_size", "bias", "first_norm")
    return {key: getattr(net, key) for key in keys}


def _uses(nets: list[Net], finite: bool) -> list[str]:
    """What mxgan can do with the file: pictures need exactly one generator, of finite weights."""
    generator = finite and sum(net.kind == "generator" for net in nets) == 1
    return [*(("generate", "evaluate", "train", "onnx") if generator else ()), "convert"]


def _table(arrays: list[dict[str, Any]]) -> list[str]:
    """A row an array, columns as wide as their widest cell, numbers to the right."""
    rows = [("name", "canonical", "shape", "dtype", "finite", "min", "mean", "max")]
    for array in arrays:
        shape = "×".join(map(str, array["shape"])) or "scalar"
        numbers = ("-" if array[key] is None else f"{array[key]:.4g}" for key in ("min", "mean", "max"))
        name, finite = printable(array["name"]), "yes" if array["finite"] else "NO"
        rows.append((name, array["canonical"] or "-", shape, array["dtype"], finite, *numbers))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join(
            cell.rjust(width) if place > 4 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
