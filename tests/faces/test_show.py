"""`faces show`: what is said of a set is true of it, and the sheet shows the faces."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mxgan import MxganError, cli, rng
from mxgan.faces import open_faces
from mxgan.faces.painted import faces as painted
from mxgan.faces.show import BLURRY, blur, is_grey, show


def softened(face: np.ndarray, side: int) -> np.ndarray:
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (64, 64), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def folder(tmp_path):
    """Thirty faces: one grey, one soft, one tiny, one wide; and a bad file."""
    faces = [*painted(30)]
    faces[3] = np.repeat(cv2.cvtColor(faces[3], cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    faces[7] = softened(faces[7], 16)
    faces[11] = cv2.resize(faces[11], (40, 30), interpolation=cv2.INTER_AREA)
    faces[13] = cv2.resize(faces[13], (200, 90), interpolation=cv2.INTER_CUBIC)
    (tmp_path / "set").mkdir()
    for i, face in enumerate(faces):
        Image.fromarray(face).save(tmp_path / "set" / f"{i:02}.png")
    (tmp_path / "set" / "bad.jpg").touch()
    return tmp_path / "set"


def test_what_is_said_is_true(folder, tmp_path):
    survey = show(folder, tmp_path / "sheet.png", progress=False)
    found = survey.to_json()
    assert json.loads(json.dumps(found)) == found
    assert (found["files"], found["usable"], found["skipped"]) == (31, 30, 1)
    assert found["width"] == {"min": 40, "median": 64, "max": 200}
    assert found["height"] == {"min": 30, "median": 64, "max": 90}
    assert (found["colour"], found["grey"], found["enlarged"]) == (29, 1, 1)
    assert found["smallest"] == [{"path": "11.png", "width": 40, "height": 30}]
    assert (
        found["blurriest"][0]["path"] == "07.png" and found["blurriest"][0]["blur"] >= BLURRY and found["blurry"] >= 1
    )
    assert len(found["blurriest"]) == 10 and found["oddest"] is None
    assert survey.lines()[0] == f"{folder}: 31 files, 30 usable, 1 skipped"
    assert "width and height: median 64×64, from 40×30 to 200×90; 1 are shorter than 64 and enlarged" in survey.lines()
    assert "smallest: 11.png 40×30" in survey.lines()


def test_the_sheet_shows_the_faces_at_random(folder, tmp_path):
    show(folder, tmp_path / "sheet.png", n=16, seed=5, progress=False)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    images = open_faces(str(folder), progress=False).images
    for place, i in enumerate(rng.order(5, 0, 30)[:16]):
        assert np.array_equal(sheet[26 : 26 + 64, 2 + 66 * place :][:, :64], images[i])
    show(folder, tmp_path / "again.png", n=16, seed=5, progress=False)
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "sheet.png").read_bytes()
    show(folder, tmp_path / "other.png", n=16, seed=6, progress=False)
    assert (tmp_path / "other.png").read_bytes() != (tmp_path / "sheet.png").read_bytes()


def test_fewer_faces_than_asked_for(folder, tmp_path):
    show(folder, tmp_path / "sheet.png", n=1000, size=32, progress=False)
    assert np.asarray(Image.open(tmp_path / "sheet.png")).shape[1] == 16 * 34 + 2


def test_blur_grows_with_blurring():
    """From sharp to soft, as a face made smaller and enlarged again: each step is blurrier, on every face."""
    steps = [[blur(softened(face, side)) for face in painted(40)] for side in (64, 32, 24, 16, 8)]
    assert (np.diff(np.array(steps), axis=0) > 0).all()
    assert max(steps[0]) < BLURRY < min(steps[3])
    assert blur(np.full((64, 64, 3), 9, np.uint8)) == 1 and 0 <= min(map(min, steps)) <= max(map(max, steps)) <= 1


def test_blur_is_the_published_measure():
    """The formulas of Crete et al., written out for each direction."""
    face = softened(painted(1)[0], 40)
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(float)
    scores = []
    for picture in (grey, grey.T):  # down its columns
        blurred = np.stack([np.pad(picture, ((4, 4), (0, 0)), "reflect")[i : i + 9].mean(0) for i in range(64)])
        before = np.abs(picture[1:] - picture[:-1])
        left = np.maximum(0, before - np.abs(blurred[1:] - blurred[:-1]))
        scores.append((before.sum() - left.sum()) / before.sum())
    assert abs(scores[0] - scores[1]) > 0.005  # so that the greater one counts
    assert blur(face) == pytest.approx(max(scores), abs=1e-5)


def test_grey():
    face = painted(1)[0]
    grey = np.repeat(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    assert is_grey(grey) and not is_grey(face)
    assert is_grey(np.clip(np.add(grey, [0, 1, 3], dtype=int), 0, 255).astype(np.uint8))  # a scan's slight tint


def test_the_command(folder, tmp_path, monkeypatch):
    pytest.importorskip("efficientnet_lite_pytorch")
    monkeypatch.chdir(tmp_path)
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::8] = 255
    Image.fromarray(stripes).save(folder / "99 stripes.png")
    done = CliRunner().invoke(cli.program, ["faces", "show", str(folder), "--json"])
    found = json.loads(done.output[done.output.index("{") :])
    assert found["sheet"] == "sheet.png" and len(found["oddest"]) == 10
    assert {one["path"] for one in found["oddest"][:2]} == {"07.png", "99 stripes.png"}  # the soft face is one of them
    distances = [one["distance"] for one in found["oddest"]]
    assert distances == sorted(distances, reverse=True) and Image.open("sheet.png").size[0] > 1000


def test_without_metrics_the_rest_is_there(folder, tmp_path, monkeypatch):
    from mxgan.metrics import extractors

    monkeypatch.setitem(extractors.PACKAGES, "efficientnet-lite0", ("no_such_package",))
    done = CliRunner().invoke(cli.program, ["faces", "show", str(folder), "--out", str(tmp_path / "s.png"), "--json"])
    assert "the oddest faces are left out: " in done.output and "metrics]'" in done.output
    assert json.loads(done.output[done.output.index("{") :])["oddest"] is None and (tmp_path / "s.png").exists()


def test_wrong_input_is_one_line(folder, tmp_path):
    with pytest.raises(MxganError, match=r"out .*sheet\.jpg': pictures are written as \.png"):
        show(folder, tmp_path / "sheet.jpg")
    with pytest.raises(MxganError, match=r"can't be written, since .*00.png is not a folder you may write to"):
        show(folder, folder / "00.png" / "sheet.png", progress=False)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").touch()
    with pytest.raises(MxganError, match="broken: of its 1 picture none can be used"):
        show(tmp_path / "broken", tmp_path / "sheet.png", progress=False)
    assert not list(tmp_path.glob("*.png"))
