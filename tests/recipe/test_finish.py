"""How a run ends: when, at what learning rates, and with which augmentations."""

import pytest

from mxgan.config import RunConfig, TrainConfig, resolve
from mxgan.recipe import finish


def config(share: float, augment: str = "color,translation") -> RunConfig:
    return resolve(TrainConfig(finish=share, augment=augment))


def test_the_rate_falls_to_zero_in_equal_parts():
    rates = [finish.rate(config(0.4), step, 10) for step in range(1, 11)]
    assert rates == [1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]  # the eleventh would have none


@pytest.mark.parametrize(
    ("share", "steps", "first"), [(0, 10, 11), (0.25, 940, 706), (0.5, 5, 4), (1, 3, 1), (0.1, 4, 5)]
)
def test_where_it_begins(share, steps, first):
    planned = finish.plan(config(share), steps)
    assert (planned, bool(planned)) == ((first, steps), first <= steps)
    assert [finish.rate(config(share), step, steps) == 1 for step in range(1, first)] == [True] * (first - 1)


@pytest.mark.parametrize(
    ("augment", "at_the_end"),
    [("color,translation,cutout", "translation,cutout"), ("color", ""), ("translation", "translation"), ("", "")],
)
def test_color_ends_where_it_begins(augment, at_the_end):
    wanted = config(0.5, augment)
    assert [finish.settings(wanted, step, 4).augment for step in (1, 2, 3, 4)] == [augment] * 2 + [at_the_end] * 2
    assert finish.settings(wanted, 2, 4) is wanted
