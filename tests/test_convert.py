"""Any format to any other, and back, bit by bit."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import discriminator, generator, renamed

from mxgan import extras
from mxgan.architecture import networks
from mxgan.convert import convert_weights
from mxgan.errors import ParamsError
from mxgan.weights import files, load_net, load_params, params_file, save_params

FILES = Path(__file__).parent / "weights" / "files"
REAL = FILES / "G-mxnet0.12.0-ngf2-collect_params.params"
PACKAGES = {".params": None, ".npz": None, ".safetensors": "safetensors", ".pth": "torch"}
ODD = {
    "half": np.array([[1.5, -0.0], [np.inf, np.nan]], np.float16),
    "double": np.linspace(0, 1, 7).reshape(7, 1),
    "bytes": np.arange(256, dtype=np.uint8),
    "flags": np.array([True, False, True]),
    "whole": np.array([[-(2**62), 2**62]], np.int64),
    "empty": np.zeros((0, 3), np.float32),
    "file": np.ones(1, np.float32),  # np.savez can't hold this name
    "Ünïcode/with slash.and dot": np.ones(2, np.int32),
}


def needs(*suffixes):
    for suffix in suffixes:
        if PACKAGES.get(suffix):
            pytest.importorskip(PACKAGES[suffix])


def assert_bits_equal(found, wanted):
    assert set(found) == set(wanted)
    for name, array in wanted.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        assert found[name].tobytes() == array.tobytes(), name


def test_a_pth_says_which_network_it_is_unless_that_was_guessed(tmp_path):
    needs(".pth")
    import torch

    save_params(tmp_path / "G.params", generator())
    for layout in ("plain", "main"):
        convert_weights(tmp_path / "G.params", tmp_path / "G.pth", layout=layout)
        found = networks.generator(tmp_path / "G.pth")
        assert (found.source, found.assumed, found.cautions) == ("G.pth's own layout", (), [])
    state = torch.load(tmp_path / "G.pth")
    assert "mxgan.json" not in state and len(state) == 30
    torch.save(state, tmp_path / "foreign.pth")
    convert_weights(tmp_path / "foreign.pth", tmp_path / "guessed.pth")
    assert networks.generator(tmp_path / "guessed.pth").guessed


@pytest.mark.parametrize("layout", ["plain", "main"])
def test_a_pt_is_a_pth(tmp_path, layout):
    pytest.importorskip("torch")
    for name in ("netG.pt", "netG.PT", "netG.pth"):
        convert_weights(REAL, tmp_path / name, layout=layout)
    assert files.load(tmp_path / "netG.pt").container == "pth"
    for name in ("netG.pt", "netG.PT"):
        assert_bits_equal(files.load(tmp_path / name).arrays, files.load(tmp_path / "netG.pth").arrays)


@pytest.mark.parametrize("through", PACKAGES)
@pytest.mark.parametrize("back", PACKAGES)
def test_there_and_back_is_bit_equal(tmp_path, through, back):
    needs(through, back)
    convert_weights(REAL, tmp_path / f"there{through}")
    convert_weights(tmp_path / f"there{through}", tmp_path / f"and{back}")
    convert_weights(tmp_path / f"and{back}", tmp_path / "home.params")
    canonical = load_net(REAL).arrays
    assert list(load_params(tmp_path / "home.params")) == list(canonical)
    assert_bits_equal(load_params(tmp_path / "home.params"), canonical)


@pytest.mark.parametrize("through", PACKAGES)
def test_names_kept_give_the_very_file_back(tmp_path, through):
    needs(through)
    convert_weights(REAL, tmp_path / f"there{through}", names="keep")
    convert_weights(tmp_path / f"there{through}", tmp_path / "home.params", names="keep")
    assert_bits_equal(load_params(tmp_path / "home.params"), load_params(REAL))
    if through != ".safetensors":  # which sorts by dtype and name
        assert (tmp_path / "home.params").read_bytes() == REAL.read_bytes()


@pytest.mark.parametrize("suffix", PACKAGES)
def test_what_is_no_network_keeps_its_names(tmp_path, suffix):
    needs(suffix)
    save_params(tmp_path / "any.params", ODD)
    done = convert_weights(
        tmp_path / "any.params", tmp_path / f"any{suffix}" if suffix != ".params" else tmp_path / "b.params"
    )
    assert (done.net, done.arrays) == (None, len(ODD))
    assert done.notes == ("no DCGAN was recognised: every array is kept under its own name",)
    assert_bits_equal(files.load(done.path).arrays, ODD)


def test_every_era_comes_out_as_canonical_params(tmp_path):
    wanted = {}
    for path in sorted(FILES.glob("*.params")):
        convert_weights(path, tmp_path / "out.params")
        wanted.setdefault(path.name.split("-")[1], (tmp_path / "out.params").read_bytes())
        # One release's net under each of its schemes ends as one and the same file.
        assert (tmp_path / "out.params").read_bytes() == wanted[path.name.split("-")[1]]
    own = FILES / "G-mxnet1.9.1-ngf2-save_parameters.params"
    assert wanted["mxnet1.9.1"] == own.read_bytes()


@pytest.mark.parametrize("arrays", [generator(), generator(bias=False), discriminator()], ids=["G", "G no bias", "D"])
@pytest.mark.parametrize("suffix", PACKAGES)
def test_either_network_comes_out_canonical(tmp_path, suffix, arrays):
    needs(suffix)
    save_params(tmp_path / "net.params", renamed(arrays, lambda place, word, norm, index: f"net.{index}.{word}"))
    convert_weights(tmp_path / "net.params", tmp_path / f"out{suffix}")
    assert_bits_equal(load_net(tmp_path / f"out{suffix}").arrays, arrays)


def test_float16_on_request(tmp_path):
    convert_weights(REAL, tmp_path / "half.params", dtype="float16")
    for name, array in load_net(REAL).arrays.items():
        half = load_params(tmp_path / "half.params")[name]
        assert half.dtype == np.float16
        np.testing.assert_array_equal(half, array.astype(np.float16))
    convert_weights(tmp_path / "half.params", tmp_path / "wide.params", dtype="float32")
    assert load_params(tmp_path / "wide.params")["0.weight"].dtype == np.float32


def test_a_value_too_large_for_float16_is_refused(tmp_path):
    save_params(tmp_path / "a.params", {"x": np.array([7e4], np.float32)})
    with pytest.raises(ParamsError, match=r"x: has values up to 7e\+04, too large for float16"):
        convert_weights(tmp_path / "a.params", tmp_path / "b.npz", dtype="float16")
    assert not (tmp_path / "b.npz").exists()


@pytest.mark.parametrize("stored", ["BF16", "params"])
def test_bfloat16_widens_exactly(tmp_path, stored):
    bits = np.array([0x3F80, 0xC2F7, 0x7F80, 0x0001, 0x8000], np.uint16)
    wide = (bits.astype(np.uint32) << 16).view(np.float32)
    if stored == "BF16":
        pytest.importorskip("safetensors")
        source = tmp_path / "a.safetensors"
        header = b'{"x":{"dtype":"BF16","shape":[5],"data_offsets":[0,10]}}'
        source.write_bytes(len(header).to_bytes(8, "little") + header + bits.tobytes())
    else:
        source = tmp_path / "a.params"
        record = b"\xc9\xfa\x93\xf9" + np.array([0, 1, 5, 0, 1, 0, 12], np.int32).tobytes() + bits.tobytes()
        source.write_bytes(np.array([0x112, 0, 1], np.uint64).tobytes() + record + bytes(8))
    done = convert_weights(source, tmp_path / "wide.npz")
    assert "bfloat16 is widened to float32" in done.notes
    (array,) = files.load(tmp_path / "wide.npz").arrays.values()
    assert array.tobytes() == wide.tobytes()


def test_a_scalar_does_not_fit_into_params(tmp_path):
    files.save(tmp_path / "a.npz", {"step": np.array(3.0)})
    with pytest.raises(ParamsError, match="can't hold a 0-d array"):
        convert_weights(tmp_path / "a.npz", tmp_path / "b.params")
    assert not (tmp_path / "b.params").exists()


def test_of_two_networks_one_is_chosen_or_the_names_are_kept(tmp_path):
    both = {f"netG.{name}": array for name, array in generator().items()}
    both.update({f"netD.{name}": array for name, array in discriminator().items()})
    save_params(tmp_path / "gan.params", both)
    with pytest.raises(ParamsError, match="holds a generator and a discriminator; choose one"):
        convert_weights(tmp_path / "gan.params", tmp_path / "out.npz")
    convert_weights(tmp_path / "gan.params", tmp_path / "out.npz", names="keep")
    assert_bits_equal(files.load(tmp_path / "out.npz").arrays, both)
    convert_weights(tmp_path / "gan.params", tmp_path / "out.npz", kind="discriminator")
    assert_bits_equal(files.load(tmp_path / "out.npz").arrays, discriminator())


def test_an_existing_destination_is_replaced_and_the_source_never(tmp_path):
    (tmp_path / "out.npz").write_text("old")
    convert_weights(REAL, tmp_path / "out.npz")
    assert len(files.load(tmp_path / "out.npz").arrays) == 26
    assert sorted(os.listdir(tmp_path)) == ["out.npz"]
    (tmp_path / "link.npz").symlink_to("out.npz")
    for other in ("out.npz", "link.npz"):
        with pytest.raises(ParamsError, match="the same file"):
            convert_weights(tmp_path / "out.npz", tmp_path / other)


@pytest.mark.parametrize(
    ("dst", "options", "said"),
    [
        ("out.h5", {}, r"unknown suffix '.h5'; a destination ends in .params, .npz, .safetensors, .pth, .pt, "),
        ("out", {}, "unknown suffix ''"),
        ("out.npz", {"dtype": "int8"}, "dtype 'int8': one of float16, float32, float64"),
        ("out.npz", {"names": "mine"}, "names 'mine': one of canonical, keep"),
        ("out.npz", {"layout": "main"}, "write a .pth"),
        ("out.npz", {"kind": "discriminator"}, "found a generator.*expected a discriminator"),
    ],
)
def test_a_wrong_wish_is_refused_in_a_line(tmp_path, dst, options, said):
    from mxgan.errors import MxganError

    with pytest.raises(MxganError, match=said) as error:
        convert_weights(REAL, tmp_path / dst, **options)
    assert "\n" not in str(error.value)
    assert os.listdir(tmp_path) == []


def test_a_name_that_a_zip_member_cannot_have(tmp_path):
    for name in ("../a", "/a", "a\\b"):
        save_params(tmp_path / "a.params", {name: np.ones(1, np.float32)})
        with pytest.raises(ParamsError, match="can't be the name of a member of a ZIP"):
            convert_weights(tmp_path / "a.params", tmp_path / "a.npz")


@pytest.mark.parametrize(("content", "wanted"), [(b"\x00\x01", "safetensors"), (b"\xff" * 64, "safetensors")])
def test_a_damaged_safetensors_file(tmp_path, content, wanted):
    pytest.importorskip("safetensors")
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(ParamsError, match=r"a\.safetensors: ") as error:
        files.load(tmp_path / "a.safetensors")
    assert "\n" not in str(error.value)


def test_every_prefix_and_change_of_a_safetensors_file_is_arrays_or_an_error(tmp_path):
    pytest.importorskip("safetensors")
    files.save(tmp_path / "good.safetensors", {"a.weight": np.ones((2, 3), np.float32), "b": np.arange(3)})
    good = (tmp_path / "good.safetensors").read_bytes()
    random = np.random.default_rng(0)
    bad = tmp_path / "bad.safetensors"
    cases = [good[:length] for length in range(len(good))]
    for _ in range(300):
        changed = bytearray(good)
        changed[random.integers(len(good))] = random.integers(256)
        cases.append(bytes(changed))
    for case in cases:
        bad.write_bytes(case)
        try:
            files.load(bad)
        except ParamsError as error:
            assert "\n" not in str(error)


def test_contents_decide_not_the_suffix(tmp_path):
    """gluon-cv named MXNet's .params .pth, and MXNet 2.0 names a ZIP .params."""
    (tmp_path / "netG_epoch_9.pth").write_bytes(REAL.read_bytes())
    assert files.load(tmp_path / "netG_epoch_9.pth").container == "V2"
    files.save(tmp_path / "a.npz", {"x": np.ones(1)})
    (tmp_path / "a.npz").rename(tmp_path / "a.params")
    assert files.load(tmp_path / "a.params").container == "npz"


def test_npz_opens_in_numpy_and_is_the_same_bytes_every_time(tmp_path):
    files.save(tmp_path / "a.npz", ODD)
    files.save(tmp_path / "b.npz", ODD)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as opened:
        assert_bits_equal(dict(opened), ODD)
    assert params_file.read(tmp_path / "a.npz").warnings == ()


@pytest.mark.parametrize(
    ("dst", "package", "said"),
    [
        (
            "a.safetensors",
            "safetensors",
            r".safetensors needs safetensors: pip install 'mxgan\[cpu,safetensors\]'",
        ),
        ("a.pth", "torch", r"writing .pth needs PyTorch: pip install 'mxgan\[cpu,pytorch\]'"),
        ("a.onnx", "onnx", r"pip install 'mxgan\[cpu,onnx\]'"),
        ("a.onnx", "onnxruntime", r"pip install 'mxgan\[cpu,onnx\]'"),
    ],
)
def test_a_missing_package_is_told_with_what_to_type(tmp_path, tmp_path_factory, monkeypatch, dst, package, said):
    if package == "onnxruntime":
        pytest.importorskip("onnx")
    source = tmp_path_factory.mktemp("source") / "netG.params"
    save_params(source, generator())
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(extras, "_is_here", lambda name: name in ("mxgan", "mxnet"))  # which must keep working
    with pytest.raises(ImportError, match=said) as error:
        convert_weights(source, tmp_path / dst)
    assert "\n" not in str(error.value)
    assert os.listdir(tmp_path) == []
