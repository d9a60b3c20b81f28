"""What a generator's callers in Python may mistake: each is one sentence that says what is wanted."""

from pathlib import Path

import numpy as np
import pytest

import mxgan
from mxgan import sampling
from mxgan.errors import MxganError

REAL = Path(__file__).parent / "weights" / "files" / "G-mxnet0.12.0-ngf2-collect_params.params"
Z = np.zeros((2, 150), np.float32)
WANTED = r"this generator takes finite numbers, float \(n, 150\)"


def conditional():
    """A generator of 4 labels."""
    return sampling.Generator(lambda z, labels: np.zeros((len(z), 3, 2, 2)), 150, (2, 2, 3), "numpy", classes=4)


@pytest.fixture(scope="module")
def netG():
    return mxgan.load_generator(REAL, engine="numpy")


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (Z[:, :3], r"latents of shape \(2, 3\): this generator takes \(n, 150\)"),
        (np.zeros(64), r"latents of shape \(64,\): "),
        (Z[:, :, None, None], r"latents of shape \(2, 150, 1, 1\): "),
        (Z * np.nan, f"latents: NaN or infinity in row 0; {WANTED}"),
        (np.where(np.arange(2)[:, None] == 1, 1e300, Z), f"latents: NaN or infinity in row 1; {WANTED}"),
        (Z * 1j, f"latents of complex64: {WANTED}"),
        ("hello", f"latents of <U5: {WANTED}"),
        (None, f"latents of object: {WANTED}"),
        ([[1.0], [1.0, 2.0]], f"latents: no array .*; {WANTED}"),
        (Z > 0, f"latents of bool: {WANTED}"),
    ],
)
def test_latents_that_can_not_be_are_refused(netG, z, message):
    for make in (netG.generate, netG.forward):
        with pytest.raises(MxganError, match=message):
            make(z)


def test_a_tensor_that_keeps_gradients_is_refused_in_a_sentence(netG):
    torch = pytest.importorskip("torch")
    with pytest.raises(MxganError, match=f"latents: no array .*detach.*; {WANTED}"):
        netG.generate(torch.zeros(2, 150, requires_grad=True))
    assert netG.generate(torch.zeros(2, 150)).shape == (2, 64, 64, 3)


def test_forward_takes_what_generate_takes(netG):
    z = np.random.default_rng(0).standard_normal((3, 150))
    images = netG.forward(z)
    assert (images.dtype, images.shape) == (np.float32, (3, 3, 64, 64))
    np.testing.assert_array_equal(mxgan.pixels.to_uint8(images), netG.generate(z))
    with pytest.raises(MxganError, match="this generator is conditional: give labels, each from 0 to 3"):
        conditional().forward(Z)
    assert conditional().forward(Z, 2).shape == (2, 3, 2, 2)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda netG: netG.sample(4, truncation="a"), "truncation 'a': a number above 0, at most 1"),
        (lambda netG: netG.sample(4, truncation=None), "truncation None: a number above 0, at most 1"),
        (lambda netG: netG.sample("4"), "n '4': a whole number from 0"),
        (lambda netG: netG.walk(0), "seeds 0: two or more in a list"),
        (lambda netG: netG.walk("07"), "seeds '07': two or more in a list"),
        (lambda netG: next(netG.frames([0, 7], 5, 0)), "walks_at_once 0: a whole number from 1"),
        (lambda netG: next(netG.frames([0, 7], 5, -1)), "walks_at_once -1: a whole number from 1"),
        (lambda netG: mxgan.Wishes(eps="x"), "eps 'x': a positive number below 10"),
        (lambda netG: mxgan.Wishes(size="64"), "size '64': from 4 to 4096 pixels"),
        (lambda netG: mxgan.Wishes(output=1), "output 1: one of tanh, sigmoid, none"),
        (lambda netG: mxgan.Wishes(activation=2), "activation 2: one of relu"),
        (lambda netG: mxgan.Wishes(uniform="yes"), "uniform 'yes': one of False, True"),
        (lambda netG: mxgan.Wishes(layout={"a": 1}), "layout: a path is wanted, not dict"),
        (lambda netG: mxgan.load_generator(None), "path: a path is wanted, not NoneType"),
        (lambda netG: mxgan.load_generator(3), "path: a path is wanted, not int"),
        (lambda netG: mxgan.load_generator(netG), "path: a path is wanted, not Generator"),
        (lambda netG: mxgan.load_generator(REAL, engine=3), "engine 3: "),
        (lambda netG: mxgan.load_discriminator(None), "path: a path is wanted, not NoneType"),
        (lambda netG: mxgan.inspect_weights(None), "path: a path is wanted, not NoneType"),
        (lambda netG: mxgan.convert_weights(REAL, None), "dst: a path is wanted, not NoneType"),
        (lambda netG: mxgan.resume(None), "path: a path is wanted, not NoneType"),
        (lambda netG: mxgan.load_params(None), "path: a path is wanted, not NoneType"),
        (lambda netG: mxgan.save_params({"a": Z}, "a.params"), "path: a path is wanted, not dict"),
        (lambda netG: mxgan.save_params("a.params", Z), "a.params: wanted a dict of names and arrays to save"),
        (lambda netG: mxgan.save_video("x.gif", None), "pictures: several are wanted, each uint8"),
        (lambda netG: mxgan.save_video(None, []), "path: a path is wanted, not NoneType"),
        (lambda netG: mxgan.save_video("x.gif", netG.sample(1)[0]), "pictures of shape (64, 64, 3): that is one"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_one_sentence(netG, ask, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MxganError) as error:
        ask(netG)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
