"""A run's samples as a video: in order, each for its time, the step in the corner."""

import json
import os

import numpy as np
import pytest
import tiny_engine
from PIL import Image
from processes import files_below
from tiny_runs import train

from mxgan import plots
from mxgan.errors import MxganError, SettingError
from mxgan.training import film
from mxgan.training.run import Run
from mxgan.training.run_dir import RunDir


@pytest.fixture
def run(monkeypatch, faces_folder, tmp_path) -> RunDir:
    """A run of four epochs, three steps each; its samples have one colour each: 30, 60, 90, 120."""
    tiny_engine.install(monkeypatch)
    made = RunDir(train(faces_folder, tmp_path / "run", epochs=4))
    assert files_below(made.path / "samples") == ["000003.png", "000006.png", "000009.png", "000012.png"]
    for index in range(4):
        made.save_samples(3 * (index + 1), np.full((9, 64, 64, 3), 30 * (index + 1), np.uint8))
    return made


def frames(path) -> list[tuple[int, int]]:
    """The grey, to the nearest ten, and the milliseconds of each frame of a GIF."""
    found = []
    with Image.open(os.fspath(path)) as gif:
        for frame in range(gif.n_frames):
            gif.seek(frame)
            colour = int(np.asarray(gif.convert("RGB"))[20, 150, 0])
            found.append((round(colour, -1), gif.info["duration"]))  # a palette is near, not exact
    return found


def test_each_sample_is_shown_as_long_as_the_others_and_the_last_longer(run, tmp_path):
    made = film.of_run(run, tmp_path / "film.gif", seconds=2, fps=10, hold_last=1.5)
    assert frames(made) == [(30, 500), (60, 500), (90, 500), (120, 2000)]
    assert (made.pictures, made.seconds, made.note) == (35, 3.5, "")
    assert (made.width, made.height) == (200, 200)


def test_the_usual_length(run, tmp_path):
    assert film.of_run(run, tmp_path / "film.gif").seconds == pytest.approx(4 * 0.4 + 2)
    for step in range(100, 180):
        run.save_samples(step, np.full((9, 64, 64, 3), step, np.uint8))
    assert film.of_run(run, tmp_path / "film.gif", fps=5).seconds == 22


def test_where_there_are_fewer_frames_than_samples_it_is_said(run, tmp_path):
    made = film.of_run(run, tmp_path / "film.gif", seconds=1, fps=3, hold_last=0)
    assert [colour for colour, _ in frames(made)] == [30, 90, 120]  # the first, the last, and one between
    assert made.note == "1 sample left out: more seconds, or a higher fps, shows all"


def test_samples_are_in_the_order_of_their_steps(run, tmp_path):
    run.save_samples(1_000_000, np.full((9, 64, 64, 3), 200, np.uint8))  # sorts before 000003 by its name
    (run.path / "samples" / "000012.png").rename(run.path / "samples" / "notes.png")  # somebody's own
    made = film.of_run(run, tmp_path / "film.gif", 2, 10, 0)
    assert [colour for colour, _ in frames(made)] == [30, 60, 90, 200]


def test_step_and_epoch_stand_in_the_corner(run, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(plots, "captioned", lambda image, texts: told.append(texts) or image)
    (run.path / "log.jsonl").write_text(
        "".join(json.dumps({"step": step, "epoch": (step + 2) // 3, "score": 1.0}) + "\n" for step in (3, 6, 12))
    )
    film.of_run(run, tmp_path / "film.gif")
    assert told == [
        ["epoch 1, step 3", "step 3", "3"],
        ["epoch 2, step 6", "step 6", "6"],
        ["step 9", "9"],  # of which the log says nothing
        ["epoch 4, step 12", "step 12", "12"],
    ]


def test_a_video_from_python(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = Run(run.path, 12, steps=12).video("films/training.gif", seconds=2, fps=10)
    assert frames("films/training.gif")[-1] == (120, 2500)
    assert shown._repr_html_().startswith('<img src="data:image/gif;base64,R0lGOD')
    pytest.importorskip("av")
    assert '<video src="data:video/mp4;base64,' in Run(run.path, 12, steps=12).video()._repr_html_()
    assert files_below(tmp_path / "films") == ["training.gif"] and (tmp_path / "training.mp4").is_file()


def test_too_few_samples_are_refused(run, tmp_path):
    for step in (3, 6, 9):
        (run.path / "samples" / f"{step:06d}.png").unlink()
    with pytest.raises(MxganError, match="run: one picture of samples is no video; train another epoch"):
        film.of_run(run, tmp_path / "film.gif")
    (run.path / "samples" / "000012.png").unlink()
    with pytest.raises(MxganError, match="run: no samples yet; they come with the end of its first epoch"):
        film.of_run(run, tmp_path / "film.gif")
    assert not (tmp_path / "film.gif").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fps": 0}, "fps 0: pictures a second"),
        ({"seconds": 0}, "seconds 0: a number above 0, at most 3600"),
        ({"seconds": 0.05}, "seconds 0.05: too short at fps 25: two frames at least are wanted"),
        ({"hold_last": -1}, "hold_last -1: seconds, from 0 to 3600"),
    ],
)
def test_settings_that_cannot_be(run, tmp_path, settings, message):
    with pytest.raises(SettingError, match=message):
        film.of_run(run, tmp_path / "film.gif", **settings)
    assert not (tmp_path / "film.gif").exists()


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n", "half", "other size"])
def test_a_sample_that_is_no_picture_is_named_and_nothing_is_left(run, tmp_path, damage):
    sample = run.path / "samples" / "000009.png"
    whole = sample.read_bytes()
    if damage == "other size":
        run.save_samples(9, np.zeros((9, 32, 32, 3), np.uint8))
    else:
        sample.write_bytes(whole[: len(whole) // 2] if damage == "half" else damage)
    with pytest.raises(MxganError, match=r"000009\.png: not a picture that can be read|one size is wanted"):
        film.of_run(run, tmp_path / "film.gif")
    assert [name for name in files_below(tmp_path) if "film" in name or ".tmp" in name] == []
