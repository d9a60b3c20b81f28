"""What a run starts from: BatchNorm's four arrays, and the latents that the average's statistics are measured on."""

import numpy as np
import pytest

from mxgan import rng
from mxgan.config import TrainConfig, resolve
from mxgan.recipe import ema, initial


@pytest.mark.parametrize("init", ["normal", "uniform", "smooth"])
def test_batchnorm_starts_as_the_identity(init):
    shapes = {f"1.{word}": (4,) for word in ("gamma", "beta", "running_mean", "running_var")}
    arrays = initial.draw(resolve(TrainConfig(init=init)), "netG", shapes)
    assert {name: array.tolist() for name, array in arrays.items()} == {
        "1.gamma": [1] * 4, "1.beta": [0] * 4, "1.running_mean": [0] * 4, "1.running_var": [1] * 4,
    }  # fmt: skip


def test_the_statistics_latents_are_the_first_of_their_stream():
    config = resolve(TrainConfig(seed=3, latent=5))
    np.testing.assert_array_equal(ema.latents(config), rng.latents(3, "statistics", 0, 256, 5))
