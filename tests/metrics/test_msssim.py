"""MS-SSIM: against a plain implementation, and where its value is known."""

import numpy as np
import pytest

from mxgan.errors import MxganError
from mxgan.metrics import msssim


def plain_msssim(one: np.ndarray, other: np.ndarray) -> float:
    """Wang et al. 2003 with two-dimensional windows, a window at a time; the scales are 2×2 means."""
    x, y, result = one.astype(float), other.astype(float), 1.0
    for scale, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        size = min(11, len(x))
        places = np.arange(size) - (size - 1) / 2
        window = np.exp(-(places[:, None] ** 2 + places[None] ** 2) / (2 * (1.5 * size / 11) ** 2))[..., None]
        window = window / window.sum()
        ssims, contrasts = [], []
        for top in range(len(x) - size + 1):
            for left in range(len(x) - size + 1):
                a, b = (image[top : top + size, left : left + size] for image in (x, y))
                ma, mb = (window * a).sum((0, 1)), (window * b).sum((0, 1))
                va, vb = (window * (a - ma) ** 2).sum((0, 1)), (window * (b - mb) ** 2).sum((0, 1))
                covariance = (window * (a - ma) * (b - mb)).sum((0, 1))
                contrasts.append((2 * covariance + 58.5225) / (va + vb + 58.5225))
                ssims.append((2 * ma * mb + 6.5025) / (ma**2 + mb**2 + 6.5025) * contrasts[-1])
        result *= max(0, np.mean(ssims if scale == 4 else contrasts)) ** weight
        x, y = ((i[::2, ::2] + i[1::2, ::2] + i[::2, 1::2] + i[1::2, 1::2]) / 4 if len(i) > 1 else i for i in (x, y))
    return result


@pytest.mark.parametrize("size", [16, 32, 64])
def test_it_is_the_plain_formula_within_rounding(size):
    random = np.random.RandomState(size)
    one = random.randint(0, 256, (size, size, 3)).astype(np.uint8)
    other = np.clip(one * 0.7 + random.randint(0, 80, one.shape), 0, 255).astype(np.uint8)
    found = msssim.msssim(one, other)
    assert found == pytest.approx(plain_msssim(one, other), abs=1e-9)
    assert 0.3 < found < 0.999


def test_an_image_is_like_itself_and_flat_ones_differ_by_their_brightness_alone():
    one = np.random.RandomState(0).randint(0, 256, (64, 64, 3)).astype(np.uint8)
    assert msssim.msssim(one, one) == pytest.approx(1, abs=1e-12)
    dark, light = np.full((64, 64, 3), 50, np.uint8), np.full((64, 64, 3), 200, np.uint8)
    luminance = (2 * 50 * 200 + 6.5025) / (50**2 + 200**2 + 6.5025)
    assert msssim.msssim(dark, light) == pytest.approx(luminance**0.1333, rel=1e-9)


def test_diversity_is_the_mean_of_neighbouring_pairs():
    images = np.random.RandomState(0).randint(0, 256, (5, 32, 32, 3)).astype(np.uint8)
    pairs = [msssim.msssim(images[0], images[1]), msssim.msssim(images[2], images[3])]
    assert msssim.diversity(images) == pytest.approx(np.mean(pairs), rel=1e-12)
    assert msssim.diversity(images[[0, 0, 1, 1]]) == pytest.approx(1)


def test_what_makes_no_pair_is_refused():
    image = np.zeros((1, 32, 32, 3), np.uint8)
    with pytest.raises(MxganError, match="1 image, no pair"):
        msssim.diversity(image)
    with pytest.raises(MxganError, match="at least 16 pixels"):
        msssim.msssim(image[0, :8, :8], image[0, :8, :8])
