"""The loop, with an engine that only notes what it is given: no framework is needed to see what a run does."""

import json
import os
import re
import signal
import types

import numpy as np
import pytest
from processes import files_below

import mxgan
from mxgan import engines, rng
from mxgan.engines import Choice
from mxgan.engines.protocol import State
from mxgan.errors import Interrupted, MxganError, TrainingError
from mxgan.faces import open_faces
from mxgan.training import Run, batches
from mxgan.training.advice import Advice

STATS = {"loss_d": 1.5, "loss_g": 2.5, "score_real": 0.75, "score_fake": 0.25}


class Notebook:
    """An engine that learns nothing. ``events``: what it was asked, in order; ``given``: each step's arguments."""

    name, package, version, ctx, threads = "notebook", "notebook", "1.0", "cpu", "1"

    def __init__(self, at_step=lambda step: STATS) -> None:
        self.events, self.given, self.fixed = [], [], []
        self.at_step = at_step

    def train_step(self, batch):
        self.given.append((np.array(batch.images), batch.z, batch.z_g))
        step = len(self.given)
        self.events.append(f"step {step}")
        numbers = self.at_step(step)
        return types.SimpleNamespace(read=lambda: self.events.append(f"read {step}") or numbers)

    def generate(self, z):
        self.fixed.append(z)
        return np.random.RandomState(0).randint(0, 256, (len(z), 32, 32, 3)).astype(np.uint8)

    def load_weights(self, weights):
        self.loaded = weights

    def state(self):
        self.events.append("state")
        count = np.full((1, 1), len(self.given), np.float32)
        arrays = {name: {"0.weight": count} for name in ("netG", "netD")}
        moments = {name: {"0.weight.m": count, "0.weight.v": count} for name in ("adamG", "adamD")}
        return State({**arrays, **moments}, {"adamG": len(self.given), "adamD": len(self.given)})


@pytest.fixture
def train(monkeypatch, faces_folder, tmp_path):
    """Train for six steps, two epochs, with a Notebook; returns it, and the run or the error that ended it."""

    def start(notebook=None, **settings):
        notebook = notebook or Notebook()
        monkeypatch.setattr(engines, "choose", lambda *wish: Choice("notebook", "cpu", "it is a test"))
        monkeypatch.setattr(engines, "build", lambda choice, config, team=None: notebook)
        if not {"epochs", "steps"} & settings.keys():
            settings["epochs"] = 2
        tiny = {"data": str(faces_folder), "size": 32, "latent": 5, "batch_size": 8, "out": str(tmp_path / "run")}
        return notebook, mxgan.train(mxgan.TrainConfig(**{**tiny, **settings}))

    return start


def log(path) -> list[dict]:
    return [record for record in map(json.loads, (path / "log.jsonl").read_text().splitlines()) if "loss_d" in record]


@pytest.mark.parametrize("recipe", ["gluon-tutorial", "pytorch-anime"])
def test_each_step_gets_its_own_images_and_latents(train, faces_folder, recipe):
    notebook, run = train(recipe=recipe, seed=9)
    assert (run.step, run.stopped_by, len(notebook.given)) == (6, 0, 6)
    faces = open_faces(str(faces_folder), 32).images
    for step, (images, z, z_g), indices in zip(range(1, 7), notebook.given, batches.indices(9, 24, 8, 0, 6)):
        np.testing.assert_array_equal(images, faces[indices])
        np.testing.assert_array_equal(z, rng.latents(9, "D step", step, 8, 5))
        if recipe == "gluon-tutorial":
            assert z_g is None
        else:
            np.testing.assert_array_equal(z_g, rng.latents(9, "G step", step, 8, 5))


def test_a_steps_numbers_are_read_when_the_next_one_is_on_its_way(train):
    notebook, _ = train(steps=3)
    assert notebook.events[:5] == ["step 1", "step 2", "read 1", "step 3", "read 2"]
    assert notebook.events.index("read 3") < notebook.events.index("state")


def test_samples_are_always_of_the_same_latents(train):
    notebook, run = train(seed=2)
    assert len(notebook.fixed) == 2
    for z in notebook.fixed:
        np.testing.assert_array_equal(z, rng.latents(2, "samples", 0, 24, 5))
    assert files_below(run.path / "samples") == ["000003.png", "000006.png"]


def test_a_run_of_steps_ends_in_the_middle_of_an_epoch(train):
    notebook, run = train(steps=4)
    assert (run.step, len(notebook.given)) == (4, 4)
    assert files_below(run.path / "samples") == ["000003.png", "000004.png"]
    assert [(record["step"], record["epoch"]) for record in log(run.path)] == [(1, 1), (2, 1), (3, 1), (4, 2)]


def test_the_log_has_a_line_a_step(train):
    _, run = train()
    records = log(run.path)
    assert [record["step"] for record in records] == [1, 2, 3, 4, 5, 6]
    for record in records:
        assert list(record) == [
            "step", "epoch", "loss_d", "loss_g", "score_real", "score_fake", "images_per_s", "seconds",
        ]  # fmt: skip
        assert {name: record[name] for name in STATS} == STATS
        assert record["images_per_s"] > 0
    seconds = [record["seconds"] for record in records]
    assert seconds == sorted(seconds)


def test_the_run_directory_says_what_ran(train, faces_folder):
    _, run = train(seed=5)
    config = json.loads((run.path / "config.json").read_text())
    assert (config["seed"], config["epochs"], config["batch_size"], config["latent"]) == (5, 2, 8, 5)
    assert config["faces"]["count"] == 24
    assert config["faces"]["fingerprint"] == open_faces(str(faces_folder), 32).fingerprint
    assert config["versions"]["mxgan"] == mxgan.__version__
    assert config["ran_on"]["engine"] == "notebook"
    assert {"config.json", "log.jsonl", "reals.png", "curves.png", "netG.params", "netD.params", "samples"} <= {
        path.name for path in run.path.iterdir()
    }
    assert not (run.path / "skipped.txt").exists()


def test_the_last_words_say_where_everything_is(train, capsys):
    _, run = train(evaluate_every=1)
    out, err = capsys.readouterr()
    assert out == ""
    *_, pictures, last = err.splitlines()
    assert pictures == f"pictures {run.path / 'samples'}, curves {run.path / 'curves.png'}"
    assert last.startswith("best score ")
    assert last.endswith(f"; new faces from {run.path / 'netG-best.params'}: {Advice().generate(run.path)}")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "no scores yet: the first comes after 102 steps"),  # the first end of an epoch, which has 3, after 100
        ({"evaluate_every": 7}, "no scores yet: the first comes after 9 steps"),
        ({"evaluate_every": 0}, "no scores, as asked"),
    ],
)
def test_the_last_words_of_a_run_without_scores(train, capsys, settings, said):
    _, run = train(**settings)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"{said}; new faces from {run.path / 'netG.params'}: {Advice().generate(run.path)}"


def test_images_that_cannot_be_read_are_named_and_the_run_goes_on(train, faces_folder, tmp_path, capsys):
    folder = tmp_path / "faces"
    folder.mkdir()
    for picture in faces_folder.iterdir():
        (folder / picture.name).write_bytes(picture.read_bytes())
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.jpg").write_text("not a picture")
    _, run = train(data=str(folder), steps=1)
    named = (run.path / "skipped.txt").read_text().splitlines()
    assert [line.partition(":")[0] for line in named] == ["empty.png", "notes.jpg"]
    assert f"2 files skipped: {run.path / 'skipped.txt'}" in capsys.readouterr().err
    assert json.loads((run.path / "config.json").read_text())["faces"]["skipped"] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_step_and_saves(train, tmp_path, number):
    def interrupt(step):
        if step == 2:
            os.kill(os.getpid(), number)
        return STATS

    notebook = Notebook(interrupt)
    with pytest.raises(Interrupted if number == signal.SIGINT else SystemExit) as stopped:
        train(notebook)
    if number == signal.SIGINT:
        run = stopped.value.run
        assert (run.step, run.steps, run.stopped_by, run.state) == (2, 6, signal.SIGINT, "stopped")
        assert str(stopped.value) == f"stopped after step 2 of 6, saved; mxgan.resume('{run.path}') goes on"
    else:
        assert stopped.value.code == 143
        run = Run(tmp_path / "run", 2)
    assert len(notebook.given) == 2
    assert mxgan.load_params(run.path / "netG.params")["0.weight"] == 2
    assert mxgan.load_params(run.path / "netD.params")["0.weight"] == 2
    assert files_below(run.path / "samples") == ["000002.png"]
    assert len(log(run.path)) == 2


def test_a_signal_in_the_last_step_comes_too_late(train):
    _, run = train(Notebook(lambda step: os.kill(os.getpid(), signal.SIGINT) or STATS), steps=1)
    assert (run.step, run.stopped_by, run.state) == (1, 0, "finished")


def test_numbers_that_are_not_finite_end_the_run_and_name_the_step(train, tmp_path):
    diverging = Notebook(lambda step: {**STATS, "loss_g": float("nan")} if step == 4 else STATS)
    with pytest.raises(TrainingError, match="step 4"):
        train(diverging)
    assert len(diverging.given) <= 5  # known at the latest when the next step has been handed over
    assert mxgan.load_params(tmp_path / "run" / "netG.params")["0.weight"] == 3  # of the epoch before
    assert all(np.isfinite(list(record.values())).all() for record in log(tmp_path / "run"))


def test_a_single_face_is_enough(train, tmp_path):
    np.save(tmp_path / "one.npy", np.full((1, 32, 32, 3), 7, np.uint8))
    _, run = train(data=str(tmp_path / "one.npy"), batch_size=1, epochs=2)
    assert run.step == 2
    assert not re.search("NaN|Infinity", (run.path / "log.jsonl").read_text())  # they are no JSON


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 25}, "batch_size 25: larger than the data, which has 24 faces"),
        ({"data": "nowhere"}, "nowhere"),
        ({"weights": "nowhere.params"}, "nowhere.params: there is no such file"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(train, tmp_path, settings, message):
    with pytest.raises(MxganError, match=message):
        train(**settings)
    assert files_below(tmp_path) == []
