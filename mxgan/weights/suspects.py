"""Files that aren't MXNet's: what they are, and what to do about it.

The first bytes identify most files that people load by mistake.
"""

from __future__ import annotations

import re

from mxgan.weights import list_file, npz_file
from mxgan.weights.raw import READABLE

_BY_MAGIC = (
    (b"\x1f\x8b", "this is a gzip file: unpack it first, with `gunzip` or `tar xzf`"),
    (b"BZh", "this is a bzip2 file: unpack it first, with `bunzip2` or `tar xjf`"),
    (b"\xfd7zXZ\x00", "this is an xz file: unpack it first, with `unxz` or `tar xJf`"),
    (b"\x28\xb5\x2f\xfd", "this is a Zstandard file: unpack it first, with `unzstd`"),
    (b"7z\xbc\xaf\x27\x1c", "this is a 7-Zip archive: unpack it first, with `7z x`"),
    (b"Rar!", "this is a RAR archive: unpack it first, with `unrar x`"),
    (b"\x93NUMPY", "this is one NumPy array (.npy), without a name: save named arrays with np.savez"),
    (b"\x89HDF\r\n\x1a\n", "this is an HDF5 file (Keras?), not MXNet weights"),
    (b"\x0a\x23\xd7\xce", "this is a RecordIO file: it holds images, not weights"),
    (b"\x89PNG", "this is a PNG picture, not weights"),
    (b"\xff\xd8\xff", "this is a JPEG picture, not weights"),
    (
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.",
        f"this is a PyTorch file, {READABLE}",
    ),
)
_PICKLE = (
    "this is a Python pickle, which can run code when loaded and is never opened here; "
    "a PyTorch file: name it .pth; `mxgan weights convert` makes a .params of it"
)
_PICKLE_START = re.compile(rb"\x80[\x00-\x05][\x00-\xff]|\(dp?\d*\n|\(lp?\d*\n|\(dq\x00|\]q\x00|\}q\x00|c\w+\n\w+\n")
_ONNX_START = re.compile(rb"\x08[\x01-\x20][\x12\x1a\x22\x2a\x32\x3a\x42]")  # protobuf: ir_version, then a field
_LFS = re.compile(rb"version https://git-lfs\.github\.com/spec/v\d+\n(?:.*\n)*?size (\d+)")
_PAGE = re.compile(rb"<!doctype html|<html|<head|<body|<!--|<script", re.I)


def describe(head: bytes, size: int) -> str:
    """What a file of `size` bytes that begins with `head` (4,096 bytes of it are plenty) is, if it isn't weights."""
    if size == 0:
        return "the file is empty: fetch it again"
    if list_file.MAGIC.startswith(head[:8]):
        return f"the file is cut short: it is {size} bytes, and its header alone is 24: fetch it again"
    if npz_file.MAGICS[0].startswith(head):
        return f"the file is cut short: a ZIP of {size} bytes: fetch it again"
    for magic, text in _BY_MAGIC:
        if head.startswith(magic):
            return text
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"version https://git-lfs"):
        pointer = _LFS.match(start)
        of = f" to a file of {int(pointer.group(1)[:20]):,} bytes" if pointer else ""
        return f"this is a Git LFS pointer{of}, {size} bytes: fetch the real file with `git lfs pull`"
    if _PAGE.match(start):
        return "this is an HTML page: the link leads to a web page; fetch the file itself (GitHub: the Raw button)"
    if start.startswith((b"<?xml", b"<Error")):
        return "this is XML, perhaps a server's error message: fetch the file again"
    if len(head) > 9 and head[8:10] in (b'{"', b"{}", b"{ ") and int.from_bytes(head[:8], "little") <= size:
        return f"this is a safetensors file, {READABLE}"
    if _PICKLE_START.match(head):
        return _PICKLE
    if start.startswith((b"{", b"[")):
        if b'"nodes"' in start:
            return (
                "this is an MXNet symbol (-symbol.json), the net without its weights: give the .params file beside it"
            )
        return "this is JSON text, not weights"
    if _ONNX_START.match(head):
        return "this is an ONNX file: name it .onnx; `mxgan weights convert` makes a .params of it"
    if head[257:262] == b"ustar":
        return "this is a tar archive: unpack it first, with `tar xf`"
    if not head.strip(b"\0"):
        return "the file begins with zeros only, as an interrupted download leaves them: fetch it again"
    if re.fullmatch(rb"[\t\n\r -~]+", head[:256]):
        return f"this is text, {head[:60].decode('ascii').strip()!r}, not weights"
    return f"this isn't an MXNet file: byte 0: wanted {list_file.MAGIC.hex(' ')}, found {head[:8].hex(' ')}"
