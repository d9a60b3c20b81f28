"""Adam's steps: the formula, torch.optim.Adam where epsilon doesn't matter, and how MXNet reads numbers."""

import math

import needs
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mxgan.pytorch.adam import Adam, float32_of_text  # noqa: E402


def steps(optimizer_of, count: int) -> np.ndarray:
    w = torch.nn.Parameter(torch.linspace(-1, 1, 7, dtype=torch.float64))
    optimizer = optimizer_of(w)
    for step in range(count):
        w.grad = torch.sin(w.detach() * 3 + step)
        optimizer.step()
    return w.detach().numpy()


def test_the_formula():
    w, m, v = np.linspace(-1, 1, 7), 0.0, 0.0
    beta2, epsilon = float(np.float32(0.999)), float(np.float32(1e-8))
    for t in range(1, 3):
        g = np.sin(w * 3 + t - 1)
        m, v = 0.5 * m + 0.5 * g, beta2 * v + (1 - beta2) * g**2
        lr = float(np.float32(2e-4 * math.sqrt(1 - 0.999**t) / (1 - 0.5**t)))
        w = w - lr * m / (np.sqrt(v) + epsilon)
    np.testing.assert_allclose(steps(lambda w: Adam({"w": w}, 2e-4, 0.5, 0.999), 2), w, rtol=0, atol=1e-12)


def test_it_is_torch_optims_adam_where_gradients_are_far_above_epsilon():
    ours = steps(lambda w: Adam({"w": w}, 2e-4, 0.5, 0.999), 20)
    theirs = steps(lambda w: torch.optim.Adam([w], lr=2e-4, betas=(0.5, 0.999)), 20)
    np.testing.assert_allclose(ours, theirs, atol=1e-8)
    assert np.abs(ours - np.linspace(-1, 1, 7)).max() > 1e-4


def test_steps_are_counted():
    w = torch.nn.Parameter(torch.ones(2))
    adam = Adam({"w": w}, 2e-4, 0.5, 0.999)
    for _ in range(2):
        w.grad = torch.ones(2)
        adam.step()
    assert adam.count == 2


def test_numbers_are_read_as_mxnet_reads_them():
    assert [float32_of_text(text) for text in ("0.5", "0.999", "1e-08", "1")] == [
        np.float32(value) for value in (0.5, 0.999, 1e-8, 1)
    ]
    rates = [2e-4 * (math.sqrt(1 - 0.999**t) / (1 - 0.5**t)) for t in range(1, 3000)]
    off = [rate for rate in rates if float32_of_text(repr(rate)) != np.float32(rate)]
    assert len(off) == 81
    for rate in off:
        assert abs(float(float32_of_text(repr(rate))) - rate) < 1.2e-7 * rate


def test_mxnets_adam_update_takes_the_same_learning_rates():
    mx = needs.mxnet()

    def one(value: float):
        return mx.nd.array([value], dtype="float64")

    for t in range(1, 60):
        rate = 2e-4 * (math.sqrt(1 - 0.999**t) / (1 - 0.5**t))
        w = one(0)  # m becomes 1 and v stays 0, so that with epsilon 1 the step is the learning rate itself
        mx.nd.adam_update(w, one(0), one(2), one(0), out=w, lr=rate, beta1=0.5, beta2=0.999, epsilon=1)
        assert -w.asscalar() == float32_of_text(repr(rate)), rate
