"""A .npy that is no set of faces is told the true cause, and a fix that works."""

import numpy as np
import pytest

from mxgan import MxganError
from mxgan.faces import open_faces


def faces_of(dtype) -> np.ndarray:
    """Three faces that have every number from 0 to 255."""
    return (np.arange(3 * 64 * 64 * 3) % 256).reshape(3, 64, 64, 3).astype(dtype)


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (faces_of(np.float32) / 255, "its numbers go from 0 to 1: (images * 255).round().astype('uint8')"),
        (faces_of(np.float64), "its numbers go from 0 to 255: images.round().astype('uint8')"),
        (
            faces_of(np.float32) / 127.5 - 1,
            "its numbers go from -1 to 1: ((images + 1) * 127.5).round().astype('uint8')",
        ),
        (faces_of(np.int64), "its numbers go from 0 to 255: images.astype('uint8')"),
        (faces_of(np.int64) * 3, "its numbers go from 0 to 765; make them whole, from 0 to 255"),
        (faces_of(np.float32) * np.nan, "its numbers go from nan to nan; make them whole, from 0 to 255"),
        (faces_of(np.uint8) > 9, "make them whole numbers from 0 to 255"),
        (faces_of(np.uint8).transpose(0, 3, 1, 2), "the channels come last: images.transpose(0, 2, 3, 1)"),
        (faces_of(np.uint8)[..., 0], "grey faces have three equal channels: np.repeat("),
        (faces_of(np.uint8)[..., :1], "grey faces have three equal channels: np.repeat("),
        (np.zeros((2, 64, 64, 4), np.uint8), "images[..., :3] leaves the transparency out"),
        (np.zeros((2, 64, 64, 5), np.uint8), "pictures have 3 channels, and these 5"),
        (np.zeros((0, 64, 64, 3), np.uint8), "it is empty"),
        (np.zeros((64, 64, 3), np.uint8), "this is one picture"),
        (np.zeros((3, 48, 64, 3), np.uint8), "faces are square"),
        (np.zeros((3, 32, 32, 3), np.uint8), "pack the pictures again with --size 64, or train with --size 32"),
        (np.zeros((3, 48, 48, 3), np.uint8), "is wanted: pack the pictures again with --size 64"),
        (np.zeros(9), "this is no set of pictures"),
        (np.zeros(()), "this is no set of pictures"),
        (np.array([{"a": 1}], dtype=object), "a .npy of Python objects"),
    ],
)
def test_a_file_of_something_else_is_told_what_it_lacks(tmp_path, array, why):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(MxganError) as error:
        open_faces(str(tmp_path / "a.npy"))
    assert why in str(error.value) and "\n" not in str(error.value)
    assert ("uint8 (N, 64, 64, 3) is wanted" in str(error.value)) == (array.dtype != object)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_the_fix_that_is_told_is_one(tmp_path, dtype):
    images = faces_of(dtype)
    for values in (images, images / 255, images / 127.5 - 1) if dtype == np.float32 else (images,):
        np.save(tmp_path / "a.npy", values)
        with pytest.raises(MxganError) as error:
            open_faces(str(tmp_path / "a.npy"))
        mended = eval(str(error.value).rpartition(": ")[2], {"images": values})
        np.save(tmp_path / "b.npy", mended)
        np.testing.assert_array_equal(open_faces(str(tmp_path / "b.npy")).images, images)
