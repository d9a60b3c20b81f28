"""What a trained netD says of pictures and sees in them."""

import networks
import numpy as np
import pytest

import mxgan
from mxgan.errors import MxganError, ParamsError, SettingError
from mxgan.faces import painted


@pytest.fixture(scope="module")
def faces():
    return painted.faces(20, seed=3, size=32)  # more than are computed at once


@pytest.fixture(scope="module")
def arrays():
    """For images of 32 pixels: 2, 4 and 8 channels. Lively, so that two faces are two rows of numbers."""
    dice = np.random.default_rng(0)
    made = networks.discriminator(widths=(2, 4, 8))
    return {name: _lively(name, array, dice) for name, array in made.items()}


def _lively(name, array, dice):
    if name.endswith("running_var"):
        return np.full_like(array, 0.5)
    return dice.normal(0, 0.4, array.shape).astype(np.float32)


@pytest.fixture(scope="module")
def netD(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("weights") / "netD.params"
    mxgan.save_params(path, arrays)
    return mxgan.load_discriminator(path)


def test_features_and_logits_are_pytorchs_own(netD, arrays, faces):
    torch = pytest.importorskip("torch")
    from mxgan.pytorch import nets
    from mxgan.pytorch.tensors import write

    net = nets.discriminator(ndf=2, size=32, bias=True, first_norm=False)
    write(net, arrays, "netD")
    net.eval()
    x = torch.from_numpy(faces.transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1
    seen = []
    with torch.inference_mode():
        for layer in net:
            x = layer(x)
            if isinstance(layer, torch.nn.LeakyReLU):
                seen.append(torch.nn.functional.adaptive_max_pool2d(x, 4).flatten(1).clone())
    np.testing.assert_allclose(netD.features(faces), torch.cat(seen, 1).numpy(), atol=1e-4)
    np.testing.assert_allclose(netD.logits(faces), x[:, 0].numpy(), atol=1e-4)


def test_features_have_one_row_a_face_whatever_the_batch(netD, faces):
    features = netD.features(faces)
    assert (features.shape, features.dtype) == ((20, (2 + 4 + 8) * 16), np.float32)
    np.testing.assert_array_equal(netD.features(faces[17:18])[0], features[17])
    assert netD.features(faces, side=1).shape == (20, 14)
    assert netD.features(faces, side=8).shape == (20, 2 * 64 + 4 * 64 + 8 * 16)  # the last layer has 4 × 4 pixels
    np.testing.assert_array_equal(features[:, :32].reshape(20, 2, 16).max(2), netD.features(faces, side=1)[:, :2])
    assert netD.logits(faces).shape == (20,) and netD.logits(faces).std() > 0


def test_a_run_gives_its_newest(tmp_path, arrays):
    mxgan.save_params(tmp_path / "netD.params", arrays)
    netD = mxgan.load_discriminator(tmp_path)
    assert netD.shape == (32, 32, 3)
    assert repr(netD) == f"Discriminator({tmp_path / 'netD.params'}: images 32×32×3)"


def test_other_images_are_refused(netD, faces):
    for images in (painted.faces(1), faces[0], faces.astype(np.float32), faces[:0]):
        with pytest.raises(MxganError, match=r"images of shape .*: this netD takes uint8 \(n, 32, 32, 3\)"):
            netD.features(images)
    with pytest.raises(MxganError, match=r"side 3: a layer of 16×16 pixels doesn't divide into 3×3 parts"):
        netD.features(faces, side=3)
    with pytest.raises(SettingError, match="side 0: a whole number from 1"):
        netD.features(faces, side=0)


def test_what_holds_no_discriminator_is_refused(tmp_path, arrays):
    with pytest.raises(ParamsError, match="holds no discriminator; one is wanted"):
        mxgan.load_discriminator(mxgan.load_generator("painted", engine="numpy").file)
    with pytest.raises(MxganError, match=r"no netD\.params in this folder"):
        mxgan.load_discriminator(tmp_path)
    broken = {**arrays, "0.weight": np.full_like(arrays["0.weight"], np.nan)}
    mxgan.save_params(tmp_path / "broken.params", broken)
    with pytest.raises(ParamsError, match=r"NaN or infinite values in 0\.weight"):
        mxgan.load_discriminator(tmp_path / "broken.params")


def test_a_name_that_is_nearly_a_runs_is_answered_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "faces").mkdir(parents=True)
    (tmp_path / "runs" / "faces" / "config.json").write_text("{}")
    with pytest.raises(ParamsError, match=r"fases: there is no such file or run; did you mean faces\?"):
        mxgan.load_discriminator("fases")
