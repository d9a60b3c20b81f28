"""The generator that ships with mxgan, and its name."""

import shutil
import warnings

import numpy as np
import pytest
from processes import mxgan

from mxgan import load_generator, pretrained, weights
from mxgan.errors import ParamsError
from mxgan.faces import painted
from mxgan.metrics import swd
from mxgan.weights import save_params


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def folder(tmp_path):
    """A copy of what ships, to spoil."""
    shutil.copytree(pretrained.FOLDER, tmp_path / "pretrained")
    return tmp_path / "pretrained"


def test_it_is_the_tutorials_network_in_half_precision():
    arrays = weights.load_params(pretrained.painted())
    assert arrays["0.weight"].shape == (150, 512, 4, 4)
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float16)}
    assert pretrained.painted().stat().st_size < 9e6


def test_its_pictures_are_distributed_as_painted_faces_are(here):
    generator = load_generator("painted", "numpy")
    faces = painted.faces(128, seed=7, first=100_000)
    assert (generator.latent, generator.shape) == (150, (64, 64, 3))
    apart = swd.levels(faces, generator.sample(128))
    assert apart[64] < 60 and apart[32] < 60 and apart[16] < 60
    noise = np.random.default_rng(0).integers(0, 256, faces.shape, dtype=np.uint8)
    assert swd.levels(faces, noise)[16] > 200


def test_generate_takes_it_where_no_weights_are_given(here):
    done = mxgan("generate", "--n", "4", "--engine", "numpy", cwd=here)
    assert (done.returncode, done.stdout) == (0, "generated.png\n")
    assert done.stderr.splitlines() == ["numpy on cpu; weights painted, which comes with mxgan"]


def test_its_name_is_taken_wherever_weights_are(here):
    assert mxgan("weights", "inspect", "painted", cwd=here).returncode == 0
    done = mxgan("weights", "convert", "painted", "netG.npz", cwd=here)
    assert done.returncode == 0, done.stderr
    with np.load("netG.npz") as file:
        assert file["0.weight"].dtype == np.float16


def test_a_file_of_its_name_wins_and_that_is_said(here):
    from networks import generator

    save_params("painted", generator())
    with pytest.warns(UserWarning, match=r"^painted: this is taken; mxgan.s own generator has this name too"):
        assert load_generator("painted", "numpy").latent == 6


def test_its_own_name_is_no_warning(here):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_generator("painted", "numpy")


@pytest.mark.parametrize("name", [pretrained.FILE, f"{pretrained.FILE}.sha256"])
def test_a_missing_file_names_the_reinstall(folder, name):
    (folder / name).unlink()
    with pytest.raises(ParamsError, match=r"painted-64\.params: .* is missing; install mxgan again"):
        pretrained.painted(folder)


def test_a_damaged_file_names_the_reinstall(folder):
    data = bytearray((folder / pretrained.FILE).read_bytes())
    data[4_000_000] ^= 1
    (folder / pretrained.FILE).write_bytes(data)
    with pytest.raises(ParamsError, match="is damaged; install mxgan again"):
        pretrained.painted(folder)
