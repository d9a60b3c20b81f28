"""Checkpoints: everything a resume needs, whole or not there, each byte accounted for.

    checkpoints/000094/  manifest.json  netG.params  netD.params  adamG.params  adamD.params

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import atomic
from mxgan.engines import State
from mxgan.errors import MxganError
from mxgan.weights import list_file, params_file

ARRAYS = ("netG", "netD", "adamG", "adamD")
MANIFEST = "manifest.json"
FORMAT = 1
KEEP = 3  # the last so many are kept


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint, read and verified."""

    step: int
    state: State
    facts: dict[str, Any]  # what else was written down: configuration, versions, the log's length


def save(folder: Path, step: int, state: State, facts: dict[str, Any]) -> Path:
    """Write the checkpoint of ``step`` under ``folder`` and return its path.

    On any failure nothing of it remains, those before are untouched, and MxganError says what went wrong.
    """
    target = folder / f"{step:06d}"
    temporary = folder / f".{step:06d}.{secrets.token_hex(8)}.tmp"
    try:
        temporary.mkdir(parents=True)
        files = {f"{name}.params": _write_arrays(temporary / f"{name}.params", state.arrays[name]) for name in ARRAYS}
        manifest = {"format": FORMAT, "step": step, "counts": state.counts, "files": files, **facts}
        manifest["checksum"] = _checksum(manifest)
        atomic.write(temporary / MANIFEST, json.dumps(manifest, indent=2).encode())
        _flush_folder(temporary)
        if target.exists():  # one that was found damaged, or it would have been resumed from
            target.rename(folder / f"{step:06d}.damaged-{secrets.token_hex(4)}")
        temporary.rename(target)
        _flush_folder(folder)
    except (OSError, MxganError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise MxganError(f"{target}: the checkpoint can't be saved ({error})") from error
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
            say(f"{error}: using the one before")
    if found:
        raise MxganError(
            f"{folder}: every checkpoint is damaged ({len(found)} of them); to begin again from the first step, move "
            "this folder away and resume"
        )
    return None


def load(path: Path) -> Checkpoint:
    """Read and verify one checkpoint. Raises MxganError, naming the file and the fault, if it is damaged."""
    try:
        manifest = json.loads(_read(path / MANIFEST))
        checksum = manifest.pop("checksum")
        if manifest["format"] != FORMAT:
            raise MxganError(f"{path}: a checkpoint of format {manifest['format']}; this version reads {FORMAT}")
        sound = checksum == _checksum(manifest) and manifest["step"] == int(path.name)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        if isinstance(error, MxganError):
            raise
        raise MxganError(f"{path / MANIFEST}: damaged checkpoint (not a manifest)") from error
    if not sound:
        raise MxganError(f"{path / MANIFEST}: damaged checkpoint (its checksum is wrong)")
    arrays = {name: _read_arrays(path / f"{name}.params", manifest["files"][f"{name}.params"]) for name in ARRAYS}
    return Checkpoint(manifest["step"], State(arrays, manifest["counts"]), manifest)


def steps(folder: Path) -> list[int]:
    """The steps of the checkpoints under ``folder``, sound or not, in order."""
    if not folder.is_dir():
        return []
    return sorted(int(entry.name) for entry in folder.iterdir() if entry.is_dir() and re.fullmatch(r"\d+", entry.name))


def prune(folder: Path, keep: int = KEEP) -> None:
    """Delete all but the last ``keep`` checkpoints, and what a killed process left half-written."""
    for step in steps(folder)[:-keep]:
        # renamed first, so that one that is half-deleted is never taken for a checkpoint
        doomed = folder / f".{step:06d}.{secrets.token_hex(8)}.tmp"
        (folder / f"{step:06d}").rename(doomed)
    for entry in folder.glob(".*.tmp"):
        shutil.rmtree(entry, ignore_errors=True)


def _write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0

    def hashed() -> Iterator[bytes]:
        nonlocal size
        for piece in list_file.encode(arrays, str(path)):
            digest.update(piece)
            size += memoryview(piece).nbytes
            yield piece

    atomic.write(path, hashed())
    return {"bytes": size, "sha256": digest.hexdigest()}


def _read_arrays(path: Path, wanted: dict[str, Any]) -> dict[str, np.ndarray]:
    data = _read(path)
    if len(data) != wanted["bytes"]:
        raise MxganError(f"{path}: damaged checkpoint ({len(data)} bytes, {wanted['bytes']} were written)")
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


def _flush_folder(folder: Path) -> None:
    """Make a rename last through a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
