"""What may change when a run is resumed, and what is refused."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_engine
from tiny_runs import log, outcome, train

import mxgan
from mxgan import engines, training
from mxgan.engines import Choice
from mxgan.errors import MxganError, in_shell
from mxgan.training import checkpoint


def config(run: Path) -> dict:
    return json.loads((run / "config.json").read_text())


@pytest.mark.usefixtures("tiny")
def test_a_changed_setting_is_refused_with_the_difference(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=2)
    before = outcome(run)
    with pytest.raises(MxganError) as refused:
        training.resume(run, {"batch_size": 16, "seed": 0, "recipe": "pytorch-anime"})
    assert str(refused.value) == (
        "batch_size: the run has 8, you asked for 16; recipe: the run has gluon-tutorial, you asked for pytorch-anime: "
        "that is another run, start it anew with another out (epochs, steps, finish, checkpoint_minutes, "
        "evaluate_every, tensorboard may change; engine, ctx, threads may change too, but the run is then no longer "
        "bit-exact)"
    )
    assert in_shell(refused.value) == (
        "--batch-size: the run has 8, you asked for 16; --recipe: the run has gluon-tutorial, you asked for "
        "pytorch-anime: that is another run, start it anew with another --out (--epochs, --steps, --finish, "
        "--checkpoint-minutes, --evaluate-every, --tensorboard may change; --engine, --ctx, --threads may change too, "
        "but the run is then no longer bit-exact)"
    )
    assert outcome(run) == before


@pytest.mark.usefixtures("tiny")
def test_what_was_edited_or_copied_in_is_found_out(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=2)
    other = train(faces_folder, tmp_path / "other", steps=4, seed=1)
    shutil.copytree(other / "checkpoints" / "000004", run / "checkpoints" / "000004")
    with pytest.raises(MxganError, match=r"seed: config.json has 0, the checkpoint 1: this checkpoint is another"):
        training.resume(run)
    shutil.rmtree(run / "checkpoints" / "000004")
    text = (run / "config.json").read_text()
    (run / "config.json").write_text(text.replace('"batch_size": 8', '"batch_size": 4', 1))
    with pytest.raises(MxganError, match=r"batch_size: config.json has 4, the checkpoint 8.*or config.json was edited"):
        training.resume(run)


@pytest.mark.usefixtures("tiny")
def test_a_run_of_a_version_that_lacked_a_setting_goes_on(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=2)
    lacking = ("fit", *mxgan.config.OPTIONS)
    older = {name: value for name, value in config(run).items() if name not in lacking}
    assert len(older) == len(config(run)) - 12
    older["precision"] = "tf32"  # as it was written for the CPU too
    kept = checkpoint.load(run / "checkpoints" / "000002")
    checkpoint.save(run / "checkpoints", replace(kept, config=older))
    (run / "config.json").write_text(json.dumps(older))
    for _ in range(2):  # the first time writes config.json anew
        assert training.resume(run, {"loss": "bce", "lr_d": 2e-4, "augment": ""}).step == 2  # what it was all along
    with pytest.raises(MxganError, match="flip: the run has False, you asked for True; ema: the run has 0"):
        training.resume(run, {"flip": True, "ema": 100.0})


@pytest.mark.usefixtures("tiny")
def test_a_run_made_longer_before_its_finish_is_the_longer_run(faces_folder, tmp_path, capsys):
    whole = outcome(train(faces_folder, tmp_path / "whole", steps=12, finish=0.25))  # from step 10 on
    run = train(faces_folder, tmp_path / "run", steps=9)
    training.resume(run, {"steps": 12, "finish": 0.25})
    assert "not bit for bit" not in capsys.readouterr().err
    assert outcome(run) == whole
    assert config(run)["inexact"] == []


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 12}, "finish: steps 7 to 8 before, steps 10 to 12 now"),
        ({"steps": 12, "finish": 0.0}, "finish: steps 7 to 8 before, none now"),
        ({"steps": 12, "finish": 0.5}, "finish: steps 7 to 8 before, steps 7 to 12 now"),
    ],
)
def test_a_run_made_longer_after_its_finish_says_so(faces_folder, tmp_path, capsys, changes, said):
    run = train(faces_folder, tmp_path / "run", steps=8, finish=0.25)
    made = [record for record in log(run) if "loss_d" in record]
    training.resume(run, changes)
    assert f"warning: from step 9 on not bit for bit the run it was ({said})" in capsys.readouterr().err.splitlines()
    assert config(run)["inexact"] == [{"step": 8, "because": [said]}]
    assert [record for record in log(run) if "loss_d" in record][:8] == made  # they stay what they were
    capsys.readouterr()
    training.resume(run)  # nothing is changed any more
    assert "not bit for bit" not in capsys.readouterr().err


@pytest.mark.usefixtures("tiny")
def test_what_counts_is_how_the_steps_were_made(faces_folder, tmp_path, capsys):
    whole = outcome(train(faces_folder, tmp_path / "whole", steps=8, finish=0.5))
    run = train(faces_folder, tmp_path / "run", steps=4)
    with pytest.raises(MxganError, match=r"finish 0\.5: all of the run's steps, 4, are made; give more steps for it"):
        training.resume(run, {"finish": 0.5})
    training.resume(run, {"steps": 4})  # plans under which no step is made
    training.resume(run, {"steps": 4, "finish": 0.0})
    training.resume(run, {"steps": 8, "finish": 0.5})
    training.resume(run, {"steps": 8})
    training.resume(run, {"finish": 0.5})  # as it is
    assert outcome(run) == whole
    assert "not bit for bit" not in capsys.readouterr().err
    assert config(run)["inexact"] == []


def test_a_finish_of_no_steps_is_refused(faces_folder, tmp_path):
    with pytest.raises(MxganError, match=r"finish 0\.05: of 8 steps that is none; give a larger share, or 0"):
        train(faces_folder, tmp_path / "run", steps=8, finish=0.05)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("tiny")
def test_faces_may_move_but_not_change(faces_folder, tmp_path):
    moved, run = tmp_path / "moved", train(faces_folder, tmp_path / "run", steps=2)
    shutil.copytree(faces_folder, moved)
    training.resume(run, {"data": str(moved), "steps": 4})
    assert outcome(run) == outcome(train(faces_folder, tmp_path / "whole", steps=4))
    before = config(run)["faces"]["fingerprint"]

    assert cv2.imwrite(str(moved / "00.png"), np.zeros((40, 44, 3), np.uint8))
    with pytest.raises(
        MxganError, match=f"not the faces that the run began with .*fingerprint {before[:8]}; .* now, [0-9a-f]{{8}}"
    ):
        training.resume(run, {"steps": 6})
    shutil.rmtree(moved)
    with pytest.raises(MxganError, match="if the run's faces are elsewhere now, say where with data"):
        training.resume(run, {"steps": 6})


def test_other_circumstances_are_allowed_and_written_down(tiny, faces_folder, tmp_path, monkeypatch, capsys):
    run = train(faces_folder, tmp_path / "run", steps=2)
    monkeypatch.setattr(tiny_engine.TinyEngine, "threads", "2")
    training.resume(run, {"steps": 4, "threads": 2})
    said = "warning: from step 3 on not bit for bit the run it was (threads: 1 before, 2 now)"
    assert said in capsys.readouterr().err.splitlines()
    training.resume(run, {"steps": 6})
    assert "not bit for bit" not in capsys.readouterr().err
    assert config(run)["inexact"] == [{"step": 2, "because": ["threads: 1 before, 2 now"]}]


def test_what_was_left_open_stays_as_it_ran(faces_folder, tmp_path, monkeypatch):
    asked = []

    class Roomy(tiny_engine.TinyEngine):
        name, threads = "mxnet", "3"

    tiny_engine.install(monkeypatch, Roomy)
    monkeypatch.setattr(engines, "choose", lambda *wish: asked.append(wish[:3]) or Choice("mxnet", "cpu", "a test"))
    run = train(faces_folder, tmp_path / "run", steps=2)
    training.resume(run, {"steps": 3})
    training.resume(run, {"steps": 4, "engine": "pytorch"})
    training.resume(run, {"steps": 5, "threads": 1})
    assert asked == [("auto", "auto", None), ("mxnet", "cpu", 3), ("pytorch", "auto", 3), ("pytorch", "cpu", 1)]


def test_on_to_the_other_engine(mx, faces_folder, tmp_path, capsys):
    pytest.importorskip("torch")
    run = train(faces_folder, tmp_path / "run", steps=3, engine="mxnet", ngf=2, ndf=3)
    training.resume(run, {"steps": 5, "engine": "pytorch"})
    assert re.search(
        r"warning: from step 4 on not bit for bit .*engine: mxnet before, pytorch now", capsys.readouterr().err
    )
    training.resume(run, {"steps": 7, "engine": "mxnet"})
    assert [record["step"] for record in log(run) if "loss_d" in record] == [1, 2, 3, 4, 5, 6, 7]
    assert [entry["step"] for entry in config(run)["inexact"]] == [3, 5]


def test_the_configuration_comes_back_as_it_was(tiny, faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=2, checkpoint_minutes=3.5, seed=2**62)
    loaded = mxgan.config.load(run / "config.json")
    assert replace(loaded, data="", out=None) == mxgan.config.filled(
        mxgan.TrainConfig(
            recipe="gluon-tutorial",
            data="",
            size=32,
            latent=5,
            batch_size=8,
            steps=2,
            checkpoint_minutes=3.5,
            seed=2**62,
            precision="float32",
        )
    )
