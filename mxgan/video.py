"""Pictures, one after the other, as a video: by PyAV, or as a GIF by Pillow alone."""

from __future__ import annotations

import base64
import html
import math
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import ModuleType

import numpy as np

from mxgan import atomic, checks, pixels
from mxgan.errors import MissingPackage, MxganError, SettingError
from mxgan.words import counted


@dataclass(frozen=True)
class Codec:
    """How PyAV is told to write a kind of file."""

    container: str
    codec: str
    settings: dict[str, str]  # of the codec
    whole: dict[str, str]  # of the file
    colours: str = "ITU709"  # the standard by which RGB becomes YUV; the file says so


CODECS = {
    # the table of contents first, so that a browser plays it while it loads
    ".mp4": Codec("mp4", "libx264", {"crf": "18"}, {"movflags": "faststart"}),
    ".webm": Codec(
        "webm", "libvpx-vp9", {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}, {}
    ),
    ".avi": Codec("avi", "mpeg4", {"qmin": "2", "qmax": "3"}, {}, "ITU601"),  # what OpenCV writes for the notebooks
}
SUFFIXES = (*CODECS, ".gif")
FPS = 25.0  # 4 hundredths of a second, which GIF counts in
GIF_FPS = 50  # browsers slow a faster GIF down
GIF_BYTES = 2**31  # of its pictures, which are all in memory
PALETTE = 100_000  # pixels that a GIF's colours are chosen from
TAGS = {"ITU709": 1, "ITU601": 6}  # FFmpeg's numbers; without one, players guess how to turn YUV back into RGB


@dataclass(frozen=True)
class Video:
    """A video file; a notebook plays it. ``note``: what differs from the pictures it was made of, or nothing."""

    path: Path
    pictures: int
    seconds: float
    width: int
    height: int
    note: str = ""

    def __fspath__(self) -> str:
        """A video is taken wherever its path is."""
        return str(self.path)

    def _repr_html_(self) -> str:
        """What a notebook shows. The video is inside, not linked; no browser plays an .avi."""
        kind, name = self.path.suffix.lower()[1:], html.escape(str(self.path), quote=True)
        if kind == "avi":
            return f"<p>{name}</p>"
        data = base64.b64encode(self.path.read_bytes()).decode()
        if kind == "gif":
            return f'<img src="data:image/gif;base64,{data}" alt="{name}" title="{name}">'
        attributes = "controls loop autoplay muted playsinline"
        return f'<video src="data:video/{kind};base64,{data}" title="{name}" {attributes}></video>'


def check(out: Path, fps: float, setting: str = "out") -> None:
    """Raise SettingError or MissingPackage if no video of ``fps`` pictures a second can be written to ``out``.

    ``setting``: what ``out`` is the value of. Its folder may be missing.
    """
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise SettingError(setting, str(out), f"give a name that ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    checks.number("fps", fps, "pictures a second: a number above 0, at most 240", lambda x: 0 < x <= 240)
    if suffix == ".gif" and fps > GIF_FPS:
        raise SettingError("fps", fps, f"a GIF shows at most {GIF_FPS} pictures a second; an .mp4 more")
    atomic.check_file(setting, out)
    if suffix != ".gif":
        _av(suffix, f"--out {shlex.quote(str(out.with_suffix('.gif')))}" if setting == "out" else "a .gif")


def save_video(path: str | Path, pictures: Iterable[np.ndarray], fps: float = FPS) -> Video:
    """Write pictures, each uint8 (H, W, 3) and of one size, as a video of ``fps`` a second.

    The suffix decides: .mp4 (H.264) and .webm (VP9) play in browsers, .avi is MPEG-4 part 2; a .gif needs Pillow alone
    and repeats itself. All but GIF want even sides: a row or column is repeated where one is odd, and the result's
    ``note`` says so. Transparency, uint8 (H, W, 4), becomes white.
    Raises MxganError where the pictures or the place can't be, MissingPackage without PyAV. A file appears whole or
    not at all.
    """
    path = Path(checks.as_path("path", path))
    check(path, fps, "path")
    if not isinstance(pictures, Iterable):
        raise MxganError(f"pictures: several are wanted, each uint8 (H, W, 3), not {type(pictures).__name__}")
    if isinstance(pictures, np.ndarray) and pictures.ndim == 3:
        raise MxganError(f"pictures of shape {pictures.shape}: that is one picture; give several, uint8 (n, H, W, 3)")
    images = map(_solid, pictures)
    first = next(images, None)
    if first is None:
        raise MxganError(f"{path}: no pictures; give one or more")
    frames = _Counted(first, images)
    suffix, (height, width) = path.suffix.lower(), first.shape[:2]
    even = height + height % 2, width + width % 2
    atomic.make_folder_of(path)
    with atomic.making(path) as temporary:
        if suffix == ".gif":
            even = height, width
            _save_gif(temporary, frames, fps)
        else:
            _encode(temporary, frames, fps, even, CODECS[suffix])
    note = ""
    if even != (height, width):
        note = f"{width}×{height} pictures are {even[1]}×{even[0]} in the video, which wants even sides"
    return Video(path, frames.n, frames.n / fps, even[1], even[0], note)


class _Counted:
    """The pictures, which are counted as they go by. Raises MxganError at one of another size than the first."""

    def __init__(self, first: np.ndarray, rest: Iterable[np.ndarray]) -> None:
        self._images, self._shape, self.n = chain([first], rest), first.shape, 0

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> np.ndarray:
        image = next(self._images)
        if image.shape != self._shape:
            raise MxganError(
                f"picture {self.n} is of shape {image.shape}, the first of {self._shape}: one size is wanted"
            )
        self.n += 1
        return image


def _solid(picture: np.ndarray) -> np.ndarray:
    image = np.asarray(picture)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4) or 0 in image.shape:
        raise MxganError(f"a picture of shape {image.shape}, {image.dtype}: uint8 (H, W, 3) is wanted")
    return np.ascontiguousarray(pixels.on_white(image))


def _av(suffix: str, gif: str = "a .gif") -> ModuleType:
    """PyAV. Raises MissingPackage, which says that ``gif`` needs none."""
    try:
        import av
    except ImportError as error:
        raise MissingPackage(f"{suffix} files need PyAV, {gif} nothing more", "video") from error
    return av


def _encode(path: str, images: Iterable[np.ndarray], fps: float, even: tuple[int, int], how: Codec) -> None:
    """Write the pictures, one frame each, at sides that are ``even``."""
    av = _av(f".{how.container}")
    rate = Fraction(fps).limit_denominator(1000)
    try:
        with av.open(path, "w", format=how.container, options=how.whole) as file:
            stream = file.add_stream(how.codec, rate=rate, options=how.settings)
            (stream.height, stream.width), stream.pix_fmt = even, "yuv420p"  # what every browser decodes
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = TAGS[how.colours]
            context.color_range = 1  # television's, 16 to 235
            for image in images:
                missing = [(0, side - there) for side, there in zip(even, image.shape)]
                frame = av.VideoFrame.from_ndarray(np.pad(image, (*missing, (0, 0)), mode="edge"), "rgb24")
                yuv = frame.reformat(format="yuv420p", dst_colorspace=how.colours, interpolation="AREA")
                file.mux(stream.encode(yuv))
            file.mux(stream.encode())
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error  # `atomic` says of which file


def _save_gif(path: str, images: Iterable[np.ndarray], fps: float) -> None:
    """One palette for all pictures, so that colours don't flicker, and no dithering, which no GIF can compress."""
    from PIL import Image

    shown: list[np.ndarray] = []
    ends: list[int] = []  # of each in the time, in hundredths of a second
    for number, image in enumerate(images, 1):
        if shown and np.array_equal(image, shown[-1]):
            ends.pop()
        elif image.nbytes * len(shown) > GIF_BYTES:
            raise MxganError(f"{counted(len(shown), 'picture')} of {image.shape[1]}×{image.shape[0]} and more are too "
                             "many for a GIF; give an .mp4")  # fmt: skip
        else:
            shown.append(image)
        ends.append(round(100 * number / fps))
    every = max(1, sum(image.nbytes // 3 for image in shown) // PALETTE)
    sample = np.concatenate([image.reshape(-1, 3)[number % every :: every] for number, image in enumerate(shown)])
    side = math.ceil(math.sqrt(len(sample)))
    palette = Image.fromarray(np.resize(sample, (side, side, 3))).quantize(256)
    drawn = [Image.fromarray(image).quantize(palette=palette, dither=Image.Dither.NONE) for image in shown]
    lengths = [10 * (end - begin) for begin, end in zip([0, *ends], ends)]  # milliseconds
    drawn[0].save(path, format="GIF", save_all=True, append_images=drawn[1:], duration=lengths, loop=0)
