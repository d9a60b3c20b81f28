"""The report of `inspect` as lines of text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from mxgan.architecture.inspect import inspect
from mxgan.architecture.wishes import NONE, Wishes, checked
from mxgan.errors import in_python
from mxgan.weights.names import printable
from mxgan.words import counted

WIDTH = 110  # of a network's head; tables take what they need
LONGEST = 28  # characters of a layer's name; longer ones lose their middle
_SETTINGS = {  # what a table shows beside a layer's kind
    "BatchNorm": "eps {eps:g}", "InstanceNorm": "eps {eps:g}", "LeakyRelu": "{slope:g}", "Elu": "{alpha:g}",
    "Upsample": "{mode}", "Pad": "{mode}", "PixelShuffle": "{factor}", "Affine": "{scale:g}, {shift:g}",
}  # fmt: skip


class Report(dict[str, Any]):
    """What `mxgan.architecture.inspect.inspect` found, under its keys; shown as a table for people."""

    def __repr__(self) -> str:
        return "\n".join(lines(self))


def inspect_weights(path: str | os.PathLike, wishes: Wishes = NONE) -> Report:
    """What is in a weights file of any kind, or in a run directory: its networks, layer by layer, and its arrays.

    A dict with the keys that ``mxgan weights inspect --json`` has, as ``["nets"][0]["layers"]``, ``["arrays"]``,
    ``["usable_for"]``, ``["warnings"]``; it shows itself as the table of that command. ``wishes``: what you know of
    the network and its file doesn't say.
    Raises ParamsError where the file can't be read, MissingPackage where its extra isn't installed, MxganError for a
    wish that contradicts the file.
    """
    report = inspect(path, checked(wishes))
    report["warnings"] = [in_python(text) for text in report["warnings"]]
    report["unknown"] = [{**one, "why": in_python(one["why"])} for one in report["unknown"]]
    return Report(report)


def lines(report: dict[str, Any]) -> list[str]:
    """What the file is; each network with a table of its layers; a table of the arrays; warnings."""
    out = [
        printable(f"{report['file']}: {counted(report['bytes'], 'byte')}, {counted(len(report['arrays']), 'array')}"),
        printable(f"container: {report['container']}, written by {report['era']}; naming scheme: {report['scheme']}"),
        f"usable for: {', '.join(report['usable_for']) or 'nothing'}",
    ]
    for net in report["nets"]:
        out += ["", *_head(net), *_layers(net["layers"])]
    if not report["nets"]:
        out.insert(2, "no network recognised")
    if report["arrays"]:
        out += ["", *_arrays(report["arrays"])]
    warnings = [printable(f"warning: {text}") for text in report["warnings"]]
    return [*out, *(["", *warnings] if warnings else [])]


def _head(net: dict[str, Any]) -> list[str]:
    named = f" {net['prefix']}" if net["prefix"] else ""
    latent = "" if net["latent"] is None else f"latent {net['latent']} ({net['latents']}), "
    classes = "" if net["classes"] is None else f"{counted(net['classes'], 'label')}, "
    size = "×".join(map(str, net["shape"]))
    said = [f"{net['kind']}{named}: {latent}{classes}images {size}, {net['parameters']:,} parameters"]
    said.append(f"  read from: {net['source']}")
    if net["known"] is not None:
        known = net["known"]
        said.append(f"  known: {known['name']}, {known['source']}")
    if net["assumed"]:
        said.append(f"  assumed: {', '.join(net['assumed'])}")
    return [part for line in said for part in wrap(printable(line), WIDTH, subsequent_indent="    ")]


def _layers(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A row a layer."""
    table = [("name", "kind", "kernel", "stride", "pad", "in → out (C×H×W)", "parameters", "read from")]
    for row in rows:
        read_from = row["read_from"]
        if row["assumed"]:  # the first setting tells
            read_from = f"{read_from.replace('its ', '')}; {row['assumed'][0]} assumed"
        more = row["settings"].get("output_padding")
        padding = _pair(row["padding"]) + (f"+{_pair(more)}" if more and any(more) else "")
        kind = f"{row['kind']} {_SETTINGS.get(row['kind'], '').format(**row['settings'])}".strip()
        numbers = f"{row['parameters']:,}" if row["parameters"] else ""
        flow = f"{_sizes(row['in'])} → {_sizes(row['out'])}" if row["in"] != row["out"] else _sizes(row["out"])
        kernel = _sizes(row["kernel"]) if row["kernel"] else ""
        name = shortened(printable(row["name"]))
        table.append((name, kind, kernel, _pair(row["stride"]), padding, flow, numbers, read_from))
    return [printable(line) for line in _aligned(table, right=(6,))]


def _arrays(arrays: Sequence[dict[str, Any]]) -> list[str]:
    """A row an array."""
    table = [("name", "canonical", "shape", "dtype", "finite", "min", "mean", "max")]
    for array in arrays:
        numbers = ["-" if array[key] is None else f"{array[key]:.4g}" for key in ("min", "mean", "max")]
        finite = "yes" if array["finite"] else "NO"
        shape = "×".join(map(str, array["shape"])) or "scalar"
        table.append((printable(array["name"]), array["canonical"] or "-", shape, array["dtype"], finite, *numbers))
    return _aligned(table, right=(5, 6, 7))


def _aligned(table: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Columns as wide as their widest cell, those in ``right`` to the right."""
    widths = [max(map(len, column)) for column in zip(*table)]
    return [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in table
    ]


def shortened(name: str) -> str:
    """At most `LONGEST` characters: the beginning, and more of the end, which tells layers apart."""
    return name if len(name) <= LONGEST else f"{name[:8]}…{name[9 - LONGEST :]}"


def _pair(value: Any) -> str:
    if value is None:
        return ""
    return str(value[0]) if value[0] == value[1] else "×".join(map(str, value))


def _sizes(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "label"
