"""Archives as sources, read where they are: .zip, .tar and .tar.gz, as their folder would be once unpacked.

No member's name is ever a path here. Links, encrypted members and members larger than they may be are skipped; an
archive that would unpack to far more than it has, or whose members share their bytes, is refused.
"""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

from mxgan.errors import MxganError
from mxgan.faces import spool
from mxgan.faces.folder import in_order, is_left_out
from mxgan.faces.members import Member, Members
from mxgan.faces.pictures import MAX_BYTES, SUFFIXES, Unreadable, cause, printable

ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")  # what an archive in an archive is named like
GZIP = b"\x1f\x8b"
ENCRYPTED = 1  # of a ZIP's flags
UTF8 = 0x800
LOCAL = 30  # bytes of a ZIP member's own header, less its name
MOST_HEADER = 1 << 20  # bytes of one header of a .tar


class _Packed(NamedTuple):
    """A picture in an archive."""

    size: int  # bytes, unpacked
    refused: str  # why it isn't read; or ""
    place: Any  # in the archive


@contextmanager
def zip_members(path: str, shown: str) -> Iterator[Members]:
    """The pictures in a .zip, in the order of their names. Raises MxganError for a damaged one, and for a bomb."""
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError) as error:
        raise MxganError(f"{shown}: a damaged or cut-off .zip ({error}): fetch it again") from error
    except (NotImplementedError, ValueError) as error:  # UnicodeDecodeError: a name that says it is UTF-8
        raise MxganError(f"{shown}: a .zip that can't be read ({error}): unpack it and name the folder") from error
    with file:
        _check_apart(file, shown)
        pictures, inner = {}, ""
        for info in file.infolist():
            name = _zip_name(info)
            if _is_picture(name) and not info.is_dir():
                pictures[name] = _of_zip(info)
            elif not inner and name.lower().endswith(ARCHIVES):
                inner = name
        file.filelist.clear()  # 1 KB of each member; what is needed of the pictures stays
        file.NameToInfo.clear()
        with _listed(shown, pictures, inner, os.path.getsize(path), file.read) as found:
            yield found


@contextmanager
def tar_members(path: str, shown: str, cache: Path) -> Iterator[Members]:
    """The pictures in a .tar, in the order of their names. Raises MxganError for a damaged one, and for a bomb.

    A compressed one (.tar.gz) is unpacked into a temporary file in ``cache`` first.
    """
    size = os.path.getsize(path)
    with ExitStack() as stack, open(path, "rb") as packed:
        file: IO[bytes] = packed
        try:
            if os.pread(packed.fileno(), 2, 0) == GZIP:
                plain = stack.enter_context(gzip.open(packed))
                file = stack.enter_context(spool.unpacked(plain.read, shown, size, cache))
            pictures, inner = _tar_list(file)
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise MxganError(f"{shown}: a damaged or cut-off archive ({cause(error)}): fetch it again") from None
        descriptor = file.fileno()

        def read(place: tuple[int, int]) -> bytes:
            return os.pread(descriptor, *place)

        yield stack.enter_context(_listed(shown, pictures, inner, os.fstat(descriptor).st_size, read))


@contextmanager
def _listed(
    shown: str, pictures: dict[str, _Packed], inner: str, size: int, read: Callable[[Any], bytes]
) -> Iterator[Members]:
    """Members of an archive of ``size`` bytes; ``inner``: an archive in it, ``read``: what is at a picture's place."""
    if not pictures:
        more = f", but {printable(inner)} is an archive again: unpack {shown} and name that" if inner else ""
        raise MxganError(f"{shown}: no picture in this archive ({' '.join(SUFFIXES)}){more}")
    reasons = {one.refused for one in pictures.values()}
    if reasons == {"is encrypted"}:
        raise MxganError(f"{shown}: is encrypted: unpack it with its password, and name the folder")
    spool.check_bomb(shown, size, sum(one.size for one in pictures.values() if not one.refused))
    yield Members(
        len(pictures), (Member(name, partial(_open, name, pictures[name], read)) for name in in_order(pictures))
    )


def _is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not any(is_left_out(part) for part in name.split("/") if part != ".")


def _open(name: str, packed: _Packed, read: Callable[[Any], bytes]) -> bytes:
    if packed.refused:
        raise Unreadable(name, packed.refused)
    if packed.size > MAX_BYTES:
        raise Unreadable(name, f"is too large: {packed.size} bytes, at most {MAX_BYTES}")
    try:
        return read(packed.place)
    except Exception as error:  # a dozen types, of zipfile, zlib and the system: each costs one picture
        raise Unreadable(name, cause(error)) from None


def _of_zip(info: zipfile.ZipInfo) -> _Packed:
    refused = ""
    if info.flag_bits & ENCRYPTED:
        refused = "is encrypted"
    elif stat.S_ISLNK(info.external_attr >> 16):
        refused = "is a symbolic link"
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others' memory has no bound
        refused = "is packed in a way that is neither stored nor deflated"
    return _Packed(info.file_size, refused, info)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name as `unzip` would write it: bytes that aren't marked as UTF-8 are UTF-8 all the same, nearly always."""
    if info.flag_bits & UTF8:
        return info.filename
    return info.filename.encode("cp437").decode("utf-8", "surrogateescape")


def _check_apart(file: zipfile.ZipFile, shown: str) -> None:
    """Raise MxganError where members share bytes: so a small file unpacks to anything, https://www.bamsoftware.com/hacks/zipbomb/."""
    free = 0
    for info in sorted(file.infolist(), key=lambda info: info.header_offset):
        if info.header_offset < free:
            raise MxganError(
                f"{shown}: {printable(info.filename)} shares its bytes with another member: a bomb, not read"
            )
        free = info.header_offset + LOCAL + info.compress_size


def _tar_list(file: IO[bytes]) -> tuple[dict[str, _Packed], str]:
    """The pictures of a .tar, and an archive in it."""
    pictures, inner = {}, ""
    # errors: what isn't UTF-8 comes out as it does from a folder's names
    reader: Any = _Headers(file)
    # Any: its own list and its first member aren't in its types
    tar: Any = tarfile.TarFile(fileobj=reader, encoding="utf-8", errors="surrogateescape")
    holds_any = tar.firstmember is not None  # Python 3.9 asks for the byte before the first where there is none
    while holds_any and (info := tar.next()):
        tar.members = []  # or it would keep 1 KB of each
        name = info.name.removeprefix("./")
        if _is_picture(name) and not info.isdir():
            pictures[name] = _of_tar(info)
        elif not inner and name.lower().endswith(ARCHIVES):
            inner = name
    if os.pread(file.fileno(), 512, tar.offset).strip(b"\0"):  # tarfile takes a damaged header for the end
        raise tarfile.ReadError(f"no header at byte {tar.offset}")
    return pictures, inner


def _of_tar(info: tarfile.TarInfo) -> _Packed:
    refused = ""
    if info.issym() or info.islnk():
        refused = "is a link"
    elif not info.isreg() or info.issparse():
        refused = "is not a regular file"
    return _Packed(info.size, refused, (info.size, info.offset_data))


class _Headers:
    """A .tar of which only headers are read: one that claims to be huge is refused, before there is memory for it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell, self._read = file.seek, file.tell, file.read

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_HEADER:
            self._refuse(size)
        return self._read(size)

    def _refuse(self, size: int) -> NoReturn:
        raise tarfile.ReadError(f"a header of {size} bytes")
