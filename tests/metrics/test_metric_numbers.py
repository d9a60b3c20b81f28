"""The limits of the metrics: how many subsets, pairs and pixels, and the smallest sets that have a number."""

import sys

import numpy as np
import pytest

from mxgan import rng
from mxgan.errors import MissingPackage, MxganError
from mxgan.faces import Faces
from mxgan.metrics import fd, kid, msssim, prdc, reals, swd


def test_two_features_are_enough_for_a_covariance():
    fitted = fd.fit(np.array([[0.0, 1.0], [2.0, 1.0]]))
    assert fitted.mean.tolist() == [1, 1]
    assert fitted.covariance.tolist() == [[2, 0], [0, 0]]


def test_a_frechet_distance_is_never_negative():
    for seed in range(20):  # unclipped, rounding makes some of these negative
        one = fd.fit(np.random.RandomState(seed).normal(size=(40, 12)))
        assert 0 <= fd.distance(one, one) < 1e-9


def test_the_kernel_distance_is_of_20_subsets_of_1000_different_features(monkeypatch):
    subsets = []
    monkeypatch.setattr(kid, "mmd2", lambda x, y: subsets.append((x, y)) or len(subsets))
    real, fake = np.arange(1500.0)[:, None], np.arange(1200.0)[:, None]
    assert kid.distance(real, fake) == 10.5  # the mean of 1 to 20
    assert len(subsets) == 20
    assert all(len(np.unique(side)) == len(side) == 1000 for subset in subsets for side in subset)


def test_ms_ssim_compares_the_first_2000_images(monkeypatch):
    pairs = []
    monkeypatch.setattr(msssim, "msssim", lambda one, other: pairs.append((one[0], other[0])) or 0.5)
    assert msssim.diversity(np.arange(2100)[:, None]) == 0.5
    assert (len(pairs), pairs[0], pairs[-1]) == (1000, (0, 1), (1998, 1999))


@pytest.mark.parametrize("shape", [(32, 64), (64, 32)])
def test_ms_ssim_of_an_oblong_image_is_that_of_its_transpose(shape):
    random = np.random.RandomState(0)
    one, other = random.randint(0, 256, (2, *shape, 3)).astype(np.uint8)
    turned = msssim.msssim(one.swapaxes(0, 1), other.swapaxes(0, 1))
    assert msssim.msssim(one, other) == pytest.approx(turned, rel=1e-9)


def test_precision_and_recall_need_six_features():
    sets = [np.random.RandomState(0).normal(size=(n, 2)) for n in (3, 5, 6)]
    for few in sets[:2]:
        with pytest.raises(MxganError, match=f"{len(few)} features in a set; at least 6"):
            prdc.prdc(few, sets[2])
    pytest.importorskip("sklearn")
    assert set(prdc.prdc(sets[2], sets[2])) == {"precision", "recall", "density", "coverage"}
    assert prdc.LEAST == 6


def test_a_feature_on_the_very_edge_of_a_ball_is_outside():
    """With k = 1 each ball of the real line 0, 1, 2, 3 reaches to the next number, where the generated ones lie."""
    pytest.importorskip("sklearn")
    real, fake = np.array([[0.0], [1], [2], [3]]), np.array([[4.0], [4], [4], [4]])
    assert prdc.prdc(real, fake, k=1) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.neighbors", None)
    with pytest.raises(MissingPackage, match="scikit-learn"):
        prdc.searcher()


class Means:
    """An extractor whose features are a face's mean colours."""

    name, input_size, resize, length, weights = "means", 8, "none", 3, "none"

    def __init__(self) -> None:
        self.seen = 0

    def features(self, images):
        self.seen += len(images)
        return images.mean((1, 2), dtype=np.float32)


@pytest.fixture
def faces(tmp_path, monkeypatch) -> Faces:
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "cache"))
    return Faces(np.random.RandomState(0).randint(0, 256, (20, 8, 8, 3)).astype(np.uint8), "a fingerprint", "f", ())


def test_faces_are_chosen_in_the_order_of_the_first_epoch(faces):
    np.testing.assert_array_equal(reals.choose(faces, 12, 3).order, rng.order(3, 0, 20)[:12])


@pytest.mark.parametrize("other", [lambda array: array.astype(float), lambda array: array[:9], lambda array: array.T])
def test_kept_features_of_another_dtype_or_shape_are_made_anew(faces, tmp_path, other):
    chosen = reals.choose(faces, 10, 0)
    right = reals.features(chosen, Means(), progress=False)
    (file,) = tmp_path.rglob("*.npy")
    np.save(file, other(right))
    again = Means()
    found = reals.features(chosen, again, progress=False)
    assert (again.seen, found.dtype) == (10, np.float32)
    np.testing.assert_array_equal(found, right)


def test_the_name_that_features_are_kept_under_stays_what_it_is(faces, tmp_path):
    """Else every user's features would be computed once more."""
    reals.features(reals.choose(faces, 10, 0), Means(), progress=False)
    assert [file.name for file in tmp_path.rglob("*.npy")] == ["b6ba400fb8749b2cb30c12c035a01f39.npy"]


def test_pictures_of_16_pixels_have_one_level():
    images = np.random.RandomState(0).randint(0, 256, (4, 16, 16, 3)).astype(np.uint8)
    assert swd.levels(images, images) == {16: 0}
    assert [level.shape for level in swd.pyramid(images)] == [(4, 16, 16, 3)]


@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (2, 40, 40, 3), (2, 48, 48, 3), (2, 32, 16, 3), (2, 32, 32, 1)])
def test_pictures_that_have_no_pyramid_are_refused(shape):
    with pytest.raises(MxganError, match=r"\(n, S, S, 3\) is wanted, S = 2\^k"):
        list(swd.pyramid(np.zeros(shape, np.uint8)))


def test_patches_without_any_contrast_are_nought():
    assert not swd.normalised(np.full((5, 147), 9, np.float32)).any()
    white, grey = (np.full((3, 32, 32, 3), value, np.uint8) for value in (255, 99))
    assert swd.levels(white, grey) == {32: 0, 16: 0}
