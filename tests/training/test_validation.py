"""A run scores its own pictures: the same however often it stopped, and the best netG is kept."""

import json
import os
import shutil
import signal
import subprocess
import sys

import needs
import numpy as np
import pytest
import tiny_engine
from processes import TINY, environment
from processes import mxgan as mxgan_process
from tiny_runs import best_weights, checkpoints_weights, kept, log, outcome, scores, train

import mxgan
from mxgan import engines, rng, training
from mxgan.engines import Choice
from mxgan.faces import open_faces
from mxgan.metrics import fd, form
from mxgan.training import checkpoint, runs, validation
from mxgan.training.validation import Score


@pytest.mark.parametrize(
    ("every", "per_epoch", "scored"),
    [
        (1, 3, [3, 6, 9, 12]),
        (3, 3, [3, 6, 9, 12]),
        (4, 3, [6, 9, 12]),
        (5, 3, [6, 12]),
        (7, 3, [9]),
        (12, 3, [12]),
        (13, 3, []),
        (0, 3, []),
        (100, 94, [188, 282, 376, 470, 564, 658, 752, 846, 940]),
    ],
)
def test_scored_is_the_first_end_of_an_epoch_from_each_multiple_on(every, per_epoch, scored):
    steps = 12 if per_epoch == 3 else 940
    ends = range(per_epoch, steps + 1, per_epoch)
    assert [step for step in ends if validation.is_due(step, every, per_epoch)] == scored


def test_the_best_is_the_newest_of_those_as_good_as_the_lowest():
    given = [Score(3, 5.0), Score(6, 2.0), Score(9, 2.04), Score(12, 2.05), Score(15, 1.0), Score(18, 3.0)]
    assert validation.best(given) == Score(15, 1.0)
    bests = [validation.best(given, until) for until in (2, 3, 6, 9, 12)]
    assert bests == [None, Score(3, 5.0), Score(6, 2.0), Score(9, 2.04), Score(9, 2.04)]
    assert validation.best([]) is None


def test_the_end_of_a_finish_is_the_best_unless_it_is_far_worse():
    given = [Score(3, 1.0), Score(6, 1.05), Score(8, 1.09, finish=True)]
    assert validation.best(given) == given[2]
    assert validation.best(given, 7) == given[0]
    assert validation.best([*given[:2], Score(8, 1.11, finish=True)]) == given[0]
    assert validation.best([*given, Score(9, 1.01)]) == Score(9, 1.01)  # the run was made longer


def test_only_numbers_of_the_log_count():
    records = [{"step": 1, "score": value} for value in (1.5, 2, "3", None, float("nan"), True)] + [{"step": 2}]
    assert validation.of(records) == [Score(1, 1.5), Score(1, 2)]
    assert validation.of([{"step": 8, "score": 1, "finish": True}]) == [Score(8, 1, finish=True)]


@pytest.mark.parametrize(("size", "count"), [(32, 24), (64, 17), (128, 16)])
def test_it_is_the_distance_from_the_first_faces_of_the_runs_order(size, count):
    random = np.random.RandomState(size)
    images = random.randint(0, 256, (count, size, size, 3)).astype(np.uint8)
    asked = []

    def generate(z):
        asked.append(z)
        return random.randint(0, 99, (len(z), size, size, 3)).astype(np.uint8)

    config = mxgan.TrainConfig(seed=7, latent=5, size=size)
    scorer = validation.Scorer(config, images)
    first = scorer.score(generate)
    np.testing.assert_array_equal(asked[0], rng.latents(7, "score", 0, 64, 5))
    random = np.random.RandomState(size)
    random.randint(0, 256, images.shape)
    made = generate(asked[0])[:count]
    sides = [fd.fit(form.describe(side)) for side in (images[rng.order(7, 0, count)], made)]
    assert first == round(fd.distance(*sides), 3) > 0
    ordered = images[rng.order(7, 0, count)]
    assert scorer.score(lambda z: np.concatenate([ordered] * 4)[:64]) == 0  # the faces themselves


def test_a_thousand_pictures_at_most_in_batches_of_64(monkeypatch):
    images = np.random.RandomState(0).randint(0, 256, (1100, 32, 32, 3)).astype(np.uint8)
    seen, sizes = [], []
    monkeypatch.setattr(form, "describe", lambda made: seen.append(made) or made)
    monkeypatch.setattr(fd, "fit", lambda features: "fitted")
    monkeypatch.setattr(fd, "distance", lambda real, fake: 1.5)
    scorer = validation.Scorer(mxgan.TrainConfig(latent=5), images)
    assert [scorer.score(lambda z: sizes.append(len(z)) or images[: len(z)]) for _ in range(2)] == [1.5, 1.5]
    assert sizes == [64] * 32
    assert [len(side) for side in seen] == [1000] * 3  # the faces' side once
    np.testing.assert_array_equal(seen[0], images[rng.order(0, 0, 1100)[:1000]])


@pytest.mark.usefixtures("tiny")
def test_a_line_in_the_log_after_the_epochs_last_step(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=8, evaluate_every=3)
    records = [record for record in log(run) if "score" in record]
    assert [list(record) for record in records] == [["step", "epoch", "score"]] * 2
    assert [(record["step"], record["epoch"]) for record in records] == [(3, 1), (6, 2)]
    faces = open_faces(str(faces_folder), 32).images
    state = checkpoint.load(run / "checkpoints" / "000006").state
    engine = tiny_engine.TinyEngine(mxgan.TrainConfig(latent=5))
    engine.load_state(state)
    assert records[1]["score"] == validation.Scorer(mxgan.TrainConfig(latent=5), faces).score(engine.generate)


@pytest.mark.usefixtures("tiny")
def test_wherever_it_stopped_its_scores_are_the_same(faces_folder, tmp_path):
    whole = outcome(train(faces_folder, tmp_path / "whole", steps=14, evaluate_every=4))
    for stop in (2, 6, 9, 11):
        run = train(faces_folder, tmp_path / f"stopped-{stop}", steps=stop, evaluate_every=4)
        training.resume(run, {"steps": 14})
        assert outcome(run) == whole
    assert "netG-best.params" in whole and len(scores(run)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["mxnet", "pytorch"])
def test_scores_of_a_real_engine_are_its_averages_and_change_no_weight(faces_folder, tmp_path, engine):
    needs.mxnet() if engine == "mxnet" else pytest.importorskip("torch")
    settings = {"engine": engine, "ngf": 2, "ndf": 3, "recipe": "mxgan", "evaluate_every": 3}
    whole = train(faces_folder, tmp_path / "whole", steps=9, **settings)
    best = runs.summary(whole)["best"]
    assert list(scores(whole)) == [3, 6, 9]
    assert best_weights(whole) == checkpoints_weights(whole, best["step"], "emaG")
    run = train(faces_folder, tmp_path / "run", steps=4, **settings)
    training.resume(run, {"steps": 9})
    assert outcome(run) == outcome(whole)
    plain = train(faces_folder, tmp_path / "plain", steps=9, **{**settings, "evaluate_every": 0})
    for name in ("netG.params", "netD.params", "netG-ema.params"):
        assert (plain / name).read_bytes() == (whole / name).read_bytes()
    faces = open_faces(str(faces_folder), 32).images
    netG = mxgan.load_generator(whole, engine)
    scorer = validation.Scorer(mxgan.TrainConfig(latent=5), faces)
    assert scorer.score(netG.generate) == pytest.approx(best["score"], abs=0.01)  # another batch size may round anew


@pytest.mark.slow
def test_killed_and_resumed_in_processes_of_their_own(faces_folder, tmp_path):
    pytest.importorskip("torch")
    command = ["train", "--data", faces_folder, *TINY, "--steps", "45", "--engine", "pytorch", "--threads", "1"]
    command += ["--evaluate-every", "3", "--ema", "50", "--out"]
    whole = mxgan_process(*command, tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    run = tmp_path / "run"
    python = [sys.executable, "-m", "mxgan", *map(str, command), str(run)]
    process = subprocess.Popen(python, stderr=subprocess.PIPE, env=environment(), text=True)
    while not (run / "netG-best.params").exists():
        assert process.poll() is None, process.stderr.read()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    again = mxgan_process("train", "--resume", run)
    assert again.returncode == 0, again.stderr
    assert outcome(run) == outcome(tmp_path / "whole")
    assert len(scores(run)) == 15


@pytest.mark.usefixtures("tiny")
def test_never_leaves_nothing_new(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", epochs=5, evaluate_every=0)
    assert not scores(run) and not (run / "netG-best.params").exists()
    assert kept(run) == [9, 12, 15]
    assert runs.summary(run)["best"] is None
    assert "score " not in "\n".join(runs.show_lines(runs.show(run))).replace("score_", "")
    assert runs.lines(runs.find(tmp_path), tmp_path)[1].split()[4] == "-"


@pytest.mark.usefixtures("tiny")
def test_a_run_of_a_version_without_scores_goes_on(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", epochs=2, evaluate_every=0)
    written = json.loads((run / "config.json").read_text())
    del written["evaluate_every"]
    (run / "config.json").write_text(json.dumps(written))
    last = checkpoint.load(run / "checkpoints" / "000006")
    shutil.rmtree(run / "checkpoints" / "000006")
    checkpoint.save(run / "checkpoints", checkpoint.Checkpoint(6, last.state, last.log, written))
    assert training.resume(run, {"epochs": 34}).step == 102
    assert list(scores(run)) == [102]  # every 100 steps by default


@pytest.mark.usefixtures("tiny")
def test_too_few_faces_are_said_once(faces_folder, tmp_path, capsys):
    np.save(tmp_path / "few.npy", np.full((15, 32, 32, 3), 7, np.uint8))
    run = train(tmp_path / "few.npy", tmp_path / "run", epochs=4, evaluate_every=1, batch_size=5)
    assert not scores(run)
    assert capsys.readouterr().err.count("no scores: they need 16 faces, and the data has 15") == 1


def test_the_command_line_asks_for_it(faces_folder, tmp_path, monkeypatch):
    tiny_engine.install(monkeypatch)
    monkeypatch.setattr(engines, "choose", lambda *wish: Choice("mxnet", "cpu", "it is a test"))
    from click.testing import CliRunner

    from mxgan import cli

    options = ["--data", str(faces_folder), *TINY, "--epochs", "2", "--out", str(tmp_path / "run")]
    assert CliRunner().invoke(cli.program, ["train", *options, "--evaluate-every", "5"]).exit_code == 0
    assert list(scores(tmp_path / "run")) == [6]
    again = ["train", "--resume", str(tmp_path / "run"), "--epochs", "4", "--evaluate-every", "3"]
    assert CliRunner().invoke(cli.program, again).exit_code == 0
    assert list(scores(tmp_path / "run")) == [6, 9, 12]
