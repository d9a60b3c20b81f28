"""When the watch over a run speaks up, to the step (`mxgan.training.monitor`)."""

import json

import numpy as np
import tiny_engine
from tiny_runs import train

from mxgan.training import monitor


def warned_at(run) -> list[int]:
    records = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return [record["step"] for record in records if "warning" in record]


def test_the_same_warning_comes_again_after_1000_steps_and_not_before(monkeypatch, tmp_path):
    """netG's learning rate is 0, so netD has won for good: every step from 201 on or so would warn."""
    np.save(tmp_path / "white.npy", np.random.RandomState(0).randint(240, 256, (1000, 32, 32, 3)).astype(np.uint8))
    tiny_engine.install(monkeypatch, lambda config: tiny_engine.TinyEngine(config, rates=(0.0, 0.5)))
    run = train(tmp_path / "white.npy", tmp_path / "run", steps=1300, batch_size=8, evaluate_every=0)
    first, *more = warned_at(run)
    assert 200 <= first < 300
    assert more == [first + 1000]


def test_netD_has_won_after_200_steps_of_certainty():
    sure = [{"score_real": 0.995, "score_fake": 0.005}]
    assert monitor.d_wins(sure * 199) is None
    assert "over the last 200 steps score_real is 0.995 and score_fake 0.005" in monitor.d_wins(sure * 200)


def test_netD_has_won_above_99_and_below_1_hundredth():
    def of(real: float, fake: float):
        return monitor.d_wins([{"score_real": real, "score_fake": fake}] * 200)

    assert of(0.9901, 0.0099) is not None
    assert of(0.9899, 0.0099) is None
    assert of(0.9901, 0.0101) is None


def test_a_low_variety_counts_from_step_1000_on():
    assert monitor.collapsed([(500, 0.05), (999, 0.05)]) is None
    assert monitor.collapsed([(500, 0.05), (1000, 0.05)]) is not None


def test_a_low_variety_counts_once_it_was_twice_as_high_as_the_limit():
    assert monitor.collapsed([(3, 0.199), (6, 0.05)]) is None  # it has never learned to vary
    assert monitor.collapsed([(3, 0.2), (6, 0.05)]) is not None


def test_a_tenth_of_the_faces_variety_is_enough():
    assert monitor.collapsed([(3, 0.5), (6, 0.1)]) is None
    assert "differ 0.099 times as much as real faces do (below 0.1 " in monitor.collapsed([(3, 0.5), (6, 0.0994)])


def test_variety_has_four_decimals_and_flat_faces_no_division_by_zero():
    reals = np.zeros((2, 1, 1, 3), np.uint8)
    reals[1] = 30  # 900 grey levels squared between the two
    samples = np.zeros((2, 1, 1, 3), np.uint8)
    samples[1] = 10
    assert monitor.spread(reals) == 900
    assert monitor.variety(samples, reals) == 0.1111
    assert monitor.variety(samples, reals[:1]) == 100  # the faces' own counts as 1 at least
    assert monitor.variety(samples[:1], reals) == 0
