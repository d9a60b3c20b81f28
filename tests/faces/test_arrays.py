"""Arrays of pictures: floats, NCHW and grey come out as the pixels they mean; what isn't clear is refused."""

from __future__ import annotations

import io
import os
import zipfile

import numpy as np
import pytest

from mxgan import MxganError
from mxgan.faces import open_faces, transform

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 48, 40, 3), np.uint8)
PIXELS[0, 0, 0], PIXELS[0, 0, 1] = 0, 255
NCHW = PIXELS.transpose(0, 3, 1, 2)
WANTED = np.stack([transform(image) for image in PIXELS])


def seen(path, array) -> np.ndarray:
    np.save(path, array)
    return np.array(open_faces(str(path), progress=False).images)


@pytest.mark.parametrize(
    "array",
    [
        PIXELS, NCHW, np.asfortranarray(PIXELS), PIXELS.astype(np.int64), PIXELS.astype(">u2"),
        PIXELS.astype(np.float32), PIXELS.astype(np.float64) / 255, NCHW.astype(np.float32) / 255,
        NCHW.astype(np.float32) / 127.5 - 1, (NCHW / 127.5 - 1).astype(">f8"), NCHW.astype(np.float32) / 127.5 - 1.0002,
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}-{array.min():.2g}-{array.flags.f_contiguous}",
)  # fmt: skip
def test_numbers_and_layouts_that_are_clear(tmp_path, array):
    assert np.array_equal(seen(tmp_path / "a.npy", array), WANTED)


def test_half_floats_are_within_their_rounding(tmp_path):
    found = seen(tmp_path / "a.npy", (NCHW / 127.5 - 1).astype(np.float16))
    assert np.abs(found.astype(int) - WANTED).max() <= 1


@pytest.mark.parametrize("array", [PIXELS[..., 0], PIXELS[..., :1], NCHW[:, :1]], ids=["NHW", "NHW1", "N1HW"])
def test_grey(tmp_path, array):
    grey = np.stack([transform(np.repeat(image[..., :1], 3, 2)) for image in PIXELS])
    assert np.array_equal(seen(tmp_path / "a.npy", array), grey)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, save):
    """Beside the pictures there may be labels; the order in the file doesn't matter."""
    save(tmp_path / "a.npz", labels=np.arange(5), images=NCHW.astype(np.float32) / 127.5 - 1, names=np.array(["a"] * 5))
    assert np.array_equal(open_faces(str(tmp_path / "a.npz"), progress=False).images, WANTED)
    np.save(tmp_path / "a.npy", PIXELS)
    assert open_faces(str(tmp_path / "a.npy")).fingerprint == open_faces(str(tmp_path / "a.npz")).fingerprint


def test_an_image_that_is_not_finite_is_skipped(tmp_path):
    values = PIXELS.astype(np.float32) / 255
    values[2, 3, 4, 1], values[3, 0, 0, 0] = np.nan, np.inf
    np.save(tmp_path / "a.npy", values)
    faces = open_faces(str(tmp_path / "a.npy"), progress=False)
    assert np.array_equal(faces.images, WANTED[[0, 1, 4]])
    assert [(one.path, one.reason) for one in faces.skipped] == [
        ("image 2", "has values that are NaN or infinite"), ("image 3", "has values that are NaN or infinite"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            PIXELS.astype(np.float32) / 50 - 2,
            "float32 from -2 to 3.1 is not a clear brightness: bring it to 0..255, 0..1",
        ),
        (
            PIXELS.astype(np.int16) * 257,
            "int16 from -32640 to 32767 is not a clear|int16 from .* is not a clear brightness",
        ),
        (PIXELS.astype(np.int32) - 128, "int32 from -128 to 127 is not a clear brightness"),
        (PIXELS.astype(np.float32) * 2, "float32 from 0 to 510 is not a clear"),
    ],
)
def test_values_that_are_not_clear_are_refused(tmp_path, values, said):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(MxganError, match=said):
        open_faces(str(tmp_path / "a.npy"))


def test_a_npz_must_have_one_array_of_pictures(tmp_path):
    for arrays, said in (
        ({"a": PIXELS, "b": NCHW}, r"2 arrays hold pictures \(a, b\): save the one alone"),
        ({"z": np.zeros((5, 100))}, r"no array of pictures in it: .* is wanted, there is z \(5, 100\)"),
        ({}, "there is none"),
    ):
        np.savez(tmp_path / "a.npz", **arrays)
        with pytest.raises(MxganError, match=said):
            open_faces(str(tmp_path / "a.npz"))


def npz(path, header_shape, data: bytes, method=zipfile.ZIP_DEFLATED, dtype="|u1"):
    """A .npz whose array says what its bytes may not hold."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {header_shape}, }}"
    header = b"\x93NUMPY\x01\x00\x76\x00" + text.encode().ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("images.npy", header + data)


def test_hostile_files_are_one_line(tmp_path):
    path = tmp_path / "a.npz"
    shape = (10**6, 64, 64, 3)
    npz(path, shape, bytes(1000))
    with pytest.raises(MxganError, match=r"a damaged .npz .1000 bytes of 12288000000"):
        open_faces(str(path))
    npz(path, (7000, 64, 64, 3), bytes(7000 * 12288))
    with pytest.raises(MxganError, match=r"a.npz: unpacks to 86016128 bytes or more from .*: a bomb"):
        open_faces(str(path))
    npz(path, (10, 64, 64, 3), bytes(10 * 12288), zipfile.ZIP_LZMA)
    with pytest.raises(MxganError, match=r"no array of pictures"):
        open_faces(str(path))
    npz(path, "(5, 64, 64, 3)", bytes(5 * 12288), dtype="|O")
    with pytest.raises(MxganError, match=r"no array of pictures|damaged"):
        open_faces(str(path))
    whole = io.BytesIO()
    np.savez_compressed(whole, images=PIXELS)
    for cut in (0, 3, 100, len(whole.getvalue()) // 2, len(whole.getvalue()) - 1):
        path.write_bytes(whole.getvalue()[:cut])
        with pytest.raises(MxganError, match=r"a.npz: .*(damaged|is empty)") as error:
            open_faces(str(path))
        assert "\n" not in str(error.value)
    broken = bytearray(whole.getvalue())
    broken[len(broken) // 2] ^= 0xFF
    path.write_bytes(broken)
    with pytest.raises(MxganError, match=r"damaged"):
        open_faces(str(path))


def test_a_truncated_npy(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, NCHW.astype(np.float32))
    for size in (3, 50, 128, 5000, path.stat().st_size - 1):
        np.save(path, NCHW.astype(np.float32))
        os.truncate(path, size)
        with pytest.raises(MxganError, match=r"a.npy: a .npy that is damaged or cut off"):
            open_faces(str(path))


def test_any_other_size_is_fitted_and_a_packed_one_refused(tmp_path):
    """A set packed at another size has lost what the pictures had."""
    for side in (20, 96, 200):
        images = np.random.default_rng(1).integers(0, 256, (3, side, side, 3), np.uint8)
        assert np.array_equal(seen(tmp_path / "a.npy", images), [transform(image) for image in images])
    for side in (32, 128):
        np.save(tmp_path / "a.npy", np.zeros((3, side, side, 3), np.uint8))
        with pytest.raises(MxganError, match="pack the pictures again with size=64, or train with size="):
            open_faces(str(tmp_path / "a.npy"), 64)
        assert isinstance(open_faces(str(tmp_path / "a.npy"), side).images, np.memmap)
