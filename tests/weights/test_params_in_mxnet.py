"""MXNet 1.9.1 reads the same arrays from the same files, and writes the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import params_makers as make
import pytest

from mxgan.weights import params_file

FILES = Path(__file__).parent / "files"
LISTS = sorted(path.name for path in FILES.glob("*.params") if "mxnet2" not in path.name)


def asnumpy(array) -> np.ndarray:
    array = array.asnumpy()
    if array.dtype.names == ("bfloat16",):
        return (array["bfloat16"].astype(np.uint32) << 16).view(np.float32)
    return array


@pytest.mark.parametrize("name", LISTS)
def test_mxnet_reads_the_same_from_real_files(mx, name):
    expected = mx.nd.load(str(FILES / name))
    assert make.all_same(
        params_file.load_params(FILES / name), {key: asnumpy(array) for key, array in expected.items()}
    )


@pytest.mark.parametrize("container", make.CONTAINERS)
def test_mxnet_reads_the_same_from_each_container(mx, tmp_path, container):
    arrays = {name: (np.arange(6).reshape(2, 3) % 2).astype(name) for name in list(make.FLAGS)[:8]}
    if container == "V3":
        arrays["scalar"] = np.array(3, np.float32)
    data = make.listed(arrays, container)
    path = tmp_path / "a.params"
    path.write_bytes(data)
    with mx.util.np_shape(container == "V3"):
        expected = {name: asnumpy(array) for name, array in mx.nd.load(str(path)).items()}
    assert make.all_same(params_file.load_params(path), expected)


def test_mxnet_writes_the_same_bytes(mx, tmp_path):
    arrays = {name: (np.arange(6).reshape(2, 3) % 2).astype(name) for name in list(make.FLAGS)[:8]}
    arrays["Größe"] = np.zeros((2, 1), np.float32)
    mx.nd.save(str(tmp_path / "mx"), {name: mx.nd.array(array, dtype=array.dtype) for name, array in arrays.items()})
    params_file.save_params(tmp_path / "own", arrays)
    assert (tmp_path / "own").read_bytes() == (tmp_path / "mx").read_bytes()


def test_save_parameters_writes_the_same_bytes_and_reads_ours(mx, tmp_path):
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2DTranspose(4, 4, in_channels=5), mx.gluon.nn.BatchNorm(in_channels=4))
    net.initialize(mx.init.Normal(0.02))
    net.save_parameters(str(tmp_path / "mx"))
    arrays = params_file.load_params(tmp_path / "mx")
    params_file.save_params(tmp_path / "own", arrays)
    assert (tmp_path / "own").read_bytes() == (tmp_path / "mx").read_bytes()
    net.load_parameters(str(tmp_path / "own"))
    assert make.all_same(arrays, {name: asnumpy(p.data()) for name, p in net._collect_params_with_prefix().items()})


def test_mxnet_reads_any_layout_we_saved(mx, tmp_path):
    arrays = {"t": np.arange(6.0).reshape(2, 3).T, "big": np.arange(3, dtype=">i4"), "empty": np.zeros((0, 2), "f2")}
    params_file.save_params(tmp_path / "own", arrays)
    loaded = {name: asnumpy(array) for name, array in mx.nd.load(str(tmp_path / "own")).items()}
    assert make.all_same(
        loaded, {name: np.array(array, array.dtype.newbyteorder("<"), order="C") for name, array in arrays.items()}
    )
