"""What a run is: the recipes' values, what is refused, and the way through JSON and back."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from mxgan.architecture.wishes import Wishes
from mxgan.config import OPTIONS, RECIPES, RunConfig, TrainConfig, filled, load, parse_ctx, resolve, to_json
from mxgan.errors import MxganError


@pytest.mark.parametrize(
    ("recipe", "latent", "bias", "first_norm", "init", "fresh_latents", "batch_size", "epochs"),
    [
        ("gluon-tutorial", 150, True, False, "normal", False, 64, 10),
        ("pytorch-anime", 128, False, True, "uniform", True, 128, 25),
        ("pytorch-celeba", 128, False, True, "uniform", True, 128, 25),
    ],
)
def test_recipes(recipe, latent, bias, first_norm, init, fresh_latents, batch_size, epochs):
    values = dataclasses.asdict(RECIPES[recipe])
    del values["source"]
    assert values == {
        "latent": latent, "bias": bias, "first_norm": first_norm, "init": init, "fresh_latents": fresh_latents,
        "batch_size": batch_size, "epochs": epochs, "ngf": 64, "ndf": 64, "lr_g": 2e-4, "lr_d": 2e-4, "beta1": 0.5,
        "beta2": 0.999, "loss": "bce", "label_smoothing": 0, "spectral_norm": False, "augment": "", "flip": False,
        "ema": 0, "ema_rampup": 0.05, "finish": 0,
    }  # fmt: skip


def test_our_own_recipe_is_the_tutorial_with_options():
    tutorial, ours = (dataclasses.asdict(RECIPES[name]) for name in ("gluon-tutorial", "mxgan"))
    networks = ("latent", "bias", "first_norm", "ngf", "ndf")
    assert [ours[name] for name in networks] == [tutorial[name] for name in networks]
    config = resolve(TrainConfig(recipe="mxgan"))
    assert config.augment and not config.flip and config.ema > 0  # mirrored, anime faces look the wrong way
    plain = {"augment": "", "ema": 0}  # each can be turned off again
    config = resolve(TrainConfig(recipe="mxgan", **plain))
    assert {name: getattr(config, name) for name in plain} == plain


def test_our_own_recipe_is_the_default():
    assert list(RECIPES) == ["gluon-tutorial", "pytorch-anime", "pytorch-celeba", "mxgan"]
    default = filled(TrainConfig())
    assert (default.recipe, default.data, default.size, default.ngf, default.ndf, default.fit, default.seed) == (
        "mxgan", "painted", 64, 64, 64, "crop", 0,
    )  # fmt: skip


def test_a_recipe_fills_in_what_was_left_open():
    config = filled(TrainConfig(recipe="pytorch-anime"))
    assert (config.latent, config.batch_size, config.epochs, config.steps) == (128, 128, 25, None)
    config = filled(TrainConfig(recipe="pytorch-anime", latent=7, batch_size=9, steps=11))
    assert (config.latent, config.batch_size, config.epochs, config.steps) == (7, 9, None, 11)


@pytest.mark.parametrize("recipe", RECIPES)
def test_of_a_resolved_run_nothing_is_left_open(recipe):
    run = resolve(TrainConfig(recipe=recipe, ngf=7))
    assert run.ngf == 7
    assert (run.latent, run.bias, run.fresh_latents) == tuple(
        getattr(RECIPES[recipe], name) for name in ("latent", "bias", "fresh_latents")
    )
    kinds = {"str": str, "int": int, "float": (int, float), "bool": bool}
    for field in dataclasses.fields(RunConfig):
        assert isinstance(getattr(run, field.name), kinds[field.type]), field.name


def test_the_options_of_training_are_the_recipes_unless_given():
    config = resolve(TrainConfig(recipe="gluon-tutorial"))
    values = [getattr(config, name) for name in OPTIONS]
    assert values == ["normal", 2e-4, 2e-4, "bce", 0, False, "", False, 0, 0.05, 0]
    given = {"lr_g": 1e-4, "loss": "hinge", "spectral_norm": True, "augment": "color,cutout", "flip": True, "ema": 5000}
    config = resolve(TrainConfig(recipe="gluon-tutorial", **given))
    assert {name: getattr(config, name) for name in given} == given
    assert (config.lr_d, config.ema_rampup) == (2e-4, 0.05)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"recipe": "dcgan"}, "recipe 'dcgan': one of gluon-tutorial, pytorch-anime, pytorch-celeba, mxgan"),
        ({"engine": "tensorflow"}, "engine 'tensorflow': one of auto, mxnet, pytorch"),
        ({"ctx": "cuda"}, "ctx 'cuda': one of auto, cpu, gpu, gpu:N, mps"),
        ({"ctx": "gpu:-1"}, "ctx 'gpu:-1'"),
        ({"ctx": "gpu:"}, "ctx 'gpu:'"),
        ({"ctx": "cpu:0"}, "ctx 'cpu:0'"),
        ({"ctx": "gpu:٣"}, "ctx 'gpu:٣'"),
        ({"fit": "pad"}, "fit 'pad': one of crop, squash"),
        ({"size": 48}, "size 48: one of 32, 64, 128"),
        ({"epochs": 0}, "epochs 0: a whole number from 1 to 1000000000"),
        ({"steps": -1}, "steps -1: a whole number from 1 to 1000000000000"),
        ({"steps": 2.5}, "steps 2.5: a whole number from 1 to 1000000000000"),
        ({"ngf": 1000000000}, "ngf 1000000000: a whole number from 1 to 1024"),
        ({"batch_size": 0}, "batch_size 0: a whole number from 1 to 65536"),
        ({"ngf": 0}, "ngf 0"),
        ({"ndf": 0}, "ndf 0"),
        ({"latent": 0}, "latent 0"),
        ({"threads": 0}, "threads 0"),
        ({"epochs": 3, "steps": 4}, "epochs 3: beside steps 4; give one of the two"),
        ({"seed": -1}, "seed -1: a whole number from 0 to 9223372036854775807"),
        ({"seed": 2**63}, "seed 9223372036854775808"),
        ({"seed": "1"}, "seed '1': a whole number from 0 to 9223372036854775807"),
        ({"seed": 1.5}, "seed 1.5: a whole number"),
        ({"seed": None}, "seed None: a whole number"),
        ({"epochs": True}, "epochs True: a whole number from 1 to 1000000000"),
        ({"size": 64.0}, "size 64.0: one of 32, 64, 128"),
        ({"ctx": None}, "ctx None: one of auto, cpu, gpu, gpu:N, mps"),
        ({"recipe": []}, "recipe []: one of gluon-tutorial"),
        ({"checkpoint_minutes": 0}, "checkpoint_minutes 0: a number above 0"),
        ({"checkpoint_minutes": float("inf")}, "checkpoint_minutes inf: a number above 0"),
        ({"checkpoint_minutes": None}, "checkpoint_minutes None: a number above 0"),
        ({"evaluate_every": -1}, "evaluate_every -1: a whole number of steps up to 1000000000000, 0 for never"),
        ({"evaluate_every": True}, "evaluate_every True: a whole number of steps"),
        ({"lr_g": 0}, "lr_g 0: a number above 0, at most 1"),
        ({"lr_d": float("nan")}, "lr_d nan: a number above 0, at most 1"),
        ({"lr_d": True}, "lr_d True: a number above 0, at most 1"),
        ({"loss": "wgan"}, "loss 'wgan': one of bce, hinge"),
        ({"label_smoothing": 0.5}, "label_smoothing 0.5: a number from 0 to below 0.5"),
        ({"loss": "hinge", "label_smoothing": 0.1}, "label_smoothing 0.1: the hinge loss has no labels"),
        ({"spectral_norm": "yes"}, "spectral_norm 'yes': one of False, True"),
        ({"flip": 2}, "flip 2: one of False, True"),
        ({"flip": 1}, "flip 1: one of False, True"),
        ({"augment": "blur"}, "augment 'blur': any of color,translation,cutout, or none"),
        ({"augment": "color,none"}, "augment 'color,none': any of color,translation,cutout, or none"),
        ({"augment": 3}, "augment 3: any of color,translation,cutout, or none"),
        ({"augment": "color;cutout"}, "augment 'color;cutout': any of color,translation,cutout, or none"),
        ({"data": 3}, "data: a path is wanted, not int"),
        ({"data": None}, "data: a path is wanted, not NoneType"),
        ({"out": ["runs"]}, "out: a path is wanted, not list"),
        ({"ema": -1}, "ema -1: a half-life in images, 0 for none"),
        ({"ema": float("inf")}, "ema inf: a half-life in images, 0 for none"),
        ({"ema_rampup": 0}, "ema_rampup 0: a share of the images seen, above 0"),
        ({"finish": 1.5}, "finish 1.5: a share of the run's steps, from 0 to 1"),
        ({"finish": -0.1}, "finish -0.1: a share of the run's steps, from 0 to 1"),
    ],
)
def test_a_value_without_sense_is_refused_by_name(values, message):
    with pytest.raises(MxganError) as caught:
        TrainConfig(**values)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_numbers_are_taken_as_numpy_and_python_write_them():
    config = TrainConfig(
        seed=np.int64(3), steps=np.int32(2), lr_g=np.float32(0.5), size=np.int64(64), flip=np.bool_(True),
        checkpoint_minutes=np.float64(1.5), evaluate_every=50.0, latent=np.array(7), recipe=np.str_("mxgan"),
    )  # fmt: skip
    values = [getattr(config, name) for name in (
        "seed", "steps", "lr_g", "size", "flip", "checkpoint_minutes", "evaluate_every", "latent", "recipe",
    )]  # fmt: skip
    assert values == [3, 2, 0.5, 64, True, 1.5, 50, 7, "mxgan"]
    assert [type(value) for value in values] == [int, int, float, int, bool, float, int, int, str]
    assert json.loads(json.dumps(to_json(config)))["seed"] == 3
    assert TrainConfig(epochs=1e3).epochs == 1000
    with pytest.raises(MxganError, match=r"lr_g 2\.0: a number above 0, at most 1"):
        TrainConfig(lr_g=np.float64(2))


def test_help_says_what_every_setting_is():
    for kind in (TrainConfig, Wishes):
        assert kind.__doc__ is not None
        missing = [one.name for one in dataclasses.fields(kind) if f"``{one.name}``" not in kind.__doc__]
        assert missing == []


@pytest.mark.parametrize(
    ("given", "sorted_"),
    [
        ("translation,color", "color,translation"),
        ("cutout, translation ,color", "color,translation,cutout"),
        ("cutout,cutout", "cutout"),
        ("none", ""),
        ("", ""),
        (None, None),
    ],
)
def test_the_parts_of_an_augmentation_may_be_given_in_any_order(given, sorted_):
    assert TrainConfig(augment=given).augment == sorted_


def test_paths_may_be_pathlibs(tmp_path):
    config = TrainConfig(data=tmp_path, out=tmp_path / "run", weights=Path("netG.params"))
    assert (config.data, config.out, config.weights) == (str(tmp_path), str(tmp_path / "run"), "netG.params")
    assert json.loads(json.dumps(to_json(config)))["data"] == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("auto", ("auto", 0)), ("cpu", ("cpu", 0)), ("gpu", ("gpu", 0)), ("gpu:0", ("gpu", 0)), ("gpu:13", ("gpu", 13))],
)
def test_ctx(text, parsed):
    assert parse_ctx(text) == parsed


def test_through_json_and_back(tmp_path):
    config = filled(TrainConfig(data="faces", recipe="pytorch-celeba", steps=5, seed=2**63 - 1, threads=2))
    values = json.loads(json.dumps(to_json(config)))
    assert values["seed"] == 2**63 - 1
    assert values["recipe_settings"]["lr_g"] == 2e-4
    (tmp_path / "config.json").write_text(json.dumps({**values, "versions": {}, "ran_on": {}}))
    assert load(tmp_path / "config.json") == config


def test_a_run_of_a_version_without_the_options_is_as_it_was(tmp_path):
    values = {name: value for name, value in to_json(TrainConfig(steps=5)).items() if name not in OPTIONS}
    for name in OPTIONS:
        del values["recipe_settings"][name]
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert resolve(load(tmp_path / "config.json")) == resolve(TrainConfig(steps=5))


def test_what_an_older_recipe_fixed_stays_as_it_was(tmp_path):
    values = to_json(TrainConfig(recipe="mxgan", steps=5))
    del values["init"]
    values["recipe_settings"]["init"] = "normal"  # as the recipe once was
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert resolve(load(tmp_path / "config.json")).init == "normal"
    assert resolve(load(tmp_path / "config.json")).lr_g == 3e-4


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"size": 48}', '{"recipe_settings": 3}', '{"epochs": "many"}', "{", "\xff"]
)
def test_what_is_no_configuration_is_refused(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(MxganError, match=r"config\.json: "):
        load(path)


def test_a_missing_configuration_is_refused(tmp_path):
    with pytest.raises(MxganError, match=r"config\.json: "):
        load(tmp_path / "config.json")


def test_it_cannot_be_changed_afterwards():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().seed = 1
