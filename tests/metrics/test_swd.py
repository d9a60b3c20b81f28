"""Sliced Wasserstein distance: against a plain implementation, and where its value is known."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from mxgan import rng
from mxgan.errors import MxganError
from mxgan.metrics import swd

KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def blobs(n: int, size: int, seed: int) -> np.ndarray:
    """Smooth coloured pictures, of mid tones, so that brightness can be changed without clipping."""
    random = np.random.RandomState(seed)
    pictures = [cv2.GaussianBlur(random.uniform(-1, 1, (size, size, 3)), (0, 0), 1 + i % 3) for i in range(n)]
    return np.stack([np.clip(128 + 60 * p / np.abs(p).max(), 0, 255).astype(np.uint8) for p in pictures])


def filtered(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A 5×5 convolution of (h, w, 3) with mirrored borders, written out."""
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    height, width = image.shape[:2]
    return sum(kernel[i, j] * padded[i : i + height, j : j + width] for i in range(5) for j in range(5))


def plain_pyramid(image: np.ndarray) -> list:
    """As in the published code: filter and keep every second pixel; filter with zeros between; keep the difference."""
    levels = [image.astype(np.float64)]
    while len(levels[-1]) > 16:
        levels.append(filtered(levels[-1], KERNEL)[::2, ::2])
    for index, coarse in enumerate(levels[1:]):
        up = np.zeros_like(levels[index])
        up[::2, ::2] = coarse
        levels[index] = levels[index] - filtered(up, 4 * KERNEL)
    return levels


def plain_swd(real: np.ndarray, fake: np.ndarray, seed: int) -> dict:
    """The paper's definition, a patch and a direction at a time, in float64."""
    result = {}
    pyramids = [[plain_pyramid(image) for image in images] for images in (real, fake)]
    for place, level in enumerate(pyramids[0][0]):
        size = len(level)
        sets = []
        for side in pyramids:
            found = []
            for first in range(0, len(side), 64):
                some = side[first : first + 64]
                corners = rng.generator(seed, f"swd patches {size}", first).integers(0, size - 6, (2, len(some), 32))
                for index, levels in enumerate(some):
                    for top, left in zip(*corners[:, index]):
                        found.append(levels[place][top : top + 7, left : left + 7].transpose(2, 0, 1))
            found = np.array(found)
            for channel in range(3):
                found[:, channel] = (found[:, channel] - found[:, channel].mean()) / found[:, channel].std()
            sets.append(found.reshape(len(found), 147))
        drawn = rng.generator(seed, f"swd directions {size}").standard_normal((128, 147))
        gaps = []
        for direction in drawn:
            direction = direction / np.sqrt((direction**2).sum())
            gaps.append(np.abs(np.sort(sets[0] @ direction) - np.sort(sets[1] @ direction)).mean())
        result[size] = 1e3 * np.mean(gaps)
    return result


@pytest.mark.parametrize(("size", "seed"), [(32, 0), (64, 5)])
def test_it_is_the_papers_within_a_hundred_thousandth(size, seed):
    real, fake = blobs(70, size, 1), blobs(70, size, 2)[:, ::-1]
    ours, plain = swd.levels(real, fake, seed), plain_swd(real, fake, seed)
    assert list(ours) == list(plain) == [s for s in (64, 32, 16) if s <= size]
    np.testing.assert_allclose(list(ours.values()), list(plain.values()), rtol=1e-5)


def test_the_pyramid_is_the_published_one_and_adds_up():
    image = np.random.RandomState(0).randint(0, 256, (1, 128, 128, 3)).astype(np.uint8)
    levels = [level[0] for level in swd.pyramid(image)]
    for ours, plain in zip(levels, plain_pyramid(image[0])):
        np.testing.assert_allclose(ours, plain, atol=1e-3)  # of 255: float32 against float64
    whole = levels[-1]
    for level in levels[-2::-1]:
        whole = level + cv2.pyrUp(whole)
    np.testing.assert_allclose(whole, image[0], atol=1e-3)


def test_the_same_pictures_are_at_distance_0():
    real = blobs(10, 32, 0)
    assert swd.levels(real, real) == {32: 0, 16: 0}


def test_brightness_and_contrast_of_a_whole_set_do_not_count():
    """Each set is normalised by its own mean and deviation, so an exact affine change of colour is at distance 0."""
    real = blobs(20, 32, 0) // 2 * 2
    for distance in swd.levels(real, real // 2 + 30).values():
        assert distance < 1e-2  # rounding of float32; blobs of another seed are at 30 and more


def test_projections_moved_by_delta_are_at_distance_delta():
    one = swd.project(blobs(8, 32, 0))
    moved = swd.Projections({size: rows + np.float32(0.25) for size, rows in one.levels.items()}, one.seed)
    assert swd.distances(one, moved) == pytest.approx({32: 250, 16: 250}, rel=1e-6)


def test_the_finest_level_sees_noise_and_the_coarsest_does_not():
    real = blobs(60, 64, 0)
    noisy = np.clip(real + np.random.RandomState(0).normal(0, 8, real.shape), 0, 255).astype(np.uint8)
    found = swd.levels(real, noisy)
    assert found[64] > 100 > 20 > found[16]


def test_one_side_can_be_prepared_once():
    real, fake = blobs(70, 32, 1), blobs(70, 32, 2)
    assert swd.distances(swd.project(real), swd.project(fake)) == swd.levels(real, fake)
    batches = [swd.patches(real[:64], 0, 0, 32), swd.patches(real[64:], 0, 64, 32)]
    assert swd.distances(swd.project_patches(batches, 0), swd.project(fake)) == swd.levels(real, fake)


def test_seeds_differ_and_repeat():
    real, fake = blobs(20, 32, 1), blobs(20, 32, 2)
    assert swd.levels(real, fake, 1) == swd.levels(real, fake, 1) != swd.levels(real, fake, 2)


def test_patches_are_bounded_for_any_number_of_images():
    assert [swd.patches_per_image(n) for n in (1, 1000, 4096, 60_000, 10**6)] == [32, 32, 16, 1, 1]


def test_sets_that_cannot_be_compared_are_refused():
    real = blobs(4, 32, 0)
    with pytest.raises(MxganError, match="the same number and size of images"):
        swd.levels(real, real[:3])
    with pytest.raises(MxganError, match="one seed"):
        swd.distances(swd.project(real, 0), swd.project(real, 1))
    with pytest.raises(MxganError, match="no images"):
        swd.levels(real[:0], real[:0])
    with pytest.raises(MxganError, match=r"images of shape \(4, 24, 24, 3\)"):
        swd.project(real[:, :24, :24])


def test_neither_torch_nor_scikit_learn_is_needed():
    code = (
        "import sys; from mxgan.metrics import fd, form, swd; print({'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
