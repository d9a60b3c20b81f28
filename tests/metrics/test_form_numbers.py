"""The numbers that decide what an edge counts for (`mxgan.metrics.form`)."""

import numpy as np
import pytest

from mxgan.metrics import form

COLOURS = 3 * 8 * 8


def step(left: int, right: int) -> np.ndarray:
    """One grey picture of 64 pixels: two flat halves that meet in the middle of a cell, at column 20."""
    picture = np.full((1, 64, 64, 3), left, np.uint8)
    picture[:, :, 20:] = right
    return picture


def edges(images: np.ndarray) -> np.ndarray:
    return form.describe(images)[:, :-COLOURS]


def test_a_single_strong_edge_counts_for_at_most_a_fifth_of_its_block():
    found = edges(step(0, 255))
    assert found.max() == np.float32(0.2)
    assert np.count_nonzero(found) == 8  # column 20 crosses eight cells, and each has one direction


def test_a_faint_edge_counts_for_less_and_a_fainter_one_for_less_still():
    """The edge is 2 of 8 columns wide: its two cells a block have strength c/4, and c is the contrast.

    Over the block's length, sqrt(2 (c/4)² + (0.1/9)²), that is 0.085 for one grey level of 255.
    """
    for levels, limit in ((1, None), (2, None), (255, 0.2)):
        strength = levels / 255 / 4
        plain = strength / np.sqrt(2 * strength**2 + (0.1 / 9) ** 2)
        assert edges(step(100 if levels < 255 else 0, 100 + levels if levels < 255 else 255)).max() == pytest.approx(
            limit or plain, rel=1e-4
        )


def test_an_edge_between_two_directions_counts_half_for_each():
    """Nine directions in half a turn, 20° apart: an edge at 90° lies midway between the fifth and the sixth."""
    found = edges(step(100, 101).swapaxes(1, 2)).reshape(16, 4, 9)
    block = found[found.any((1, 2))][0]
    np.testing.assert_allclose(block[:, 4], block[:, 5], rtol=1e-4)
    assert not block[:, [0, 1, 2, 3, 6, 7, 8]].any()


def test_grey_weighs_green_most_and_blue_least():
    """The weights of ITU-R BT.601: 0.299, 0.587 and 0.114. A faint edge shows them."""
    found = []
    for channel in range(3):
        picture = step(0, 0)
        picture[:, :, 20:, channel] = 2
        found.append(edges(picture).max())
    strengths = [2 * weight / 255 / 4 for weight in (0.299, 0.587, 0.114)]
    wanted = [one / np.sqrt(2 * one**2 + (0.1 / 9) ** 2) for one in strengths]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_colours_are_the_last_192_numbers_from_0_to_1():
    picture = np.zeros((1, 64, 64, 3), np.uint8)
    picture[0, :8, 8:16] = (255, 102, 51)  # one of the 8×8 pixels: first row, second column
    found = form.describe(picture)
    assert found.shape == (1, 768)
    colours = found[0, -COLOURS:].reshape(8, 8, 3)
    np.testing.assert_allclose(colours[0, 1], [1, 0.4, 0.2], rtol=1e-6)
    assert np.count_nonzero(colours) == 3
