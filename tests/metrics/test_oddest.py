"""The oddest of a set are those that don't belong."""

from __future__ import annotations

import pytest

from mxgan.faces.painted import faces as painted
from mxgan.metrics import oddest


def test_strangers_among_faces():
    pytest.importorskip("efficientnet_lite_pytorch")
    images = painted(60)
    images[[17, 42]] = 0
    images[17, 20:40, 5:60] = (255, 200, 0)
    images[42, ::8] = 255
    found = oddest.oddest(images, 5, progress=False)
    assert {i for i, _ in found[:2]} == {17, 42} and len(found) == 5
    assert [distance for _, distance in found] == sorted((distance for _, distance in found), reverse=True)
    assert found == oddest.oddest(images, 5, progress=False)


def test_too_few_for_neighbours():
    pytest.importorskip("efficientnet_lite_pytorch")
    assert oddest.oddest(painted(5), 10, progress=False) == []
