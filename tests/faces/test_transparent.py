"""A PNG's transparent colour hides the pixels whose samples equal it at full depth, and no others."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from mxgan.faces.pictures import Unreadable, imread

GREY, COLOUR = 0, 2  # colour types of PNG


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path, rows: list[bytes], width: int, depth: int, colour: int, *key: int) -> str:
    """A PNG of these rows of packed samples, in which the colour ``key`` is transparent."""
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0))
    if key:
        data += chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    data += chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b"")
    path.write_bytes(data)
    return str(path)


def first_row(path: str) -> list[int]:
    image = imread(path)
    assert (image == image[:1]).all()
    assert (image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all()
    return image[0, :, 0].tolist()


LEVELS = [0, 255, 256, 0x1234, 0x12FF, 0x8000, 0x80FF, 0xFFFF]
SEEN = [0, 1, 1, 18, 19, 128, 128, 255]


@pytest.mark.parametrize("key", [None, 0, 0x12, 255, 0x1234, 0x1235, 0x1200, 0x80FF, 0xFFFF])
def test_sixteen_bit_grey(tmp_path, key):
    """Levels that share a high byte with the transparent one, or a low one, stay; 8 bits come from all 16."""
    path = png(tmp_path / "a.png", [struct.pack(">8H", *LEVELS)] * 8, 8, 16, GREY, *([] if key is None else [key]))
    assert first_row(path) == [255 if level == key else grey for level, grey in zip(LEVELS, SEEN)]


@pytest.mark.parametrize("key", [0x1234, 0x12, 0x3412, 0x1200, 0x12FF, 0xFFFF])
def test_sixteen_bit_colour(tmp_path, key):
    samples = [level for level in LEVELS for _ in "RGB"]
    path = png(tmp_path / "a.png", [struct.pack(">24H", *samples)] * 8, 8, 16, COLOUR, key, key, key)
    assert first_row(path) == [255 if level == key else level >> 8 for level in LEVELS]


def test_a_colour_is_transparent_where_all_three_samples_are(tmp_path):
    pixels = [(1000, 2000, 3000), (3000, 2000, 1000), (1000, 2000, 3001), (1000, 2001, 3000)] * 2
    path = png(tmp_path / "a.png", [struct.pack(">24H", *np.ravel(pixels))] * 8, 8, 16, COLOUR, 1000, 2000, 3000)
    assert imread(path)[0, :4].tolist() == [[255, 255, 255], [11, 7, 3], [3, 7, 11], [3, 7, 11]]


@pytest.mark.parametrize("high", [0, 0xFF00])
def test_few_bits(tmp_path, high):
    """Of the chunk's 16 bits as many low ones count as a sample has."""
    four = png(tmp_path / "4.png", [bytes([0x01, 0x23, 0x45, 0x6F])] * 8, 8, 4, GREY, high + 0x30 + 3)
    assert first_row(four) == [0, 17, 34, 255, 68, 85, 102, 255]
    two = png(tmp_path / "2.png", [bytes([0b00011011, 0b11100100])] * 8, 8, 2, GREY, high + 2)
    assert first_row(two) == [0, 85, 255, 255, 255, 255, 85, 0]
    one = png(tmp_path / "1.png", [bytes([0b01010011])] * 8, 8, 1, GREY, 1)
    assert first_row(one) == [0, 255, 0, 255, 0, 0, 255, 255]
    eight = png(tmp_path / "8.png", [bytes(range(0, 80, 10))] * 8, 8, 8, GREY, high + 30)
    assert first_row(eight) == [0, 10, 20, 255, 40, 50, 60, 70]
    colour = png(tmp_path / "rgb.png", [bytes(range(0, 240, 10))] * 8, 8, 8, COLOUR, high + 30, high + 40, high + 50)
    assert imread(colour)[0, :2].tolist() == [[0, 10, 20], [255, 255, 255]]


def test_without_a_transparent_colour_it_is_pillows_own(tmp_path):
    noise = np.random.default_rng(0).integers(0, 65536, (8, 24), np.uint16).astype(">u2")
    path = png(tmp_path / "a.png", [row.tobytes() for row in noise], 8, 16, COLOUR)
    assert np.array_equal(imread(path), np.asarray(Image.open(path).convert("RGB")))


def test_damage_is_one_line(tmp_path, monkeypatch):
    path = png(tmp_path / "a.png", [struct.pack(">24H", *range(24))] * 8, 8, 16, COLOUR, 1, 2, 3)
    data = (tmp_path / "a.png").read_bytes()
    for size in range(60, len(data) - 12):
        (tmp_path / "cut.png").write_bytes(data[:size])
        with pytest.raises(Unreadable, match=r"cut\.png: "):
            imread(tmp_path / "cut.png")
    assert Image.open(io.BytesIO(data)).info["transparency"] == (1, 2, 3)
    monkeypatch.setattr(cv2, "imdecode", lambda data, how: None)
    with pytest.raises(Unreadable, match=r"a\.png: 16-bit colour with a transparent one that can't be read: save it"):
        imread(path)
