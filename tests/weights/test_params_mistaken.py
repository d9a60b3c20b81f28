"""Files that are something else than weights are called what they are; what can't be opened is named."""

from __future__ import annotations

import gzip
import os
import pickle
import re
import struct
from pathlib import Path

import params_makers as make
import pytest
from processes import ordinary_user

from mxgan import ParamsError
from mxgan.weights import params_file

FILES = Path(__file__).parent / "files"
REAL = (FILES / "G-mxnet1.9.1-ngf2-save_parameters.params").read_bytes()


def pickled(protocol: int) -> bytes:
    return pickle.dumps({"0.weight": [1.0]}, protocol)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 16345678\n" % (b"4" * 64)
MISTAKEN = {
    "empty": (b"", "the file is empty"),
    "seven bytes": (REAL[:7], "it is 7 bytes, and its header alone is 24"),
    "header cut": (REAL[:23], "it is 23 bytes, and its header alone is 24"),
    "LFS": (LFS, f"LFS pointer to a file of 16,345,678 bytes, {len(LFS)} bytes: fetch the real file with"),
    "HTML": (b"\n<!DOCTYPE html>\n<html>...", "this is an HTML page"),
    "HTML, BOM": (b"\xef\xbb\xbf<html lang='en'>", "this is an HTML page"),
    "XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "this is XML, perhaps a server's error message"),
    "text": (b"404: Not Found", "this is text, '404: Not Found'"),
    "gzip": (gzip.compress(REAL[:100]), "this is a gzip file: unpack it first"),
    **{f"pickle {n}": (pickled(n), "this is a Python pickle") for n in range(5)},
    "npy": (make.npy(), "this is one NumPy array (.npy)"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(90), "this is an HDF5 file"),
    "safetensors": (struct.pack("<Q", 60) + b'{"0.weight":{"dtype":"F32"' + bytes(90), "this is a safetensors file"),
    "ONNX": (b"\x08\x08\x12\x05mxgan:\xff\x01" + bytes(90), "this is an ONNX file: name it .onnx"),
    "symbol": (b'{\n  "nodes": [\n    {"op": "null"', "this is an MXNet symbol"),
    "JSON": (b'{"latent": 150}', "this is JSON"),
    "RecordIO": (b"\x0a\x23\xd7\xce" + bytes(90), "this is a RecordIO file"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(90), "this is a PNG picture"),
    "tar": (b"netG.params".ljust(257, b"\0") + b"ustar" + bytes(250), "this is a tar archive"),
    "zeros": (bytes(5000), "begins with zeros only"),
    "noise": (bytes(range(200, 240)), "wanted 12 01 00 00 00 00 00 00, found c8 c9 ca cb cc cd ce cf"),
    "magic of one byte wrong": (b"\x13" + REAL[1:200], "wanted 12 01 00 00 00 00 00 00, found 13 01"),
}  # fmt: skip


@pytest.mark.parametrize("what", MISTAKEN)
def test_a_file_that_is_something_else_is_called_so(what, tmp_path):
    data, says = MISTAKEN[what]
    with pytest.raises(ParamsError, match=f"^bad.params: .*{re.escape(says)}"):
        params_file.parse(data, "bad.params")
    path = tmp_path / "netG.params"
    path.write_bytes(data)
    with pytest.raises(ParamsError) as error:
        params_file.load_params(path)
    assert says in str(error.value) and str(error.value).startswith(f"{path}: ")


def test_a_pytorch_file_is_called_so(tmp_path):
    torch = pytest.importorskip("torch")
    for new in (True, False):
        torch.save({"a": torch.ones(2)}, tmp_path / "a.pth", _use_new_zipfile_serialization=new)
        with pytest.raises(ParamsError) as error:
            params_file.load_params(tmp_path / "a.pth")
        assert str(error.value).endswith(
            "a.pth: this is a PyTorch file, where .params or .npz is wanted: `mxgan.convert_weights` makes one of it, "
            "`mxgan.load_generator` reads it as it is"
        )


def test_a_pickle_never_runs(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    for data in (pickle.dumps(Bomb()), make.zipped({"a.npy": make.object_npy(Bomb())})):
        (tmp_path / "a.params").write_bytes(data)
        with pytest.raises(ParamsError, match="pickle"):
            params_file.load_params(tmp_path / "a.params")
    assert not (tmp_path / "ran").exists()


# What isn't a file


def test_a_file_that_isnt_there(tmp_path):
    with pytest.raises(ParamsError, match="there is no such file"):
        params_file.load_params(tmp_path / "no.params")


def test_a_folder(tmp_path):
    with pytest.raises(ParamsError, match="this is a folder: name a file of weights"):
        params_file.load_params(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_that_nobody_writes_to_doesnt_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ParamsError, match="this is a device or pipe"):
        params_file.load_params(tmp_path / "pipe")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no /dev/zero here")
def test_a_device():
    with pytest.raises(ParamsError, match="this is a device or pipe"):
        params_file.load_params("/dev/zero")


def test_a_file_one_may_not_read(users_folder):
    (users_folder / "a.params").write_bytes(REAL)
    (users_folder / "a.params").chmod(0)
    with ordinary_user(), pytest.raises(ParamsError, match="can't be opened: Permission denied"):
        params_file.load_params(users_folder / "a.params")


def test_a_name_no_file_can_have():
    with pytest.raises(ParamsError, match=r"can't be a file's name: .*embedded null"):
        params_file.load_params("a\0b.params")
