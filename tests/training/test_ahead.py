"""Faces are read ahead by one batch: the same ones, in the same order."""

import numpy as np
import pytest

from mxgan.training import batches


def test_reading_ahead_gives_the_batches_in_order():
    images = np.arange(10 * 2, dtype=np.uint8).reshape(10, 2)
    order = list(batches.indices(3, 10, 4, 0, 7))
    read = list(batches.ahead(images.__getitem__, order))
    assert len(read) == 7
    for chosen, (indices, batch) in zip(order, read):
        np.testing.assert_array_equal(indices, chosen)
        np.testing.assert_array_equal(batch, images[chosen])


def test_one_batch_is_read_while_the_one_before_is_worked_on():
    asked = []

    def read_one(chosen):
        asked.append(chosen)
        return chosen.upper()

    read = batches.ahead(read_one, iter("abc"))
    assert next(read) == ("a", "A")
    next(read)
    assert "".join(asked).startswith("ab")
    assert list(read) == [("c", "C")]
    assert asked == ["a", "b", "c"]


def test_nothing_to_read_is_nothing_read():
    assert list(batches.ahead(np.zeros((3, 1), np.uint8).__getitem__, [])) == []


def test_what_goes_wrong_as_it_is_read_is_raised_where_it_is_used():
    read = batches.ahead(np.zeros((3, 1), np.uint8).__getitem__, [np.array([0]), np.array([7])])
    next(read)
    with pytest.raises(IndexError):
        next(read)
