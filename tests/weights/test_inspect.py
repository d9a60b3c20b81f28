"""What ``mxgan weights inspect`` says of a file."""

import json
from pathlib import Path

import numpy as np
import pytest
from networks import discriminator, generator

from mxgan.errors import ParamsError
from mxgan.weights import files, save_params
from mxgan.weights.inspect import inspect, lines

FILES = Path(__file__).parent / "files"
EXPORTED = FILES / "G-mxnet1.3.1-ngf2-export-0000.params"


def as_json(report):
    """The report after a trip through strict JSON, which has no NaN."""
    return json.loads(json.dumps(report, allow_nan=False))


def test_a_generator_is_told_in_full():
    report = as_json(inspect(EXPORTED))
    assert list(report) == [
        *("file", "bytes", "container", "era", "scheme", "arrays", "net", "nets", "usable_for", "warnings")
    ]
    assert (report["file"], report["bytes"]) == (str(EXPORTED), EXPORTED.stat().st_size)
    assert (report["container"], report["era"], report["scheme"]) == ("V2", "MXNet 0.12 to 1.x", "export")
    assert report["net"] == {
        "kind": "generator",
        "latent": 150,
        "width": 2,
        "channels": 3,
        "image_size": 64,
        "bias": True,
        "first_norm": True,
    }
    assert report["nets"] == [report["net"]]
    assert report["usable_for"] == ["generate", "evaluate", "train", "onnx", "convert"]
    assert report["warnings"] == []
    assert len(report["arrays"]) == 26


def test_an_array_is_told_with_its_statistics():
    row = as_json(inspect(EXPORTED))["arrays"][4]
    array = files.load(EXPORTED).arrays["aux:hybridsequential0_batchnorm0_running_mean"]
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
    eras = {path.name.split("-")[1]: inspect(path)["era"] for path in FILES.glob("*.params")}
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
    assert report["warnings"] == [
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
    assert "neither a DCGAN generator nor a discriminator" in report["warnings"][0]


def test_the_table_for_people():
    text = lines(inspect(EXPORTED))
    assert text[1:4] == [
        "container: V2, written by MXNet 0.12 to 1.x; naming scheme: export",
        "generator: latent 150, width 2, images 64×64×3, with convolution bias",
        "usable for: generate, evaluate, train, onnx, convert",
    ]
    assert text[5].split() == ["name", "canonical", "shape", "dtype", "finite", "min", "mean", "max"]
    assert text[6].split()[:5] == ["arg:hybridsequential0_conv0_weight", "0.weight", "150×16×4×4", "float32", "yes"]
    assert len(text) == 6 + 26


def test_names_steer_no_terminal(tmp_path):
    save_params(tmp_path / "odd.params", {"a\x1b[2J\nb": np.ones(1, np.float32)})
    assert all(line.isprintable() for line in lines(inspect(tmp_path / "odd.params")))


def test_what_is_no_weights_file(tmp_path):
    (tmp_path / "page.params").write_text("<!DOCTYPE html><html></html>")
    with pytest.raises(ParamsError, match="HTML"):
        inspect(tmp_path / "page.params")
    with pytest.raises(ParamsError, match="no such file"):
        inspect(tmp_path / "gone.params")
