"""A run that stops and goes on comes to the same bytes as one that never stopped."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import cv2
import needs
import numpy as np
import pytest
import tiny_engine
from processes import TINY, environment
from processes import mxgan as mxgan_process
from tiny_runs import log, outcome, scores, train

import mxgan
from mxgan import plots, rng, training
from mxgan.errors import Interrupted, MxganError, TrainingError
from mxgan.training import run_dir
from mxgan.training.advice import Advice

OPTIONS = (
    {"init": "smooth"},
    {"lr_g": 1e-4, "lr_d": 4e-4},
    {"loss": "hinge"},
    {"label_smoothing": 0.1},
    {"spectral_norm": True},
    {"augment": "color,translation,cutout"},
    {"flip": True},
    {"ema": 50.0},
    {"finish": 0.6},
)
ALL = {name: value for values in OPTIONS for name, value in values.items() if name != "label_smoothing"}


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("recipe", ["gluon-tutorial", "pytorch-anime"])  # the second draws latents for netG's step
def test_wherever_it_stopped_a_run_comes_to_the_same(faces_folder, tmp_path, recipe):
    whole = outcome(train(faces_folder, tmp_path / "whole", recipe=recipe, steps=8))
    for stop in (1, 3, 4, 6, 7):  # an epoch has 3
        run = train(faces_folder, tmp_path / f"stopped-{stop}", recipe=recipe, steps=stop)
        training.resume(run, {"steps": 8})
        assert outcome(run) == whole


@pytest.mark.usefixtures("tiny")
def test_stopped_after_every_single_step(faces_folder, tmp_path):
    whole = outcome(train(faces_folder, tmp_path / "whole", epochs=3))
    run = train(faces_folder, tmp_path / "run", steps=1)
    for steps in range(2, 10):
        assert training.resume(run, {"steps": steps}).step == steps
    assert outcome(run) == whole


def test_stopped_within_its_finish(faces_folder, tmp_path, monkeypatch, capsys):
    tiny_engine.install(monkeypatch)
    settings = {"steps": 8, "finish": 0.5, "augment": "color,translation", "evaluate_every": 3}
    whole = train(faces_folder, tmp_path / "whole", **settings)
    assert scores(whole).keys() == {3, 6, 8}  # the last step ends no epoch, but the finish
    assert [record["step"] for record in log(whole) if record.get("finish")] == [8]
    unfinished = train(faces_folder, tmp_path / "unfinished", **{**settings, "finish": 0})
    assert log(unfinished)[:5] == log(whole)[:5]  # up to the third step's variety and score
    assert (unfinished / "netG.params").read_bytes() != (whole / "netG.params").read_bytes()

    class Stopped(tiny_engine.TinyEngine):
        def train_step(self, batch):
            if self.counts["adamD"] in (3, 5, 6):
                signal.raise_signal(signal.SIGINT)
            return super().train_step(batch)

    tiny_engine.install(monkeypatch, Stopped)
    run = tmp_path / "run"
    with pytest.raises(Interrupted):
        train(faces_folder, run, **settings)
    for step in (6, 7):
        with pytest.raises(Interrupted) as stopped:
            training.resume(run)
        assert stopped.value.run.step == step
    assert training.resume(run).step == 8
    assert outcome(run) == outcome(whole)
    assert "not bit for bit" not in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["mxnet", "pytorch"])
def test_bit_for_bit_on_a_real_engine(faces_folder, tmp_path, engine):
    needs.mxnet() if engine == "mxnet" else pytest.importorskip("torch")
    settings = {"engine": engine, "ngf": 2, "ndf": 3, "recipe": "pytorch-anime"}
    whole = outcome(train(faces_folder, tmp_path / "whole", steps=7, **settings))
    run = train(faces_folder, tmp_path / "run", steps=4, **settings)
    training.resume(run, {"steps": 7})
    assert outcome(run) == whole


@pytest.mark.parametrize(
    "values",
    [*(pytest.param(values, marks=pytest.mark.slow) for values in OPTIONS), ALL],
    ids=lambda values: ",".join(values),
)
@pytest.mark.parametrize("engine", ["mxnet", "pytorch"])
def test_bit_for_bit_with_every_option(faces_folder, tmp_path, engine, values):
    needs.mxnet() if engine == "mxnet" else pytest.importorskip("torch")
    settings = {"engine": engine, "ngf": 2, "ndf": 3, **values}
    whole = outcome(train(faces_folder, tmp_path / "whole", steps=5, **settings))
    assert ("netG-ema.params" in whole) == ("checkpoints/000005/emaG.params" in whole) == ("ema" in values)
    assert ("checkpoints/000005/spectral.params" in whole) == ("spectral_norm" in values)
    run = train(faces_folder, tmp_path / "run", steps=2, **{**settings, "finish": 0})  # that of 5 begins later
    training.resume(run, {"steps": 5, "finish": settings.get("finish", 0)})
    assert outcome(run) == whole


@pytest.mark.parametrize("engine", ["mxnet", "pytorch"])
def test_pictures_of_a_run_with_an_average_are_the_averages(faces_folder, tmp_path, engine):
    needs.mxnet() if engine == "mxnet" else pytest.importorskip("torch")
    run = train(faces_folder, tmp_path / "run", steps=6, engine=engine, ngf=2, ndf=3, ema=50.0, ema_rampup=1.0)
    fixed = rng.latents(0, "samples", 0, 24, 5)
    grid = plots.grid(mxgan.load_generator(run, engine).generate(fixed))
    np.testing.assert_array_equal(cv2.imread(str(run / "samples" / "000006.png"))[:, :, ::-1], grid)
    bare = mxgan.load_params(run / "netG.params")
    average = mxgan.load_params(run / "netG-ema.params")
    assert {name: array.shape for name, array in average.items()} == {name: a.shape for name, a in bare.items()}
    trained = [name for name in bare if bare[name].any()]  # MXNet leaves biases that a BatchNorm takes away at zero
    assert len(trained) >= 3 * len(bare) // 4 and all((average[name] != bare[name]).any() for name in trained)


@pytest.mark.slow
def test_killed_with_every_option_on(faces_folder, tmp_path):
    pytest.importorskip("torch")
    options = ["--loss", "hinge", "--spectral-norm", "--augment", "color,translation,cutout", "--flip", "--ema", "50"]
    options += ["--finish", "0.5"]
    command = [sys.executable, "-m", "mxgan", "train", "--data", faces_folder, *TINY, *options, "--steps", "60"]
    command += ["--engine", "pytorch", "--threads", "1", "--checkpoint-minutes", "1e-9", "--out"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "env": environment(), "text": True}
    whole = subprocess.run([*map(str, command), str(tmp_path / "whole")], **quiet)
    assert whole.returncode == 0, whole.stderr
    process = subprocess.Popen([*map(str, command), str(tmp_path / "run")], **quiet)
    while not (tmp_path / "run" / "netG-ema.params").exists():
        assert process.poll() is None, process.stderr.read()
    process.kill()
    process.communicate()
    assert len(log(tmp_path / "run")) < 60  # it was at work
    again = mxgan_process("train", "--resume", tmp_path / "run")
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


@pytest.mark.slow
def test_ctrl_c_in_a_process_of_its_own_then_resume(mx, faces_folder, tmp_path):
    command = [
        sys.executable,
        "-m",
        "mxgan",
        "train",
        "--data",
        faces_folder,
        *TINY,
        "--steps",
        "60",
        "--engine",
        "mxnet",
    ]
    command += ["--threads", "1", "--out"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "env": environment(), "text": True}
    whole = subprocess.run([*map(str, command), str(tmp_path / "whole")], **quiet)
    assert whole.returncode == 0, whole.stderr
    process = subprocess.Popen([*map(str, command), str(tmp_path / "run")], **quiet)
    while not (tmp_path / "run" / "state.json").exists():  # from here on it listens
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert f"mxgan train --resume {tmp_path / 'run'}" in said
    again = mxgan_process("train", "--resume", tmp_path / "run")
    assert (again.returncode, again.stdout) == (0, f"{tmp_path / 'run'}\n")
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


@pytest.mark.usefixtures("tiny")
def test_a_finished_run_has_nothing_to_do_and_can_be_made_longer(faces_folder, tmp_path, capsys):
    run = train(faces_folder, tmp_path / "run", epochs=2)
    before = outcome(run)
    (run / "netG.params").unlink()  # say, the disk was full at the very end
    assert training.resume(run).step == 6
    assert f"all 6 steps are done already; to go on: {Advice().longer(run, 6)}" in capsys.readouterr().err.splitlines()
    assert outcome(run) == before
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["000003", "000006"]
    training.resume(run, {"epochs": 4})
    assert outcome(run) == outcome(train(faces_folder, tmp_path / "longer", epochs=4))
    with pytest.raises(MxganError, match="past the 6 asked for; give steps above 12, or more epochs"):
        training.resume(run, {"epochs": 2})


@pytest.mark.usefixtures("tiny")
def test_what_is_no_run(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for name, message in {
        "nowhere": "there is no such folder",
        "file": "a file; give the folder of a run",
        "empty": "not a run (it has no config.json)",
    }.items():
        with pytest.raises(MxganError, match=re.escape(f"{tmp_path / name}: {message}")):
            training.resume(tmp_path / name)


@pytest.mark.usefixtures("tiny")
def test_killed_before_it_was_a_run_it_starts_again_in_the_same_place(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=3)
    for name in ("config.json", "state.json", "log.jsonl", "curves.png", "netG.params", "netD.params"):
        (run / name).unlink()
    shutil.rmtree(run / "checkpoints")
    shutil.rmtree(run / "samples")
    (run / ".mxgan-0123456789abcdef.tmp").write_bytes(b"half")
    with pytest.raises(MxganError, match=f"stopped before its first step, so start it again with out {run}"):
        training.resume(run)
    train(faces_folder, run, steps=3)
    assert outcome(run) == outcome(train(faces_folder, tmp_path / "whole", steps=3))


def test_weights_to_start_from_may_vanish_once_the_run_began(tiny, faces_folder, tmp_path, monkeypatch):
    from mxgan.training import starting_weights
    from mxgan.training.starting_weights import Beginning

    huge = {"0.weight": np.full((5, 12), 0.5, np.float32)}
    monkeypatch.setattr(
        starting_weights, "read", lambda config: Beginning(config, {"netG": huge} if config.weights else {}, ())
    )
    whole = outcome(train(faces_folder, tmp_path / "whole", steps=3, weights="start.params"))
    assert whole != outcome(train(faces_folder, tmp_path / "drawn", steps=3))
    run = train(faces_folder, tmp_path / "run", steps=1, weights="start.params")
    shutil.rmtree(run / "checkpoints" / "000001")  # killed before its first step
    monkeypatch.setattr(starting_weights, "read", lambda config: pytest.fail("the file was read again"))
    training.resume(run, {"steps": 3})
    assert outcome(run) == whole


@pytest.mark.usefixtures("tiny")
def test_the_log_is_whole_and_true_or_said_not_to_be(faces_folder, tmp_path, capsys):
    whole = outcome(train(faces_folder, tmp_path / "whole", steps=6))
    for damage in (
        lambda log: log.unlink(),
        lambda log: log.write_bytes(b"\0" * 7),
        lambda log: log.write_text("[" * 9),
    ):
        run = train(faces_folder, tmp_path / "run", steps=4)
        damage(run / "log.jsonl")
        training.resume(run, {"steps": 6})
        assert "log.jsonl isn't what it was: some of its lines are lost" in capsys.readouterr().err
        after = outcome(run)
        assert {**after, "log.jsonl": whole["log.jsonl"]} == whole
        assert [record["step"] for record in after["log.jsonl"]] == [5, 6, 6]
        assert b"\0" not in (run / "log.jsonl").read_bytes()
        shutil.rmtree(run)


@pytest.mark.usefixtures("tiny")
def test_one_run_one_process(faces_folder, tmp_path, monkeypatch):
    run = train(faces_folder, tmp_path / "run", steps=2)
    monkeypatch.setattr(run_dir, "PATIENCE", 0.1)
    holder = (
        "import filelock, sys; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print(1, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(run / "run.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"1\n"
    with pytest.raises(MxganError, match="another process is training this run"):
        training.resume(run)
    assert run_dir.is_running(run_dir.RunDir(run))
    process.kill()  # its lock dies with it, whatever is in the file
    process.communicate()
    (run / "run.lock").write_text(str(os.getpid()))
    assert not run_dir.is_running(run_dir.RunDir(run))
    assert training.resume(run, {"steps": 3}).step == 3


def test_numbers_that_are_not_finite_leave_what_was_good(faces_folder, tmp_path, monkeypatch, capsys):
    class Diverging(tiny_engine.TinyEngine):
        def train_step(self, batch):
            if self.counts["adamD"] == 4:
                self.weights["netD"]["0.weight"][0] = np.nan
            return super().train_step(batch)

    tiny_engine.install(monkeypatch, Diverging)
    with np.errstate(all="ignore"), pytest.raises(TrainingError) as ended:
        train(faces_folder, tmp_path / "run", epochs=3)
    run = tmp_path / "run"
    assert "step 5 isn't finite (loss_d nan" in str(ended.value)
    assert "the checkpoint of step 3 is kept; look at the images whose indices are in" in str(ended.value)
    failed = json.loads((run / "failed.json").read_text())
    from mxgan.training import batches

    before, at = batches.indices(0, 24, 8, 3, 5)
    assert (failed["step"], failed["indices"], failed["indices_before"]) == (5, at.tolist(), before.tolist())
    assert json.loads((run / "state.json").read_text())["state"] == "failed"
    assert np.isfinite(mxgan.load_params(run / "netG.params")["0.weight"]).all()
    capsys.readouterr()
    with np.errstate(all="ignore"), pytest.raises(TrainingError):
        training.resume(run)
    assert "it failed before (step 5 isn't finite" in capsys.readouterr().err
    tiny_engine.install(monkeypatch)  # whatever it was, it is mended
    assert training.resume(run).step == 9


def test_weights_that_are_not_finite_are_never_saved(faces_folder, tmp_path, monkeypatch):
    class Rotten(tiny_engine.TinyEngine):
        def state(self):
            state = super().state()
            state.arrays["adamD"]["0.weight.v"][0] = np.nan if self.counts["adamD"] == 6 else 0
            return state

    tiny_engine.install(monkeypatch, Rotten)
    with pytest.raises(TrainingError, match=r"step 6 isn't finite \(adamD 0.weight.v\); the checkpoint of step 3"):
        train(faces_folder, tmp_path / "run", epochs=3)
    assert [path.name for path in (tmp_path / "run" / "samples").iterdir()] == ["000003.png"]
