"""Features of real faces: chosen by seed, computed once, kept by fingerprint and extractor."""

import dataclasses
import os
from dataclasses import dataclass, field

import numpy as np
import pytest

from mxgan.errors import MxganError
from mxgan.faces import Faces
from mxgan.metrics import reals


@dataclass
class Means:
    """An extractor whose features are a face's mean colours; counts what it is given."""

    name: str = "means"
    input_size: int = 8
    resize: str = "none"
    length: int = 3
    weights: str = "none"
    batches: list = field(default_factory=list)

    def features(self, images):
        self.batches.append(len(images))
        return images.mean(axis=(1, 2), dtype=np.float32)


@pytest.fixture
def faces(tmp_path, monkeypatch) -> Faces:
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "cache"))
    images = np.random.RandomState(0).randint(0, 256, (150, 8, 8, 3)).astype(np.uint8)
    return Faces(images, "the fingerprint", "faces", ())


def test_chosen_faces_are_in_the_seeds_order_none_twice(faces):
    chosen = reals.choose(faces, 100, seed=3)
    assert len(set(chosen.order)) == 100
    np.testing.assert_array_equal(reals.choose(faces, 50, 3).order, chosen.order[:50])
    assert not np.array_equal(reals.choose(faces, 100, 4).order, chosen.order)
    assert [len(batch) for batch in chosen.batches(30, 70)] == [64, 6]
    np.testing.assert_array_equal(np.concatenate([*chosen.batches(30, 70)]), faces.images[chosen.order[30:]])


def test_features_are_computed_once(faces):
    chosen, extractor = reals.choose(faces, 150, 0), Means()
    first = reals.features(chosen, extractor, progress=False)
    np.testing.assert_allclose(first, faces.images[chosen.order].mean(axis=(1, 2)), rtol=1e-6)
    assert extractor.batches == [64, 64, 22]
    np.testing.assert_array_equal(reals.features(chosen, extractor, progress=False), first)
    assert extractor.batches == [64, 64, 22]


@pytest.mark.parametrize("change", [{"name": "other"}, {"input_size": 9}, {"weights": "others"}, {"resize": "area"}])
def test_another_protocol_is_computed_anew(faces, change):
    reals.features(reals.choose(faces, 10, 0), Means(), progress=False)
    other = dataclasses.replace(Means(), **change)
    reals.features(reals.choose(faces, 10, 0), other, progress=False)
    assert other.batches == [10]


def test_other_faces_are_computed_anew(faces):
    for wanted in (
        reals.choose(faces, 10, 0),
        reals.choose(faces, 11, 0),
        reals.choose(faces, 10, 1),
        reals.choose(dataclasses.replace(faces, fingerprint="another"), 10, 0),
    ):
        extractor = Means()
        reals.features(wanted, extractor, progress=False)
        assert sum(extractor.batches) == len(wanted.order)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-5], lambda data: data[:40], lambda data: b"", lambda data: b"x"]
)
def test_a_damaged_cache_is_made_anew(faces, tmp_path, damage):
    chosen = reals.choose(faces, 10, 0)
    whole = reals.features(chosen, Means(), progress=False)
    (file,) = (tmp_path / "cache" / "features").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    np.testing.assert_array_equal(reals.features(chosen, Means(), progress=False), whole)
    assert os.listdir(file.parent) == [file.name]


def test_a_cache_that_cannot_be_is_one_line(faces, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "file"))
    with pytest.raises(MxganError, match="set MXGAN_CACHE to another folder"):
        reals.features(reals.choose(faces, 10, 0), Means(), progress=False)


def test_features_that_are_not_finite_are_refused(faces):
    with pytest.raises(MxganError, match="means: features that are NaN or infinite"):
        reals.collect([np.full((2, 8, 8, 3), np.nan)], 2, Means(), "title", progress=False)
