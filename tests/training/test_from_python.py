"""`mxgan.train` and `mxgan.resume` as one writes them in a notebook."""

from pathlib import Path

import pytest
import tiny_engine
from tiny_runs import outcome, train

import mxgan
from mxgan.errors import MxganError
from mxgan.training import start
from mxgan.weights.of_run import weights_file

TINY = {"recipe": "gluon-tutorial", "size": 32, "latent": 5, "batch_size": 8}


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    tiny_engine.install(monkeypatch)
    monkeypatch.chdir(tmp_path)


def test_settings_are_taken_as_keywords_and_the_data_by_itself(faces_folder, tmp_path):
    whole = outcome(train(faces_folder, tmp_path / "whole", steps=2))
    runs = [
        mxgan.train(data=str(faces_folder), out="a", steps=2, **TINY),
        mxgan.train(str(faces_folder), out=Path("b"), steps=2, **TINY),
        mxgan.train(faces_folder, out="c", steps=2, **TINY),
        mxgan.train(mxgan.TrainConfig(data=faces_folder, out="other", epochs=None, **TINY), out="d", steps=2),
    ]
    assert [run.path for run in runs] == [tmp_path / name for name in "abcd"]
    assert all(outcome(run.path) == whole for run in runs)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (["photos"], {"epoch": 1}, "epoch: no setting of a run; did you mean epochs?"),
        (["photos"], {"learning_rate": 1}, r"learning_rate: no setting of a run; did you mean lr_g and lr_d\?"),
        (["photos"], {"device": "cpu"}, r"device: no setting of a run; did you mean ctx\?"),
        ([], {"quality": 1}, "quality: no setting of a run; one of data, recipe, engine"),
        (["photos"], {"data": "painted"}, "data 'painted' and 'photos': give one of the two"),
        ([3], {}, r"train takes a TrainConfig, or data as in train\('photos'\), not int"),
        ([], {"size": 48}, "size 48: one of 32, 64, 128"),
    ],
)
def test_what_can_not_be_is_one_line(arguments, settings, message):
    with pytest.raises(MxganError, match=message):
        mxgan.train(*arguments, **settings)


def test_without_anything_it_is_the_default_run():
    assert start.asked(None, {}) == mxgan.TrainConfig()


def test_a_run_goes_on_by_path_by_name_and_as_it_was_returned(faces_folder, tmp_path):
    whole = outcome(mxgan.train(faces_folder, out="whole", steps=5, **TINY).path)
    run = mxgan.train(faces_folder, out="runs/faces", steps=2, **TINY)
    assert mxgan.resume("last", steps=3).step == 3
    assert mxgan.resume(run, steps=4).step == 4
    assert mxgan.resume("faces", steps=5).path == tmp_path / "runs" / "faces"
    assert outcome(run.path) == whole
    assert mxgan.resume("runs/faces").step == 5
    assert weights_file(run) == tmp_path / "runs/faces/netG.params"


def test_what_would_make_another_run_is_refused_and_what_only_looks_so_is_not(faces_folder):
    run = mxgan.train(faces_folder, out="run", steps=2, augment="color,cutout", **TINY)
    assert mxgan.resume(run, augment="cutout,color", steps=3).step == 3
    with pytest.raises(MxganError, match="augment: the run has color,cutout, you asked for translation"):
        mxgan.resume(run, augment="translation")
    with pytest.raises(MxganError, match=r"step: no setting of a run; did you mean steps\?"):
        mxgan.resume(run, step=5)
    with pytest.raises(MxganError, match="steps 'many': a whole number"):
        mxgan.resume(run, steps="many")
    with pytest.raises(MxganError, match=r"'steps': settings are given by name, as in resume\(run, steps=2000\)"):
        mxgan.resume(run, "steps")
