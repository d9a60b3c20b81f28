"""An array that is not a set of pictures is told the true cause, and a fix."""

import numpy as np
import pytest

from mxgan import MxganError
from mxgan.faces import open_faces


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.zeros((2, 64, 64, 3), bool), "make them whole numbers from 0 to 255"),
        (np.zeros((2, 64, 64, 4), np.uint8), "images[..., :3] leaves the transparency out"),
        (np.zeros((2, 4, 64, 64), np.float32), "images[:, :3] leaves the transparency out"),
        (np.zeros((2, 64, 64, 5), np.uint8), "pictures have 3 channels, and these 5"),
        (np.zeros((0, 64, 64, 3), np.uint8), "it is empty"),
        (np.zeros((64, 64, 3), np.uint8), "this is one picture; a set has many"),
        (np.zeros((3, 32, 32, 3), np.uint8), "pack the pictures again with size=64, or train with size=32"),
        (np.zeros((3, 7, 64, 3), np.uint8), "pictures have at least 8×8 pixels, and these 64×7"),
        (np.zeros(9), "this is not a set of pictures"),
        (np.zeros(()), "this is not a set of pictures"),
        (np.array([{"a": 1}], dtype=object), "these are Python objects, and numbers from 0 to 255 are wanted"),
    ],
)
def test_a_file_of_something_else_is_told_what_it_lacks(tmp_path, array, why):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(MxganError) as error:
        open_faces(str(tmp_path / "a.npy"))
    assert why in str(error.value) and "\n" not in str(error.value) and "is wanted: " in str(error.value)
    assert f"has {array.dtype} {array.shape}, " in str(error.value)
