"""Which sets can be downloaded, and the way of each: ask, transfer, check, unpack."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Optional
from urllib.parse import unquote, urlsplit

from mxgan.errors import MxganError, in_shell
from mxgan.faces import archive
from mxgan.faces.download import hub, kaggle, transfer
from mxgan.faces.download.transfer import PATIENCE, PLAIN, Ask, cause, library
from mxgan.faces.download.unpack import safe, unpack
from mxgan.faces.members import Members
from mxgan.faces.pictures import Skipped, printable
from mxgan.faces.sources import cache_folder, kind_of, source

DATA = Path("data")  # where sets go


@dataclass(frozen=True)
class Known:
    """A set that is known by a name of its own."""

    place: str  # as --from says it
    folder: str  # below `DATA`
    pictures: int  # when this was written
    terms: str
    options: str  # of the training that fits it


SETS = {
    "anime": Known(
        "kaggle:splcher/animefacedataset", "anime-faces", 63_565,
        "no licence from the artists whose drawings these are: train and look, but don't pass the pictures on",
        "--unique",
    ),
    "celeba": Known(
        "kaggle:jessicali9530/celeba-dataset", "celeba", 202_599,
        "for non-commercial research only; the faces are of real people (https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html)",
        "--flip",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Downloaded:
    """A set that is here now."""

    data: str  # for --data
    pictures: Optional[int]  # None: the package that could count them is missing
    skipped: tuple[Skipped, ...]
    command: str  # that trains on it


def download(name: Optional[str], place: Optional[str], to: Optional[str | Path], progress: bool = True) -> Downloaded:
    """Download a set of `SETS`, or from ``kaggle:OWNER/NAME``, ``hf:OWNER/NAME`` or a URL, into the folder ``to``.

    What a broken try left is used. The folder appears when everything is there. Raises MxganError, with the cause and
    the cure, where it can't be had, and ImportError with what to type where a package is missing.
    """
    known = _known(name, place)
    place = known.place if known else str(place)
    folder = Path(to) if to else DATA / (known.folder if known else _called(place))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MxganError(f"{folder}: is there already: train on it, give another --to, or remove it first")
    say = partial(print, file=sys.stderr, flush=True) if progress else _say_nothing
    say(f"terms: {known.terms if known else _terms(place)}")
    requests = library()
    try:
        data, skipped = _get(place, folder, progress)
    except KeyboardInterrupt:
        say(f"stopped: {transfer.AGAIN}")
        raise
    except requests.RequestException as error:
        host = urlsplit(getattr(error.request, "url", None) or "").hostname or "the server"
        raise MxganError(f"{place}: {host} can't be reached ({cause(error)}): is this machine online?") from None
    pictures = _count(data, say)
    if known and pictures != known.pictures:
        say(f"warning: {pictures:,} pictures; the set had {known.pictures:,}: it has changed, or some are missing")
    command = " ".join(["mxgan train --data", data, *([known.options] if known else [])])
    return Downloaded(data, pictures, tuple(skipped), command)


def _known(name: Optional[str], place: Optional[str]) -> Optional[Known]:
    if (name is None) == (place is None):
        raise MxganError(
            f"faces download: give one of {', '.join(SETS)}, or --from kaggle:OWNER/NAME, hf:OWNER/NAME or a URL"
        )
    if name is not None and name not in SETS:
        raise MxganError(f"{printable(name)}: one of {', '.join(SETS)}; others with --from")
    return SETS[name] if name is not None else None


def _called(place: str) -> str:
    """The folder's name for a place."""
    last = unquote(urlsplit(place).path).rstrip("/").rpartition("/")[2] if "://" in place else place.rpartition("/")[2]
    stem = re.sub(r"(\.(tar|zip|tgz|gz|rec|npy|npz|parquet))+$", "", last, flags=re.I)
    return re.sub(r"[^\w.-]+", "-", stem).strip(".-") or "download"


def _make_way(folder: Path) -> None:
    """The folder above, in which parts of the download are kept; an empty folder in the way is removed."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            folder.rmdir()
    except OSError as error:
        raise MxganError(f"{folder}: can't be made: {error.strerror}; give another --to") from error


def _terms(place: str) -> str:
    site = {"kaggle": f"{kaggle.SITE}/datasets/", "hf": f"{hub.SITE}/datasets/"}
    scheme, _, name = place.partition(":")
    return f"those of {site[scheme]}{name}" if scheme in site else "those of whoever offers it"


def _get(place: str, folder: Path, progress: bool) -> tuple[str, list[Skipped]]:
    """Download from a place into a folder. Returns what --data takes, and what was left out."""
    scheme, _, name = place.partition(":")
    if scheme == "hf":
        return _from_hub(name, folder, progress)
    if scheme == "kaggle":
        ask, called = kaggle.asking(name), f"{name.rpartition('/')[2]}.zip"
    elif scheme in ("http", "https"):
        ask, called = _asking(place), unquote(urlsplit(place).path).rpartition("/")[2] or "download"
    else:
        raise MxganError(
            f"--from {printable(place)}: one of kaggle:OWNER/NAME, hf:OWNER/NAME, or a URL of http or https"
        )
    _make_way(folder)
    part = folder.with_name(f".{folder.name}.download")
    transfer.fetch(ask, part, called, progress=progress)
    kind = kind_of(str(part), called)
    if kind in ("zip", "tar"):
        try:
            _, skipped = unpack(_listed(kind, part, called), folder, called, progress)
        except MxganError as error:
            if "fetch it again" in str(error):  # the bytes are no whole archive: another try would find them here
                transfer.forget(part)
            raise
        transfer.forget(part)
        return str(folder), skipped
    if not safe(called) or "/" in called:
        raise MxganError(f"{printable(place)}: its name can't be a file's: {printable(called)}")
    folder.mkdir()
    part.replace(folder / called)
    transfer.forget(part)
    return str(folder / called), []


def _listed(kind: str, part: Path, called: str) -> Callable[[], AbstractContextManager[Members]]:
    if kind == "zip":
        return partial(archive.zip_members, str(part), called)
    return partial(archive.tar_members, str(part), called, cache_folder())


def _from_hub(name: str, folder: Path, progress: bool) -> tuple[str, list[Skipped]]:
    """All files of a set that hold faces; the folder appears when the last is there."""
    files = hub.files(name)
    _make_way(folder)
    part = folder.with_name(f".{folder.name}.files")
    part.mkdir(exist_ok=True)
    for one in files:
        if not safe(one.name):
            raise MxganError(f"hf:{name}: a file's name leads out of the folder: {printable(one.name)}")
        path = part / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or transfer.is_part(path):
            transfer.fetch(one.ask, path, one.name, one.sha256, progress)
            transfer.done(path)
    part.replace(folder)
    inside = [path for path in folder.rglob("*") if path.is_file()]
    archives = [
        path for path in inside if path.name.lower().endswith((".zip", ".tar", ".tgz", ".gz", ".rec", ".npz", ".npy"))
    ]
    return str(archives[0] if len(archives) == 1 and len(inside) <= 2 else folder), []


def _asking(url: str) -> Ask:
    def ask(headers: dict[str, str]) -> Any:
        requests = library()
        response = requests.get(url, headers={**PLAIN, **headers}, stream=True, timeout=PATIENCE)
        if response.status_code not in (200, 206, 416):
            response.close()
            raise MxganError(
                f"{url}: the server answers {response.status_code} {response.reason}: is the address right?"
            )
        return response

    return ask


def _count(data: str, say: Callable[[str], None]) -> Optional[int]:
    """How many pictures a downloaded set has."""
    try:
        with source(data, 64, "crop").listed() as members:
            return members.count
    except ImportError as error:  # Parquet's package: the set is here all the same
        say(f"note: {in_shell(error)}")
        return None


def _say_nothing(line: str) -> None:
    """For callers that want no notes."""
