"""Every kind of picture comes out as the right RGB pixels; every kind of broken file gets a reason and nothing else."""

import io
import os
import socket
import struct
import subprocess
import sys
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from processes import ordinary_user

from mxgan import MxganError
from mxgan.faces import folder, pictures
from mxgan.faces.folder import in_order, walk
from mxgan.faces.members import read_all
from mxgan.faces.pictures import Unreadable, imread, transform

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def halves(left, right, mode="RGB", size=(16, 16)):
    """A picture whose left half has one colour and whose right half another."""
    picture = Image.new(mode, size, left)
    picture.paste(right, (size[0] // 2, 0, *size))
    return picture


def seen(path):
    """The colours that `imread` finds in the left and the right half."""
    image = imread(path)
    assert image.dtype == np.uint8 and image.shape == (16, 16, 3) and image.flags.c_contiguous
    assert (image[:, :8] == image[0, 0]).all() and (image[:, 8:] == image[0, 15]).all()
    return tuple(map(int, image[0, 0])), tuple(map(int, image[0, 15]))


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, *chunks):
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def zeros(n):
    """A zlib stream of n zero bytes, made without having them all."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(min(1 << 20, n - i))) for i in range(0, n, 1 << 20)) + packer.flush()


def test_plain_colours(tmp_path):
    for name in ("a.png", "a.bmp", "a.gif"):
        halves(RED, BLUE).save(tmp_path / name)
        assert seen(tmp_path / name) == (RED, BLUE)
    halves(RED, BLUE).save(tmp_path / "a.webp", lossless=True)
    assert seen(tmp_path / "a.webp") == (RED, BLUE)
    halves(RED, BLUE).save(tmp_path / "a.jpg", quality=100, subsampling=0)
    assert np.abs(np.subtract(seen(tmp_path / "a.jpg"), (RED, BLUE))).max() <= 1
    halves(RED, BLUE).save(tmp_path / "jpeg called.png", "JPEG", quality=100, subsampling=0)
    assert seen(tmp_path / "jpeg called.png") == seen(tmp_path / "a.jpg")


def test_a_plain_jpeg_has_the_pixels_that_pillow_finds(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)
    for options in ({}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}):
        Image.fromarray(noise).save(tmp_path / "a.jpg", **options)
        assert np.array_equal(imread(tmp_path / "a.jpg"), np.asarray(Image.open(tmp_path / "a.jpg")))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.gif"])
def test_grey(tmp_path, name):
    halves(16, 240, "L").save(tmp_path / name)
    assert seen(tmp_path / name) == ((16,) * 3, (240,) * 3)


def test_one_bit(tmp_path):
    halves(0, 1, "1").save(tmp_path / "a.png")
    assert seen(tmp_path / "a.png") == (BLACK, WHITE)


def test_palette_and_its_two_kinds_of_transparency(tmp_path):
    picture = halves(0, 1, "P")
    picture.putpalette([*RED, *BLUE])
    picture.save(tmp_path / "opaque.png")
    picture.save(tmp_path / "one colour.png", transparency=1)
    picture.save(tmp_path / "one colour.gif", transparency=1)
    picture.save(tmp_path / "alpha.png", transparency=bytes([255, 128]))
    assert seen(tmp_path / "opaque.png") == (RED, BLUE)
    assert seen(tmp_path / "one colour.png") == (RED, WHITE)
    assert seen(tmp_path / "one colour.gif") == (RED, WHITE)
    assert seen(tmp_path / "alpha.png") == (RED, (127, 127, 255))


def test_alpha_is_laid_on_white(tmp_path):
    halves((255, 0, 0, 0), (0, 0, 255, 128), "RGBA").save(tmp_path / "a.png")
    halves((255, 0, 0, 0), (0, 0, 255, 128), "RGBA").save(tmp_path / "a.webp", lossless=True, exact=True)
    halves((0, 0), (0, 64), "LA").save(tmp_path / "grey.png")
    halves(RED, BLUE).save(tmp_path / "colour.png", transparency=RED)
    assert seen(tmp_path / "a.png") == seen(tmp_path / "a.webp") == (WHITE, (127, 127, 255))
    assert seen(tmp_path / "grey.png") == (WHITE, (191,) * 3)
    assert seen(tmp_path / "colour.png") == (WHITE, BLUE)


def test_cmyk_and_ycck(tmp_path):
    halves((0, 255, 255, 0), (255, 255, 0, 51), "CMYK").save(tmp_path / "a.jpg", quality=100)
    assert np.abs(np.subtract(seen(tmp_path / "a.jpg"), (RED, (0, 0, 204)))).max() <= 1
    # A CMYK file becomes a YCCK one by its Adobe marker: the planes, stored inverted, are then taken for YCC, K of the
    # inks. Blue is cyan and magenta ink: as R, G, B (255, 255, 0), whose Y, Cb, Cr are 226, 0, 149. White is no ink.
    halves((255 - 226, 255, 255 - 149, 0), (255, 127, 127, 0), "CMYK").save(tmp_path / "b.jpg", quality=100)
    data = bytearray((tmp_path / "b.jpg").read_bytes())
    data[data.index(b"Adobe") + 11] = 2
    (tmp_path / "b.jpg").write_bytes(data)
    assert np.abs(np.subtract(seen(tmp_path / "b.jpg"), (BLUE, WHITE))).max() <= 2


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    grey = np.zeros((16, 16), np.uint16)
    grey[:, :8], grey[:, 8:] = 0x8000, 1000
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    assert seen(tmp_path / "grey.png") == ((128,) * 3, (4,) * 3)

    colour = np.zeros((16, 16, 3), np.uint16)
    colour[:, :8], colour[:, 8:] = (0, 0x8000, 65535), (65535, 0, 257 * 3)
    cv2.imwrite(str(tmp_path / "colour.png"), colour)
    assert seen(tmp_path / "colour.png") == ((255, 128, 0), (3, 0, 255))


def test_of_an_animation_the_first_picture(tmp_path):
    for name, options in (("a.gif", {}), ("a.webp", {"lossless": True}), ("a.png", {})):
        halves(RED, GREEN).save(tmp_path / name, save_all=True, append_images=[halves(BLUE, WHITE)], **options)
        assert seen(tmp_path / name) == (RED, GREEN)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, name, orientation):
    picture = Image.new("RGB", (32, 16), WHITE)
    picture.paste(RED, (0, 0, 16, 8))  # the left upper quarter
    picture.paste(BLUE, (16, 0, 32, 8))  # the right upper quarter
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / name, exif=exif, **({"lossless": True} if name == "a.webp" else {"quality": 100}))
    image = imread(tmp_path / name)
    assert np.array_equal(image, np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / name)).convert("RGB")))
    assert image.shape == ((16, 32, 3) if orientation < 5 else (32, 16, 3))
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    y, x = corner[orientation]
    assert image[y, x, 0] > 200 > 100 > image[y, x, 2]  # there the red corner belongs


def test_a_broken_exif_block_does_not_cost_the_picture(tmp_path):
    halves(16, 240, "L").save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert seen(tmp_path / "a.jpg") == ((16,) * 3, (240,) * 3)


def encoded(form, **options):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(file, form, **options)
    return file.getvalue()


TRUNCATED = [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("BMP", {}), ("GIF", {})]


@pytest.mark.parametrize(("form", "options"), TRUNCATED)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.95])
def test_truncated_files_are_refused_silently(tmp_path, capfd, form, options, kept):
    data = encoded(form, **options)
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    imread(path)
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(Unreadable):
        imread(path)
    assert capfd.readouterr() == ("", "")


def test_a_jpeg_that_zeros_were_filled_in_is_truncated(tmp_path, capfd):
    data = encoded("JPEG")
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2] + bytes(len(data) // 2))
    with pytest.raises(Unreadable, match="truncated"):
        imread(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes(data + b"whatever a camera appends")
    imread(tmp_path / "a.jpg")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"hello", "is not a JPEG"),
        (b"<html>404</html>" * 99, "is not a JPEG"),
        (b"\xff\xd8\xff\xe0", "is not a JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is not a JPEG"),
        (png(7, 100, 8, 0, zlib.compress(bytes(800))), "too small: 7×100"),
        (png(16, 16, 8, 0, zlib.compress(bytes(99))), "truncated"),
        (png(16, 16, 8, 0, b"no zlib stream"), ""),
    ],
)
def test_what_is_no_picture_gets_a_reason(tmp_path, data, reason):
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(Unreadable) as error:
        imread(tmp_path / "a.png")
    assert reason in error.value.reason and error.value.reason
    assert str(error.value) == f"{tmp_path / 'a.png'}: {error.value.reason}" and "\n" not in str(error.value)


def test_what_is_no_file_gets_a_reason_and_nothing_waits_for_a_pipe(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to("nowhere")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket.jpg"))
    reasons = dict(read_all(folder.members(str(tmp_path)), transform))
    assert reasons == {
        "broken.jpg": "No such file or directory",
        "folder.jpg": "is a folder",
        "loop.jpg": "Too many levels of symbolic links",
        "pipe.jpg": "is not a regular file",
        "socket.jpg": "is not a regular file",
    }


def test_what_may_not_be_read(users_folder):
    (users_folder / "a.png").write_bytes(encoded("PNG"))
    (users_folder / "a.png").chmod(0)
    (users_folder / "more").mkdir(mode=0)
    with ordinary_user():
        reasons = dict(read_all(folder.members(str(users_folder)), transform))
    assert reasons == {"a.png": "Permission denied", "more": "Permission denied"}


BOMB = """
import os, resource, sys
from mxgan.faces import folder
from mxgan.faces.members import read_all
from mxgan.faces.pictures import Unreadable, imread, transform
with open("/proc/self/status") as status:
    size = int(next(line for line in status if line.startswith("VmSize")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (size + 200_000_000,) * 2)
for name, outcome in read_all(folder.members(sys.argv[1]), transform):
    try:
        imread(os.path.join(sys.argv[1], name))
    except Unreadable as error:
        assert error.reason == outcome, outcome
        print(name, outcome)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_bombs_are_turned_away_unread(tmp_path):
    rows, text = zeros(30000 * 3751), zeros(400_000_000)
    gif = b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;"
    bombs = {
        "100 megapixels.png": png(10000, 10000, 1, 0, zeros(10000 * 1251)),
        "900 megapixels.png": png(30000, 30000, 1, 0, rows),  # 109 KB
        "text.png": png(16, 16, 8, 0, zlib.compress(bytes(272)), png_chunk(b"zTXt", b"a\0\0" + text)),
        "profile.png": png(16, 16, 8, 0, zlib.compress(bytes(272)), png_chunk(b"iCCP", b"a\0\0" + text)),
        "screen.gif": gif,
        "long.bmp": b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, 30000, 30000, 1, 24, *[0] * 6),
    }
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run([sys.executable, "-c", BOMB, str(tmp_path)], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(bombs) and all("too large" in line.lower() for line in lines), lines


def test_a_file_too_large_to_read(tmp_path):
    with open(tmp_path / "a.bmp", "wb") as file:
        file.truncate(pictures.MAX_BYTES + 1)
    with pytest.raises(Unreadable, match="too large"):
        imread(tmp_path / "a.bmp")


def test_transform_averages_areas_and_keeps_the_centre():
    image = np.zeros((128, 256, 3), np.uint8)
    image[::2, 64:192] = 100  # every second row of the middle square
    image[:, 64:66] = 200
    small = transform(image, 64)
    assert small.shape == (64, 64, 3) and small.flags.c_contiguous
    assert (small[:, 0] == 200).all() and (small[:, 1:] == 50).all()
    assert (transform(image.transpose(1, 0, 2), 64) == small.transpose(1, 0, 2)).all()
    squashed = transform(image, 64, fit="squash")
    assert squashed.shape == (64, 64, 3) and (squashed[:, 17:48] == 50).all() and (squashed[:, :16] == 0).all()


def test_transform_leaves_the_right_size_alone_and_enlarges_smoothly():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert np.array_equal(transform(image), image)
    ramp = np.repeat(np.arange(0, 160, 10, dtype=np.uint8), 8).reshape(16, 8, 1).repeat(3, 2)
    large = transform(ramp, 64)
    assert large.shape == (64, 64, 3) and set(np.diff(large[8:-8, 0, 0].astype(int))) == {0, 1, 2}
    assert transform(ramp, 64, "squash").shape == (64, 64, 3)


def test_a_panorama_is_cropped_before_it_is_enlarged():
    image = np.full((8, 100_000, 3), 7, np.uint8)  # enlarged whole it would have 154 MB
    tracemalloc.start()
    try:
        assert (transform(image, 64) == np.full((64, 64, 3), 7)).all()
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_transform_refuses_what_is_no_picture():
    for wrong in (np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3))):
        with pytest.raises(MxganError, match=r"uint8 \(H, W, 3\)"):
            transform(wrong)
    with pytest.raises(MxganError, match="fit 'stretch': one of crop, squash"):
        transform(np.zeros((9, 9, 3), np.uint8), fit="stretch")
    with pytest.raises(MxganError, match="size 0: pictures of 8 to 1024 pixels"):
        transform(np.zeros((9, 9, 3), np.uint8), size=0)


def test_walk_finds_pictures_at_any_depth_in_one_order(tmp_path):
    found = ["B.PNG", "a/b.jpeg", "a/c/d.webp", "a.jpg", "b.Jfif", "ä.gif", "z.bmp"]
    for name in [*found, ".hidden.jpg", ".git/a.jpg", "__MACOSX/a.jpg", "notes.txt", "jpg", "a/Thumbs.db"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "up").symlink_to("..")  # a loop
    (tmp_path / "c").symlink_to("a/c")  # a second way to the same folder
    assert in_order(name for name, _, _ in walk(str(tmp_path))) == sorted(found)


def test_names_that_are_no_text(tmp_path):
    name = os.fsdecode(b"\xff\n.jpg")
    (tmp_path / name).touch()
    assert [name for name, _, _ in walk(str(tmp_path))] == [name]
    with pytest.raises(Unreadable) as error:
        imread(tmp_path / name)
    str(error.value).encode()
    assert str(error.value).endswith("\\udcff\\n.jpg: is empty (0 bytes)")
