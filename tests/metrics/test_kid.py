"""Kernel distance: against the definition's double loop, and where its mean is known."""

import numpy as np
import pytest

from mxgan.errors import MxganError
from mxgan.metrics import kid


def plain_mmd2(x: np.ndarray, y: np.ndarray) -> float:
    """Bińkowski et al. 2018, equation 4, a pair at a time."""

    def k(a, b):
        return (float(a @ b) / len(a) + 1) ** 3

    n = len(x)
    within = sum(k(s[i], s[j]) for s in (x, y) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return within - 2 * sum(k(a, b) for a in x for b in y) / n**2


def test_the_estimate_is_the_double_loops_within_rounding():
    random = np.random.RandomState(0)
    x, y = random.normal(0, 1, (30, 8)), random.normal(0.3, 1.2, (30, 8))
    assert kid.mmd2(x, y) == pytest.approx(plain_mmd2(x, y), rel=1e-12)
    assert kid.mmd2(x.astype(np.float32), y.astype(np.float32)) == pytest.approx(plain_mmd2(x, y), rel=1e-5)


def test_it_has_no_bias():
    """Two sets of one distribution are at 0 on average, also for small n; 300 estimates of 10 and 10 average it out."""
    random = np.random.RandomState(0)
    found = [kid.mmd2(*random.normal(0, 1, (2, 10, 4))) for _ in range(300)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(300)


def test_known_moments_give_the_known_value():
    """In one dimension (xy + 1)³ = 1 + 3xy + 3x²y² + x³y³, so MMD² = 3 Δm1² + 3 Δm2² + Δm3² of the raw moments.

    N(0, 1) has 0, 1, 0 and N(1, 1) has 1, 2, 4: 3 + 3 + 16 = 22; 1,000 of each in 20 subsets come within 10 %.
    """
    random = np.random.RandomState(1)
    x, y = random.normal(0, 1, (20_000, 1)), random.normal(1, 1, (20_000, 1))
    assert kid.distance(x, y) == pytest.approx(22, rel=0.1)


def test_it_is_the_mean_over_subsets_that_the_seed_decides():
    random = np.random.RandomState(0)
    x, y = random.normal(0, 1, (1200, 4)), random.normal(0.2, 1, (1100, 4))
    assert kid.distance(x, y, 0) == kid.distance(x, y, 0) != kid.distance(x, y, 1)
    assert kid.distance(x, y, 0) == pytest.approx(kid.mmd2(x[:1100], y), rel=0.2)  # all there is of both, in one
    assert kid.distance(x[:50], y[:40]) == pytest.approx(kid.distance(x[:50], y[:40], 5), rel=0.5)


def test_one_feature_is_refused():
    with pytest.raises(MxganError, match="1 feature in a set; at least 2"):
        kid.distance(np.zeros((1, 3)), np.zeros((5, 3)))
