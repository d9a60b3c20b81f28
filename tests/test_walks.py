"""Points between latents, and truncation."""

import numpy as np
import pytest

from mxgan import walks
from mxgan.errors import MxganError, SettingError


def test_the_great_circle_keeps_the_length_that_the_straight_line_loses():
    a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert walks.slerp(a, b, 0.5) == pytest.approx([0.5**0.5, 0.5**0.5])
    assert walks.slerp(a, b, 1 / 3) == pytest.approx([np.cos(np.pi / 6), np.sin(np.pi / 6)])
    assert walks.lerp(a, b, 0.5) == pytest.approx([0.5, 0.5])


def test_a_walk_begins_and_ends_at_its_latents_and_takes_even_steps():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 150)).astype(np.float32)
    found = walks.slerp(a, b, np.linspace(0, 1, 9))
    assert found.shape == (9, 150) and found.dtype == np.float32
    np.testing.assert_allclose(found[0], a, atol=1e-6)
    np.testing.assert_allclose(found[-1], b, atol=1e-6)
    straight = walks.lerp(a, b, np.linspace(0, 1, 9))
    np.testing.assert_allclose(np.diff(straight, axis=0), np.tile((b - a) / 8, (8, 1)), atol=1e-5)


def test_latents_of_one_direction_are_joined_by_the_straight_line():
    a = np.array([1.0, 2.0])
    np.testing.assert_allclose(walks.slerp(a, 3 * a, 0.5), 2 * a)
    np.testing.assert_allclose(walks.slerp(a, -a, 0.25), 0.5 * a)
    np.testing.assert_allclose(walks.slerp(0 * a, a, 0.5), 0.5 * a)


def test_truncation_scales_latents():
    z = np.array([[1.0, -2.0]])
    np.testing.assert_array_equal(walks.truncated(z, 0.5), np.array([[0.5, -1.0]], np.float32))
    np.testing.assert_array_equal(walks.truncated(z, 1), z)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, float("nan")])
def test_a_truncation_that_cannot_be_is_refused(wrong):
    with pytest.raises(SettingError, match="above 0, at most 1"):
        walks.truncated(np.zeros((1, 2)), wrong)


def test_latents_of_different_shapes_are_refused():
    with pytest.raises(MxganError, match=r"\(2,\) and \(3,\)"):
        walks.slerp(np.zeros(2), np.zeros(3), 0.5)


def test_a_walk_goes_through_every_latent_by_great_circles():
    latents = np.random.default_rng(1).standard_normal((3, 20)).astype(np.float32)
    found = walks.through(latents, np.array([0, 0.25, 1, 1.5, 2]))
    assert found.shape == (5, 20) and found.dtype == np.float32
    np.testing.assert_array_equal(found[[0, 2, 4]], latents)  # to the last bit: a walk's ends are pictures of seeds
    np.testing.assert_array_equal(found[1], walks.slerp(latents[0], latents[1], 0.25))
    np.testing.assert_array_equal(found[3], walks.slerp(latents[1], latents[2], 0.5))
    with pytest.raises(MxganError, match="a walk of 1 latents: it takes two or more"):
        walks.through(latents[:1], np.array([0.0]))
