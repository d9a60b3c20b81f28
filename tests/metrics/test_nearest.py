"""Generated faces beside the real ones they are nearest to."""

import numpy as np
import pytest

from mxgan.metrics import nearest

pytest.importorskip("sklearn", reason="scikit-learn isn't installed: pip install 'mxgan[metrics]'")


def test_a_copied_face_comes_first_beside_its_original():
    random = np.random.RandomState(0)
    real, fake = random.normal(size=(100, 6)), random.normal(size=(40, 6))
    fake[17] = real[63]
    rows, near = nearest.find(fake, real)
    assert (rows.shape, near.shape) == ((10,), (10, 7))
    assert (rows[0], near[0, 0]) == (17, 63)
    gaps = np.linalg.norm(fake[rows][:, None] - real[near], axis=2)
    assert (np.diff(gaps[:, 0]) >= 0).all()
    assert (np.diff(gaps, axis=1) >= 0).all()
    every = np.linalg.norm(fake[:, None] - real[None], axis=2)
    np.testing.assert_allclose(gaps[:, 0], np.sort(every.min(axis=1))[:10], atol=1e-7)


def test_few_faces_make_a_small_picture():
    rows, near = nearest.find(np.eye(3), np.eye(3)[:2])
    assert sorted(rows) == [0, 1, 2]
    assert near.shape == (3, 2)


def test_the_sheet_has_a_row_for_each_generated_face():
    fake = np.full((2, 8, 8, 3), 10, np.uint8)
    real = np.full((2, 3, 8, 8, 3), 200, np.uint8)
    sheet = nearest.sheet(fake, real)
    assert sheet.shape == (2 * 10 + 2, 4 * 10 + 2, 3)
    assert (sheet[2:10, 2:10] == 10).all()
    assert (sheet[12:20, 32:40] == 200).all()
