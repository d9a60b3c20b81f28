"""Fractions of `mxgan.rng`, to the bit, and what it says of a seed that can't be."""

import numpy as np
import pytest

from mxgan import rng
from mxgan.errors import MxganError


def test_fractions_are_the_24_highest_bits_of_the_generators_words():
    words = rng.generator(7, "flip", 3).bit_generator.random_raw(5)
    found = rng.fractions(7, "flip", 3, (5,))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found * 2**24, words // 2**40)


def test_fractions_know_their_streams():
    with pytest.raises(ValueError, match="unknown stream 'flips': one of D step, G step"):
        rng.fractions(7, "flips", 3, (1,))


def test_the_largest_seed_is_named():
    with pytest.raises(MxganError, match=r"seed -1: a whole number from 0 to 9223372036854775807$"):
        rng.generator(-1, "flip")
    assert rng.generator(9223372036854775807, "flip") is not None
