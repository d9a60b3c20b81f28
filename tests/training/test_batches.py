"""Which images make up which step."""

import numpy as np
import pytest

from mxgan import noise
from mxgan.training import batches


@pytest.mark.parametrize(("n", "batch", "steps"), [(6000, 64, 94), (6400, 64, 100), (64, 64, 1), (65, 64, 2)])
def test_steps_per_epoch(n, batch, steps):
    assert batches.steps_per_epoch(n, batch) == steps


def test_an_epoch_shows_every_image_and_fills_its_last_batch_from_the_start_of_the_same_order():
    order = noise.order(7, 0, 10)
    drawn = list(batches.indices(7, 10, 4, 0, 3))
    assert [len(indices) for indices in drawn] == [4, 4, 4]
    np.testing.assert_array_equal(np.concatenate(drawn), [*order, *order[:2]])


def test_each_epoch_has_its_own_order():
    drawn = np.concatenate(list(batches.indices(7, 10, 5, 0, 6))).reshape(3, 10)
    for epoch, shown in enumerate(drawn):
        np.testing.assert_array_equal(shown, noise.order(7, epoch, 10))
    assert len({shown.tobytes() for shown in drawn}) == 3


def test_any_step_can_be_drawn_without_those_before_it():
    straight = list(batches.indices(3, 11, 4, 0, 10))
    for first in range(11):
        later = list(batches.indices(3, 11, 4, first, 10))
        assert len(later) == 10 - first
        for one, two in zip(straight[first:], later):
            assert one.dtype == np.int64
            np.testing.assert_array_equal(one, two)
