"""Where a run's files go: a folder of its own, checked before anything is made."""

import re

import numpy as np
import pytest
from PIL import Image
from processes import files_below

from mxgan import atomic, plots
from mxgan.config import TrainConfig
from mxgan.errors import MxganError
from mxgan.training import run_dir


def test_a_run_without_a_place_gets_one_named_by_time_and_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_dir.time, "strftime", lambda layout: "20260101-120000")
    made = [run_dir.create(TrainConfig(recipe="pytorch-anime")).path.as_posix() for _ in range(3)]
    name = "runs/20260101-120000-pytorch-anime"
    assert made == [name, f"{name}-2", f"{name}-3"]
    assert all((tmp_path / path / "samples").is_dir() for path in made)


def test_the_time_is_in_the_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert re.fullmatch(r"runs/\d{8}-\d{6}-mxgan", run_dir.create(TrainConfig()).path.as_posix())


def test_a_place_that_is_given_is_the_run_directory_itself(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (empty, tmp_path / "new" / "deep"):
        assert run_dir.create(TrainConfig(out=str(path))).path == path
        assert files_below(path) == ["samples"]


def test_an_empty_name_is_no_folder():
    with pytest.raises(MxganError, match="out '': no name of a folder; leave it out for a new one under runs/"):
        run_dir.create(TrainConfig(out=""))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("full", "out .*full': the folder isn't empty"),
        ("file", "out .*file': a file is there; give a new or an empty folder"),
        ("file/below", "out .*file/below': can't be written, since .*file is not a folder you may write to"),
        ("name" * 100, r"out .*(name){100}"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_and_left_alone(tmp_path, out, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = files_below(tmp_path)
    for refuse in (run_dir.check_out, lambda place: run_dir.create(TrainConfig(out=place))):
        with pytest.raises(MxganError, match=message):
            refuse(str(tmp_path / out))
    assert files_below(tmp_path) == before


def test_a_folder_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic.os, "access", lambda path, mode: False)
    with pytest.raises(MxganError, match="not a folder you may write to"):
        run_dir.check_out(str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MxganError, match="out 'runs': can't be written"):
        run_dir.check_out(None)


def test_pictures_are_grids_and_samples_are_numbered_by_step(tmp_path):
    run = run_dir.create(TrainConfig(out=str(tmp_path / "run")))
    images = np.random.RandomState(0).randint(0, 256, (5, 8, 8, 3)).astype(np.uint8)
    run.save_samples(94, images)
    run.save_samples(1_000_000, images)
    run.save_reals(images)
    run.save_curves()  # no log, no curves
    assert files_below(run.path) == ["reals.png", "samples", "samples/000094.png", "samples/1000000.png"]
    for name in ("reals.png", "samples/000094.png"):
        np.testing.assert_array_equal(np.asarray(Image.open(run.path / name)), plots.grid(images))


def test_weights_are_files_of_the_networks_names(tmp_path):
    from mxgan.weights import load_params

    run = run_dir.create(TrainConfig(out=str(tmp_path / "run")))
    run.save_weights({"netG": {"0.weight": np.ones((2, 3), np.float32)}, "netD": {"0.bias": np.zeros(4, np.float32)}})
    assert files_below(run.path) == ["netD.params", "netG.params", "samples"]
    assert load_params(run.path / "netG.params")["0.weight"].tolist() == [[1, 1, 1], [1, 1, 1]]


def test_only_one_process_trains_a_run(tmp_path):
    run = run_dir.create(TrainConfig(out=str(tmp_path / "run")))
    assert not run_dir.is_running(run)
    with run_dir.locked(run):
        assert run_dir.is_running(run)
        with pytest.raises(MxganError, match="another process is training this run"), run_dir.locked(run):
            pass
    assert not run_dir.is_running(run)


def test_json_files_are_read_back_or_refused_by_name(tmp_path):
    run = run_dir.create(TrainConfig(out=str(tmp_path / "run")))
    run.write_json("state.json", {"step": 3, "why": "größer"})
    assert run.read_json("state.json") == {"step": 3, "why": "größer"}
    for name, text in (("list.json", "[]"), ("torn.json", '{"step": '), ("none.json", None)):
        if text is not None:
            (run.path / name).write_text(text)
        with pytest.raises(MxganError, match=name.replace(".", r"\.")):
            run.read_json(name)
