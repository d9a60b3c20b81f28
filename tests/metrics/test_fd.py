"""Fréchet distance: against closed forms and SciPy's matrix square root."""

import numpy as np
import pytest

from mxgan.errors import MxganError
from mxgan.metrics import fd


def gaussian(d: int, seed: int, rank: int) -> fd.Gaussian:
    random = np.random.RandomState(seed)
    factor = random.normal(size=(d, rank))
    return fd.Gaussian(random.normal(size=d), factor @ factor.T / rank)


def test_a_shift_counts_its_square():
    one = gaussian(20, 0, 30)
    assert fd.distance(one, one) == pytest.approx(0, abs=1e-11)
    assert fd.distance(one, fd.Gaussian(one.mean + 3, one.covariance)) == pytest.approx(20 * 9, rel=1e-12)


def test_gaussians_that_commute_are_at_the_distance_of_their_deviations():
    """With C1 and C2 diagonal the distance is |m1 - m2|² + Σ (s1 - s2)²."""
    random = np.random.RandomState(0)
    (m1, m2), (s1, s2) = random.normal(size=(2, 50)), random.uniform(0.1, 3, (2, 50))
    found = fd.distance(fd.Gaussian(m1, np.diag(s1**2)), fd.Gaussian(m2, np.diag(s2**2)))
    assert found == pytest.approx(((m1 - m2) ** 2).sum() + ((s1 - s2) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize(("rank", "error"), [(400, 1e-12), (60, 1e-6)])
def test_it_is_the_textbooks_formula_also_where_covariances_are_singular(rank, error):
    linalg = pytest.importorskip("scipy.linalg", reason="the plain formula needs SciPy's matrix square root")
    one, other = gaussian(120, 1, rank), gaussian(120, 2, rank)
    jitter = 0 if rank > 120 else 1e-12 * np.eye(120)  # SciPy's root of a singular product isn't finite without
    root = linalg.sqrtm((one.covariance + jitter) @ (other.covariance + jitter)).real
    plain = ((one.mean - other.mean) ** 2).sum() + np.trace(one.covariance + other.covariance - 2 * root)
    assert fd.distance(one, other) == pytest.approx(plain, rel=error)
    assert fd.distance(other, one) == pytest.approx(fd.distance(one, other), rel=1e-7)


def test_a_fit_is_numpys_mean_and_covariance_in_any_chunks(monkeypatch):
    features = np.random.RandomState(0).normal(5, 2, (300, 7)).astype(np.float32)
    for chunk in (4096, 64):
        monkeypatch.setattr(fd, "CHUNK", chunk)
        fitted = fd.fit(features)
        np.testing.assert_allclose(fitted.mean, features.astype(float).mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(fitted.covariance, np.cov(features.astype(float).T), rtol=1e-12)


def test_samples_of_known_gaussians_come_to_the_known_distance():
    """N(0, I) against N(1, 4 I) in 10 dimensions: 10 · 1 + 10 · (2 - 1)² = 20; 20,000 samples come within 2 %."""
    random = np.random.RandomState(0)
    one, other = random.normal(0, 1, (20_000, 10)), random.normal(1, 2, (20_000, 10))
    assert fd.distance(fd.fit(one), fd.fit(other)) == pytest.approx(20, rel=0.02)


def test_one_sample_has_no_covariance():
    with pytest.raises(MxganError, match="1 feature: no covariance"):
        fd.fit(np.zeros((1, 4)))
