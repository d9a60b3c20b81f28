"""What a dry run decides and refuses, and that it leaves nothing behind."""

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_engine
from processes import files_below
from tiny_runs import train

import mxgan
from mxgan.config import TrainConfig
from mxgan.errors import MxganError
from mxgan.training import dry_run


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path) -> Path:
    """A folder that holds all that could be written, the cache too."""
    tiny_engine.install(monkeypatch)
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wanted(**settings) -> TrainConfig:
    return TrainConfig(**{"recipe": "gluon-tutorial", "size": 32, "latent": 5, "batch_size": 8, **settings})


@pytest.mark.parametrize(
    ("length", "comes_to"),
    [({"epochs": 4}, (4, 12)), ({"steps": 4}, (2, 4)), ({}, (10, 30))],
    ids=["epochs", "steps", "the recipe's"],
)
def test_it_says_what_the_run_then_is(faces_folder, here, length, comes_to):
    config = wanted(data=str(faces_folder), out="run", **length)
    values, _ = dry_run.of_train(config)
    assert files_below(here) == []  # nothing packed either
    assert (values["epochs"], values["steps"]) == comes_to
    assert values["faces"] == {"count": 24, "skipped": 0}
    assert (values["engine"], values["ctx"], values["threads"], values["step"]) == ("mxnet", "cpu", 1, 0)
    if comes_to[1] > 12:
        return
    run = mxgan.train(config)
    assert run.step == comes_to[1]
    written = json.loads((run.path / "config.json").read_text())
    told = {name: value for name, value in values.items() if name not in ("engine", "ctx", "threads", "step", "faces")}
    assert told == {**{name: written[name] for name in told}, "epochs": comes_to[0], "steps": comes_to[1]}
    assert {name: written["ran_on"][name] for name in ("engine", "ctx")} == {"engine": "mxnet", "ctx": "cpu"}


def test_files_that_cannot_be_used_are_not_counted(faces_folder, here):
    folder = here / "faces"
    folder.mkdir()
    for picture in faces_folder.iterdir():
        (folder / picture.name).write_bytes(picture.read_bytes())
    (folder / "empty.png").write_bytes(b"")
    before = files_below(here)
    values, _ = dry_run.of_train(wanted(data="faces", epochs=1))
    assert values["faces"] == {"count": 24, "skipped": 1}
    assert files_below(here) == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"data": "nosuch"}, "data 'nosuch': there is no such folder or file"),
        ({"data": "painted:7"}, "batch_size 8: larger than the data, which has 7 faces"),
        ({"data": "painted:8", "weights": "no.params"}, "no.params: there is no such file"),
        ({"data": "painted:8", "out": "taken"}, "out 'taken': the folder isn't empty"),
        ({"data": "painted:8", "finish": 0.01, "steps": 8}, "finish 0.01: of 8 steps that is none"),
    ],
)
def test_it_refuses_what_the_run_would(here, settings, said):
    (here / "taken").mkdir()
    (here / "taken" / "a.txt").write_text("")
    with pytest.raises(MxganError) as error:
        dry_run.of_train(wanted(**settings))
    assert said in str(error.value)
    assert files_below(here) == ["taken", "taken/a.txt"]
    with pytest.raises(MxganError) as real:
        mxgan.train(wanted(**settings))
    assert str(real.value) == str(error.value)


def test_of_a_resume_it_says_where_that_goes_on(faces_folder, here):
    run = train(faces_folder, here / "run", steps=2)
    before = files_below(here)
    values, _ = dry_run.of_resume(run, {"steps": 7})
    assert (values["step"], values["steps"], values["epochs"]) == (2, 7, 3)
    np.save(here / "other.npy", np.zeros((24, 32, 32, 3), np.uint8))
    with pytest.raises(MxganError, match=r"data 'other\.npy': not the faces that the run began with"):
        dry_run.of_resume(run, {"data": "other.npy"})
    with pytest.raises(MxganError, match="that is another run"):
        dry_run.of_resume(run, {"latent": 6})
    (here / "other.npy").unlink()
    assert files_below(here) == before


def test_of_a_resume_the_faces_are_compared_even_where_they_are_not_packed(faces_folder, here, monkeypatch):
    run = train(faces_folder, here / "run", steps=2)
    moved = here / "moved"
    moved.mkdir()
    for picture in faces_folder.iterdir():
        (moved / picture.name).write_bytes(picture.read_bytes())
    monkeypatch.setenv("MXGAN_CACHE", str(here / "another"))
    assert dry_run.of_resume(run, {"data": str(moved), "steps": 3})[0]["step"] == 2
    (moved / "00.png").unlink()
    with pytest.raises(MxganError, match=r"24 then, .* 23 now"):
        dry_run.of_resume(run, {"data": str(moved)})
    assert not (here / "another").exists()


def test_the_cpu_has_no_tf32_and_config_json_says_so(faces_folder, here):
    run = train(faces_folder, here / "run", steps=1, precision="tf32")
    assert json.loads((run / "config.json").read_text())["precision"] == "float32"
    assert mxgan.resume(run, steps=2).step == 2
