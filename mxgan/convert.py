"""Weights from one file format to another, without loss."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

import numpy as np

from mxgan import atomic, checks, pretrained, run_names
from mxgan.architecture import members, networks
from mxgan.architecture.from_arrays import of_arrays
from mxgan.architecture.wishes import NONE, Wishes, checked
from mxgan.errors import ParamsError, SettingError
from mxgan.graph import layout as layouts
from mxgan.graph.forward import generate
from mxgan.graph.reading import Reading
from mxgan.onnx import export
from mxgan.weights import files
from mxgan.weights.formats import cast, for_format
from mxgan.weights.net import LIST_NOTE, Net, recognise, recognise_all
from mxgan.weights.of_run import weights_file

DESTINATIONS = (*files.SUFFIXES, ".onnx")
NAMES = ("canonical", "keep")
LAYOUTS = ("plain", "main")
DTYPES = ("float16", "float32", "float64")


@dataclass(frozen=True)
class Conversion:
    """What `convert_weights` did."""

    path: Path
    net: Optional[Net]  # None: the names were kept, because the caller asked or because it is no DCGAN
    arrays: int  # how many were written
    notes: tuple[str, ...]  # what the user should know


def convert_weights(
    src: str | os.PathLike,
    dst: str | os.PathLike,
    names: str = "canonical",
    layout: str = "plain",
    dtype: Optional[str] = None,
    kind: Optional[str] = None,
    wishes: Wishes = NONE,
) -> Conversion:
    """Write the arrays of ``src`` to ``dst`` in the format of its suffix: .params .npz .safetensors .pth .onnx.

    ``src`` is a weights file of any kind, or a run directory. Values, shapes and dtypes stay the same (bfloat16 widens
    to float32).

    ``names``: "canonical" renames a DCGAN's arrays and leaves others alone; "keep" leaves all names alone.
    ``layout``: "plain" names a DCGAN's .pth like a plain Sequential's state dict, ``0.weight``; "main" like the
    reference DCGAN's, ``main.0.weight``. Either includes ``num_batches_tracked``, so that a strict load accepts it.
    ``dtype``: rounds or widens the floating-point arrays.
    ``kind``: "generator" or "discriminator", to pick one from a file that holds both.
    ``wishes``: what you know of the network and its file doesn't say.

    An .onnx is the generator itself, whichever it is, checked by running it. The other formats hold arrays alone: where
    they would be read as another network than ``src``'s, a note says so. ``dst`` is replaced as a whole or left alone.
    Raises ParamsError for files, names, shapes or dtypes that can't be read or written, MissingPackage without an
    extra.
    """
    is_run = run_names.meant(src).is_dir()
    src, dst, wishes = weights_file(src), checks.as_path("dst", dst), checked(wishes)
    suffix = _check(src, dst, names, layout, dtype, kind)
    file = _without_constants(networks.load(src))
    if suffix == ".onnx":
        ours = is_run or Path(src).parent == pretrained.FOLDER  # mxgan made that network: nothing is assumed of it
        return _to_onnx(file, dst, dtype, kind, wishes, ours)
    notes = file.notes
    reading = _reading(file, kind, wishes) if _says_more(file, wishes) else None
    net: Optional[Net] = None
    arrays: Mapping[str, np.ndarray] = file.arrays
    if kind is not None or layout == "main":
        net, arrays = _picked(file, kind, layout, wishes, notes)
    elif names == "canonical":
        net = _only_network(file.arrays, file.path)
    if net is None and names == "canonical":
        notes.append("no DCGAN was recognised: every array is kept under its own name")
    if net is not None and names == "keep":
        arrays, net = {net.names[name]: array for name, array in net.arrays.items()}, None
    elif net is not None:
        arrays = _as_computed(net, reading, notes)
    arrays = {name: cast(array, dtype, f"{file.path}: {name}") for name, array in arrays.items()}
    if net is not None and net.scheme == "list":
        notes.append(LIST_NOTE)
    arrays = for_format(arrays, net, suffix, "main." if layout == "main" else "", notes, names == "keep")
    atomic.make_folder_of(dst)
    files.save(dst, arrays, _layout(file, arrays, kind, wishes) if suffix == ".pth" and net is not None else None)
    if reading is not None and kind != "discriminator":
        notes += _told_apart(reading, src, dst, renamed=net is not None)
    return Conversion(Path(dst), net, len(arrays), tuple(notes))


def _to_onnx(
    file: files.WeightsFile,
    dst: str | os.PathLike,
    dtype: Optional[str],
    kind: Optional[str],
    wishes: Wishes,
    ours: bool,
) -> Conversion:
    """The generator's graph as an ONNX model."""
    found = networks.networks(file, wishes)
    reading = members.chosen(found, kind or "generator")
    notes = file.notes
    if reading is None and kind is None:
        reading = networks.generator(file.path, wishes)  # which says what is in the way
    if reading is None:
        raise ParamsError(f"{file.path}: holds no {kind} that could be told from others; see `mxgan weights inspect`")
    others = [one for one in found if isinstance(one, Reading) and one.graph.kind == reading.graph.kind]
    if len(others) > 1:
        notes.append(_of_several(reading, len(others)))
    members.check_finite(reading, file.path)
    arrays = {name: cast(array, dtype, f"{file.path}: {name}") for name, array in reading.graph.arrays.items()}
    atomic.make_folder_of(dst)
    export.save(dst, replace(reading.graph, arrays=arrays), reading.uniform)
    if file.container == "onnx":
        notes.append("an .onnx already: its graph is written anew, with input z and output images in [-1, 1]")
    notes += [*(() if ours else reading.told), *reading.warnings]
    if reading.uniform:
        notes.append("its latents are uniform in [-1, 1)")
    net = members.dcgan(reading, file.arrays, file.path)
    return Conversion(Path(dst), net, len(arrays), tuple(notes))


def _without_constants(file: files.WeightsFile) -> files.WeightsFile:
    """An .onnx model without the shapes and single numbers that its nodes take, which are no weights."""
    if file.container != "onnx":
        return file
    return replace(
        file, arrays={name: array for name, array in file.arrays.items() if array.dtype.kind == "f" and array.ndim}
    )


def _says_more(file: files.WeightsFile, wishes: Wishes) -> bool:
    """Whether the file, or one beside it, or the user says more of its network than arrays do."""
    own = file.container == "onnx" or file.script or file.modules
    return bool(own) or wishes != NONE or networks.symbol_of(Path(file.path)) is not None


def _reading(file: files.WeightsFile, kind: Optional[str], wishes: Wishes) -> Optional[Reading]:
    """The generator in a file, or the network of ``kind``; None where that can't be read, unless the user described it.

    Raises ParamsError where what the user says can't be right.
    """
    try:
        return members.chosen(networks.networks(file, wishes), kind or "generator")
    except ParamsError:
        if wishes != NONE:
            raise
        return None


def _picked(
    file: files.WeightsFile, kind: Optional[str], layout: str, wishes: Wishes, notes: list[str]
) -> tuple[Optional[Net], Mapping[str, np.ndarray]]:
    """The one network asked for, and its arrays: as a DCGAN if it is one. Raises ParamsError where there is none."""
    try:
        nets = recognise_all(file.arrays, file.path)
    except ParamsError:
        nets = []
    fitting = [net for net in nets if kind in (None, net.kind)]
    if len(fitting) == 1:
        return fitting[0], fitting[0].arrays
    reading = _reading(file, kind, wishes) if fitting or not nets else None
    found = None if reading is None else members.dcgan(reading, file.arrays, file.path)
    if reading is None or (found is None and layout == "main"):
        net = recognise(file.arrays, file.path, kind)  # says what is in the way
        return net, net.arrays
    if len(fitting) > 1:
        notes.append(_of_several(reading, len(fitting)))
    return found, members.own_arrays(reading, file.arrays)


def _of_several(reading: Reading, count: int) -> str:
    return f"{members.prefix(reading)} is used, a moving average; the file holds {count} {reading.graph.kind}s"


def _as_computed(net: Net, reading: Optional[Reading], notes: list[str]) -> dict[str, np.ndarray]:
    """A DCGAN's arrays, with gammas of 1 where the file's network ignores its own (MXNet's fix_gamma)."""
    if reading is None:
        return net.arrays
    used = set(reading.names.values())
    arrays = dict(net.arrays)
    for name, array in net.arrays.items():
        layer, _, word = name.rpartition(".")
        if word == "gamma" and net.names[name] not in used and net.names[f"{layer}.running_mean"] in used:
            arrays[name] = np.ones_like(array)
    if any((arrays[name] != net.arrays[name]).any() for name in arrays if name.endswith(".gamma")):
        notes.append("gammas that the network ignores (fix_gamma) are written as 1")
    return arrays


def _layout(
    file: files.WeightsFile, arrays: Mapping[str, np.ndarray], kind: Optional[str], wishes: Wishes
) -> Optional[str]:
    """The generator that the arrays of a .pth are, as a layout; None where that was guessed, or they don't show it."""
    source = _reading(file, kind, wishes)
    by_arrays = members.chosen(of_arrays(dict(arrays), NONE, file.path))
    if source is None or source.guessed or by_arrays is None or not _same(by_arrays, source):
        return None
    return layouts.describe(by_arrays.graph, by_arrays.names, by_arrays.uniform)


def _told_apart(reading: Reading, src: Path, dst: str | os.PathLike, renamed: bool) -> list[str]:
    """What to say where ``dst``'s arrays alone would be read as another network."""
    try:
        again = members.chosen(networks.networks(networks.load(dst)))
    except ParamsError:
        again = None
    if again is not None and _same(again, reading):
        return []
    keep = ", with --names keep here" if renamed else ""
    return [
        f"{dst} holds arrays alone, and {reading.source} says more of the network than they do: generate from it with "
        f"the layout that `mxgan weights inspect {src} --layout` writes{keep}"
    ]


def _same(one: Reading, other: Reading) -> bool:
    """Whether two readings make the same pictures of the same latents, within half a grey level."""
    graphs = one.graph, other.graph
    if len({(graph.latent, graph.classes) for graph in graphs}) > 1 or one.uniform != other.uniform:
        return False
    latent, classes = graphs[0].latent, graphs[0].classes
    assert latent is not None  # generators have it
    z = np.linspace(-2, 2, 2 * latent).reshape(2, latent)
    labels = None if classes is None else np.array([0, classes - 1])
    first, second = (generate(graph, z, labels) for graph in graphs)
    return first.shape == second.shape and bool(np.abs(first - second).max() <= 0.5 / 127.5)


def _check(
    src: str | os.PathLike, dst: str | os.PathLike, names: str, layout: str, dtype: Optional[str], kind: Optional[str]
) -> str:
    """The destination's suffix. Raises ParamsError for any argument that makes no sense."""
    suffix = files.format_of(dst)
    if suffix not in DESTINATIONS:
        raise ParamsError(f"{dst}: unknown suffix {suffix!r}; a destination ends in {', '.join(DESTINATIONS)}")
    for option, value, known in (
        ("names", names, NAMES),
        ("layout", layout, LAYOUTS),
        ("dtype", dtype, (None, *DTYPES)),
        ("kind", kind, (None, "generator", "discriminator")),
    ):
        if value not in known:
            raise SettingError(option, value, f"one of {', '.join(item for item in known if item)}")
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
