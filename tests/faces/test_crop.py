"""Faces cut out of photographs: where they are is where they are cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mxgan import MxganError, cli
from mxgan.faces import crop as cropping
from mxgan.faces import imread, open_faces
from mxgan.faces.crop import crop, square

pytestmark = pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="OpenCV 5 has no cascades")


def head(side: int) -> np.ndarray:
    """A head as a cascade sees one: light skin, dark hair and eyes, a bright nose."""
    grey, scale = np.full((side, side), 230, np.float32), side / 200

    def blob(x: int, y: int, a: int, b: int, level: int) -> None:
        cv2.ellipse(grey, (int(x * scale), int(y * scale)), (int(a * scale), int(b * scale)), 0, 0, 360, level, -1)

    for x, y, a, b, level in (
        (100, 90, 78, 85, 60), (100, 108, 60, 78, 190),  # hair, face
        (75, 80, 17, 5, 90), (125, 80, 17, 5, 90), (75, 97, 16, 8, 80), (125, 97, 16, 8, 80),  # brows, sockets
        (75, 97, 6, 6, 30), (125, 97, 6, 6, 30), (100, 118, 8, 22, 210), (100, 138, 14, 4, 120),  # eyes, nose
        (100, 160, 26, 7, 100), (60, 125, 12, 14, 205), (140, 125, 12, 14, 205),  # mouth, cheeks
    ):  # fmt: skip
        blob(x, y, a, b, level)
    return np.repeat(cv2.GaussianBlur(grey, (0, 0), 3 * scale).clip(0, 255).astype(np.uint8)[..., None], 3, 2)


def photo(heads: dict[tuple[int, int], int], width: int = 800, height: int = 600) -> np.ndarray:
    """Heads of these sides at these places (left, top), on a wall."""
    image = np.full((height, width, 3), (225, 220, 210), np.uint8)
    for (left, top), side in heads.items():
        image[top : top + side, left : left + side] = head(side)
    return image


@pytest.fixture
def photos(tmp_path):
    """Three photographs, one of them in a folder and one without a face; and a bad file."""
    (tmp_path / "photos" / "more").mkdir(parents=True)
    for name, image in (
        ("one.png", photo({(100, 80): 200})),
        ("more/two.png", photo({(60, 200): 160, (480, 120): 260})),
        ("wall.png", photo({})),
    ):
        Image.fromarray(image).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "bad.jpg").touch()
    return tmp_path / "photos"


def test_faces_are_cut_where_they_are(photos, tmp_path):
    done = crop(photos, tmp_path / "out", progress=False)
    assert (done.faces, done.pictures, done.without) == (3, 2, ("wall.png",))
    assert [one.path for one in done.skipped] == ["bad.jpg"]
    names = ["more%2Ftwo.png-0.png", "more%2Ftwo.png-1.png", "one.png-0.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    whole = imread(photos / "one.png")
    face = imread(tmp_path / "out" / "one.png-0.png")
    side = len(face)
    assert face.shape == (side, side, 3) and 200 < side < 360
    left, top = 100 + 100 - side / 2, 80 + 110 - side / 2  # around the middle of the face
    _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(whole, face, cv2.TM_SQDIFF))
    assert np.array_equal(whole[y : y + side, x : x + side], face)
    assert abs(x - max(left, 0)) < 30 and abs(y - max(top, 0)) < 30
    assert len(open_faces(str(tmp_path / "out"), progress=False).images) == 3


def test_a_large_picture_is_searched_small_and_cut_large(tmp_path):
    (tmp_path / "photos").mkdir()
    Image.fromarray(photo({(900, 700): 800}, 3200, 2400)).save(tmp_path / "photos" / "a.png")
    assert crop(tmp_path / "photos", tmp_path / "out", progress=False).faces == 1
    (face,) = (tmp_path / "out").iterdir()
    assert 800 < len(imread(face)) < 1500


def test_small_faces_are_left(photos, tmp_path):
    assert crop(photos, tmp_path / "out", least=200, progress=False).faces == 1


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        ((100, 100, 100, 100), (60, 60, 180)),
        ((0, 0, 100, 100), (0, 0, 180)),  # moved into the picture
        ((500, 300, 100, 100), (420, 220, 180)),
        ((100, 50, 300, 300), (50, 0, 400)),  # as large as fits
    ],
)
def test_the_square_around_a_face(box, wanted):
    assert square(box, 600, 400) == wanted


def test_two_pictures_never_share_a_name():
    names = ["a/b.png", "a%2Fb.png", "a_b.png", "b.png", "a\\b.png"]
    assert len({cropping._stem(name) for name in names}) == 5


def test_the_command(photos, tmp_path):
    done = CliRunner().invoke(cli.program, ["faces", "crop", str(photos), str(tmp_path / "out")])
    assert done.exit_code == 0 and "3 faces in 2 pictures; 1 without one" in done.output
    assert "skipped: bad.jpg: is empty (0 bytes)" in done.output and done.output.endswith(f"{tmp_path / 'out'}\n")


def test_wrong_input_is_one_line(photos, tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    with pytest.raises(MxganError, match="there: is there already: name a new folder"):
        crop(photos, tmp_path / "there")
    with pytest.raises(MxganError, match=r"can't be written: .*bad\.jpg can't be made"):
        crop(photos, photos / "bad.jpg" / "out", progress=False)
    (tmp_path / "walls").mkdir()
    Image.fromarray(photo({})).save(tmp_path / "walls" / "a.png")
    with pytest.raises(MxganError, match="walls: no face found in 1 picture"):
        crop(tmp_path / "walls", tmp_path / "out", progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "there", "walls"]
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(MxganError, match=r"faces crop needs OpenCV 4, .*: pip install 'opencv-python-headless<5'"):
        crop(photos, tmp_path / "out")
