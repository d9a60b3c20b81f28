"""Training without duplicates: what is left out stays left out, on resume and in the run's own evaluation."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from processes import TINY, mxgan

from mxgan import MxganError, TrainConfig
from mxgan.config import from_json, to_json
from mxgan.faces import open_faces, survey


@pytest.fixture
def twice(faces_folder, tmp_path):
    """The tests' 24 faces, each there twice."""
    for name in ("a", "b"):
        shutil.copytree(faces_folder, tmp_path / "twice" / name)
    return tmp_path / "twice"


def test_train_and_resume_and_evaluate(mx, twice, faces_folder, tmp_path):
    command = ["train", "--data", twice, *TINY, "--unique", "--steps", 2, "--evaluate-every", 0, "--threads", 1]
    run = mxgan(*command, "--out", tmp_path / "run")
    assert run.returncode == 0 and "24 of 48 faces left out: duplicates" in run.stderr
    written = json.loads((tmp_path / "run" / "config.json").read_text())
    assert written["unique"] is True and written["faces"]["count"] == written["faces"]["duplicates"] == 24
    assert written["faces"]["fingerprint"] == open_faces(str(faces_folder), 32).fingerprint
    again = mxgan("train", "--resume", tmp_path / "run", "--steps", 4)
    assert again.returncode == 0 and "24 of 48 faces left out: duplicates" in again.stderr
    scores = mxgan("evaluate", "--run", tmp_path / "run", "--n", 8, "--metrics", "swd", "--json")
    assert scores.returncode == 0 and not any("has changed" in line for line in json.loads(scores.stdout)["warnings"])
    other = mxgan("train", "--resume", tmp_path / "run", "--data", faces_folder, "--steps", 5)
    assert other.returncode == 0  # the same faces, without duplicates from the start


def test_it_is_another_run(mx, twice, tmp_path):
    run = mxgan("train", "--data", twice, *TINY, "--steps", 1, "--evaluate-every", 0, "--out", tmp_path / "run")
    assert (
        run.returncode == 0 and "duplicates" not in json.loads((tmp_path / "run" / "config.json").read_text())["faces"]
    )
    changed = mxgan("train", "--resume", tmp_path / "run", "--unique")
    assert changed.returncode == 2 and "unique: the run has False, you asked for True" in changed.stderr


def test_a_configuration_without_it_is_one_with_duplicates():
    values = to_json(TrainConfig(unique=True))
    assert from_json(values).unique is True
    del values["unique"]
    assert from_json(values).unique is False
    with pytest.raises(MxganError, match="unique 1: one of False, True"):
        TrainConfig(unique=1)


def test_the_faces_are_those_of_a_packed_set(twice, tmp_path):
    np.save(tmp_path / "a.npy", open_faces(str(twice), 32).images)
    assert (
        open_faces(str(tmp_path / "a.npy"), 32, unique=True).fingerprint
        == open_faces(str(twice), 32, unique=True).fingerprint
    )


@pytest.mark.parametrize("kind", ["folder", "zip", "npy"])
def test_a_dry_run_counts_the_same_faces_and_keeps_nothing(twice, tmp_path, monkeypatch, kind):
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "cache"))
    data = str(twice)
    if kind == "zip":
        data = shutil.make_archive(str(tmp_path / "twice"), "zip", twice)
    elif kind == "npy":
        np.save(tmp_path / "twice.npy", np.repeat(open_faces(data, 32).images, 2, 0))
        data = str(tmp_path / "twice.npy")
        shutil.rmtree(tmp_path / "cache")
    found = survey(data, 32, unique=True)
    assert not list((tmp_path / "cache").rglob("*.npy")) and found.fingerprint == ""
    opened = open_faces(data, 32, unique=True)
    assert (len(found.images), found.duplicates) == (len(opened.images), opened.duplicates)
    assert len(survey(data, 32).images) == len(open_faces(data, 32).images) > len(opened.images)
    assert survey(data, 32).fingerprint == open_faces(data, 32).fingerprint
