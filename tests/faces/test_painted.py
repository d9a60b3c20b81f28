"""Painted faces: the same pixels everywhere, factors that are drawn independently and that each show."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mxgan.errors import MxganError
from mxgan.faces.painted import CHOICES, draw_factors, face, faces, paint


def checksum(pictures: np.ndarray) -> str:
    return hashlib.sha256(pictures.tobytes()).hexdigest()[:16]


@pytest.fixture(scope="module")
def drawn():
    return [draw_factors(0, index) for index in range(4000)]


@pytest.mark.parametrize(
    ("size", "expected"), [(32, "5d5e03c81fdc09fa"), (64, "9a476968917add81"), (128, "8241c9d7ff202986")]
)
def test_pixels_are_the_same_on_every_machine(size, expected):
    pictures = faces(40, seed=3, size=size)
    assert pictures.shape == (40, size, size, 3)
    assert pictures.dtype == np.uint8
    assert checksum(pictures) == expected


def test_another_process_paints_the_same_bytes():
    code = "import sys; from mxgan.faces.painted import faces; sys.stdout.buffer.write(faces(5, seed=9).tobytes())"
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    assert there == faces(5, seed=9).tobytes()


def test_a_face_depends_on_its_seed_and_index_alone():
    assert np.array_equal(faces(8)[:4], faces(4))
    assert np.array_equal(faces(3, first=5), faces(8)[5:])
    picture, factors = face(0, 6)
    assert np.array_equal(picture, faces(8)[6])
    assert factors == draw_factors(0, 6)
    assert np.array_equal(paint(factors), picture)


def test_faces_differ_from_index_to_index_and_seed_to_seed():
    pictures = np.concatenate([faces(100, seed=0), faces(100, seed=1)])
    assert len({picture.tobytes() for picture in pictures}) == 200


def test_every_value_of_every_factor_turns_up_as_often_as_it_should(drawn):
    for factor, weights in CHOICES.items():
        counts = Counter(getattr(factors, factor) for factors in drawn)
        assert set(counts) == set(weights)
        for value, weight in weights.items():
            share = weight / sum(weights.values())
            assert abs(counts[value] / len(drawn) - share) < 4.5 * (share * (1 - share) / len(drawn)) ** 0.5


def test_named_factors_are_independent(drawn):
    # Pearson's chi-squared of each pair's contingency table lies near its degrees of freedom, as it does by chance.
    columns = {factor: [getattr(factors, factor) for factors in drawn] for factor in CHOICES}
    for one, two in itertools.combinations(CHOICES, 2):
        together = Counter(zip(columns[one], columns[two]))
        first, second = Counter(columns[one]), Counter(columns[two])
        statistic = 0.0
        for (a, count_a), (b, count_b) in itertools.product(first.items(), second.items()):
            expected = count_a * count_b / len(drawn)
            statistic += (together[a, b] - expected) ** 2 / expected
        freedom = (len(first) - 1) * (len(second) - 1)
        assert abs(statistic - freedom) < 5 * (2 * freedom) ** 0.5, (one, two)


def test_measured_factors_are_independent_of_each_other_and_within_range(drawn):
    measured = np.array([(f.blush, f.tilt, f.turn, f.scale, f.x, f.y) for f in drawn])
    correlation = np.corrcoef(measured.T) - np.eye(6)
    assert np.abs(correlation).max() < 4.5 / len(drawn) ** 0.5
    low, high = measured.min(axis=0), measured.max(axis=0)
    assert (low >= (0, -0.16, -20, 0.87, -14, -8)).all()
    assert (high <= (0.9, 0.16, 20, 1.19, 14, 14)).all()
    assert (high - low > (0.85, 0.25, 30, 0.25, 20, 16)).all()


PLAIN = {"accessory": "glasses", "eye_shape": "round", "blush": 0.3, "tilt": 0.0, "turn": 0.0, "scale": 1.0}


@pytest.mark.parametrize("factor", CHOICES)
def test_each_value_of_a_named_factor_looks_different(factor):
    start = replace(draw_factors(0, 2), **PLAIN, x=0.0, y=0.0)
    pictures = {paint(replace(start, **{factor: value})).tobytes() for value in CHOICES[factor]}
    assert len(pictures) == len(CHOICES[factor])


@pytest.mark.parametrize(
    "change",
    [{"blush": 0.8}, {"tilt": 0.1}, {"turn": 10.0}, {"scale": 1.1}, {"x": 9.0}, {"y": 9.0}, {"detail": 1}],
    ids=str,
)
def test_each_measured_factor_shows(change):
    start = replace(draw_factors(0, 2), **PLAIN, x=0.0, y=0.0)
    difference = paint(replace(start, **change)).astype(int) - paint(start)
    assert (difference != 0).any(axis=-1).sum() > 20


def test_hair_colour_alone_leaves_the_background_and_the_cheeks():
    start = replace(draw_factors(0, 2), **PLAIN, x=0.0, y=0.0, background="mint", hair_style="short")
    one, two = (paint(replace(start, hair_colour=colour)) for colour in ("black", "pink"))
    assert np.array_equal(one[62, :4], two[62, :4])  # a lower corner: background
    assert np.array_equal(one[44:47, 30:34], two[44:47, 30:34])  # below the nose: skin
    assert np.abs(one[8:12, 20:44].astype(int) - two[8:12, 20:44]).mean() > 60  # hair


def test_moving_the_head_moves_its_pixels():
    start = replace(draw_factors(0, 2), **PLAIN, x=0.0, y=0.0, background="white")
    moved = paint(replace(start, x=8.0, y=4.0))  # 256ths of the picture: 2 pixels right, 1 down
    inside = np.abs(paint(start)[10:40, 10:50].astype(int) - moved[11:41, 12:52])
    assert inside.mean() < 2  # all that differs is the gradient of the hair


def test_colours_are_those_of_a_picture_of_a_face():
    pictures = faces(200, seed=1)
    assert pictures.min() < 40
    assert pictures.max() == 255
    middle = pictures[:, 44:48, 30:34].mean(axis=(0, 1, 2))  # skin: red over green over blue
    assert middle[0] > middle[1] > middle[2] > 150
    assert 55 < pictures.std() < 85


@pytest.mark.parametrize("size", [0, -64, 16, 63, 256])
def test_another_size_is_refused(size):
    with pytest.raises(MxganError, match=f"size {size} isn't one of 32, 64, 128"):
        faces(1, size=size)


@pytest.mark.parametrize("n", [0, -1])
def test_too_few_faces_are_refused(n):
    with pytest.raises(MxganError, match=f"n is {n}"):
        faces(n)


def test_a_negative_first_is_refused():
    with pytest.raises(MxganError, match="first is -1"):
        faces(1, first=-1)


def test_an_unknown_value_is_refused_by_name():
    with pytest.raises(MxganError, match="hair_colour 'plaid' isn't one of black, "):
        paint(replace(draw_factors(0, 0), hair_colour="plaid"))


def test_a_bad_seed_is_refused():
    with pytest.raises(MxganError, match="seed -1"):
        faces(1, seed=-1)
