"""The watch over a run: what it warns of, when, where that shows, and that a resume changes nothing of it."""

import numpy as np
import pytest
import tiny_engine
from PIL import Image
from tiny_runs import log, outcome, train

from mxgan import plots, training
from mxgan.faces import open_faces
from mxgan.training import monitor


def scores(real: float, fake: float, n: int = monitor.STEPS) -> list[dict]:
    return [{"score_real": real, "score_fake": fake}] * n


def test_netD_wins_when_it_is_sure_of_both_for_long():
    assert "netD has won: over the last 200 steps score_real is 0.995 and score_fake 0.004" in monitor.d_wins(
        scores(0.995, 0.004)
    )
    assert monitor.d_wins(scores(0.999, 0.001, monitor.STEPS - 1)) is None  # not for long enough
    assert monitor.d_wins(scores(0.999, 0.02)) is None  # netG still deceives it at times
    assert monitor.d_wins(scores(0.98, 0.001)) is None  # it still doubts real faces
    assert monitor.d_wins(scores(0.5, 0.5)) is None  # a tie


def test_one_batch_in_a_hundred_that_netG_won_is_enough():
    assert monitor.d_wins([*scores(1.0, 0.0, 198), *scores(0.0, 1.0, 2)]) is None
    assert monitor.d_wins([*scores(1.0, 0.0, 199), *scores(0.0, 1.0, 1)]) is not None


def test_variety_of_real_faces_is_one_and_of_one_picture_nought(faces_folder):
    faces = open_faces(str(faces_folder), 32).images
    assert monitor.variety(faces, faces) == 1
    assert monitor.variety(np.repeat(faces[:1], 24, 0), faces) == 0
    half = (faces.astype(float) / 2 + 50).astype(np.uint8)  # differences half as large: a quarter when squared
    assert monitor.variety(half, faces) == pytest.approx(0.25, abs=0.01)


def test_spread_is_the_mean_squared_difference_of_two():
    images = np.random.RandomState(0).randint(0, 256, (7, 4, 4, 3)).astype(np.uint8)
    pairs = [(a, b) for i, a in enumerate(images) for b in images[:i]]
    expected = np.mean([np.mean((a.astype(float) - b) ** 2) for a, b in pairs])
    assert monitor.spread(images) == pytest.approx(expected, rel=1e-5)


def test_collapse_is_lost_variety_not_variety_to_come():
    young = [(94, 0.01), (188, 0.05)]
    assert monitor.collapsed(young) is None
    assert monitor.collapsed([*young, (monitor.YOUNG, 0.099)]) is not None  # by now it should vary
    assert monitor.collapsed([*young, (monitor.YOUNG, 0.101)]) is None
    assert "its samples differ 0.090 times as much as real faces do" in monitor.collapsed([(94, 0.4), (188, 0.09)])


@pytest.fixture
def tiny(monkeypatch):
    def install(**settings):
        tiny_engine.install(monkeypatch, lambda config: tiny_engine.TinyEngine(config, **settings))

    return install


def warnings(run) -> list[tuple[int, str]]:
    return [(record["step"], record["kind"]) for record in log(run) if "warning" in record]


@pytest.fixture
def white_faces(tmp_path):
    """240 faces, 30 steps an epoch, that differ from whatever a netG that hasn't learned makes."""
    np.save(tmp_path / "white.npy", np.random.RandomState(0).randint(240, 256, (240, 32, 32, 3)).astype(np.uint8))
    return tmp_path / "white.npy"


def test_a_run_whose_netG_cannot_learn(tiny, white_faces, tmp_path, capsys):
    """netG's learning rate is 0, so netD comes to tell every batch."""
    tiny(rates=(0.0, 0.5))
    run = train(white_faces, tmp_path / "run", steps=240)
    (step, kind), *more = warnings(run)
    assert (kind, more) == ("d_wins", [])  # once in a thousand steps
    last = [record for record in log(run) if "loss_d" in record and record["step"] <= step][-monitor.STEPS :]
    assert np.mean([record["score_real"] for record in last]) > 0.99
    assert np.mean([record["score_fake"] for record in last]) < 0.01
    said = capsys.readouterr().err
    assert f"warning: step {step}: netD has won" in said
    assert "[d_wins] epoch 8/8 step 240/240" in said  # beside the numbers from then on


class Collapsing(tiny_engine.TinyEngine):
    """From step 30 on its netG shrinks, until every latent gives the same grey."""

    def train_step(self, batch):
        stats = super().train_step(batch)
        if self.counts["adamG"] > 30:
            self.weights["netG"]["0.weight"] *= np.float32(0.8)
        return stats


def test_a_run_that_collapses(monkeypatch, faces_folder, tmp_path, capsys):
    tiny_engine.install(monkeypatch, Collapsing)
    run = train(faces_folder, tmp_path / "run", steps=60)
    varieties = {record["step"]: record["variety"] for record in log(run) if "variety" in record}
    (step, kind), *more = warnings(run)
    assert (kind, more) == ("collapse", [])
    assert varieties[30] > 0.2 and varieties[step] < 0.1 <= varieties[step - 3]
    assert f"warning: step {step}: netG has collapsed" in capsys.readouterr().err


def test_a_sound_run_is_not_warned_of(tiny, faces_folder, tmp_path):
    tiny()
    assert warnings(train(faces_folder, tmp_path / "run", steps=60)) == []


def test_a_stop_moves_no_warning(tiny, white_faces, tmp_path):
    tiny(rates=(0.0, 0.5))
    whole = outcome(train(white_faces, tmp_path / "whole", steps=240))
    ((at, _),) = warnings(tmp_path / "whole")
    for stop in (100, at):
        run = train(white_faces, tmp_path / f"run-{stop}", steps=stop)
        training.resume(run, {"steps": 240})
        assert outcome(run) == whole


def test_warnings_are_marked_in_the_curves(tmp_path):
    step = {"loss_d": 1.0, "loss_g": 1.0, "score_real": 0.5, "score_fake": 0.5}
    steps = [{"step": n, **step} for n in range(1, 400)]
    plots.save_curves(tmp_path / "calm.png", steps)
    plots.save_curves(tmp_path / "warned.png", [*steps, {"step": 200, "kind": "d_wins", "warning": "netD has won"}])
    calm, warned = (np.asarray(Image.open(tmp_path / name).convert("RGB")) for name in ("calm.png", "warned.png"))
    changed = np.flatnonzero((calm != warned).any(2).sum(0) > 100)  # columns: an upright line
    assert 1 <= len(changed) <= 3
    assert abs(changed.mean() / calm.shape[1] - 0.5) < 0.05  # half way
