"""A netG that starts from a file is as wide as the file says; what can't be is told with the option to give."""

from pathlib import Path

import numpy as np
import pytest
from networks import discriminator, generator

import mxgan
from mxgan import config
from mxgan.config import TrainConfig
from mxgan.errors import ParamsError, SettingError, in_shell
from mxgan.training import starting_weights
from mxgan.weights import load_params, save_params

SMALL = {"size": 32, "batch_size": 8, "ndf": 3}


@pytest.fixture
def old(tmp_path):
    """A file of a netG for 32 pixels, ngf 3 and latent 6."""
    save_params(tmp_path / "old.params", generator(6, (12, 6, 3)))
    return tmp_path / "old.params"


def test_width_and_latent_are_the_files_where_nothing_else_was_asked_for(old):
    read = starting_weights.read(TrainConfig(size=32, weights=old))
    assert (read.config.ngf, read.config.latent, read.config.ndf) == (3, 6, None)
    assert read.notes == (f"ngf 3 and latent 6, as in {old}",)
    np.testing.assert_array_equal(read.weights["netG"]["0.weight"], load_params(old)["0.weight"])
    said = starting_weights.read(TrainConfig(size=32, weights=old, ngf=3, latent=6))
    assert said.notes == ()
    assert starting_weights.read(TrainConfig(ngf=5)) == (TrainConfig(ngf=5), {}, ())


@pytest.mark.parametrize(
    ("arrays", "settings", "python", "shell"),
    [
        (
            generator(6, (12, 6, 3)), {"size": 32, "ngf": 4},
            "its netG has ngf 3; take ngf 3, or leave it out", "its netG has ngf 3; take --ngf 3, or leave it out",
        ),
        (
            generator(6, (12, 6, 3)), {"size": 32, "latent": 150},
            "its netG has latent 6; take latent 6, or leave it out",
            "its netG has latent 6; take --latent 6, or leave it out",
        ),
        (
            generator(6, (12, 6, 3)), {},
            "its pictures have 32 pixels, the run's 64; give size 32",
            "its pictures have 32 pixels, the run's 64; give --size 32",
        ),
        (
            generator(6, (6, 3)), {},
            "its pictures have 16 pixels, and runs 32, 64, 128; take other weights",
            "its pictures have 16 pixels, and runs 32, 64, 128; take other weights",
        ),
        (
            generator(6, (12, 6, 3), channels=1), {"size": 32},
            "its pictures are grey, and runs are in colour; take other weights",
            "its pictures are grey, and runs are in colour; take other weights",
        ),
        (
            generator(6, (12, 6, 3), bias=False), {"size": 32},
            "its convolutions have no bias, unlike the recipe mxgan's; give recipe pytorch-anime or pytorch-celeba",
            "its convolutions have no bias, unlike the recipe mxgan's; give --recipe pytorch-anime or pytorch-celeba",
        ),
        (
            generator(6, (12, 6, 3)), {"size": 32, "recipe": "pytorch-anime"},
            "its convolutions have a bias, unlike the recipe pytorch-anime's; give recipe gluon-tutorial or mxgan",
            "its convolutions have a bias, unlike the recipe pytorch-anime's; give --recipe gluon-tutorial or mxgan",
        ),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_told_with_what_to_give(tmp_path, arrays, settings, python, shell):
    file = tmp_path / "old.params"
    save_params(file, arrays)
    with pytest.raises(SettingError) as refusal:
        starting_weights.read(TrainConfig(weights=file, **settings))
    assert str(refusal.value) == f"weights {str(file)!r}: {python}"
    assert in_shell(refusal.value) == f"--weights {file}: {shell}"


def test_a_netD_is_no_netG(tmp_path):
    save_params(tmp_path / "netD.params", discriminator())
    with pytest.raises(ParamsError, match="found a discriminator"):
        starting_weights.read(TrainConfig(weights=tmp_path / "netD.params"))


@pytest.mark.parametrize("engine", ["mxnet", "pytorch"])
def test_a_run_starts_from_a_file_and_another_from_that_run(request, faces_folder, tmp_path, monkeypatch, old, engine):
    request.getfixturevalue("mx") if engine == "mxnet" else pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    first = mxgan.train(faces_folder, weights=old, out="runs/first", engine=engine, steps=1, lr_g=1e-9, **SMALL)
    saved = config.load(first.path / "config.json")
    assert (saved.ngf, saved.latent, saved.weights) == (3, 6, str(old))
    kept = load_params(first.path / "netG.params")
    np.testing.assert_allclose(kept["0.weight"], load_params(old)["0.weight"], atol=1e-6)
    second = mxgan.train(faces_folder, weights="first", out="second", engine=engine, steps=1, lr_g=1e-9, **SMALL)
    named = config.load(second.path / "config.json").weights
    assert Path(named).parent == Path("runs/first")  # as a file: a name may mean another run tomorrow
    np.testing.assert_allclose(
        load_params(second.path / "netG.params")["0.weight"], load_params(named)["0.weight"], atol=1e-6
    )
