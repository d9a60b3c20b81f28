"""Bytes from a server into a file, going on where an earlier try stopped.

Beside the file lies what it is a part of: its size and its ETag (or date). A part is only added to if the server says
that it is still the same file; otherwise the download begins anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional

from tqdm import tqdm

from mxgan import atomic
from mxgan.errors import MissingPackage, MxganError

if TYPE_CHECKING:
    import requests

PIECE = 1 << 16  # bytes: what a break costs at most
TRIES = 5  # of a transfer that breaks off, as long as each gets some bytes further
PATIENCE = (10, 60)  # seconds to connect, and between two pieces
PLAIN = {"Accept-Encoding": "identity"}  # the file's own bytes, so that there is a size and a part can be asked for
AGAIN = "the same command goes on from there"

Ask = Callable[[dict[str, str]], "requests.Response"]  # the file, asked for with these headers (Range), streaming


def library() -> Any:
    """The library requests. Raises ImportError with what to type."""
    try:
        import requests
    except ImportError as error:
        raise MissingPackage("downloads need requests", "download") from error
    return requests


def fetch(ask: Ask, path: Path, what: str, sha256: Optional[str] = None, progress: bool = True) -> None:
    """Download a file to ``path``, or what an earlier try left of it.

    ``sha256``: its checksum, if it is known; an MD5 that the server gives is checked as well. Raises MxganError where
    it breaks off too often, the disk is full, or the bytes aren't those that the checksum says; what ``ask`` raises
    passes through.
    """
    requests, have = library(), 0
    for attempt in range(TRIES):
        try:
            md5 = _one_try(ask, path, what, progress)
            break
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, _Short) as error:
            now = path.stat().st_size if path.exists() else 0
            if not now and not isinstance(error, _Short):
                raise
            if now <= have or attempt == TRIES - 1:
                raise MxganError(f"{what}: broke off after {now} bytes ({cause(error)}): {AGAIN}") from None
            have = now
            time.sleep(min(attempt, 3))
    _verify(path, what, md5, sha256)


def forget(path: Path) -> None:
    """Delete a download and what is known of it."""
    path.unlink(missing_ok=True)
    _state_of(path).unlink(missing_ok=True)


def done(path: Path) -> None:
    """A download is whole and its own file from now on."""
    _state_of(path).unlink(missing_ok=True)


def is_part(path: Path) -> bool:
    """Whether a file is a part of a download that isn't whole yet."""
    return _state_of(path).exists()


def cause(error: BaseException) -> str:
    """Why a server can't be reached or broke off, in a few words: no address, which may hold a key."""
    text = str(error)
    for sign, said in (
        ("Name or service not known", "its name isn't known here"),
        ("Temporary failure in name resolution", "names can't be looked up"),
        ("nodename nor servname", "its name isn't known here"),
        ("Connection refused", "connection refused"),
        ("Network is unreachable", "the network is unreachable"),
        ("timed out", "timed out"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate isn't trusted here"),
        ("Cannot connect to proxy", "the proxy can't be reached"),
        ("Connection aborted", "the connection was closed"),
        ("IncompleteRead", "the connection was closed"),
        ("Connection broken", "the connection was closed"),
    ):
        if sign in text:
            return said
    return text if isinstance(error, _Short) else type(error).__name__


class _Short(Exception):
    """Fewer bytes came than were announced."""


def _one_try(ask: Ask, path: Path, what: str, progress: bool) -> Optional[bytes]:
    """Transfer what is missing. Returns the MD5 that the server gives, if it does."""
    known, have = _state(path), path.stat().st_size if path.exists() else 0
    if not known.get("tag"):  # nothing tells whether the part is still of the same file
        have = 0
    response = ask({"Range": f"bytes={have}-", "If-Range": known["tag"]} if have else {})
    if have and (response.status_code == 416 or (response.status_code == 206 and not _is(response, known))):
        response.close()  # the part is the whole file, or of another one
        response = ask({})
    with response:
        if response.status_code != 206:
            if have and _is(response, known) and have == known["size"]:
                return _md5(response)
            have = 0
            state = {"size": _size(response), "tag": _tag(response)}
            atomic.write(_state_of(path), json.dumps(state).encode(), flush=False)
        size = _size(response)
        _check_room(path, what, (size or 0) - have)
        _copy(response, path, have, size, what, progress)
        return _md5(response)


def _is(response: requests.Response, known: dict[str, Any]) -> bool:
    """Whether the file that the server sends is the one that is known."""
    return (_size(response), _tag(response)) == (known["size"], known["tag"])


def _tag(response: requests.Response) -> str:
    return response.headers.get("ETag") or response.headers.get("Last-Modified") or ""


def _copy(response: requests.Response, path: Path, have: int, size: Optional[int], what: str, progress: bool) -> None:
    done = have
    with _bar(what, have, size, progress) as bar:
        try:
            with open(path, "ab" if have else "wb") as file:
                for piece in response.iter_content(PIECE):
                    file.write(piece)
                    done += len(piece)
                    bar.update(len(piece))
        except OSError as error:
            if isinstance(error, library().RequestException):  # these are OSErrors too
                raise
            why = f"{error.strerror or error} after {done} bytes"
            raise MxganError(f"{path.parent}: {what} can't be kept there: {why}; make room, {AGAIN}") from error
    if size is not None and done != size:
        raise _Short(f"{done} of {size} bytes came")


def _bar(what: str, have: int, size: Optional[int], progress: bool) -> tqdm:
    shown = progress and sys.stderr.isatty()
    if progress and not shown:
        more = f", going on after {have}" if have else ""
        print(f"downloading {what}: {'?' if size is None else size} bytes{more}", file=sys.stderr, flush=True)
    return tqdm(
        desc=what,
        total=size,
        initial=have,
        unit="B",
        unit_scale=True,
        dynamic_ncols=True,
        leave=False,
        disable=not shown,
    )


def _check_room(path: Path, what: str, wanted: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if wanted > free:
        raise MxganError(
            f"{path.parent}: no room for {what}: {wanted} bytes are wanted, {free} are free; make room, or change --to"
        )


def _size(response: requests.Response) -> Optional[int]:
    """The whole file's size in bytes, if the server says it."""
    whole = re.fullmatch(r"bytes \d+-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if whole:
        return int(whole[1])
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and "Content-Encoding" not in response.headers else None


def _md5(response: requests.Response) -> Optional[bytes]:
    """The MD5 that Google's storage, which Kaggle keeps its sets on, gives with a file."""
    found = re.search(r"md5=([A-Za-z0-9+/]{22}==)", response.headers.get("x-goog-hash", ""))
    return base64.b64decode(found[1]) if found else None


def _verify(path: Path, what: str, md5: Optional[bytes], sha256: Optional[str]) -> None:
    for kind, wanted in (("md5", md5.hex() if md5 else None), ("sha256", sha256)):
        if wanted is None:
            continue
        digest = hashlib.new(kind)
        for piece in _pieces(path):
            digest.update(piece)
        if digest.hexdigest() != wanted:
            forget(path)
            raise MxganError(
                f"{what}: damaged on its way: its {kind.upper()} is {digest.hexdigest()}, {wanted} was announced; "
                "download it again"
            )


def _pieces(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _state_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _state(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_state_of(path).read_bytes())
        return found if isinstance(found, dict) and {"tag", "size"} <= set(found) else {}
    except (OSError, ValueError):  # none yet, or damaged: it begins anew
        return {}
