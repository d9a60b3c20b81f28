"""The packed cache: a set of faces as one .npy file, made once in parallel, then opened as a memory map.

A set has a folder of its own in the user's cache folder: ``images-<fingerprint>.npy``, and ``set.json``, which names
that file and says what it was made from. The JSON is replaced last, so a crash leaves the old set or none, never a
broken one.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Optional

import numpy as np
import platformdirs
from filelock import FileLock

from mxgan import atomic
from mxgan.errors import MxganError, SettingError
from mxgan.faces.folder import Skipped, check_wanted, printable
from mxgan.faces.misfit import broken, misfit
from mxgan.faces.sources import Source, is_painted, shown, source
from mxgan.words import counted

FORMAT = 1  # of the cache: a set in another format is packed again


@dataclass(frozen=True)
class Faces:
    """An open set of faces; its pixels stay on disk until they are used."""

    images: np.ndarray  # uint8 (N, size, size, 3) RGB, a read-only memory map
    fingerprint: (
        str  # hex digest of pixels and order: the same pixels have the same fingerprint, wherever they are stored
    )
    source: str  # what the user wrote
    skipped: tuple[Skipped, ...]


def open_faces(data: str | os.PathLike, size: int = 64, fit: str = "crop", progress: bool = True) -> Faces:
    """Open ``painted``, ``painted:N``, a folder of pictures or a packed .npy file as faces of ``size`` pixels.

    What isn't packed yet is packed first, into the cache folder, with progress on stderr; a folder whose files have
    changed is packed again. Unusable files are skipped and named. Raises MxganError if no usable file is left.
    """
    data = os.fspath(data)
    check_wanted(size, fit)
    if is_painted(data) or os.path.isdir(os.path.expanduser(data)):
        return _cached(source(data, size, fit), progress)
    return _open_file(data, size)


def survey(data: str | os.PathLike, size: int = 64, fit: str = "crop", progress: bool = True) -> Faces:
    """What `open_faces` would open, without writing anything: its ``images`` are as many, but may be blank.

    A folder is read through. Painted faces that aren't in the cache are not painted; their fingerprint is empty.
    Raises MxganError as `open_faces` does.
    """
    data = os.fspath(data)
    check_wanted(size, fit)
    if not (is_painted(data) or os.path.isdir(os.path.expanduser(data))):
        return _open_file(data, size)
    faces = source(data, size, fit)
    found = _open_set(cache_folder() / faces.name, faces)
    if found:
        return found
    fingerprint, skipped = "", list[Skipped]()
    if not is_painted(data):
        with open(os.devnull, "wb") as nowhere:
            fingerprint, skipped = _write(nowhere, faces, progress, "reading")
    blank = np.broadcast_to(np.uint8(0), (faces.count - len(skipped), size, size, 3))
    return Faces(blank, fingerprint, data, tuple(skipped))


def pack(
    folder: str | os.PathLike, file: str | os.PathLike, size: int = 64, fit: str = "crop", progress: bool = True
) -> str:
    """Pack a folder (or ``painted:N``) into ``file``, a .npy of uint8 (N, size, size, 3), whole or not at all.

    Returns the file's path. Raises MxganError for a folder without usable pictures and a file that can't be written.
    """
    file = os.fspath(file)
    if not file.endswith(".npy"):
        raise MxganError(f"{printable(file)}: a packed file's name ends in .npy")
    faces = source(os.fspath(folder), size, fit)
    atomic.make_folder_of(file)
    with atomic.writing(file) as out:
        _, skipped = _write(out, faces, progress)
    if skipped and progress:
        print(
            f"{len(skipped)} of {counted(faces.count, 'file')} skipped: `mxgan faces check` names them", file=sys.stderr
        )
    return file


def cache_folder() -> Path:
    """Where packed sets are kept: in ``$MXGAN_CACHE``, or else in the user's cache folder."""
    return Path(os.environ.get("MXGAN_CACHE") or platformdirs.user_cache_dir("mxgan")).absolute() / "faces"


def _cached(faces: Source, progress: bool) -> Faces:
    place = cache_folder() / faces.name
    found = _open_set(place, faces)
    if found:
        return found
    try:
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(
            f"{place}.lock"
        ):  # another process may be packing the same set: then it is there once we have the lock
            return _open_set(place, faces) or _make_set(place, faces, progress)
    except OSError as error:
        cause = error
    except MxganError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        cause = error.__cause__
    raise MxganError(
        f"{place.parent}: faces can't be packed there: {cause.strerror or cause}; set MXGAN_CACHE to another folder"
    ) from cause


def _make_set(place: Path, faces: Source, progress: bool) -> Faces:
    for left in place.glob(".mxgan-*.tmp"):  # left by a process that was killed: a running one would hold the lock
        left.unlink()
    unnamed = place / "images.npy"
    with atomic.writing(unnamed) as out:
        fingerprint, skipped = _write(out, faces, progress)
    images = place / f"images-{fingerprint}.npy"
    os.replace(unnamed, images)
    record = {
        **_description(faces),
        "file": _stamp(images),
        "fingerprint": fingerprint,
        "skipped": [asdict(one) for one in skipped],
    }
    atomic.write(place / "set.json", json.dumps(record, indent=1).encode())
    for old in place.glob("images*.npy"):
        if old != images:
            old.unlink()
    made = _open_set(place, faces)
    if not made:
        raise MxganError(f"{place}: the packed set vanished as it was opened: is somebody emptying the cache?")
    return made


def _open_set(place: Path, faces: Source) -> Optional[Faces]:
    """The set, if it exists, is whole, and was made from the files as they are now."""
    try:
        record = json.loads((place / "set.json").read_bytes())
        images = place / record["file"]["name"]
        if {**record, **_description(faces), "file": _stamp(images)} != record:
            return None
        skipped = tuple(Skipped(**one) for one in record["skipped"])
        return Faces(np.lib.format.open_memmap(images, mode="r"), record["fingerprint"], faces.data, skipped)
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or damaged: it is packed again
        return None


def _description(faces: Source) -> dict[str, Any]:
    return {"format": FORMAT, "made_from": faces.made_from}


def _stamp(file: Path) -> dict[str, Any]:
    status = file.stat()
    return {"name": file.name, "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


def _write(out: BinaryIO, faces: Source, progress: bool, verb: str = "packing") -> tuple[str, list[Skipped]]:
    """Stream all usable images to ``out`` as a .npy. Returns the pixels' fingerprint, and what was skipped.

    ``verb``: what the user is told is being done.
    """
    n, skipped, digest = 0, [], hashlib.blake2b(digest_size=16)
    out.write(_header(faces.count, faces.size))
    for name, image in shown(faces, "painting" if is_painted(faces.data) else verb, progress):
        if isinstance(image, str):
            skipped.append(Skipped(printable(name), image))
            continue
        digest.update(image.data)
        out.write(image.data)
        n += 1
    if not n:
        why = f"; the first, {skipped[0].path}, {skipped[0].reason}" if skipped else ""
        raise MxganError(f"{printable(faces.data)}: of its {counted(faces.count, 'picture')} none can be used{why}")
    out.seek(0)
    out.write(_header(n, faces.size))
    return _fingerprint(digest, (n, faces.size, faces.size, 3)), skipped


def _header(n: int, size: int) -> bytes:
    """A .npy header, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, of 128 bytes for any n."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({n}, {size}, {size}, 3), }}"
    return b"\x93NUMPY\x01\x00\x76\x00" + text.encode().ljust(117) + b"\n"


def _fingerprint(digest: Any, shape: tuple[int, ...]) -> str:
    digest.update(repr(shape).encode())
    return digest.hexdigest()


def _open_file(data: str, size: int) -> Faces:
    path, shown_path, wanted = os.path.expanduser(data), printable(data), f"uint8 (N, {size}, {size}, 3)"
    if not os.path.exists(path):
        raise SettingError("data", shown_path, "there is no such folder or file")
    try:
        if not os.path.isfile(path):  # opening a pipe would wait for ever
            raise ValueError("not a regular file")
        images = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise MxganError(f"{shown_path}: can't be opened: {error.strerror or error}") from error
    except ValueError as error:
        what = broken(path, error) or f"neither a folder nor a packed .npy of {wanted}"
        raise MxganError(f"{shown_path}: {what}: make one with `mxgan faces pack DIR FILE`") from error
    unlike = misfit(images, size)
    if unlike:
        raise MxganError(f"{shown_path}: has {images.dtype} {images.shape}, {wanted} is wanted: {unlike}")
    digest = hashlib.blake2b(digest_size=16)
    for first in range(0, len(images), 1024):
        digest.update(images[first : first + 1024].tobytes())
    return Faces(images, _fingerprint(digest, images.shape), data, ())
