"""Every container is read, each array bit for bit, and written as MXNet 1.9.1 writes it."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import params_makers as make
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mxgan import MxganError, ParamsError
from mxgan.weights import params_file

FILES = Path(__file__).parent / "files"
LISTS = sorted(path.name for path in FILES.glob("*.params") if "mxnet2" not in path.name)
ZIP = FILES / "G-mxnet2.0.0beta1-ngf2-save_parameters.params"


# What real releases wrote


@pytest.mark.parametrize("name", LISTS)
def test_a_real_file_saved_again_has_the_same_bytes(name, tmp_path):
    params_file.save_params(tmp_path / "again.params", params_file.load_params(FILES / name))
    assert (tmp_path / "again.params").read_bytes() == (FILES / name).read_bytes()


@pytest.mark.parametrize("name", LISTS)
def test_a_real_file_tells_its_container_and_era(name):
    file = params_file.read(FILES / name)
    assert (file.container, file.era, file.named, file.warnings) == ("V2", "MXNet 0.12 to 1.x", True, ())
    assert len(file.arrays) == 26 and set(file.dtypes.values()) == {"float32"}
    assert next(iter(file.arrays.values())).shape == (150, 16, 4, 4)
    assert sum(array.size for array in file.arrays.values()) == 41_337


def test_a_zip_of_mxnet_2_is_read_under_the_name_params():
    file = params_file.read(ZIP)
    assert (file.container, file.named) == ("npz", True)
    with np.load(ZIP) as expected:
        assert make.all_same(file.arrays, dict(expected))


def test_names_are_those_of_each_writer():
    def first(name):
        return list(params_file.load_params(FILES / name))[:3]

    assert first("G-mxnet1.9.1-ngf2-save_parameters.params") == ["0.weight", "0.bias", "1.gamma"]
    assert first("G-mxnet0.12.0-ngf2-save_params.params") == ["conv0_weight", "conv0_bias", "batchnorm0_gamma"]
    assert first("G-mxnet1.3.1-ngf2-export-0000.params")[0] == "arg:hybridsequential0_conv0_weight"
    assert first("G-mxnet2.0.0beta1-ngf2-save_parameters.params") == ["0.weight", "0.bias", "1.gamma"]


def test_every_writer_of_a_release_saved_the_same_arrays():
    for release in ("0.12.0", "1.3.1", "1.9.1"):
        files = [params_file.load_params(path) for path in FILES.glob(f"G-mxnet{release}-*.params")]
        contents = [sorted((array.shape, array.tobytes()) for array in file.values()) for file in files]
        assert len(files) >= 2 and all(content == contents[0] for content in contents)


# Containers, byte by byte


@pytest.mark.parametrize("container", make.CONTAINERS)
def test_each_list_container(container):
    file = params_file.parse(make.listed(make.small(), container))
    assert file.container == container and make.all_same(file.arrays, make.small())


@pytest.mark.parametrize("container", make.CONTAINERS)
@pytest.mark.parametrize("dtype", list(make.FLAGS)[:-1])
def test_each_dtype(container, dtype):
    array = (np.arange(6).reshape(2, 3) % (2 if dtype == "bool" else 100)).astype(dtype)
    file = params_file.parse(make.listed({"a": array}, container))
    assert file.dtypes == {"a": dtype} and make.same(file.arrays["a"], array)


def test_bfloat16_is_widened_exactly():
    stored = np.arange(2**16, dtype=np.uint16)  # every value there is, NaNs and all
    file = params_file.parse(make.header(1) + make.record(stored, flag=12) + make.names("a"))
    assert file.dtypes == {"a": "bfloat16"} and file.arrays["a"].dtype == np.float32
    assert (file.arrays["a"].view(np.uint32) == stored.astype(np.uint32) << 16).all()


def test_a_bfloat16_scalar_is_widened_too():
    scalar = make.record(np.array(0x3FC0, np.uint16), "V3", flag=12)
    file = params_file.parse(make.header(1) + scalar + make.names("a"))
    assert file.arrays["a"].shape == () and file.arrays["a"] == np.float32(1.5)


def test_a_scalar_in_V3():
    arrays = {"scalar": np.array(1.5, np.float32), "a": np.ones(2, np.float32)}
    assert make.all_same(params_file.parse(make.listed(arrays, "V3")).arrays, arrays)


def test_the_measured_bytes_of_V3_and_float16():
    scalar = bytes.fromhex("cafa93f9 00000000 00000000 01000000 00000000 00000000 0000803f")
    half = bytes.fromhex("c9fa93f9 00000000 01000000 0200000000000000 01000000 00000000 02000000 003c003c")
    file = params_file.parse(make.header(2) + scalar + half + make.names("s", "h"))
    assert make.all_same(file.arrays, {"s": np.array(1, np.float32), "h": np.ones(2, np.float16)})


def test_a_list_without_names_is_numbered():
    data = make.header(2) + make.record(np.zeros(1)) + make.record(np.ones(1)) + make.names()
    file = params_file.parse(data)
    assert not file.named and make.all_same(file.arrays, {"0": np.zeros(1), "1": np.ones(1)})


def test_a_list_of_nothing():
    file = params_file.parse(make.header(0) + make.names())
    assert (file.arrays, file.container) == ({}, "empty")


def test_arrays_of_several_eras_in_one_file():
    data = make.header(2) + make.record(np.zeros(2), "legacy") + make.record(np.ones(2), "V2") + make.names("a", "b")
    file = params_file.parse(data)
    assert file.container == "V2" and make.all_same(file.arrays, {"a": np.zeros(2), "b": np.ones(2)})


def test_what_numpy_writes_as_a_zip(tmp_path):
    arrays = {
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.arange(3, dtype=">f4"),
        "scalar": np.array(2, np.int16),
        "bool": np.array([True, False]),
        "Größe/0": np.zeros((0, 3), np.uint64),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "some.npz", **arrays)
        loaded = params_file.load_params(tmp_path / "some.npz")
        assert list(loaded) == list(arrays)
        for name, array in arrays.items():
            assert make.same(loaded[name], array.astype(array.dtype.newbyteorder("<"))), name
            assert loaded[name].flags.aligned and not loaded[name].flags.writeable


def test_bfloat16_in_a_zip(tmp_path):
    stored = np.array([0x3F80, 0xC000], [("bfloat16", "<u2")])  # as MXNet 2.0 writes it
    np.savez(tmp_path / "b.npz", a=stored)
    file = params_file.read(tmp_path / "b.npz")
    assert file.dtypes == {"a": "bfloat16"} and make.same(file.arrays["a"], np.array([1, -2], np.float32))


def test_a_zip64():
    npy = io.BytesIO()
    np.save(npy, np.arange(3, dtype=np.float32))
    data, name, all_ones = npy.getvalue(), b"a.npy", 2**32 - 1  # which says: look into the ZIP64 field
    sizes = struct.pack("<HH3Q", 1, 24, len(data), len(data), 0)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", *[0] * 5, zlib.crc32(data), all_ones, all_ones, len(name), 0)
    entry = [zlib.crc32(data), all_ones, all_ones, len(name), len(sizes), *[0] * 4, all_ones]
    directory = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 6, *entry) + name + sizes
    start = len(local + name + data)
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(directory), start)
    end += struct.pack("<4sLQL", b"PK\6\7", 0, start + len(directory), 1)
    end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2**16 - 1, 2**16 - 1, all_ones, all_ones, 0)
    arrays = params_file.parse(local + name + data + directory + end, strict=True).arrays
    assert make.all_same(arrays, {"a": np.arange(3, dtype=np.float32)})


# How they are held


def test_arrays_are_aligned_and_read_only():
    odd = {"u": np.arange(3, dtype=np.uint8), "d": np.arange(5, dtype=np.float64), "f": np.arange(4, dtype=np.float32)}
    loaded = params_file.parse(make.listed(odd)).arrays
    assert make.all_same(loaded, odd)
    for array in loaded.values():
        assert array.flags.aligned and not array.flags.writeable


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("kind", ["params", "npz"])
def test_loading_takes_the_memory_of_the_file(tmp_path, dtype, kind):
    arrays = {"byte": np.zeros(1, np.uint8), **{f"{i}.w": np.ones((64, 1000), dtype) for i in range(20)}}
    path = tmp_path / f"some.{kind}"
    params_file.save_params(path, arrays) if kind == "params" else np.savez(path, **arrays)
    params_file.load_params(path)  # whatever Python caches
    tracemalloc.start()
    loaded = params_file.load_params(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert make.all_same(loaded, arrays) and peak < path.stat().st_size + 100_000


def test_what_mxnet_ignores_warns_unless_strict(tmp_path):
    path = tmp_path / "odd.params"
    for data, odd in (
        (make.listed(make.small()) + b"xyz", "wanted the file's end, found 3 more bytes"),
        (make.header(1, reserved=7) + make.record(np.ones(1)) + make.names("a"), "byte 8: wanted 8 bytes of 0"),
        (ZIP.read_bytes() + b"xyz", "wanted the file's end, found 3 more bytes"),
    ):
        path.write_bytes(data)
        for read in (params_file.load_params, params_file.read):
            with pytest.warns(UserWarning, match=odd) as caught:
                read(path)
            assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name]
        assert odd in params_file.parse(data).warnings[0]
        with pytest.raises(ParamsError, match=odd):
            params_file.load_params(path, strict=True)


def test_a_good_file_doesnt_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        params_file.load_params(ZIP)


# Writing


def test_saved_as_described(tmp_path):
    params_file.save_params(tmp_path / "a.params", make.small())
    expected = make.listed(make.small()).replace(struct.pack("<ii", 2, 7), struct.pack("<ii", 1, 0))  # device: cpu(0)
    assert (tmp_path / "a.params").read_bytes() == expected


def test_any_layout_is_saved(tmp_path):
    grid = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    layouts = {
        "transposed": grid.transpose(2, 0, 1),
        "strided": grid[:, ::2, ::-1],
        "big": grid.astype(">f4"),
        "fortran": np.asfortranarray(grid),
        "broadcast": np.broadcast_to(np.float32(3), (2, 2)),
        "empty": grid[:0],
    }
    params_file.save_params(tmp_path / "a.params", layouts)
    loaded = params_file.load_params(tmp_path / "a.params")
    assert make.all_same(loaded, {name: np.array(array, "<f4", order="C") for name, array in layouts.items()})


ONE = np.ones(1, np.float32)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"a": np.float32(1)}, "wanted a NumPy array, found float32"),
        ({"a": [1.0]}, "wanted a NumPy array, found list"),
        ({"a": np.array(1, np.float32)}, "can't hold a 0-d array: reshape it to (1,), or save as .npz"),
        ({"a": np.ones(1, np.int16)}, "can't hold int16, only float32, float64,"),
        ({"a": np.ones(1, complex)}, "can't hold complex128"),
        ({"a": np.array(["x"])}, "can't hold <U1"),
        ({"a": np.array([None])}, "can't hold object"),
        ({"a": np.zeros(1, [("x", "f4")])}, "convert it with astype"),
        ({"a\0b": ONE}, "array 0: its name 'a\\x00b' holds a NUL"),
        ({"ok": ONE, "\ud800": ONE}, "array 1: its name '\\ud800' can't be written as UTF-8"),
        ({3: ONE}, "wanted a str for its name, found 3"),
        ([ONE], "wanted a dict of names and arrays to save, found list"),
    ],
)
def test_what_the_format_cant_hold_is_refused_before_writing(tmp_path, arrays, says):
    path = tmp_path / "a.params"
    path.write_bytes(b"as it was")
    with pytest.raises(ParamsError) as error:
        params_file.save_params(path, arrays)
    assert says in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)
    assert path.read_bytes() == b"as it was" and os.listdir(tmp_path) == ["a.params"]


def test_a_folder_that_isnt_there(tmp_path):
    with pytest.raises(MxganError, match="there is no folder"):
        params_file.save_params(tmp_path / "missing" / "a.params", {"a": ONE})


WRITABLE = st.sampled_from(list(make.FLAGS)[:8]).map(np.dtype)
SHAPES = st.lists(st.integers(0, 4), min_size=1, max_size=5).map(tuple)
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, WRITABLE.flatmap(lambda dtype: hnp.arrays(dtype, SHAPES)), max_size=5))
def test_any_dict_comes_back_bit_for_bit(arrays):
    data = b"".join(params_file.list_file.encode(arrays, "a.params"))
    assert make.all_same(params_file.parse(data, strict=True).arrays, arrays)
    if arrays:
        again = b"".join(params_file.list_file.encode(params_file.parse(data).arrays, "a.params"))
        assert again == data


CODES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
NUMPYS = st.builds("{}{}".format, st.sampled_from("<>"), st.sampled_from(CODES)).map(np.dtype)
ANY_SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text("abcß.0_", min_size=1, max_size=9),
        NUMPYS.flatmap(lambda dtype: hnp.arrays(dtype, ANY_SHAPES)),
        max_size=4,
    ),
    st.sampled_from([np.savez, np.savez_compressed]),
)
def test_any_npz_of_numpys_comes_back(arrays, savez):
    file = io.BytesIO()
    savez(file, **{f"_{name}": array for name, array in arrays.items()})  # `file` is an argument of savez
    loaded = params_file.parse(file.getvalue(), strict=True).arrays
    assert make.all_same(
        loaded, {f"_{name}": array.astype(array.dtype.newbyteorder("<")) for name, array in arrays.items()}
    )
