"""What each step is made of."""

import numpy as np
import pytest

from mxgan import rng
from mxgan.config import TrainConfig, resolve
from mxgan.recipe import augment
from mxgan.training import batches


@pytest.mark.parametrize(("n", "batch", "steps"), [(6000, 64, 94), (6400, 64, 100), (64, 64, 1), (65, 64, 2)])
def test_steps_per_epoch(n, batch, steps):
    assert batches.steps_per_epoch(n, batch) == steps


def test_an_epoch_shows_every_image_and_fills_its_last_batch_from_the_start_of_the_same_order():
    order = rng.order(7, 0, 10)
    drawn = list(batches.indices(7, 10, 4, 0, 3))
    assert [len(indices) for indices in drawn] == [4, 4, 4]
    np.testing.assert_array_equal(np.concatenate(drawn), [*order, *order[:2]])


def test_each_epoch_has_its_own_order():
    drawn = np.concatenate(list(batches.indices(7, 10, 5, 0, 6))).reshape(3, 10)
    for epoch, shown in enumerate(drawn):
        np.testing.assert_array_equal(shown, rng.order(7, epoch, 10))
    assert len({shown.tobytes() for shown in drawn}) == 3


def test_any_step_can_be_drawn_without_those_before_it():
    straight = list(batches.indices(3, 11, 4, 0, 10))
    for first in range(11):
        later = list(batches.indices(3, 11, 4, first, 10))
        assert len(later) == 10 - first
        for one, two in zip(straight[first:], later):
            assert one.dtype == np.int64
            np.testing.assert_array_equal(one, two)


def test_a_steps_inputs():
    images = np.random.RandomState(0).randint(0, 256, (8, 32, 32, 3)).astype(np.uint8)
    plain = resolve(TrainConfig(recipe="gluon-tutorial", size=32, latent=5, batch_size=8, seed=3))
    faces, z, z_g, augmentation, _ = batches.inputs(plain, 2, 10, images)
    assert faces is images and z_g is None and augmentation is None
    np.testing.assert_array_equal(z, rng.latents(3, "D step", 2, 8, 5))
    values = {"recipe": "pytorch-anime", "flip": True, "augment": "color"}
    rich = resolve(TrainConfig(size=32, latent=5, batch_size=8, seed=3, **values))
    faces, z, z_g, augmentation, _ = batches.inputs(rich, 2, 10, images)
    np.testing.assert_array_equal(faces, augment.mirrored(rich, 2, images))
    assert (faces != images).any()
    np.testing.assert_array_equal(z, rng.latents(3, "D step", 2, 8, 5))
    np.testing.assert_array_equal(z_g, rng.latents(3, "G step", 2, 8, 5))
    assert [one.color.shape for one in augmentation] == [(8, 3, 3)] * 3


def test_at_a_runs_end_the_inputs_are_those_without_color():
    images = np.random.RandomState(0).randint(0, 256, (8, 32, 32, 3)).astype(np.uint8)
    values = {"size": 32, "latent": 5, "batch_size": 8, "seed": 3, "augment": "color,translation"}
    *_, before, _ = batches.inputs(resolve(TrainConfig(**values, finish=0.5)), 2, 4, images)
    *_, at_the_end, _ = batches.inputs(resolve(TrainConfig(**values, finish=0.5)), 3, 4, images)
    assert [one.color is None for one in before] == [False] * 3
    assert [one.color is None for one in at_the_end] == [True] * 3
    *_, without_finish, _ = batches.inputs(resolve(TrainConfig(**values)), 3, 4, images)
    for one, other in zip(at_the_end, without_finish):  # the faces move by what they would have moved by
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_array_equal(one.columns, other.columns)
