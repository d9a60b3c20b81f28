"""What Python's users see of a weights file, also of one that holds no network."""

from pathlib import Path

import numpy as np
import pytest

import mxgan
from mxgan.architecture.inspect import inspect
from mxgan.architecture.table import lines
from mxgan.errors import Caution, MxganError, ParamsError

REAL = Path(__file__).parent.parent / "weights" / "files" / "G-mxnet0.12.0-ngf2-collect_params.params"


def test_what_is_no_network_is_told_by_its_arrays(tmp_path):
    np.savez(tmp_path / "old.npz", z=np.zeros((4, 150, 1, 1)), y=np.zeros((4, 3, 64, 64)))
    with pytest.raises(ParamsError) as error:
        mxgan.load_generator(tmp_path / "old.npz")
    assert str(error.value) == (
        f"{tmp_path / 'old.npz'}: no network's weights: it holds z (4, 150, 1, 1), y (4, 3, 64, 64); "
        "a network has 2 layers with weights, or more"
    )
    np.savez(tmp_path / "many.npz", **{f"a{i}": np.zeros(i) for i in range(9)})
    with pytest.raises(ParamsError, match=r"it holds a0 \(0,\), .*, a5 \(5,\), 3 more; "):
        mxgan.load_generator(tmp_path / "many.npz")
    np.savez(tmp_path / "none.npz")
    with pytest.raises(ParamsError, match="it holds no arrays; "):
        mxgan.load_generator(tmp_path / "none.npz")


def test_a_single_layer_of_a_whole_module_is_no_network(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(3, 4), tmp_path / "net.pth")
    with pytest.raises(ParamsError, match=r"no network's weights: it holds weight \(4, 3\), bias \(4,\); "):
        mxgan.load_generator(tmp_path / "net.pth")


def test_python_gets_a_report_that_shows_itself(tmp_path):
    report = mxgan.inspect_weights(REAL)
    assert report == inspect(REAL)
    assert repr(report) == "\n".join(lines(inspect(REAL)))
    assert report["nets"][0]["latent"] == report["net"]["latent"] == 150
    weights = {f"{at}.weight": np.zeros((4, 4, 3, 3), np.float32) for at in (0, 2)}
    np.savez(tmp_path / "odd.npz", **weights)
    report = mxgan.inspect_weights(tmp_path / "odd.npz")
    assert report["unknown"][0]["why"].endswith("; describe it with mxgan.Wishes(layout=...)")
    assert "mxgan.Wishes(layout=...)" in report["warnings"][0] and "mxgan.Wishes(layout=...)" in repr(report)
    with pytest.raises(MxganError, match=r"wishes 'relu': mxgan.Wishes is wanted"):
        mxgan.inspect_weights(REAL, "relu")


def test_a_true_wish_adds_no_doubt(tmp_path):
    """A DCGAN whose first running statistics are a little off: what is said is no longer assumed, and that is all."""
    random = np.random.default_rng(0)
    arrays, widths = {}, [100, 32, 16, 8, 4, 3]
    for at, (into, out) in enumerate(zip(widths, widths[1:])):
        weight = random.normal(0, 0.1, (into, out, 4, 4)).astype(np.float32)
        arrays[f"{3 * at}.weight"] = weight
        if out == 3:
            break
        arrays.update({f"{3 * at + 1}.{word}": np.ones(out, np.float32) for word in ("weight", "running_var")})
        arrays.update({f"{3 * at + 1}.{word}": np.zeros(out, np.float32) for word in ("bias", "running_mean")})
        if at == 0:
            arrays["1.running_var"] = (1.6 * (weight**2).sum(0).mean((1, 2))).astype(np.float32)
    np.savez(tmp_path / "mine.npz", **arrays)
    told = []
    for wish in (mxgan.Wishes(), mxgan.Wishes(output="tanh"), mxgan.Wishes("relu", "tanh", 1e-5)):
        with pytest.warns(Caution) as caught:
            mxgan.load_generator(tmp_path / "mine.npz", engine="numpy", wishes=wish)
        (one,) = caught
        told.append(str(one.message).partition("assumed: ")[2].partition(", none of it confirmed")[0])
    assert told == [
        "ReLU, tanh at the end, eps 1e-05, stride 2",
        "ReLU, eps 1e-05, stride 2",
        "stride 2",
    ]
