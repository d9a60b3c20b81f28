"""Any weights file to arrays and back. The content decides how a file is read, the suffix how it is written.

Suffixes mislead: MXNet 2.0 writes ZIPs named .params, and gluon-cv wrote .params named .pth.
"""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from mxgan import atomic
from mxgan.errors import MissingPackage, ParamsError
from mxgan.weights import list_file, params_file

if TYPE_CHECKING:
    from mxgan.weights.pickled_modules import Module

SUFFIXES = (".params", ".npz", ".safetensors", ".pth", ".pt")
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the same arrays give the same bytes


@dataclass(frozen=True)
class WeightsFile:
    """What a file holds: arrays under their stored names, in the file's order, and where they come from."""

    path: str
    bytes: int
    container: str  # legacy, V1, V2, V3, npz (see params_file), safetensors, pth
    era: str  # which program writes that
    arrays: dict[str, np.ndarray]
    dtypes: dict[str, str]  # as stored: "bfloat16" where the array is float32
    warnings: tuple[str, ...]  # oddities: the file may be damaged
    left_out: tuple[str, ...] = ()  # of a PyTorch checkpoint: what else it holds
    modules: tuple[Module, ...] = ()  # of a PyTorch file: its whole modules, with their settings
    script: bool = False  # a TorchScript archive: architecture.torchscript reads its program
    layout: Optional[str] = None  # of a .pth that mxgan wrote: its network, as mxgan.graph.layout describes it

    @property
    def notes(self) -> list[str]:
        """The oddities, and what the arrays alone don't show, in words."""
        notes = list(self.warnings)
        if self.left_out:
            notes.append(f"left out, as no weights: {', '.join(self.left_out)}")
        if "bfloat16" in self.dtypes.values():
            notes.append("bfloat16 is widened to float32")
        return notes


def load(path: str | os.PathLike) -> WeightsFile:
    """Read a weights file of any of the four formats.

    Arrays keep shape and dtype, bfloat16 widened exactly to float32; they may be read-only views. Raises ParamsError
    for a file that is missing, damaged or something else, MissingPackage for .safetensors without its extra.
    """
    path = Path(path)
    if path.suffix.lower() == ".onnx":
        raise ParamsError(
            f"{path}: an ONNX model, where arrays are wanted ({', '.join(SUFFIXES)}): `weights convert` makes them"
        )
    head = _head(path)
    if _is_safetensors(path, head):
        return _load_safetensors(path)
    if not head.startswith(list_file.MAGIC[:1]):
        from mxgan.weights import pth

        if pth.is_pth(path, head):
            return _load_pth(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the result has them
        file = params_file.read(path)
    return WeightsFile(str(path), file.size, file.container, file.era, file.arrays, file.dtypes, file.warnings)


def save(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], layout: Optional[str] = None) -> None:
    """Write the arrays under their names, by suffix, atomically, in their order (safetensors sorts by its own rule).

    ``layout``: the network that they are, which a .pth keeps and the other formats have no place for.
    Raises ParamsError for a suffix, name, shape or dtype that the format lacks, MissingPackage without its extra.
    """
    suffix = format_of(path)
    if suffix == ".params":
        params_file.save_params(path, arrays)
    elif suffix == ".npz":
        _save_npz(path, arrays)
    elif suffix == ".safetensors":
        _save_safetensors(path, arrays)
    elif suffix == ".pth":
        from mxgan.weights import pth

        pth.write(path, arrays, layout)
    else:
        raise ParamsError(f"{path}: unknown suffix {suffix!r}; weights are written as {', '.join(SUFFIXES)}")


def format_of(path: str | os.PathLike) -> str:
    """The suffix that stands for the format of a file to be written: .pth for a .pt too."""
    suffix = Path(path).suffix.lower()
    return ".pth" if suffix == ".pt" else suffix


def _head(path: Path) -> bytes:
    """The first bytes of a regular file, or b"" for anything else: the reader then says what is wrong."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(64)
    except (OSError, ValueError):
        return b""


def _is_safetensors(path: Path, head: bytes) -> bool:
    """A u64 length of the JSON header, then the header."""
    if len(head) < 10 or head[8:9] != b"{":
        return False
    return path.suffix.lower() == ".safetensors" or int.from_bytes(head[:8], "little") <= path.stat().st_size - 8


def _safetensors(why: str) -> Any:
    try:
        import safetensors
    except ImportError as error:
        raise MissingPackage(why, "safetensors") from error
    return safetensors


_SAFE_DTYPES = {
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "BOOL": "bool",
    "BF16": "bfloat16",
}


def _load_safetensors(path: Path) -> WeightsFile:
    safetensors = _safetensors("reading .safetensors needs safetensors")
    data = path.read_bytes()
    try:
        entries = safetensors.deserialize(data)
    except safetensors.SafetensorError as error:
        raise ParamsError(f"{path}: not a sound safetensors file: {error}; fetch it again") from error
    arrays, dtypes = {}, {}
    for name, entry in entries:
        dtype = _SAFE_DTYPES.get(entry["dtype"])
        if dtype is None:
            raise ParamsError(f"{path}: {name}: dtype {entry['dtype']}; {', '.join(_SAFE_DTYPES)} can be read")
        stored = np.dtype("u2" if dtype == "bfloat16" else dtype).newbyteorder("<")
        array = np.frombuffer(entry["data"], stored).reshape(entry["shape"])
        arrays[name] = (array.astype("<u4") << np.uint32(16)).view("<f4") if dtype == "bfloat16" else array
        dtypes[name] = dtype
    return WeightsFile(str(path), len(data), "safetensors", "safetensors", arrays, dtypes, ())


def _load_pth(path: Path) -> WeightsFile:
    from mxgan.weights import pth

    file = pth.read(path)
    era = "PyTorch 1.6 and newer" if file.container == "zip" else "PyTorch before 1.6"
    return WeightsFile(
        str(path),
        path.stat().st_size,
        "pth",
        "TorchScript" if file.script else era,
        file.arrays,
        file.dtypes,
        (),
        file.left_out,
        file.modules,
        file.script,
        file.layout,
    )


def _save_npz(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """As np.savez, uncompressed, but with any name (np.savez fails on "file") and a fixed date."""
    for name, array in arrays.items():
        parts = f"{name}.npy".split("/")
        if "\0" in name or "\\" in name or not parts[0] or ".." in parts or (parts[-1] == "format.npy" and parts[1:]):
            raise ParamsError(f"{path}: {name!r} can't be the name of a member of a ZIP; rename it")
        if array.dtype.hasobject:
            raise ParamsError(f"{path}: {name} holds Python objects; numbers wanted")
    with atomic.writing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _FIXED_DATE), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


def _save_safetensors(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    _safetensors("writing .safetensors needs safetensors")
    import safetensors.numpy

    if "__metadata__" in arrays:
        raise ParamsError(f"{path}: safetensors keeps the name __metadata__ for itself; rename that array")
    little = {name: np.array(array, array.dtype.newbyteorder("<"), order="C") for name, array in arrays.items()}
    try:
        data = safetensors.numpy.save(little)
    except (KeyError, ValueError, TypeError, safetensors.SafetensorError) as error:
        raise ParamsError(f"{path}: safetensors can't hold these arrays: {error}") from error
    atomic.write(path, data)
