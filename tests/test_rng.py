"""Every random number comes from (seed, stream, counter): the checksums hold for NumPy 1.23 to 2.x."""

import hashlib

import numpy as np
import pytest

from mxgan import rng


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("stream", "checksum"),
    [
        ("D step", "7a0f693ce6737acf05c889c98681a679f4d471f6c77c3c92b1d75a58837f711c"),
        ("G step", "672a48703d00dbf9db679eab1a984aeffbb1dfd8e0ef583f651fb511dd471329"),
        ("samples", "5d9c6ec7fafab8ecd0a0368e6126abe8f6460fd2fc1218986e08dec05ad80ef3"),
        ("generate", "ef66694974c2b496ff79fd7629cb6f161f96dc047b54f4a34fdc9ab4ca8fdd6b"),
        ("augmentation", "c6cd62ea21716427e75c90380dcb59d896e9df639bb3a696a7d983e555f968ad"),
        ("flip", "568e8d712e00a7e97758900d6014c31be14cea04a547b80ff3fbfbead2c23608"),
        ("painted", "211ab58eb9ed1668f8363a3e8f52a0cbe209ccd142f15e91dfdd6ab3be158c1f"),
        ("statistics", "baa369e3428957c39f404023c0ff310a0228da599b2494961a7d8f757dcc7ca4"),
    ],
)
def test_the_latents_of_each_stream_are_pinned(stream, checksum):
    z = rng.latents(seed=7, stream=stream, step=3, n=64, latent=150)
    assert (z.shape, z.dtype) == ((64, 150), np.float32)
    assert sha256(z) == checksum


def test_no_stream_is_forgotten():
    assert rng.STREAMS == (
        "D step", "G step", "samples", "generate", "augmentation", "flip", "painted", "score", "statistics",
    )  # fmt: skip


def test_samples_orders_and_initial_weights_are_pinned():
    pinned = {
        "samples": (rng.samples(7, 0, 100, 150), "912d16b7a85e5583449e5876732b6fdbf1c8335cacea2ed5c9f64358a407574e"),
        "order": (rng.order(7, 2, 6000), "e6788500bc5e6cb76fa84680cf21e99ca624b0d16d3259beead68a24f4ba3802"),
        "normal": (
            rng.normal(7, "netG.0.weight", (150, 32, 4, 4)),
            "153ec33d712374c1196250ee960f54d52a753cc0ff65f9b840a5747601ff74ed",
        ),
        "uniform": (
            rng.uniform(7, "netG.0.weight", (150, 32, 4, 4)),
            "dc123bed5d856c0e56023d62bcb0d1f6f8d3cf6f9ea1c980c57df6de4cd0cc70",
        ),
        "largest seed": (
            rng.latents(2**63 - 1, "generate", 2**62, 8, 5),
            "a2c1fd3eb9e18ffe3257066e76fabf7c6672e1aef9aa090ddbc3d2c97587e6c3",
        ),
    }
    assert {name: sha256(array) for name, (array, _) in pinned.items()} == {
        name: checksum for name, (_, checksum) in pinned.items()
    }


def test_seed_stream_and_step_each_give_other_numbers():
    drawn = [
        rng.latents(*place, n=2, latent=3).tobytes()
        for place in [(0, "D step", 1), (1, "D step", 1), (0, "G step", 1), (0, "D step", 2)]
    ]
    assert len(set(drawn)) == 4


def test_a_latent_is_standard_normal():
    z = rng.latents(0, "generate", 0, 1000, 100).astype(np.float64)
    # 100,000 draws: the mean's standard deviation is 0.0032, the variance's 0.0045
    assert abs(z.mean()) < 0.015
    assert abs(z.var() - 1) < 0.02


@pytest.mark.parametrize(("first", "n"), [(0, 64), (0, 1), (1, 1), (63, 2), (64, 36), (99, 1), (5, 90), (100, 0)])
def test_a_sample_is_the_same_however_many_are_drawn(first, n):
    hundred = rng.samples(seed=0, first=0, n=100, latent=10)
    np.testing.assert_array_equal(rng.samples(0, first, n, 10), hundred[first : first + n])


def test_an_order_is_a_permutation_and_each_epoch_has_its_own():
    orders = [rng.order(seed, epoch, 6000) for seed, epoch in [(0, 0), (0, 1), (1, 0)]]
    for order in orders:
        assert order.dtype == np.int64
        np.testing.assert_array_equal(np.sort(order), np.arange(6000))
    assert len({order.tobytes() for order in orders}) == 3
    assert rng.order(0, 0, 1).tolist() == [0]


def test_uniform_weights_fill_the_interval():
    drawn = rng.uniform(0, "netD.0.weight", (1000, 100))
    assert (drawn.dtype, drawn.shape) == (np.float32, (1000, 100))
    assert -1 <= drawn.min() < -0.9999
    assert 0.9999 < drawn.max() < 1
    assert abs(drawn.mean(dtype=np.float64)) < 0.01  # the mean's standard deviation is 0.0018
    assert abs(drawn.var(dtype=np.float64) - 1 / 3) < 0.01


def test_weights_of_two_names_differ():
    assert not np.array_equal(rng.normal(0, "netG.0.weight", (4,)), rng.normal(0, "netG.3.weight", (4,)))


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match="seed"):
        rng.latents(seed, "generate", 0, 1, 1)


def test_an_unknown_stream_is_refused():
    with pytest.raises(ValueError, match="unknown stream 'd step': one of D step, G step"):
        rng.latents(0, "d step", 0, 1, 1)
