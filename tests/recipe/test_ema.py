"""How fast netG's average moves."""

import pytest

from mxgan.config import TrainConfig, resolve
from mxgan.recipe import ema


def test_the_half_life_is_in_images():
    config = resolve(TrainConfig(ema=40, ema_rampup=1e9, batch_size=8))
    kept = 1.0
    for step in range(1, 6):
        kept *= 1 - ema.share(config, step)
    assert kept == pytest.approx(0.5, rel=1e-14)


def test_the_half_life_is_at_most_a_share_of_the_images_seen():
    config = resolve(TrainConfig(ema=1000, ema_rampup=0.5, batch_size=8))
    halves = [ema.share(config, step) for step in (1, 2, 250, 2000)]
    assert halves == pytest.approx([1 - 0.5 ** (8 / images) for images in (4, 8, 1000, 1000)])
    assert ema.share(resolve(TrainConfig(ema=1, ema_rampup=1e-12, batch_size=8)), 1) == 1  # netG itself


def test_the_statistics_are_measured_on_the_same_latents_throughout():
    one, two = (ema.latents(resolve(TrainConfig(seed=seed))) for seed in (0, 1))
    assert one.shape == (256, 150)
    assert (one != two).all()
