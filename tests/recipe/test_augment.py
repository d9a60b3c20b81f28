"""The arrays of `mxgan.recipe.augment` against DiffAugment's published operations, written out plainly."""

import hashlib

import numpy as np
import pytest

from mxgan import rng
from mxgan.config import TrainConfig, resolve
from mxgan.errors import MxganError
from mxgan.recipe import augment

N = 6


def config(parts: str = "color,translation,cutout", size: int = 32, **values) -> TrainConfig:
    return resolve(TrainConfig(augment=parts, size=size, batch_size=N, seed=3, **values))


def images(size: int) -> np.ndarray:
    return np.random.RandomState(0).uniform(-1, 1, (N, 3, size, size))


def applied(one: augment.Augmentation, x: np.ndarray) -> np.ndarray:
    """As the class says."""
    if one.color is not None:
        mean = x.mean((1, 2, 3))
        added = one.brightness + (1 - one.contrast) * mean
        x = np.einsum("noc,nchw->nohw", one.color, x) + added[:, None, None, None]
    if one.rows is not None:
        x = one.rows[:, None] @ x @ one.columns[:, None]
    return x if one.mask is None else x * one.mask


def color(x: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """rand_brightness, rand_saturation, rand_contrast of DiffAugment_pytorch.py, one image at a time."""
    changed = []
    for image, brightness, saturation, contrast in zip(x, *numbers):
        image = image + (brightness - 0.5)
        mean = image.mean(0, keepdims=True)
        image = (image - mean) * (saturation * 2) + mean
        mean = image.mean()
        changed.append((image - mean) * (contrast + 0.5) + mean)
    return np.stack(changed)


def translated(x: np.ndarray, numbers: np.ndarray, most: int) -> np.ndarray:
    """rand_translation: by -most..most pixels each way, with zeros from outside."""
    size, padded = x.shape[2], np.pad(x, ((0, 0), (0, 0), (most, most), (most, most)))
    places = [[int(u * (2 * most + 1)) for u in pair] for pair in numbers.T]
    return np.stack([p[:, i : i + size, j : j + size] for p, (i, j) in zip(padded, places)])


def cut(x: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """rand_cutout: a square of half the side, its middle at 0..side, what is outside moved to the edge."""
    x, size = x.copy(), x.shape[2]
    for image, row, column in zip(x, *numbers):
        grid = np.arange(size // 2) - size // 4
        rows, columns = ((grid + int(u * (size + 1))).clip(0, size - 1) for u in (row, column))
        image[:, rows[:, None], columns] = 0
    return x


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("parts", ["color", "translation", "cutout", "color,cutout", "color,translation,cutout"])
def test_it_is_diffaugment(parts, size):
    numbers = rng.fractions(3, "augmentation", 5, (3, 7, N))
    for one, u in zip(augment.draw(config(parts, size), 5), numbers):
        x = images(size)
        wanted = color(x, u[:3].astype(np.float64)) if "color" in parts else x
        wanted = translated(wanted, u[3:5], size // 8) if "translation" in parts else wanted
        wanted = cut(wanted, u[5:7]) if "cutout" in parts else wanted
        np.testing.assert_allclose(applied(one, x), wanted, rtol=0, atol=3e-7)
        assert (one.color is None) == ("color" not in parts)
        assert (one.rows is None) == (one.columns is None) == ("translation" not in parts)
        assert (one.mask is None) == ("cutout" not in parts)


def test_every_shift_and_every_place_is_drawn_as_often_as_any_other():
    many = [one for step in range(400) for one in augment.draw(config(), step)]  # 7,200 images
    rows = np.concatenate([one.rows for one in many])
    assert set(np.unique(rows)) == {0, 1}
    shift = rows.sum((1, 2)).astype(int)  # rows that stay in the picture
    shares = np.bincount(shift)[28:] / len(shift)
    np.testing.assert_allclose(shares, [2 / 9] * 4 + [1 / 9], atol=0.02)
    hidden = 1 - np.concatenate([one.mask for one in many])[:, 0]
    assert hidden.sum((1, 2)).max() == 16 * 16  # wholly inside
    assert hidden.sum((1, 2)).min() == 8 * 8  # in a corner
    np.testing.assert_allclose(hidden.mean(0), hidden.mean(0)[::-1, ::-1], atol=0.04)
    np.testing.assert_allclose(np.mean([one.brightness.mean() for one in many]), 0, atol=0.02)
    np.testing.assert_allclose(np.mean([one.contrast.mean() for one in many]), 1, atol=0.02)


def test_the_three_batches_and_the_steps_differ_and_no_part_moves_another():
    both, again = augment.draw(config(), 1), augment.draw(config(), 1)
    shapes = [(N, 3, 3), (N,), (N,), (N, 32, 32), (N, 32, 32), (N, 1, 32, 32)]
    for one, same in zip(both, again):
        assert [array.shape for array in vars(one).values()] == shapes
        for array, other in zip(vars(one).values(), vars(same).values()):
            assert array.dtype == np.float32
            np.testing.assert_array_equal(array, other)
    assert len({one.brightness.tobytes() for one in (*both, *augment.draw(config(), 2))}) == 6
    np.testing.assert_array_equal(augment.draw(config("cutout"), 1)[2].mask, both[2].mask)
    assert augment.draw(config(""), 1) is None


def test_the_numbers_are_pinned():
    drawn = rng.fractions(7, "augmentation", 3, (3, 7, 64)), rng.fractions(7, "flip", 3, (64,))
    assert [hashlib.sha256(numbers.tobytes()).hexdigest()[:16] for numbers in drawn] == [
        "c23f683f1d2dd64b",
        "fd428508fe9f2c9f",
    ]
    assert all(numbers.dtype == np.float32 and numbers.min() >= 0 and numbers.max() < 1 for numbers in drawn)
    with pytest.raises(ValueError, match="unknown stream 'flips': one of"):
        rng.fractions(7, "flips", 3, (1,))


def test_every_second_face_is_mirrored():
    faces = np.random.RandomState(0).randint(0, 256, (N, 32, 32, 3)).astype(np.uint8)
    assert augment.mirrored(config(flip=False), 1, faces) is faces
    flipped = 0
    for step in range(100):
        changed = augment.mirrored(config(flip=True), step, faces)
        assert (changed.dtype, changed.shape) == (np.uint8, faces.shape)
        for face, other in zip(faces, changed):
            same = (face == other).all()
            assert same or (face[:, ::-1] == other).all()
            flipped += not same
    assert 0.45 < flipped / 600 < 0.55


@pytest.mark.parametrize("parts", ["colour", "color;cutout", "color,flip"])
def test_parts_unknown_are_refused(parts):
    with pytest.raises(MxganError, match=f"augment '{parts}': any of color,translation,cutout, or none"):
        TrainConfig(augment=parts)


@pytest.mark.parametrize(
    ("given", "parts"),
    [("cutout,color", "color,cutout"), ("color,", "color"), ("color,color", "color"), ("none", ""), ("", "")],
)
def test_parts_are_put_in_order(given, parts):
    assert TrainConfig(augment=given).augment == parts
