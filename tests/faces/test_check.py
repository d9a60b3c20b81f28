"""`check` says which pictures can't be used and why, and which are there twice."""

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mxgan import MxganError, cli
from mxgan.faces import open_faces
from mxgan.faces.check import check
from mxgan.faces.painted import faces as painted


@pytest.fixture
def folder(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    (tmp_path / "b").mkdir()
    for name, image in (("a.png", 0), ("b/copy.bmp", 0), ("c.png", 1), ("d.webp", 0)):
        Image.fromarray(noise[image]).save(tmp_path / name, **({"lossless": True} if name == "d.webp" else {}))
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("hello")
    return tmp_path


def test_check_counts_and_names(folder, capfd):
    report = check(folder)
    assert report.to_json() == {
        "folder": str(folder),
        "files": 6,
        "usable": 4,
        "skipped": [
            {"path": "empty.jpg", "reason": "is empty (0 bytes)"},
            {"path": "text.png", "reason": "is not a JPEG, PNG, WebP, BMP or GIF that can be read"},
        ],
        "duplicates": [["a.png", "b/copy.bmp", "d.webp"]],
        "near": [],
    }
    assert json.loads(json.dumps(report.to_json())) == report.to_json()
    assert report.lines() == [
        f"{folder}: 6 files, 4 usable, 2 skipped, 2 duplicates, 0 near duplicates: 2 different pictures",
        "skipped: empty.jpg: is empty (0 bytes)",
        "skipped: text.png: is not a JPEG, PNG, WebP, BMP or GIF that can be read",
        "the same: a.png = b/copy.bmp = d.webp",
    ]
    assert capfd.readouterr() == ("", f"reading 6 faces: {folder}\n")


def test_pictures_are_read_as_a_training_would_read_them(tmp_path):
    wide = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    other = wide.copy()
    other[:, :8] = 0  # the middle is the same, the edge isn't
    for name, image in (("a.png", wide), ("b.png", other)):
        Image.fromarray(image).save(tmp_path / name)
    assert check(tmp_path, fit="crop", progress=False).duplicates == (("a.png", "b.png"),)
    assert check(tmp_path, fit="squash", progress=False).duplicates == ()
    squashed = CliRunner().invoke(cli.program, ["faces", "check", str(tmp_path), "--fit", "squash", "--size", "32"])
    assert f"{tmp_path}: 2 files, 2 usable, 0 skipped, 0 duplicates, 0 near duplicates\n" in squashed.output


def test_a_folder_of_broken_files_is_reported_not_refused(tmp_path):
    for i in range(30):
        (tmp_path / f"{i:02d}.jpg").touch()
    report = check(tmp_path, progress=False)
    assert (report.files, report.usable, len(report.skipped)) == (30, 0, 30)
    assert len(report.lines()) == 22 and report.lines()[-1] == "… and 10 more: --json has them all"


def test_a_folder_that_is_missing_or_has_no_picture(tmp_path):
    with pytest.raises(MxganError, match=r"^[^']*nowhere: there is no such folder or file; (give|did)"):
        check(tmp_path / "nowhere")
    with pytest.raises(MxganError, match="no picture in this folder"):
        check(tmp_path)


def test_near_duplicates_are_named(tmp_path, capfd):
    faces = painted(3, size=128)
    small = cv2.resize(faces[0], (60, 60), interpolation=cv2.INTER_AREA)
    for name, image in (
        ("a.png", faces[1]),
        ("b.png", faces[0]),
        ("c.png", small),
        ("d.png", faces[0]),
        ("e.png", faces[2]),
    ):
        Image.fromarray(image).save(tmp_path / name)
    report = check(tmp_path)
    assert (report.duplicates, report.near) == ((("b.png", "d.png"),), (("b.png", "c.png"),))
    assert report.lines() == [
        f"{tmp_path}: 5 files, 5 usable, 0 skipped, 1 duplicate, 1 near duplicate: 3 different pictures",
        "the same: b.png = d.png",
        "nearly the same: b.png ~ c.png",
    ]
    assert len(open_faces(str(tmp_path), unique=True).images) == 3
    for name in ("faces.npy", "faces.rec"):
        packed = CliRunner().invoke(cli.program, ["faces", "pack", str(tmp_path), str(tmp_path / name), "--unique"])
        assert packed.exit_code == 0 and "2 of 5 faces left out: duplicates" in capfd.readouterr().err + packed.output
        assert open_faces(str(tmp_path / name)).fingerprint == open_faces(str(tmp_path), unique=True).fingerprint


def test_no_room_for_thumbnails_is_one_line(tmp_path, monkeypatch):
    Image.fromarray(painted(1)[0]).save(tmp_path / "a.png")
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "a.png"))
    with pytest.raises(
        MxganError, match=r"a\.png/faces: no room for thumbnails: .*; set MXGAN_CACHE to another folder$"
    ):
        check(tmp_path)
