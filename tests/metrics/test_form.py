"""Form and colours as numbers: edges by direction, whatever their contrast, and 8×8 colours."""

import numpy as np
import pytest

from mxgan.metrics import fd, form


def stripes(direction: str, dark: int = 0, bright: int = 255, size: int = 64) -> np.ndarray:
    """One image, (1, size, size, 3), of stripes eight pixels wide."""
    bright_ones = np.arange(size) % 16 < 8
    picture = np.where(bright_ones[:, None] if direction == "across" else bright_ones[None], bright, dark)
    return np.broadcast_to(picture[..., None], (1, size, size, 3)).astype(np.uint8)


def edges(images: np.ndarray) -> np.ndarray:
    """(n, blocks, cells of a block, directions)"""
    return form.describe(images)[:, : -3 * 64].reshape(len(images), 16, 4, form.BINS)


def test_a_flat_picture_is_its_colour():
    images = np.broadcast_to(np.uint8([255, 51, 0]), (1, 64, 64, 3))
    found = form.describe(images)
    assert (found.shape, found.dtype) == ((1, 768), np.float32)
    assert not edges(images).any()
    np.testing.assert_allclose(found[0, -3 * 64 :].reshape(64, 3), [[1, 0.2, 0]] * 64, rtol=1e-6)


@pytest.mark.parametrize(("direction", "one"), [("along", [0]), ("across", [4, 5])])
def test_an_edge_counts_for_its_direction(direction, one):
    found = edges(stripes(direction)).sum((0, 1, 2))
    assert [index for index, value in enumerate(found) if value > 1e-6] == one  # 90° lies between two of nine
    assert len(one) == 1 or found[4] == pytest.approx(found[5])


def test_contrast_hardly_counts():
    strong, weak = edges(stripes("along")), edges(stripes("along", 100, 160))
    np.testing.assert_allclose(weak, strong, atol=0.02)
    assert strong.max() == np.float32(form.MOST)
    assert edges(stripes("along", 100, 101)).max() < 0.6 * form.MOST  # but what one doesn't see does not


def test_upside_down_and_mirrored_the_edges_are_where_they_should_be():
    image = np.random.RandomState(0).randint(0, 256, (1, 64, 64, 3)).astype(np.uint8)
    there, turned = edges(image), edges(image[:, ::-1, ::-1])
    np.testing.assert_allclose(turned[0, ::-1, ::-1], there[0], atol=1e-5)  # half a turn keeps directions


@pytest.mark.parametrize("size", [32, 64, 128])
def test_any_size_and_number_at_once(size):
    images = np.random.RandomState(1).randint(0, 256, (70, size, size, 3)).astype(np.uint8)
    found = form.describe(images)
    assert found.shape == (70, form.LENGTH)
    np.testing.assert_allclose(found[65:], form.describe(images[65:]), atol=1e-6)
    np.testing.assert_allclose(found[:, -3 * 64 :].mean(), images.mean() / 255, atol=0.001)  # resizing rounds


def test_pictures_of_other_forms_are_further_apart():
    random = np.random.RandomState(2)

    def noisy(direction: str) -> np.ndarray:
        noise = random.randint(-40, 41, (40, 64, 64, 3))
        return np.clip(stripes(direction, 60, 190) + noise, 0, 255).astype(np.uint8)

    along, again, across = (fd.fit(form.describe(noisy(how))) for how in ("along", "along", "across"))
    assert fd.distance(along, across) > 5 * fd.distance(along, again) > 0
