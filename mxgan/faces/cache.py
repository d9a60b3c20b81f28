"""The packed cache: a set of faces as one .npy file, made once in parallel, then opened as a memory map.

A set has a folder of its own in the user's cache folder: ``images-<fingerprint>.npy``, and ``set.json``, which names
that file and says what it was made from. The JSON is replaced last, so a crash leaves the old set or none, never a
broken one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Callable, Optional

import numpy as np
import platformdirs
from filelock import FileLock
from tqdm import tqdm

from mxgan import atomic
from mxgan.errors import MxganError
from mxgan.faces import folder as pictures
from mxgan.faces.folder import Skipped, printable

FORMAT = 1  # of the cache: a set of another format is made anew
PAINTED = 6000
MOST_PAINTED = 10_000_000
PAINTED_SEED = 0


@dataclass(frozen=True)
class Faces:
    """A set of faces, opened; its pixels stay on disk until they are asked for."""

    images: np.ndarray  # uint8 (N, size, size, 3) RGB, a read-only memory map
    fingerprint: str  # hex digest of pixels and order: the same on every machine that decoded the same pixels
    source: str  # what the user wrote
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class _Source:
    """What a set is made from; ``made_from`` changes whenever the images would."""

    name: str
    made_from: dict[str, Any]
    count: int
    images: Callable[[], Iterator[tuple[str, np.ndarray | str]]]  # (name, image), or (name, why it can't be used)


def open_faces(data: str, size: int = 64, fit: str = "crop", progress: bool = True) -> Faces:
    """Open ``painted``, ``painted:N``, a folder of pictures or a packed .npy file as faces of ``size`` pixels.

    What isn't packed yet is packed first, into the cache folder, with progress on stderr; a folder whose files changed
    is packed anew. Files that aren't usable are skipped and named. Raises MxganError where nothing is left to train on.
    """
    data = os.fspath(data)
    pictures.check_fit(fit)
    if _is_painted(data) or os.path.isdir(os.path.expanduser(data)):
        return _cached(data, size, fit, progress)
    return _open_file(data, size)


def pack(folder: str, file: str, size: int = 64, fit: str = "crop", progress: bool = True) -> str:
    """Pack a folder (or ``painted:N``) into ``file``, a .npy of uint8 (N, size, size, 3), whole or not at all.

    Returns the file's path. Raises MxganError for a folder without usable pictures and a file that can't be written.
    """
    folder, file = os.fspath(folder), os.fspath(file)
    if not file.endswith(".npy"):
        raise MxganError(f"{file}: a packed file's name ends in .npy")
    source = _source(folder, size, fit)
    with atomic.writing(file) as out:
        _, skipped = _write(out, source, size, folder, progress)
    if skipped and progress:
        print(f"{len(skipped)} of {source.count} files skipped: `mxgan faces check` names them", file=sys.stderr)
    return file


def cache_folder() -> Path:
    """Where packed sets are kept: ``$MXGAN_CACHE``, or else the user's cache folder."""
    return Path(os.environ.get("MXGAN_CACHE") or platformdirs.user_cache_dir("mxgan")) / "faces"


def _is_painted(data: str) -> bool:
    return data == "painted" or data.startswith("painted:")


def _source(data: str, size: int, fit: str) -> _Source:
    return _painted(data, size) if _is_painted(data) else _folder(data, size, fit)


def _folder(data: str, size: int, fit: str) -> _Source:
    folder = os.path.realpath(os.path.expanduser(data))
    if not os.path.isdir(folder):
        raise MxganError(f"{printable(data)}: there is no such folder")
    try:
        count, listing = _listing(folder)
    except OSError as error:
        raise MxganError(f"{printable(data)}: the folder can't be listed: {error.strerror}") from error
    if not count:
        raise MxganError(f"{printable(data)}: no image in this folder or below: {' '.join(pictures.SUFFIXES)}")

    def images() -> Iterator[tuple[str, np.ndarray | str]]:
        names = pictures.in_order(name for name, _, _ in pictures.walk(folder))
        return pictures.read_all(folder, names, size, fit)

    place = hashlib.blake2b(os.fsencode(folder), digest_size=6).hexdigest()
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(folder))[:40]
    made_from = {"format": FORMAT, "folder": printable(folder), "size": size, "fit": fit, "listing": listing}
    return _Source(f"{slug}-{place}-{size}-{fit}", {**made_from, "files": count}, count, images)


def _painted(data: str, size: int) -> _Source:
    from mxgan.faces import painted

    number = data[len("painted:") :] if ":" in data else str(PAINTED)
    n = int(number) if re.fullmatch("[0-9]{1,9}", number) else 0
    if not 1 <= n <= MOST_PAINTED:
        raise MxganError(f"{printable(data)}: painted:N takes a whole number from 1 to {MOST_PAINTED}")

    def images() -> Iterator[tuple[str, np.ndarray]]:
        def paint(first: int) -> np.ndarray:
            return painted.faces(min(64, n - first), seed=PAINTED_SEED, size=size, first=first)

        for some in pictures.parallel(paint, range(0, n, 64)):
            for image in some:
                yield "", image

    code = hashlib.blake2b(digest_size=16)  # faces are painted anew when the code that paints them changes
    for file in sorted(Path(painted.__file__).parent.glob("*.py" if hasattr(painted, "__path__") else "painted.py")):
        code.update(file.read_bytes())
    made_from = {"format": FORMAT, "painted": n, "seed": PAINTED_SEED, "size": size, "code": code.hexdigest()}
    return _Source(f"painted-{n}-{size}", made_from, n, images)


def _listing(folder: str) -> tuple[int, str]:
    """How many files there are to read, and a digest of their names, sizes and times.

    The digests of single files are added up, so that neither a list nor an order is needed.
    """
    count = total = 0
    for name, size, time in pictures.walk(folder):
        entry = os.fsencode(name) + b"\0%d %d" % (size, time)
        total += int.from_bytes(hashlib.blake2b(entry, digest_size=16).digest(), "little")
        count += 1
    return count, f"{total % 2**128:032x}"


def _cached(data: str, size: int, fit: str, progress: bool) -> Faces:
    source = _source(data, size, fit)
    place = cache_folder() / source.name
    found = _open_set(place, source, data)
    if found:
        return found
    try:
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{place}.lock"):  # another process may be making the very same set: then it is there afterwards
            return _open_set(place, source, data) or _make_set(place, source, size, data, progress)
    except OSError as error:
        cause = error
    except MxganError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        cause = error.__cause__
    raise MxganError(
        f"{place.parent}: faces can't be packed there: {cause.strerror or cause}; set MXGAN_CACHE to another folder"
    ) from cause


def _make_set(place: Path, source: _Source, size: int, data: str, progress: bool) -> Faces:
    for left in place.glob(".mxgan-*.tmp"):  # by a process that was killed: a living one would hold the lock
        left.unlink()
    unnamed = place / "images.npy"
    with atomic.writing(unnamed) as out:
        fingerprint, skipped = _write(out, source, size, data, progress)
    images = place / f"images-{fingerprint}.npy"
    os.replace(unnamed, images)
    record = {
        "made_from": source.made_from,
        "file": _stamp(images),
        "fingerprint": fingerprint,
        "skipped": [asdict(one) for one in skipped],
    }
    atomic.write(place / "set.json", json.dumps(record, indent=1).encode())
    for old in place.glob("images*.npy"):
        if old != images:
            old.unlink()
    return _open_set(place, source, data) or _vanished(place)


def _open_set(place: Path, source: _Source, data: str) -> Optional[Faces]:
    """The set, if it is there, whole, and made from what is there now."""
    try:
        record = json.loads((place / "set.json").read_bytes())
        file = place / record["file"]["name"]
        if record["made_from"] != source.made_from or record["file"] != _stamp(file):
            return None
        skipped = tuple(Skipped(**one) for one in record["skipped"])
        return Faces(np.lib.format.open_memmap(file, mode="r"), record["fingerprint"], data, skipped)
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or damaged: it is made anew
        return None


def _vanished(place: Path) -> Faces:
    raise MxganError(f"{place}: the packed set vanished while it was being opened: is somebody emptying the cache?")


def _stamp(file: Path) -> dict[str, Any]:
    status = file.stat()
    return {"name": file.name, "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


def _write(out: BinaryIO, source: _Source, size: int, data: str, progress: bool) -> tuple[str, list[Skipped]]:
    """Stream a .npy of all usable images to ``out``: the pixels' fingerprint, and what was left out."""
    n, skipped, digest = 0, [], hashlib.blake2b(digest_size=16)
    out.write(_header(source.count, size))
    for name, image in _shown(source, data, progress):
        if isinstance(image, str):
            skipped.append(Skipped(printable(name), image))
            continue
        pixels = image.tobytes()
        digest.update(pixels)
        out.write(pixels)
        n += 1
    if not n:
        why = f"; the first, {skipped[0].path}, {skipped[0].reason}" if skipped else ""
        raise MxganError(f"{printable(data)}: none of {source.count} images can be used{why}")
    out.seek(0)
    out.write(_header(n, size))
    return _fingerprint(digest, (n, size, size, 3)), skipped


def _shown(source: _Source, data: str, progress: bool) -> Iterable[tuple[str, np.ndarray | str]]:
    verb = "painting" if _is_painted(data) else "packing"
    if progress and sys.stderr.isatty():
        return tqdm(source.images(), verb, source.count, unit=" faces", dynamic_ncols=True, leave=False)
    if progress:
        print(f"{verb} {source.count} faces: {printable(data)}", file=sys.stderr, flush=True)
    return source.images()


def _header(n: int, size: int) -> bytes:
    """A .npy header, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html: as long for any n."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({n}, {size}, {size}, 3), }}".encode()
    return b"\x93NUMPY\x01\x00\x76\x00" + text.ljust(117) + b"\n"


def _fingerprint(digest: Any, shape: tuple[int, ...]) -> str:
    digest.update(repr(shape).encode())
    return digest.hexdigest()


def _open_file(data: str, size: int) -> Faces:
    path = os.path.expanduser(data)
    if not os.path.exists(path):
        raise MxganError(f"{printable(data)}: there is no such folder or file")
    wanted = f"uint8 (N, {size}, {size}, 3)"
    try:
        if not os.path.isfile(path):
            raise ValueError("neither a folder nor a regular file")
        images = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise MxganError(f"{printable(data)}: can't be opened: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise MxganError(
            f"{printable(data)}: is not a folder, nor a packed .npy file of {wanted}; `mxgan faces pack` makes one"
        ) from error
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (size, size, 3) or not len(images):
        raise MxganError(
            f"{printable(data)}: has {images.dtype} {images.shape}, {wanted} is wanted; pack it again at that size"
        )
    digest = hashlib.blake2b(digest_size=16)
    for first in range(0, len(images), 1024):
        digest.update(images[first : first + 1024].tobytes())
    return Faces(images, _fingerprint(digest, images.shape), data, ())
