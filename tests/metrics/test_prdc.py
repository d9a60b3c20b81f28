"""Precision, recall, density, coverage: against the published formulas written out, and where they are known."""

import numpy as np
import pytest

from mxgan.errors import MxganError
from mxgan.metrics import prdc

pytest.importorskip("sklearn", reason="scikit-learn isn't installed: pip install 'mxgan[metrics]'")


def plain_prdc(real: np.ndarray, fake: np.ndarray, k: int) -> dict:
    """Naeem et al. 2020, equations 1 to 5, with all distances in one array."""
    between = np.sqrt(((real[:, None] - fake[None]) ** 2).sum(-1))

    def reach(some):
        return np.sort(np.sqrt(((some[:, None] - some[None]) ** 2).sum(-1)), axis=1)[:, k]

    real_reach, fake_reach = reach(real), reach(fake)
    return {
        "precision": np.mean([(between[:, j] < real_reach).any() for j in range(len(fake))]),
        "recall": np.mean([(between[i] < fake_reach).any() for i in range(len(real))]),
        "density": np.mean([(between[:, j] < real_reach).sum() for j in range(len(fake))]) / k,
        "coverage": np.mean([between[i].min() < real_reach[i] for i in range(len(real))]),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m", "k"), [(150, 120, 5), (60, 200, 3)])
def test_they_are_the_published_ones_exactly(n, m, k, dtype):
    random = np.random.RandomState(n)
    real, fake = random.normal(0, 1, (n, 6)).astype(dtype), random.normal(0.7, 1.3, (m, 6)).astype(dtype)
    found = prdc.prdc(real, fake, k)
    assert found == pytest.approx(plain_prdc(real.astype(float), fake.astype(float), k), abs=1e-12)
    assert all(0.1 < number < 1.9 and number != 1 for number in found.values())


def test_chunks_change_nothing(monkeypatch):
    random = np.random.RandomState(0)
    real, fake = random.normal(0, 1, (2, 3000, 3))
    whole = prdc.prdc(real, fake)
    monkeypatch.setattr(prdc, "CHUNK_MB", 1)
    assert prdc.prdc(real, fake) == whole


def test_a_set_against_itself_has_all_of_it():
    real = np.random.RandomState(0).normal(size=(80, 4))
    found = prdc.prdc(real, real)
    assert 1 <= found.pop("density") <= 1.2  # a ball holds its centre, 4 more and, by rounding, perhaps the 5th
    assert found == {"precision": 1, "recall": 1, "coverage": 1}


def test_sets_far_apart_share_nothing():
    real = np.random.RandomState(0).normal(size=(80, 4))
    assert prdc.prdc(real, real + 100) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_half_the_kinds_is_half_the_coverage():
    """Real faces of two kinds, generated ones of the first alone: all look real, half of the kinds are made."""
    random = np.random.RandomState(0)
    real = np.concatenate([random.normal(0, 1, (500, 2)), random.normal(50, 1, (500, 2))])
    found = prdc.prdc(real, random.normal(0, 1, (500, 2)))
    assert found["precision"] > 0.97
    assert found["recall"] == pytest.approx(0.5, abs=0.01)
    assert found["coverage"] == pytest.approx(0.5, abs=0.02)


def test_neighbours_are_the_nearest_in_order():
    among = np.array([[0.0], [10], [3], [4]])
    distances, places = prdc.neighbours(np.array([[2.9]]), among, 3)
    np.testing.assert_allclose(distances, [[0.1, 1.1, 2.9]])
    np.testing.assert_array_equal(places, [[2, 3, 0]])


def test_too_few_features_are_refused():
    with pytest.raises(MxganError, match="5 features in a set; at least 6"):
        prdc.prdc(np.zeros((5, 2)), np.zeros((9, 2)))
