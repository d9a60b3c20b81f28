"""The page as a folder of static files, for any host: the generator runs in the visitor's browser."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import __version__, pixels, rng, run_names, sampling
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.errors import MxganError, ParamsError, SettingError
from mxgan.graph import Graph
from mxgan.onnx.engine import Engine
from mxgan.onnx.model import check, serialise
from mxgan.page.runtime import FILES, LICENCE, RUNTIMES
from mxgan.page.runtime import files as files_of_runtime
from mxgan.words import counted

SITE = Path(__file__).parent / "site"  # the page's own files
DTYPES = ("auto", "float16", "float32")
MODEL = "netG.onnx.gz"
TRIED = 16  # faces that decide whether float16 will do
LEVELS = 1  # grey levels that a face may be off by


@dataclass(frozen=True)
class Site:
    """What `build` made."""

    path: Path
    dtype: str  # of the generator's weights
    levels: int  # grey levels that its faces are off by at most, of those tried
    sent: dict[str, int]  # bytes up to the first face, by runtime: wasm, webgpu

    def lines(self) -> list[str]:
        """In words, for the one who made it."""
        off = f"at most {counted(self.levels, 'grey level')} from mxgan generate's" if self.levels else "the same"
        wasm, webgpu = (f"{self.sent[name] / 1e6:.1f} MB" for name in ("wasm", "webgpu"))
        return [
            f"weights in {self.dtype}: {TRIED} faces tried, {off}",
            f"{wasm} to the first face over the network, {webgpu} where the browser has WebGPU",
            f"to look at it: python -m http.server -d {self.path}",
        ]


def build(
    weights: str | Path,
    out: str | Path,
    dtype: str = "auto",
    runtime: Optional[Path] = None,
    wishes: Wishes = NONE,
) -> Site:
    """Write the page with the generator in ``weights`` (a file of any kind, or a run) into the new folder ``out``.

    ``dtype`` of the weights: float16 halves what a visitor fetches; auto takes it where no face that is tried moves by
    more than one grey level. Computed in float32 either way. ``runtime``: onnxruntime-web's tarball or folder
    (`mxgan.page.runtime.files`). ``wishes``: what you know of the network and its file doesn't say.
    ``out`` appears whole or not at all. Raises MxganError for what can't be read, written or fetched, for a generator
    that can't be written as ONNX, and where ``out`` holds files; MissingPackage without the onnx extra.
    """
    out = Path(out)
    _check(out, dtype)
    generator, graph = _generator(weights, wishes)
    model, used, levels = _model(generator, graph, dtype)
    fetched = files_of_runtime(runtime)
    files = {path.name: path.read_bytes() for path in sorted(SITE.iterdir()) if path.is_file()}
    files |= {**fetched, **_licences(), MODEL: gzip.compress(model, 9, mtime=0)}
    settings = _settings(generator, _name(generator, weights), files)
    files["settings.json"] = json.dumps(settings, indent=2, ensure_ascii=False).encode()
    with _new_folder(out) as folder:
        for name, data in files.items():
            place = folder / name
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(data)
    return Site(out, used, levels, {name: _sent(name, files) for name in RUNTIMES})


def _check(out: Path, dtype: str) -> None:
    if dtype not in DTYPES:
        raise SettingError("dtype", dtype, f"one of {', '.join(DTYPES)}")
    try:
        if out.is_dir() and not any(out.iterdir()):
            return
        if not os.path.lexists(out):
            return
    except OSError as error:
        raise SettingError("out", str(out), f"can't be looked into ({error.strerror}); name another folder") from error
    what = "holds files already" if out.is_dir() else "is a file"
    raise SettingError("out", str(out), f"{what}; name a new folder, or an empty one")


def _generator(weights: str | Path, wishes: Wishes) -> tuple[sampling.Generator, Graph]:
    """The generator on onnxruntime, and its graph."""
    generator = sampling.load_generator(weights, "onnx", "cpu", wishes=wishes)
    if generator.read is None:
        raise ParamsError(
            f"{generator.file}: mxgan runs this model as it is and can't write it; "
            "a page needs a generator whose layers it knows"
        )
    return generator, generator.read.graph


def _model(generator: sampling.Generator, graph: Graph, dtype: str) -> tuple[bytes, str, int]:
    """The ONNX model's bytes, the weights' dtype, and the grey levels that its faces are off by."""
    labels, _ = sampling.labelled(generator, TRIED)
    z = rng.samples(0, 0, TRIED, generator.latent, generator.uniform)
    wanted = pixels.to_uint8(generator.forward(z, labels)).astype(int)
    for used in ("float16", "float32") if dtype == "auto" else (dtype,):
        stored = replace(graph, arrays={name: _stored(array, used) for name, array in graph.arrays.items()})
        model = serialise(stored, generator.uniform)
        made = pixels.to_uint8(Engine(stored, model).forward(z, labels)).astype(int)
        levels = int(np.abs(made - wanted).max())
        if levels <= LEVELS:
            break
    check(model)
    return model, used, levels


def _stored(array: np.ndarray, dtype: str) -> np.ndarray:
    """Weights in a dtype. float16 is for the large arrays, where its range is enough: the others are no burden."""
    wide = array.astype(np.float32)
    if dtype == "float32" or array.ndim < 2 or np.abs(wide).max(initial=0) > np.finfo(np.float16).max:
        return wide
    return array.astype(np.float16)


def _name(generator: sampling.Generator, weights: str | Path) -> str:
    """What the page calls the generator: its file, or the run it is from."""
    folder = run_names.meant(Path(weights))
    assert generator.file is not None  # it has been read
    return folder.resolve().name if folder.is_dir() else generator.file.stem


def _settings(generator: sampling.Generator, name: str, files: dict[str, bytes]) -> dict[str, Any]:
    """What the page reads first: where faces come from, and what they are."""

    def sized(file: str) -> dict[str, Any]:
        return {"name": file, "bytes": len(files[file])}

    height, width, _ = generator.shape
    return {
        "source": "browser",
        "name": name,
        "mxgan": __version__,
        "latent": generator.latent,
        "uniform": generator.uniform,
        "classes": generator.classes,
        "height": height,
        "width": width,
        "model": sized(MODEL),
        "runtimes": {
            name: {"module": each.module.name, "glue": each.glue.name, "binary": sized(each.binary.name)}
            for name, each in RUNTIMES.items()
        },
    }


def _sent(name: str, files: dict[str, bytes]) -> int:
    """The bytes that a browser fetches until its first face: all of the page, its model and one runtime."""
    own = RUNTIMES[name]
    others = {file.name for file in FILES} - {own.module.name, own.glue.name, own.binary.name}
    return sum(len(data) for file, data in files.items() if file not in others and "/" not in file)


def _licences() -> dict[str, bytes]:
    """The licences of what lies in the folder. The notices on what the runtime is made of come with onnxruntime."""
    found = {f"licences/{path.name}": path.read_bytes() for path in sorted(LICENCE.parent.iterdir())}
    spec = importlib.util.find_spec("onnxruntime")
    notices = Path(spec.origin or "").parent / "ThirdPartyNotices.txt" if spec else Path()
    if notices.is_file():
        found["licences/onnxruntime-third-party.txt"] = notices.read_bytes()
    return found


@contextlib.contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder to write into: it becomes ``out`` at the end of the block, and is deleted if the block raises."""
    temporary = (out if out.is_dir() else out.parent) / f".mxgan-{secrets.token_hex(8)}.tmp"
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if out.is_dir():
            for path in sorted(temporary.iterdir()):
                path.rename(out / path.name)
            temporary.rmdir()
        else:
            temporary.rename(out)
    except OSError as error:
        raise MxganError(f"{out}: can't be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
