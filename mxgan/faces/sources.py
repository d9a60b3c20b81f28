"""Where faces come from: which kind of source a path is, and what it is for the cache. All are read the same way."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, Union

import numpy as np
import platformdirs
from tqdm import tqdm

from mxgan.errors import MxganError
from mxgan.faces import archive, arrays, folder, painting, parquet, pictures, recordio
from mxgan.faces.members import Members, read_all
from mxgan.faces.painting import is_painted
from mxgan.faces.pictures import printable
from mxgan.words import counted

T = TypeVar("T")
KINDS = "a folder of pictures, .zip, .tar, .tar.gz, .rec, .npz, .npy or .parquet"  # what can be read
STARTS = {  # how files begin
    b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "tar", recordio.MAGIC: "rec", arrays.NPY: "npy",
    b"PAR1": "parquet",
}  # fmt: skip
SUFFIXES = {
    ".zip": "zip",
    ".tar": "tar",
    ".tgz": "tar",
    ".gz": "tar",
    ".rec": "rec",
    ".npy": "npy",
    ".npz": "npz",
    ".parquet": "parquet",
}
UNREAD = {b"7z\xbc\xaf": ".7z", b"Rar!": ".rar", b"BZh": ".bz2", b"\xfd7zXZ": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}


@dataclass(frozen=True)
class Source:
    """A set of faces to read."""

    data: str  # what the user wrote
    name: str  # for files: letters, digits, _ and -
    size: int  # pixels on a side
    fit: str
    made_from: dict[str, Any]  # plain JSON that changes whenever the images would change; made without reading them
    listed: Callable[[], AbstractContextManager[Members]]  # open for a block; MxganError where it can't be read

    def image(self, pixels: np.ndarray) -> np.ndarray:
        """A face as it is trained on: uint8 (size, size, 3), of pixels as they are in the source."""
        return pictures.transform(pixels, self.size, self.fit)


def cache_folder() -> Path:
    """Where packed sets are kept: in ``$MXGAN_CACHE``, or else in the user's cache folder."""
    return Path(os.environ.get("MXGAN_CACHE") or platformdirs.user_cache_dir("mxgan")).absolute() / "faces"


def source(data: str, size: int, fit: str) -> Source:
    """``painted``, ``painted:N``, a folder, or a file that holds pictures.

    Raises MxganError for a bad N, size or fit, and for what is missing or no source of faces.
    """
    pictures.check_wanted(size, fit)
    if is_painted(data):
        n = painting.how_many(data)
        made_from = painting.made_from(n, size)
        return Source(data, f"painted-{n}-{size}", size, fit, made_from, partial(painting.members, n, size))
    path = os.path.expanduser(data)
    if not os.path.exists(path):
        called = printable(data) if data.strip() else repr(data)
        raise MxganError(f"{called}: there is no such folder or file; {instead(data)}")
    path = os.path.realpath(path)
    if os.path.isdir(path):
        return _folder(data, path, size, fit)
    return _file(data, path, size, fit)


def shown(
    faces: Source, members: Members, verb: str, progress: bool, work: Callable[[np.ndarray], T]
) -> Iterable[tuple[str, Union[T, str]]]:
    """`read_all`, with a bar on stderr; if that is no terminal, one line says what is happening."""
    read = read_all(members, work)
    if progress and sys.stderr.isatty():
        return tqdm(read, verb, members.count, unit=" faces", dynamic_ncols=True, leave=False)
    if progress:
        print(f"{verb} {counted(members.count, 'face')}: {printable(faces.data)}", file=sys.stderr, flush=True)
    return read


def _folder(data: str, path: str, size: int, fit: str) -> Source:
    if all(os.path.isfile(os.path.join(path, name)) for name in ("config.json", "log.jsonl")):
        raise MxganError(
            f"{printable(data)}: a run, whose pictures are plots and samples; give the folder of its faces, or go on "
            f"with `mxgan train --resume {shlex.quote(printable(data))}`"
        )
    try:
        count, listing = folder.listing(path)
        suffixes: tuple[str, ...] = pictures.SUFFIXES
        if not count:
            suffixes = (parquet.SUFFIX,)
            count, listing = folder.listing(path, suffixes)
        if not count:
            raise MxganError(
                f"{printable(data)}: no picture in this folder or below it ({' '.join(pictures.SUFFIXES)}){_hint(path)}"
            )
    except OSError as error:
        raise MxganError(f"{printable(data)}: the folder can't be listed: {error.strerror}") from error
    made_from = {"folder": printable(path), "size": size, "fit": fit, "files": count, "listing": listing}
    listed = partial(_in_folder, path, suffixes, printable(data))
    return Source(data, _name(path, size, fit), size, fit, made_from, listed)


def _in_folder(path: str, suffixes: tuple[str, ...], shown_path: str) -> AbstractContextManager[Members]:
    if suffixes == pictures.SUFFIXES:
        return nullcontext(folder.members(path))
    names = folder.in_order(name for name, _, _ in folder.walk(path, suffixes))
    return parquet.members(path, names, shown_path)


def instead(data: str) -> str:
    """What to give instead of a path that isn't there: a name close to it, or for photos/*.jpg its folder."""
    if set(data) & set("*?["):
        return "give the folder itself, not a pattern"
    folder, name = os.path.split(os.path.expanduser(data))
    try:
        close = difflib.get_close_matches(name, os.listdir(folder or "."), n=1)
    except OSError:
        close = []
    if close:
        return f"did you mean {printable(os.path.join(os.path.dirname(data), close[0]))}?"
    return "give the folder or file that your pictures are in, or painted"


def _hint(path: str) -> str:
    """Which of the files in a folder without pictures could be meant, if any."""
    there = sorted(name for name in os.listdir(path) if name.lower().endswith(tuple(SUFFIXES)))
    return f"; name one of its files: {printable(os.path.join(path, there[0]))}" if there else ""


def _file(data: str, path: str, size: int, fit: str) -> Source:
    kind = kind_of(path, data)
    made_from = {"file": printable(path), "size": size, "fit": fit, **_stamp(path)}
    index = recordio.index_of(path) if kind == "rec" else None
    if index is not None:
        made_from["index"] = _stamp(index)
    return Source(data, _name(path, size, fit), size, fit, made_from, partial(_readers()[kind], path, printable(data)))


def _stamp(path: str) -> dict[str, int]:
    status = os.stat(path)
    return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


def _readers() -> dict[str, Callable[[str, str], AbstractContextManager[Members]]]:
    """What lists the members of each kind of file, given its path and how to call it."""
    cache = cache_folder()
    return {
        "zip": archive.zip_members,
        "tar": partial(archive.tar_members, cache=cache),
        "rec": recordio.members,
        "npy": arrays.npy_members,
        "npz": partial(arrays.npz_members, cache=cache),
        "parquet": lambda path, shown: parquet.members(os.path.dirname(path), [os.path.basename(path)], shown),
    }


def kind_of(path: str, called: str) -> str:
    """zip, tar, rec, npy, npz or parquet: the kind of a file, by its content, or else by what it is ``called``.

    Raises MxganError for a file that is no source.
    """
    shown_path = printable(called)
    start = _start(path, shown_path)
    for begin, kind in STARTS.items():
        if start.startswith(begin):
            return "npz" if kind == "zip" and called.lower().endswith(".npz") else kind
    for begin, suffix in UNREAD.items():
        if start.startswith(begin):
            raise MxganError(f"{shown_path}: a {suffix} is not read here: unpack it and name the folder")
    if start[257:262] == b"ustar":
        return "tar"
    kind = SUFFIXES.get(os.path.splitext(called)[1].lower(), "")
    if not kind:
        raise MxganError(f"{shown_path}: not a set of faces: {KINDS} is wanted")
    if not start:
        raise MxganError(f"{shown_path}: is empty (0 bytes)")
    return kind


def _start(path: str, shown_path: str) -> bytes:
    """A file's first bytes. Raises MxganError for what is none."""
    if not os.path.isfile(path):  # opening a pipe would wait for ever
        raise MxganError(f"{shown_path}: not a regular file: {KINDS} is wanted")
    try:
        with open(path, "rb") as file:
            return file.read(512)
    except OSError as error:
        raise MxganError(f"{shown_path}: can't be opened: {error.strerror}") from error


def _name(path: str, size: int, fit: str) -> str:
    place = hashlib.blake2b(os.fsencode(path), digest_size=6).hexdigest()
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(path))[:40]
    return f"{slug}-{place}-{size}-{fit}"
