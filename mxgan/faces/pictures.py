"""Pictures: reading them as RGB whatever their format, and bringing them to one size.

Pillow reads the header before any pixel is decoded, so that a hostile file is refused unread. OpenCV then decodes plain
JPEGs: it gives the same pixels as Pillow (both use libjpeg), but faster. Pillow decodes everything else, because OpenCV
mishandles alpha, palettes, 16 bits and EXIF, and reads no GIF.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from mxgan.config import FITS
from mxgan.errors import MxganError, SettingError
from mxgan.faces.transparent import transparent

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")  # by content, not by name; no other decoder is ever run
MIN_SIDE = 8  # pixels; a smaller picture is no face
MAX_SIZE = 1024  # pixels on a side that pictures can be brought to
MAX_PIXELS = 64_000_000  # a larger picture is refused before it is decoded
MAX_BYTES = 128 * 1024 * 1024  # a larger file is refused before it is read
LARGE_PIXELS = 8_000_000  # larger pictures are decoded one at a time, so that n threads don't take n times the memory
_one_large = threading.Lock()


class Unreadable(MxganError):
    """A file that can't be used as a picture; ``reason`` says why, without the path."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{printable(path)}: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class Skipped:
    """A member of a source that was left out: its name there (unprintable characters escaped), and why."""

    path: str
    reason: str


def imread(path: str | os.PathLike) -> np.ndarray:
    """One picture as uint8 (H, W, 3) RGB, turned as its EXIF orientation says, transparent parts on white.

    JPEG, PNG, WebP, BMP and GIF (the first frame) of any colour mode. 16-bit grey is scaled to 8 bits, of 16-bit colour
    the high byte is kept (at most one level off). Colour profiles are ignored; CMYK is read as Adobe writes it.
    Raises `Unreadable` (an `MxganError`) for anything else, for a side below `MIN_SIDE` and above `MAX_PIXELS`.
    """
    with silence():
        return decode(read_file(os.fspath(path)), os.fspath(path))


def read_file(path: str) -> bytes:
    """A picture file's bytes, at most `MAX_BYTES`. Raises `Unreadable` for what is no regular file or can't be read."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise Unreadable(path, "is a folder" if os.access(path, os.R_OK | os.X_OK) else "Permission denied")
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
            raise Unreadable(path, "is not a regular file")
        if status.st_size > MAX_BYTES:
            raise Unreadable(path, f"is too large: {status.st_size} bytes, at most {MAX_BYTES}")
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (OSError, MemoryError) as error:
        raise Unreadable(path, cause(error)) from None


def decode(data: bytes, name: str) -> np.ndarray:
    """What `imread` gives for a file of these bytes; call it within `silence`. ``name`` is for its errors."""
    try:
        if not data:
            raise Unreadable(name, "is empty (0 bytes)")
        return _decode(data, name)
    except Unreadable:
        raise
    except Exception as error:  # decoders answer a broken file with a dozen exception types: each means "unreadable"
        raise Unreadable(name, cause(error)) from None


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """No warnings: `decode` handles or refuses all that Pillow warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def transform(image: np.ndarray, size: int = 64, fit: str = "crop") -> np.ndarray:
    """Bring a uint8 (H, W, 3) picture to uint8 (size, size, 3).

    ``fit="crop"``: the shorter side becomes ``size``, then the centre is kept; ``"squash"``: both sides do, as in the
    Gluon tutorial. Shrinking averages areas; enlarging is bicubic. Raises MxganError for other input.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise MxganError(f"a picture is uint8 (H, W, 3), this is {image.dtype} {image.shape}")
    check_wanted(size, fit)
    if fit == "squash":
        return _resize(image, size, size)
    short = min(image.shape[:2])
    image = _centre(image, 4 * short, 4 * short)  # so that a panorama one pixel high doesn't become huge on the way
    height, width = (max(size, int(side * size / short + 0.5)) for side in image.shape[:2])
    return np.ascontiguousarray(_centre(_resize(image, height, width), size, size))


def check_wanted(size: int, fit: str) -> None:
    """Raise MxganError unless `transform` knows ``fit`` and can make pictures of ``size``."""
    if not MIN_SIDE <= size <= MAX_SIZE:
        raise SettingError("size", size, f"pictures of {MIN_SIDE} to {MAX_SIZE} pixels on a side can be made")
    if fit not in FITS:
        raise SettingError("fit", fit, f"one of {', '.join(FITS)}")


def printable(path: str) -> str:
    """A path that can be shown in one line of UTF-8: control characters and undecodable bytes are escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in os.fspath(path)
    )


def check_sides(width: int, height: int, name: str) -> None:
    """Raise `Unreadable` for a picture that is too small to be a face, or too large to be decoded."""
    if min(width, height) < MIN_SIDE:
        raise Unreadable(name, f"is too small: {width}×{height}, at least {MIN_SIDE}×{MIN_SIDE}")
    if width * height > MAX_PIXELS:
        raise Unreadable(name, f"is too large: {width}×{height}, at most {MAX_PIXELS} pixels")


def _decode(data: bytes, path: str) -> np.ndarray:
    stream = io.BytesIO(data)
    with Image.open(stream, formats=FORMATS) as picture:
        width, height = picture.size
        check_sides(width, height, path)
        # Pillow has stopped at the JPEG's picture data; libjpeg would fill in what is missing there with grey.
        if picture.format == "JPEG" and data.find(b"\xff\xd9", stream.tell()) < 0:
            raise Unreadable(path, "is truncated")
        with _one_large if width * height > LARGE_PIXELS else contextlib.nullcontext():
            return _upright(_pixels(picture, data), _orientation(picture))


def _pixels(picture: ImageFile.ImageFile, data: bytes) -> np.ndarray:
    if picture.format == "JPEG" and picture.mode in ("RGB", "L"):
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is not None:
            return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    hidden = transparent(picture, data)
    if hidden is not None:
        del picture.info["transparency"]
    image = _rgb(picture)
    if hidden is not None:
        image[hidden] = 255
    return image


def _rgb(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith("I"):  # 16-bit grey: Pillow would clip it at 255
        levels = np.clip(np.asarray(picture), 0, 65535).astype(np.uint32)
        return cv2.cvtColor(((levels * 255 + 32767) // 65535).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = _converted(picture, "RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A"))
        return np.array(white)
    return np.array(_converted(picture, "RGB"))


def _converted(picture: Image.Image, mode: str) -> Image.Image:
    return picture if picture.mode == mode and "transparency" not in picture.info else picture.convert(mode)


def _orientation(picture: Image.Image) -> int:
    try:
        return picture.getexif().get(0x0112, 1)
    except Exception:  # a broken EXIF block is no reason to lose the picture
        return 1


def _upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Undo an EXIF orientation, 1 to 8: https://exiftool.org/TagNames/EXIF.html, tag 0x0112."""
    if orientation in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


def cause(error: Exception) -> str:
    """Why a picture can't be read, in a few words of one line, for an error of whatever decoder."""
    if isinstance(error, UnidentifiedImageError):
        return "is not a JPEG, PNG, WebP, BMP or GIF that can be read"
    if isinstance(error, Image.DecompressionBombError):
        return f"is too large: at most {MAX_PIXELS} pixels"
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(text.splitlines()[0] if text else type(error).__name__)


def _resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    for shape, how in (
        ((min(height, image.shape[0]), min(width, image.shape[1])), cv2.INTER_AREA),
        ((height, width), cv2.INTER_CUBIC),
    ):
        if image.shape[:2] != shape:
            image = cv2.resize(image, shape[::-1], interpolation=how)
    return image


def _centre(image: np.ndarray, height: int, width: int) -> np.ndarray:
    top, left = (max(0, (have - want) // 2) for have, want in zip(image.shape[:2], (height, width)))
    return image[top : top + height, left : left + width]
