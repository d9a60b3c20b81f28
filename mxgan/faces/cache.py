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
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Optional

import numpy as np
from filelock import FileLock

from mxgan import atomic
from mxgan.errors import MxganError, SettingError
from mxgan.faces import arrays, recordio
from mxgan.faces import unique as unique_faces
from mxgan.faces.duplicates import RULE
from mxgan.faces.members import Members
from mxgan.faces.misfit import other_size
from mxgan.faces.painting import is_painted
from mxgan.faces.pictures import Skipped, check_wanted, printable
from mxgan.faces.sources import Source, cache_folder, instead, shown, source
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
    duplicates: int = 0  # how many were left out


def open_faces(
    data: str | os.PathLike, size: int = 64, fit: str = "crop", progress: bool = True, unique: bool = False
) -> Faces:
    """Open ``painted``, ``painted:N``, a folder, archive or other file of pictures as faces of ``size`` pixels.

    What isn't packed yet is packed first, into the cache folder, with progress on stderr; a source that has changed is
    packed again. Unusable members are skipped and named. ``unique`` leaves out duplicates and near duplicates
    (`mxgan.faces.duplicates`). Raises MxganError if no usable one is left.
    """
    data = os.fspath(data)
    _check_there(data)
    if unique:
        faces = open_faces(data, size, fit, progress)
        left = _cached(_without_duplicates(faces, size, fit, progress), progress)
        unique_faces.say(len(faces.images), len(left.images), progress)
        return replace(left, skipped=faces.skipped, duplicates=len(faces.images) - len(left.images))
    check_wanted(size, fit)
    if not is_painted(data) and arrays.is_packed(os.path.expanduser(data)):
        return _open_packed(data, size)
    return _cached(source(data, size, fit), progress)


def survey(
    data: str | os.PathLike, size: int = 64, fit: str = "crop", progress: bool = True, unique: bool = False
) -> Faces:
    """What `open_faces` would open, without keeping anything: its ``images`` are as many, but may be blank.

    Pictures are read through. Painted faces that aren't in the cache are not painted; their fingerprint is empty, and
    so is that of a set without duplicates. Raises MxganError as `open_faces` does.
    """
    data = os.fspath(data)
    _check_there(data)
    check_wanted(size, fit)
    if not is_painted(data) and arrays.is_packed(os.path.expanduser(data)) and not unique:
        return _open_packed(data, size)
    faces = source(data, size, fit)
    found = _open_set(cache_folder() / faces.name, faces)
    if found and not unique:
        return found
    with faces.listed() as members:
        if is_painted(data):
            return Faces(_blank(members.count, size), "", data, ())
        if unique:
            skipped = list[Skipped]()
            left, copies = unique_faces.count(_usable(faces, members, progress, skipped, "reading"))
            return Faces(_blank(left, size), "", data, tuple(skipped), copies)
        with open(os.devnull, "wb") as nowhere:
            fingerprint, skipped = _write(nowhere, faces, members, progress, "reading")
    return Faces(_blank(members.count - len(skipped), size), fingerprint, data, tuple(skipped))


def pack(
    folder: str | os.PathLike,
    file: str | os.PathLike,
    size: int = 64,
    fit: str = "crop",
    progress: bool = True,
    unique: bool = False,
) -> str:
    """Pack a folder, or any other source of faces, into ``file``: a .npy of uint8 (N, size, size, 3), or a .rec.

    A .rec comes with its .idx; MXNet's ImageIter reads it, and so does `open_faces`, to the same pixels. Files appear
    whole or not at all. ``unique`` leaves out duplicates, as in `open_faces`. Returns the file's path. Raises
    MxganError for a source without usable pictures and a file that can't be written.
    """
    file = os.fspath(file)
    if not file.endswith((".npy", ".rec")):
        raise MxganError(f"{printable(file)}: a packed file's name ends in .npy, or in .rec for MXNet")
    if unique:
        everything = open_faces(folder, size, fit, progress)
        faces, skipped = _without_duplicates(everything, size, fit, progress), [*everything.skipped]
    else:
        faces, skipped = source(os.fspath(folder), size, fit), []
    atomic.make_folder_of(file)
    with faces.listed() as members:
        if file.endswith(".npy"):
            with atomic.writing(file) as out:
                skipped += _write(out, faces, members, progress)[1]
        else:
            index = f"{file[: -len('.rec')]}.idx"
            with atomic.writing(file) as out, atomic.writing(index) as keys:
                recordio.write(out, keys, _usable(faces, members, progress, skipped))
    total = members.count
    if unique:
        unique_faces.say(len(everything.images), members.count, progress)
        total = len(everything.images) + len(skipped)
    if skipped and progress:
        print(f"{len(skipped)} of {counted(total, 'file')} skipped: `mxgan faces check` names them", file=sys.stderr)
    return file


def _without_duplicates(faces: Faces, size: int, fit: str, progress: bool) -> Source:
    """The different ones of a set, as a source of their own."""
    listed = partial(unique_faces.members, faces.images, printable(faces.source), progress)
    made_from = {"unique_of": faces.fingerprint, "rule": RULE}
    return Source(faces.source, f"unique-{faces.fingerprint}", size, fit, made_from, listed)


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
    with faces.listed() as members, atomic.writing(unnamed) as out:
        fingerprint, skipped = _write(out, faces, members, progress)
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


def _write(
    out: BinaryIO, faces: Source, members: Members, progress: bool, verb: str = "packing"
) -> tuple[str, list[Skipped]]:
    """Stream all usable images to ``out`` as a .npy. Returns the pixels' fingerprint, and what was skipped.

    ``verb``: what the user is told is being done.
    """
    n, digest = 0, hashlib.blake2b(digest_size=16)
    skipped: list[Skipped] = []
    out.write(_header(members.count, faces.size))
    for image in _usable(faces, members, progress, skipped, verb):
        digest.update(image.data)
        out.write(image.data)
        n += 1
    out.seek(0)
    out.write(_header(n, faces.size))
    return _fingerprint(digest, (n, faces.size, faces.size, 3)), skipped


def _usable(
    faces: Source, members: Members, progress: bool, skipped: list[Skipped], verb: str = "packing"
) -> Iterator[np.ndarray]:
    """All images that can be used; the others go to ``skipped``. Raises MxganError where none can."""
    none = True
    for name, image in shown(faces, members, "painting" if is_painted(faces.data) else verb, progress, faces.image):
        if isinstance(image, str):
            skipped.append(Skipped(printable(name), image))
        else:
            none = False
            yield image
    if none:
        why = f"; the first, {skipped[0].path}, {skipped[0].reason}" if skipped else ""
        raise MxganError(f"{printable(faces.data)}: of its {counted(members.count, 'picture')} none can be used{why}")


def _blank(n: int, size: int) -> np.ndarray:
    return np.broadcast_to(np.uint8(0), (n, size, size, 3))


def _check_there(data: str) -> None:
    if not is_painted(data) and not os.path.exists(os.path.expanduser(data)):
        raise SettingError("data", printable(data), f"there is no such folder or file; {instead(data)}")


def _header(n: int, size: int) -> bytes:
    """A .npy header, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, of 128 bytes for any n."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({n}, {size}, {size}, 3), }}"
    return b"\x93NUMPY\x01\x00\x76\x00" + text.encode().ljust(117) + b"\n"


def _fingerprint(digest: Any, shape: tuple[int, ...]) -> str:
    digest.update(repr(shape).encode())
    return digest.hexdigest()


def _open_packed(data: str, size: int) -> Faces:
    shown_path, wanted = printable(data), f"uint8 (N, {size}, {size}, 3)"
    try:
        images = np.lib.format.open_memmap(os.path.expanduser(data), mode="r")
    except OSError as error:
        raise MxganError(f"{shown_path}: can't be opened: {error.strerror or error}") from error
    except ValueError as error:
        raise MxganError(
            f"{shown_path}: a .npy that is damaged or cut off: make one with `mxgan faces pack DIR FILE`"
        ) from error
    if images.shape[1] != size or not len(images):
        why = other_size(images.shape[1], size) if len(images) else "it is empty"
        raise MxganError(f"{shown_path}: has {images.dtype} {images.shape}, {wanted} is wanted: {why}")
    digest = hashlib.blake2b(digest_size=16)
    for first in range(0, len(images), 1024):
        digest.update(images[first : first + 1024].tobytes())
    return Faces(images, _fingerprint(digest, images.shape), data, ())
