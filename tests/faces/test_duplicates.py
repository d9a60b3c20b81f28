"""Near duplicates: pairs made by hand are found, pictures that are merely alike are not."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from mxgan.faces import duplicates, open_faces, transform
from mxgan.faces.duplicates import Album, look, thumbnail
from mxgan.faces.painted import faces as painted

ORIGINALS = painted(40, size=128)


def encoded(image: np.ndarray, quality: int) -> np.ndarray:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out))


def scaled(image: np.ndarray, factor: float) -> np.ndarray:
    side = int(len(image) * factor)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


VARIANTS = {
    "half the size": lambda image: scaled(image, 0.5),
    "double the size": lambda image: scaled(image, 2),
    "JPEG of quality 30": lambda image: encoded(image, 30),
    "smaller and JPEG of quality 60": lambda image: encoded(scaled(image, 0.6), 60),
    "a pixel to the left": lambda image: image[:, 1:],
    "a pixel up, of the small picture": lambda image: transform(image)[1:],
    "a pixel to each side": lambda image: image[1:, :-1],
}


def found(images: list[np.ndarray]) -> duplicates.Duplicates:
    album, different = Album(), []
    for i, image in enumerate(images):
        if album.add(look(image)):
            different.append(i)
    return album.duplicates(lambda k: thumbnail(images[different[k]]))


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("kind", VARIANTS)
def test_hand_made_pairs_are_found(kind, size):
    firsts = [transform(image, size) for image in ORIGINALS]
    seconds = [transform(np.ascontiguousarray(VARIANTS[kind](image)), size) for image in ORIGINALS]
    copies = found(firsts + seconds)
    assert copies.original.tolist() == [*range(40), *range(40)]


def test_pictures_that_are_alike_are_not_duplicates():
    """Painted faces share one form; mirrored, in other colours or cropped closer, a face is another picture."""
    faces = [*painted(300)]
    others = [face[:, ::-1] for face in faces[:40]]
    others += [face[..., ::-1] for face in faces[:40] if np.ptp(face.mean((0, 1))) > 20]
    others += [transform(np.ascontiguousarray(face[:48, 8:56])) for face in faces[:40]]
    copies = found([*faces, *others])
    assert (copies.original == np.arange(len(faces) + len(others))).all()


def test_equal_pictures_are_told_from_near_ones():
    one, other = transform(ORIGINALS[0]), transform(ORIGINALS[1])
    copies = found([other, one, one, transform(encoded(ORIGINALS[0], 50)), other, one])
    assert copies.equal.tolist() == [0, 1, 1, 3, 0, 1]
    assert copies.original.tolist() == [0, 1, 1, 1, 0, 1]
    assert copies.kept.tolist() == [0, 1]


def test_likeness_does_not_wander_along_a_chain():
    """Each is like the next, the last unlike the first: a duplicate is always one of a face that is kept."""
    chain = [transform(np.ascontiguousarray(ORIGINALS[3][:, 2 * i :])) for i in range(12)]
    copies = found(chain)
    assert copies.original[1] == 0 and copies.original[11] != 0
    for i, first in enumerate(copies.original):
        assert copies.original[first] == first
        assert first == i or duplicates.alike(chain[first], chain[i])


def test_pictures_of_one_colour():
    flat = [np.full((64, 64, 3), level, np.uint8) for level in (0, 100, 101, 200, 100)]
    assert found(flat).equal.tolist() == [0, 1, 2, 3, 1]
    assert found(flat).original[3] == 3 and found(flat).original[0] == 0


def test_more_than_a_block_of_them(monkeypatch):
    """Whatever the size of a block, the same are found."""
    firsts = [transform(image) for image in ORIGINALS]
    images = [*firsts, *[transform(scaled(image, 0.5)) for image in ORIGINALS], *firsts[::-1]]
    whole = found(images).original.tolist()
    monkeypatch.setattr(duplicates, "BLOCK", 7)
    assert found(images).original.tolist() == whole == [*range(40), *range(40), *range(39, -1, -1)]


def test_the_signs_are_those_of_imagehash():
    imagehash = pytest.importorskip("imagehash")
    for face in painted(60):
        grey = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
        assert np.array_equal(imagehash.phash(Image.fromarray(grey)).hash.ravel(), look(face).signs)


def test_no_face_at_all():
    assert found([]).kept.tolist() == []


@pytest.fixture
def folder(tmp_path):
    """Six files of three pictures, and a bad one."""
    for name, image in (
        ("a.png", ORIGINALS[0]), ("b.png", ORIGINALS[1]), ("c.png", ORIGINALS[0]), ("d.png", scaled(ORIGINALS[1], 0.5)),
        ("e.png", ORIGINALS[2]), ("f.png", scaled(ORIGINALS[0], 0.7)),
    ):  # fmt: skip
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "bad.png").touch()
    return tmp_path


def test_open_faces_without_duplicates(folder, capfd):
    every, unique = open_faces(folder), open_faces(folder, unique=True)
    assert np.array_equal(unique.images, every.images[[0, 1, 4]])
    assert (unique.duplicates, every.duplicates) == (3, 0) and unique.skipped == every.skipped
    assert unique.fingerprint != every.fingerprint and isinstance(unique.images, np.memmap)
    assert "3 of 6 faces left out: duplicates" in capfd.readouterr().err
    again = open_faces(folder, unique=True)
    assert again.fingerprint == unique.fingerprint
    assert capfd.readouterr().err == "3 of 6 faces left out: duplicates\n"
    (folder / "e.png").unlink()
    assert len(open_faces(folder, unique=True, progress=False).images) == 2
