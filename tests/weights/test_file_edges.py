"""The smallest files of each kind, and what is said first of a file with two faults."""

import zipfile

import numpy as np
import pytest

from mxgan.errors import ParamsError
from mxgan.weights import files, names, params_file, suspects


def test_a_safetensors_file_may_be_empty(tmp_path):
    pytest.importorskip("safetensors")
    (tmp_path / "a.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    file = files.load(tmp_path / "a.safetensors")
    assert (file.container, file.bytes, file.arrays) == ("safetensors", 10, {})


def test_an_npz_bears_the_same_date_always(tmp_path):
    files.save(tmp_path / "a.npz", {"a": np.zeros(1)})
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert [(one.filename, one.date_time) for one in archive.infolist()] == [("a.npy", (1980, 1, 1, 0, 0, 0))]


@pytest.mark.parametrize("head", [b"P", b"PK", b"PK\x03"])
def test_a_zip_of_a_few_bytes_is_cut_short(head):
    assert suspects.describe(head, len(head)) == f"the file is cut short: a ZIP of {len(head)} bytes: fetch it again"


def test_of_two_oddities_a_strict_reader_names_the_first(tmp_path):
    params_file.save_params(tmp_path / "a.params", {"a": np.zeros(1, np.float32)})
    data = bytearray((tmp_path / "a.params").read_bytes())
    data[8] = 1  # a header not as MXNet writes it
    with pytest.raises(ParamsError, match="byte 8: wanted 8 bytes of 0"):
        params_file.parse(bytes(data) + b"more", strict=True)
    assert [text.split(":")[0] for text in params_file.parse(bytes(data) + b"more").warnings] == [
        "byte 8",
        f"byte {len(data)}",
    ]


@pytest.mark.parametrize("statistic", ["running_mean", "running_var", "num_batches_tracked"])
def test_any_one_statistic_tells_pytorchs_batchnorm(statistic):
    vector = np.zeros(3)
    (layer,), strays = names.layers({"1.weight": vector, "1.bias": vector, f"1.{statistic}": vector})
    assert (sorted(layer.arrays), strays) == (sorted(["gamma", "beta", statistic]), [])
