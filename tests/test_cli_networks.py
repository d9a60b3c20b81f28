"""Any generator from the command line: looked into, described, drawn and converted."""

import json

import numpy as np
import pytest
from networks import generator

from mxgan import cli
from mxgan.weights import files, save_params


def numbers(*shape):
    return np.random.default_rng(sum(shape)).normal(0, 0.3, shape).astype(np.float32)


def conditional():
    """3 labels, 6 latents, Linear, twice upsampled: no DCGAN."""
    return {
        "label_emb.weight": numbers(3, 6),
        "l1.0.weight": numbers(4 * 16, 6),
        "l1.0.bias": numbers(4 * 16),
        "blocks.2.weight": numbers(3, 4, 3, 3),
        "blocks.2.bias": numbers(3),
    }


def typed(capsys, *words, status=0):
    """(stdout, stderr) of a command."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    out, err = capsys.readouterr()
    assert (ended.value.code or 0) == status, err
    return out, err


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.save("netG.npz", conditional())
    return tmp_path


def test_inspect_shows_each_layer_and_each_array(here, capsys):
    out, err = typed(capsys, "weights", "inspect", "netG.npz", "--latent-uniform")
    lines = out.splitlines()
    assert err == ""
    assert lines[2] == "usable for: generate, evaluate, onnx, convert"
    assert lines[4] == "generator: latent 6 (uniform), 3 labels, images 8×8×3, 577 parameters"
    rows = {line.split()[0]: line.split() for line in lines[7:] if line}
    assert rows["label_emb"][1:6] == ["Embedding", "label", "→", "6", "18"]
    assert rows["blocks.2.weight"][1:5] == ["-", "3×4×3×3", "float32", "yes"]


def test_inspect_gives_one_object(here, capsys):
    out, _ = typed(capsys, "weights", "inspect", "netG.npz", "--json", "--activation", "elu")
    (net,) = json.loads(out)["nets"]
    assert (net["classes"], net["shape"], net["latents"]) == (3, [8, 8, 3], "normal")
    assert [row["kind"] for row in net["layers"]].count("Elu") == 1


@pytest.mark.parametrize("options", [(), ("--output", "sigmoid", "--activation", "leaky:0.4", "--latent-uniform")])
def test_the_layout_that_inspect_prints_gives_the_same_pictures(mx, here, capsys, options):
    out, err = typed(capsys, "weights", "inspect", "netG.npz", "--layout", *options)
    (here / "net.json").write_text(out)
    assert json.loads(out)["mxgan-layout"] == 1 and err.startswith("the network: its arrays")
    typed(capsys, "generate", "--weights", "netG.npz", "--n", 6, "--out", "a.png", *options)
    _, err = typed(capsys, "generate", "--weights", "netG.npz", "--n", 6, "--out", "b.png", "--layout", "net.json")
    assert "the network: net.json" in err
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()


def test_a_model_made_with_options_needs_none(mx, here, capsys):
    pytest.importorskip("onnxruntime")
    options = ("--output", "sigmoid", "--latent-normal")
    out, err = typed(capsys, "weights", "convert", "netG.npz", "netG.onnx", *options)
    assert out == "netG.onnx\n" and err.startswith("note: the network: its arrays; assumed: ")
    typed(capsys, "generate", "--weights", "netG.npz", "--n", 6, "--label", 2, "--out", "a.png", *options)
    typed(capsys, "generate", "--weights", "netG.onnx", "--n", 6, "--label", 2, "--out", "b.png")
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()


def test_converts_layout_is_a_style_or_a_file(mx, here, capsys):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("torch")
    out, _ = typed(capsys, "weights", "inspect", "netG.npz", "--layout", "--output", "none")
    (here / "net.json").write_text(out)
    typed(capsys, "weights", "convert", "netG.npz", "netG.onnx", "--layout", "net.json")
    typed(capsys, "generate", "--weights", "netG.npz", "--n", 4, "--out", "a.png", "--output", "none")
    typed(capsys, "generate", "--weights", "netG.onnx", "--n", 4, "--out", "b.png")
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()
    save_params("dcgan.params", generator())
    typed(capsys, "weights", "convert", "dcgan.params", "netG.pth", "--layout", "main")
    assert "main.0.weight" in files.load("netG.pth").arrays


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("inspect", "netG.npz", "--layout", "--json"), "--layout and --json: give only one of them"),
        (("inspect", "netG.npz", "--activation", "swish"), "--activation swish: one of relu"),
        (("inspect", "netG.npz", "--symbol", "none.json"), "none.json"),
        (("inspect", "empty"), "empty: no netG.params in this folder"),
        (("convert", "netG.npz", "a.onnx", "--layout", "none.json"), "none.json: there is no such file"),
        (("convert", "netG.npz", "a.onnx", "--eps", "-1"), "--eps -1: a positive number"),
        (("convert", "netG.npz", "a.npz", "--layout", "main"), "the layout main names a .pth's arrays"),
    ],
)
def test_a_wrong_wish_is_one_line(here, capsys, words, said):
    (here / "empty").mkdir()
    out, err = typed(capsys, "weights", *words, status=2)
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert not (here / "a.onnx").exists() and not (here / "a.npz").exists()


def test_a_guess_is_a_warning_said_once(here, capsys):
    _, err = typed(capsys, "generate", "--weights", "netG.npz", "--n", "3", "--engine", "numpy")
    (line,) = [line for line in err.splitlines() if "assumed: " in line]
    assert line.startswith("mxgan: warning: netG.npz: the network: its arrays; assumed: ReLU, tanh at the end")


def test_gluons_own_names_are_no_guess(here, capsys):
    save_params("netG.params", generator())
    _, err = typed(capsys, "generate", "--weights", "netG.params", "--n", "3", "--engine", "numpy")
    (line,) = [line for line in err.splitlines() if "assumed: " in line]
    assert line.startswith("the network: its arrays; assumed: ReLU, tanh at the end")
