"""Numbers to pixels and back."""

import numpy as np

from mxgan import pixels


def test_rounding_is_to_the_nearest_level_and_ties_go_to_the_even_one():
    y = np.array([-1.2, -1, -0.999, 0, 0.5, 0.999, 1, 1.2], np.float32).reshape(1, 1, 2, 4)
    images = pixels.to_uint8(y)
    assert (images.dtype, images.shape) == (np.uint8, (1, 2, 4, 1))
    assert images.ravel().tolist() == [0, 0, 0, 128, 191, 255, 255, 255]


def test_axes_move_and_levels_come_back():
    images = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 4, 5, 3)
    y = pixels.from_uint8(images)
    assert (y.dtype, y.shape) == (np.float32, (2, 3, 4, 5))
    assert y[1, 2, 3, 4] == np.float32(images[1, 3, 4, 2]) / np.float32(127.5) - np.float32(1)
    np.testing.assert_array_equal(pixels.to_uint8(y), images)


def test_every_level_comes_back():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    y = pixels.from_uint8(levels)
    assert (y.min(), y.max()) == (-1, 1)
    np.testing.assert_array_equal(pixels.to_uint8(y), levels)
