"""The numbers in log.jsonl that depend on the clock: images/s and seconds. The tests turn the clock by hand."""

import json
import time

import numpy as np
import pytest
import tiny_engine
from tiny_runs import train

from mxgan import training


@pytest.fixture
def clock(monkeypatch):
    """A step takes half a second, and number 25 ten; nothing else takes any time. Returns the clock's hand."""
    hand = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: hand[0])

    class Timed(tiny_engine.TinyEngine):
        def train_step(self, batch):
            stats, step = super().train_step(batch), self.counts["adamG"]

            class Slow:
                def read(self):
                    hand[0] += 10 if step == 25 else 0.5
                    return stats.read()

            return Slow()

    tiny_engine.install(monkeypatch, Timed)
    return hand


@pytest.fixture
def many_faces(tmp_path):
    """240 faces: an epoch is 30 steps of 8."""
    np.save(tmp_path / "faces.npy", np.random.RandomState(0).randint(0, 256, (240, 32, 32, 3)).astype(np.uint8))
    return tmp_path / "faces.npy"


def numbers(run, name: str) -> list[float]:
    records = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return [record[name] for record in records if "loss_d" in record]


def test_images_per_s_is_a_mean_over_the_last_20_steps(clock, many_faces, tmp_path):
    found = numbers(train(many_faces, tmp_path / "run", steps=50, evaluate_every=0), "images_per_s")
    assert found[:24] == [16.0] * 24  # 8 images in half a second, from the first step on
    assert found[24:44] == [8.2] * 20  # 160 images in 19 · 0.5 + 10 seconds, as long as the slow step counts
    assert found[44:] == [16.0] * 6


def test_seconds_count_the_runs_own_time_also_over_a_stop(clock, many_faces, tmp_path):
    run = train(many_faces, tmp_path / "run", steps=10, evaluate_every=0)
    clock[0] += 3600  # an hour's break
    training.resume(run, {"steps": 13})
    assert numbers(run, "seconds") == [0.5 * step for step in range(1, 14)]
    assert numbers(run, "images_per_s") == [16.0] * 13


def test_seconds_have_three_decimals_and_images_per_s_one(clock, many_faces, tmp_path):
    clock[0] += 1 / 3
    run = train(many_faces, tmp_path / "run", steps=3, evaluate_every=0, batch_size=7)
    assert numbers(run, "images_per_s") == [14.0] * 3
    assert numbers(run, "seconds") == [0.5, 1.0, 1.5]
