"""What ``mxgan weights inspect`` says of a file."""

import json
from pathlib import Path

import numpy as np
import pytest
from networks import block_names, discriminator, generator, renamed

from mxgan.architecture.inspect import inspect
from mxgan.architecture.table import lines, shortened
from mxgan.architecture.wishes import Wishes
from mxgan.errors import MxganError, ParamsError
from mxgan.weights import files, save_params

FILES = Path(__file__).parent.parent / "weights" / "files"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A generator of 64 pixels, named as MXNet's export names it."""
    path = tmp_path_factory.mktemp("weights") / "netG-0000.params"
    arrays = generator(latent=150)
    save_params(path, renamed(arrays, block_names("hybridsequential0_", aux=True)))
    return path


def as_json(report):
    """The report after a trip through strict JSON, which has no NaN."""
    return json.loads(json.dumps(report, allow_nan=False))


def test_a_generator_is_told_in_full(exported):
    report = as_json(inspect(exported))
    assert list(report) == [
        *("file", "bytes", "container", "era", "scheme", "arrays"),
        *("net", "nets", "unknown", "usable_for", "warnings"),
    ]
    assert (report["file"], report["bytes"]) == (str(exported), exported.stat().st_size)
    assert (report["container"], report["era"], report["scheme"]) == ("V2", "MXNet 0.12 to 1.x", "export")
    net = dict(report["net"])
    assert len(net.pop("layers")) == 15
    assert net == {
        "kind": "generator",
        "latent": 150,
        "width": 2,
        "channels": 3,
        "image_size": 64,
        "bias": True,
        "first_norm": True,
        "prefix": "",
        "shape": [64, 64, 3],
        "latents": "normal",
        "classes": None,
        "parameters": 150 * 16 * 16 + 16 * (16 * 8 + 8 * 4 + 4 * 2 + 2 * 3) + 3 * (16 + 8 + 4 + 2) + 3,
        "source": "its arrays",
        "assumed": ["ReLU", "tanh at the end", "eps 1e-05", "stride 2"],
        "known": None,
    }
    assert report["nets"] == [report["net"]]
    assert report["usable_for"] == ["generate", "evaluate", "train", "onnx", "convert"]
    assert report["warnings"] == []
    assert len(report["arrays"]) == 26


def test_an_array_is_told_with_its_statistics(exported):
    row = as_json(inspect(exported))["arrays"][4]
    array = files.load(exported).arrays["aux:hybridsequential0_batchnorm0_running_mean"]
    assert row == {
        "name": "aux:hybridsequential0_batchnorm0_running_mean",
        "canonical": "1.running_mean",
        "net": "generator",
        "shape": [16],
        "dtype": "float32",
        "finite": True,
        "min": pytest.approx(array.min()),
        "mean": pytest.approx(array.mean(), rel=1e-5),
        "max": pytest.approx(array.max()),
    }


def test_the_eras_of_real_files():
    eras = {path.name.split("-")[1]: files.load(path).era for path in FILES.glob("*.params")}
    assert eras["mxnet0.12.0"] == eras["mxnet1.3.1"] == eras["mxnet1.9.1"] == "MXNet 0.12 to 1.x"
    assert "MXNet 2.0" in eras["mxnet2.0.0beta1"]


def test_a_discriminator_makes_no_pictures(tmp_path):
    save_params(tmp_path / "netD.params", discriminator())
    report = inspect(tmp_path / "netD.params")
    assert (report["net"]["kind"], report["net"]["latent"], report["net"]["width"]) == ("discriminator", None, 2)
    assert report["usable_for"] == ["convert"]


def test_both_networks_of_a_file_are_listed(tmp_path):
    both = {
        f"{kind}.{name}": array
        for kind, net in (("G", generator()), ("D", discriminator()))
        for name, array in net.items()
    }
    save_params(tmp_path / "gan.params", both)
    report = inspect(tmp_path / "gan.params")
    assert report["net"] is None
    assert [net["kind"] for net in report["nets"]] == ["generator", "discriminator"]
    assert {row["net"] for row in report["arrays"]} == {"generator", "discriminator"}
    assert "generate" in report["usable_for"]


def test_nan_and_infinity_are_reported_in_valid_json(tmp_path):
    arrays = generator()
    arrays["0.bias"][:2] = np.nan, 7
    arrays["1.beta"][:] = np.inf
    arrays["4.running_var"][0] = -1
    save_params(tmp_path / "netG.params", arrays)
    report = as_json(inspect(tmp_path / "netG.params"))
    rows = {row["name"]: row for row in report["arrays"]}
    assert (rows["0.bias"]["finite"], rows["0.bias"]["max"]) == (False, 7)
    assert [rows["1.beta"][key] for key in ("finite", "min", "mean", "max")] == [False, None, None, None]
    assert report["warnings"][-3:] == [
        "0.bias has NaN or infinite values",
        "1.beta has NaN or infinite values",
        "4.running_var has negative variances",
    ]
    assert report["usable_for"] == ["convert"]


def test_any_arrays_can_be_looked_at(tmp_path):
    arrays = {
        "scalar": np.array(2.5),
        "none": np.zeros((0, 3), np.float32),
        "whole": np.arange(6, dtype=np.int64).reshape(2, 3),
        "flags": np.array([True, False]),
        "huge": np.array([1.7e308, 1.7e308]),
        "half": np.ones(2, np.float16),
    }
    files.save(tmp_path / "any.npz", arrays)
    report = as_json(inspect(tmp_path / "any.npz"))
    rows = {row["name"]: (row["shape"], row["dtype"], row["min"], row["mean"], row["max"]) for row in report["arrays"]}
    assert rows == {
        "scalar": ([], "float64", 2.5, 2.5, 2.5),
        "none": ([0, 3], "float32", None, None, None),
        "whole": ([2, 3], "int64", 0, 2.5, 5),
        "flags": ([2], "bool", False, 0.5, True),
        "huge": ([2], "float64", 1.7e308, None, 1.7e308),
        "half": ([2], "float16", 1, 1, 1),
    }
    assert (report["net"], report["nets"], report["usable_for"]) == (None, [], ["convert"])
    assert report["unknown"] == [{"prefix": "", "why": report["warnings"][0].partition(": ")[2]}]
    assert "no network's weights: it holds scalar (), none (0, 3), " in report["warnings"][0]


def test_a_layer_is_told_with_its_settings_and_where_they_are_from(exported):
    first, conv, norm, relu, second = as_json(inspect(exported))["net"]["layers"][:5]
    assert [first[key] for key in ("kind", "in", "out", "read_from")] == ["Reshape", [150], [150, 1, 1], "its arrays"]
    assert conv == {
        "name": "0",
        "kind": "ConvTranspose",
        "inputs": ["latents"],
        "kernel": [4, 4],
        "stride": [1, 1],
        "padding": [0, 0],
        "in": [150, 1, 1],
        "out": [16, 4, 4],
        "parameters": 150 * 16 * 16 + 16,
        "settings": {
            "stride": [1, 1], "padding": [0, 0], "output_padding": [0, 0], "dilation": [1, 1], "groups": 1,
        },
        "arrays": {
            "weight": "arg:hybridsequential0_conv0_weight", "bias": "arg:hybridsequential0_conv0_bias",
        },
        "read_from": "its arrays",
        "assumed": [],
    }  # fmt: skip
    assert (norm["settings"], norm["parameters"], norm["assumed"]) == ({"eps": 1e-05}, 32, ["eps"])
    assert (relu["kind"], relu["read_from"], relu["kernel"], relu["stride"]) == ("Relu", "assumed", None, None)
    assert (second["stride"], second["assumed"]) == ([2, 2], ["stride", "padding"])


def test_what_the_user_says_is_no_longer_assumed(exported):
    wish = Wishes(activation="leaky:0.2", output="sigmoid", eps=0.8)
    net = inspect(exported, wish)["net"]
    layers = {row["kind"]: row for row in net["layers"]}
    assert net["assumed"] == ["stride 1 2 2 2 2"]
    assert (layers["LeakyRelu"]["settings"], layers["LeakyRelu"]["read_from"]) == ({"slope": 0.2}, "the options")
    assert (layers["BatchNorm"]["settings"], layers["BatchNorm"]["assumed"]) == ({"eps": 0.8}, [])
    assert [layers[kind]["read_from"] for kind in ("Sigmoid", "Affine")] == ["the options"] * 2


def test_an_unknown_network_hides_no_known_one(tmp_path):
    arrays = {f"netG.{name}": array for name, array in generator().items()}
    arrays.update({f"netD.{layer}.weight": np.ones((5, 7, 3, 3), np.float32) for layer in (0, 2, 4)})
    save_params(tmp_path / "gan.params", arrays)
    report = inspect(tmp_path / "gan.params")
    assert [net["prefix"] for net in report["nets"]] == ["netG"]
    assert (report["net"], report["usable_for"]) == (None, ["generate", "evaluate", "onnx", "convert"])
    assert all(one["prefix"].startswith("netD") for one in report["unknown"])


def test_of_several_generators_the_average_is_the_one_for_pictures(tmp_path):
    for names, usable in ((("netG", "ema"), True), (("first", "second"), False)):
        arrays = {f"{net}.{name}": array for net in names for name, array in generator().items()}
        save_params(tmp_path / "two.params", arrays)
        report = inspect(tmp_path / "two.params")
        assert [net["prefix"] for net in report["nets"]] == list(names)
        assert ("generate" in report["usable_for"]) == usable
        assert "train" not in report["usable_for"]


def test_training_begins_with_a_recipes_netG_alone(tmp_path):
    for changes, can in (({}, True), ({"channels": 1}, False), ({"widths": (8, 4)}, False), ({"bias": False}, True)):
        save_params(tmp_path / "netG.params", generator(**changes))
        assert ("train" in inspect(tmp_path / "netG.params")["usable_for"]) == can


def test_images_of_two_channels_are_no_pictures(tmp_path):
    arrays = {"0.weight": np.ones((5, 4, 4, 4), np.float32), "2.weight": np.ones((4, 2, 4, 4), np.float32)}
    save_params(tmp_path / "two.params", arrays)
    assert inspect(tmp_path / "two.params")["usable_for"] == ["convert"]


def test_a_run_stands_for_its_best_generator(tmp_path):
    save_params(tmp_path / "netG.params", generator())
    assert inspect(tmp_path)["file"] == str(tmp_path / "netG.params")
    with pytest.raises(MxganError, match=r"no netG\.params in this folder"):
        inspect(FILES)


def test_a_symbol_that_cannot_be_read_is_told(tmp_path):
    save_params(tmp_path / "net-0001.params", generator())
    (tmp_path / "net-symbol.json").write_text("{}")
    report = inspect(tmp_path / "net-0001.params")
    assert (report["nets"], report["usable_for"]) == ([], ["convert"])
    assert "net-symbol.json" in report["unknown"][0]["why"]
    with pytest.raises(ParamsError, match="net-symbol"):
        inspect(tmp_path / "net-0001.params", Wishes(symbol=tmp_path / "net-symbol.json"))


def test_the_table_for_people(exported):
    text = lines(inspect(exported))
    assert text[1:6] == [
        "container: V2, written by MXNet 0.12 to 1.x; naming scheme: export",
        "usable for: generate, evaluate, train, onnx, convert",
        "",
        "generator: latent 150 (normal), images 64×64×3, 41,277 parameters",
        "  read from: its arrays",
    ]
    assert text[6].startswith("  assumed: ReLU, tanh at the end, eps 1e-05, stride 2")
    layers = next(place for place, line in enumerate(text) if line.startswith("name "))
    assert text[layers].split() == [
        *("name", "kind", "kernel", "stride", "pad", "in", "→", "out", "(C×H×W)", "parameters", "read", "from"),
    ]
    conv, norm = text[layers + 2 : layers + 4]
    assert conv.split() == [
        *("0", "ConvTranspose", "4×4", "1", "0", "150×1×1", "→", "16×4×4", "38,416", "its", "arrays"),
    ]
    assert norm.split() == ["1", "BatchNorm", "eps", "1e-05", "16×4×4", "32", "arrays;", "eps", "assumed"]
    assert max(map(len, text[: layers + 16])) <= 110
    assert text[layers + 17].split() == ["name", "canonical", "shape", "dtype", "finite", "min", "mean", "max"]
    array = text[layers + 18].split()[:5]
    assert array == ["arg:hybridsequential0_conv0_weight", "0.weight", "150×16×4×4", "float32", "yes"]
    assert len(text) == layers + 18 + 26


def test_a_long_name_keeps_its_end():
    name = "generator.synthesis.block_64.convolution_1.weight"
    assert shortened(name) == "generato…onvolution_1.weight"
    assert (len(shortened(name)), shortened("main.0")) == (28, "main.0")


def test_names_steer_no_terminal(tmp_path):
    save_params(tmp_path / "odd.params", {"a\x1b[2J\nb": np.ones(1, np.float32)})
    assert all(line.isprintable() for line in lines(inspect(tmp_path / "odd.params")))


def test_what_is_no_weights_file(tmp_path):
    (tmp_path / "page.params").write_text("<!DOCTYPE html><html></html>")
    with pytest.raises(ParamsError, match="HTML"):
        inspect(tmp_path / "page.params")
    with pytest.raises(ParamsError, match="no such file"):
        inspect(tmp_path / "gone.params")
