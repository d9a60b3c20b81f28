"""Checkpoints: everything a resume needs, whole or not there, each byte accounted for.

    checkpoints/000094/  manifest.json  netG.params  netD.params  adamG.params  adamD.params
                         emaG.params  spectral.params    of runs that have them

A checkpoint is written into a temporary folder, flushed to the disk and then renamed. Its manifest holds the SHA-256 of
every file and of itself. There are no pickles: nothing in it can run when it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import atomic
from mxgan.engines.protocol import State
from mxgan.errors import MxganError
from mxgan.training import validation
from mxgan.training.log import Mark
from mxgan.training.validation import Score
from mxgan.weights import list_file, params_file

ALWAYS = {"netG": "netG.params", "netD": "netD.params", "adamG": "adamG.params", "adamD": "adamD.params"}
FILES = {**ALWAYS, "netG-ema": "emaG.params", "spectral": "spectral.params"}  # a state's arrays, and their files
COUNTS = ("adamG", "adamD")
MANIFEST = "manifest.json"
FORMAT = 1
KEEP = 3  # the last so many are kept, and the best


@dataclass(frozen=True)
class Checkpoint:
    """All that a resume needs. ``config`` is config.json as it was: settings, versions, the faces' fingerprint."""

    step: int
    state: State
    log: Mark
    config: dict[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint under ``folder`` and return its path.

    On any failure nothing of it remains, those before are untouched, and MxganError says what went wrong.
    """
    step, state = checkpoint.step, checkpoint.state
    target = folder / f"{step:06d}"
    temporary = _temporary(folder, step)
    try:
        if not folder.is_dir():
            folder.mkdir()
            flush_folder(folder.parent)
        temporary.mkdir()
        files = {FILES[name]: _write_arrays(temporary / FILES[name], arrays) for name, arrays in state.arrays.items()}
        manifest = {
            "format": FORMAT,
            "step": step,
            "counts": state.counts,
            "log": asdict(checkpoint.log),
            "files": files,
            "config": checkpoint.config,
        }
        manifest["checksum"] = _checksum(manifest)
        atomic.write(temporary / MANIFEST, json.dumps(manifest, indent=2).encode())
        flush_folder(temporary)
        if target.exists():  # one that was found damaged, or it would have been resumed from
            os.rename(target, folder / f"{target.name}.damaged-{secrets.token_hex(4)}")
        os.rename(temporary, target)
        flush_folder(folder)
    except (OSError, MxganError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        cause = error if isinstance(error, OSError) else error.__cause__
        why = getattr(cause, "strerror", None) or error  # without the temporary file's name
        raise MxganError(f"{target}: the checkpoint can't be saved: {why}") from error
    return target


def newest(folder: Path, say: Callable[[str], None]) -> Optional[Checkpoint]:
    """The newest sound checkpoint under ``folder``; None if there never was one.

    A damaged one is named through ``say`` and passed over. Raises MxganError if all of them are damaged.
    """
    found = list(reversed(steps(folder)))
    for step in found:
        try:
            return load(folder / f"{step:06d}")
        except MxganError as error:
            say(f"warning: {error}: using the one before")
    if found:
        raise MxganError(
            f"{folder}: every checkpoint is damaged ({len(found)} of them); to begin again from the first step, move "
            "this folder away and resume"
        )
    return None


def load(path: Path) -> Checkpoint:
    """Read and verify one checkpoint. Raises MxganError, naming the file and the fault, if it is damaged."""
    manifest = _manifest(path)
    found = {name: file for name, file in FILES.items() if file in manifest["files"]}
    arrays = {name: _read_arrays(path / file, manifest["files"][file]) for name, file in found.items()}
    state = State(arrays, manifest["counts"])
    return Checkpoint(manifest["step"], state, Mark(**manifest["log"]), manifest["config"])


def steps(folder: Path) -> list[int]:
    """The steps of the checkpoints under ``folder``, sound or not, in order."""
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_dir() and re.fullmatch("[0-9]+", entry.name)]
    except OSError:
        return []
    return sorted(int(name) for name in names if name == f"{int(name):06d}")


def prune(folder: Path, step: int, scores: Sequence[Score] = (), keep: int = KEEP) -> None:
    """Keep the last ``keep`` checkpoints up to ``step``, the newest; remove what a killed process left half-written.

    With each of them the one that had the best of ``scores`` then: whichever a resume goes on from, its best is there.

    Later ones are damaged, or the run would have gone on from them: they neither count nor vanish.
    """
    found = [one for one in steps(folder) if one <= step]
    bests = [validation.best(scores, one) for one in found[-keep:]]
    kept = {*found[-keep:], *(one.step for one in bests if one)}
    for old in [one for one in found if one not in kept]:
        # renamed first, so that one that is half-deleted is never taken for a checkpoint
        os.rename(folder / f"{old:06d}", _temporary(folder, old))
    for entry in folder.glob(".*.tmp"):
        shutil.rmtree(entry, ignore_errors=True)


def flush_folder(folder: Path) -> None:
    """Make what was created or renamed in ``folder`` last through a power loss. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary(folder: Path, step: int) -> Path:
    return folder / f".{step:06d}.{secrets.token_hex(8)}.tmp"


def _write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0

    def hashed() -> Iterator[atomic.BytesLike]:
        nonlocal size
        for piece in list_file.encode(arrays, str(path)):
            digest.update(piece)
            size += memoryview(piece).nbytes
            yield piece

    atomic.write(path, hashed())
    return {"bytes": size, "sha256": digest.hexdigest()}


def _manifest(path: Path) -> dict[str, Any]:
    file = path / MANIFEST
    try:
        manifest = json.loads(_read(file))
        checksum, version = manifest.pop("checksum"), manifest["format"]
        as_written = checksum == _checksum(manifest)
    except MxganError:
        raise
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise MxganError(f"{file}: damaged checkpoint (not a manifest)") from error
    if not as_written:
        raise MxganError(f"{file}: damaged checkpoint (its checksum is wrong)")
    if version != FORMAT:
        raise MxganError(f"{file}: a checkpoint of format {version!r:.20}, this version of mxgan reads {FORMAT}")
    if not _makes_sense(manifest, path.name):
        raise MxganError(f"{file}: damaged checkpoint (not what mxgan writes)")
    return manifest


def _makes_sense(manifest: dict[str, Any], name: str) -> bool:
    """Does a manifest that adds up also say what `save` would have? Somebody else may have written it."""
    step, counts, log, files = (manifest.get(key) for key in ("step", "counts", "log", "files"))
    if not (_is_count(step) and name == f"{step:06d}" and isinstance(manifest.get("config"), dict)):
        return False
    if not (isinstance(counts, dict) and set(counts) == set(COUNTS)):
        return False
    if not all(_is_count(count) and count <= step for count in counts.values()):
        return False
    if not (isinstance(log, dict) and set(log) == {"bytes", "sha256"} and _is_count(log["bytes"])):
        return False
    if not (isinstance(files, dict) and set(ALWAYS.values()) <= set(files) <= set(FILES.values())):
        return False
    return all(isinstance(file, dict) and set(file) == {"bytes", "sha256"} for file in files.values())


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _read_arrays(path: Path, wanted: dict[str, Any]) -> dict[str, np.ndarray]:
    data = _read(path)
    if len(data) != wanted["bytes"]:
        raise MxganError(f"{path}: damaged checkpoint ({len(data)} bytes, {wanted['bytes']!r:.30} were written)")
    if hashlib.sha256(data).hexdigest() != wanted["sha256"]:
        raise MxganError(f"{path}: damaged checkpoint (its checksum is wrong)")
    return params_file.parse(data, str(path)).arrays


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MxganError(f"{path}: damaged checkpoint ({error.strerror or error})") from error


def _checksum(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
