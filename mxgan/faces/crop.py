"""Faces cut out of whole photographs, found by the cascade of frontal faces that OpenCV 4's package brings along.

Viola & Jones 2001, in Lienhart's form: it finds people who look at the camera, upright. Drawn faces it doesn't find.
"""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mxgan import atomic
from mxgan.errors import MxganError
from mxgan.faces.pictures import Skipped, printable
from mxgan.faces.sources import shown, source
from mxgan.words import counted

CASCADE = "haarcascade_frontalface_alt2.xml"
LONGEST = 1600  # pixels: a larger picture is searched in this size
LEAST = 48  # pixels of a face's side, from brow to chin, in the picture
AROUND = 1.8  # the square that is cut out, over the face's side: about what CelebA's portraits show
STEP, AGREE = 1.1, 5  # of the search: the factor between two sizes, and how many finds must agree


@dataclass(frozen=True)
class Cropped:
    """What `crop` did."""

    faces: int
    pictures: int  # with a face
    without: tuple[str, ...]  # pictures in which none was found
    skipped: tuple[Skipped, ...]


def crop(folder: str | os.PathLike, out: str | os.PathLike, least: int = LEAST, progress: bool = True) -> Cropped:
    """Cut every frontal face out of a source's photographs, each into a PNG of its own in the folder ``out``.

    ``least``: pixels of the smallest faces to take, on a side. ``out`` appears when all faces are there. Raises
    MxganError where it is there already or can't be written, where no face is found, and without OpenCV 4.
    """
    target = Path(out)
    if target.exists():
        raise MxganError(f"{printable(os.fspath(out))}: is there already: name a new folder")
    find = _finder(least)
    atomic.make_folder_of(target)
    photos = source(os.fspath(folder), 64, "crop")
    temporary = target.with_name(f".{target.name}.cropping")
    shutil.rmtree(temporary, ignore_errors=True)  # left by a process that was killed
    faces, pictures, without, skipped = 0, 0, list[str](), list[Skipped]()
    try:
        with photos.listed() as members:
            temporary.mkdir()
            for name, found in shown(photos, members, "searching", progress, find):
                if isinstance(found, str):
                    skipped.append(Skipped(printable(name), found))
                elif not found:
                    without.append(printable(name))
                else:
                    faces, pictures = faces + len(found), pictures + 1
                for k, face in enumerate(found if isinstance(found, list) else ()):
                    _, png = cv2.imencode(".png", cv2.cvtColor(face, cv2.COLOR_RGB2BGR))
                    (temporary / f"{_stem(name)}-{k}.png").write_bytes(png.tobytes())
        if not faces:
            raise MxganError(f"{printable(os.fspath(folder))}: no face found in {counted(len(without), 'picture')}")
        temporary.rename(target)
    except OSError as error:
        where = printable(os.fspath(out))
        raise MxganError(f"{where}: can't be written: {error.strerror or error}; name another folder") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Cropped(faces, pictures, tuple(without), tuple(skipped))


def square(box: tuple[int, int, int, int], width: int, height: int) -> tuple[int, int, int]:
    """(left, top, side) of what is cut out around a face's box (left, top, width, height): inside the picture."""
    x, y, w, h = box
    side = min(round(max(w, h) * AROUND), width, height)
    left, top = (round(at + size / 2 - side / 2) for at, size in ((x, w), (y, h)))
    return min(max(left, 0), width - side), min(max(top, 0), height - side), side


def _finder(least: int) -> Any:
    """A function from a picture, uint8 (H, W, 3) RGB, to the squares around its faces; each thread has a cascade."""
    if not hasattr(cv2, "CascadeClassifier"):
        raise MxganError(
            f"faces crop needs OpenCV 4, whose package has the cascade; this is {cv2.__version__}: "
            "pip install 'opencv-python-headless<5'"
        )
    mine = threading.local()
    return partial(_faces, mine, least)


def _faces(mine: threading.local, least: int, image: np.ndarray) -> list[np.ndarray]:
    if not hasattr(mine, "cascade"):
        mine.cascade = cv2.CascadeClassifier(os.path.join(os.path.dirname(cv2.__file__), "data", CASCADE))
    height, width = image.shape[:2]
    scale = min(1, LONGEST / max(height, width))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    smallest = max(1, round(least * scale))
    boxes = mine.cascade.detectMultiScale(grey, STEP, AGREE, minSize=(smallest, smallest))
    found = []
    for box in sorted(tuple(round(value / scale) for value in box) for box in boxes):
        left, top, side = square(box, width, height)
        found.append(image[top : top + side, left : left + side])
    return found


def _stem(name: str) -> str:
    """A file's name that no other picture's faces have: its path in one piece."""
    return printable(name).replace("%", "%25").replace("/", "%2F").replace("\\", "%5C").lstrip(".")[-200:]
