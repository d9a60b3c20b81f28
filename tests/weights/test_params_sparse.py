"""row_sparse and csr arrays are read as dense, as MXNet spreads them out; no small file spreads to a huge array."""

from __future__ import annotations

import random
import struct
import tracemalloc

import numpy as np
import params_makers as make
import pytest

from mxgan import ParamsError
from mxgan.architecture import inspect, table
from mxgan.weights import files, params_file, sparse

TWO_ROWS = np.array([[1, 2], [3, 4]], np.float32)
THREE = np.array([1, 2, 3], np.float32)


def i8(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


ROWS, STARTS, COLUMNS = i8(1, 3), i8(0, 1, 1, 3), i8(1, 0, 2)


def row_sparse(shape=(5, 2), values=TWO_ROWS, rows=ROWS) -> bytes:
    return make.header(1) + make.sparse(shape, values, rows) + make.names("w")


def csr(shape=(3, 4), values=THREE, starts=STARTS, columns=COLUMNS) -> bytes:
    return make.header(1) + make.sparse(shape, values, starts, columns) + make.names("w")


def read(data: bytes) -> np.ndarray:
    return params_file.parse(data, "s.params").arrays["w"]


def test_row_sparse():
    assert read(row_sparse()).tolist() == [[0, 0], [1, 2], [0, 0], [3, 4], [0, 0]]
    assert read(row_sparse(rows=i8(3, 1))).tolist() == [[0, 0], [3, 4], [0, 0], [1, 2], [0, 0]]
    assert read(row_sparse((2, 2, 1), np.ones((1, 2, 1), np.float16), i8(1))).tolist() == [[[0], [0]], [[1], [1]]]
    assert read(row_sparse((3,), np.array([7], np.uint8), np.array([2], np.uint8))).tolist() == [0, 0, 7]


def test_csr():
    assert read(csr()).tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [2, 0, 3, 0]]
    assert read(csr(columns=i8(1, 2, 0))).tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 2, 0]]
    assert read(csr(starts=STARTS.astype(np.int32))).tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [2, 0, 3, 0]]


def test_nothing_stored_is_all_zeros():
    assert read(row_sparse(values=np.zeros((0, 2), np.float32), rows=i8())).tolist() == [[0, 0]] * 5
    for starts in (i8(0, 0, 0, 0), i8()):
        assert read(csr(values=THREE[:0], starts=starts, columns=i8())).tolist() == [[0] * 4] * 3


def test_arrays_before_and_after_are_untouched():
    half = np.arange(3, dtype=np.float16)  # leaves the next array unaligned
    data = make.header(3) + make.record(half) + make.sparse((2, 3), half.reshape(1, 3), i8(1)) + make.record(THREE)
    arrays = params_file.parse(data + make.names("a", "w", "b")).arrays
    assert make.all_same(arrays, {"a": half, "w": np.array([[0, 0, 0], [0, 1, 2]], np.float16), "b": THREE})
    assert not arrays["w"].flags.writeable


def test_inspect_and_load_say_so(tmp_path):
    path = tmp_path / "s.params"
    path.write_bytes(row_sparse())
    said = "sparse in the file, read as dense: w (row_sparse, 2 rows stored)"
    assert inspect.inspect(path)["warnings"][0] == said and files.load(path).notes == [said]
    assert "warning: " + said in table.lines(inspect.inspect(path))
    with pytest.warns(UserWarning, match="read as dense"):
        params_file.load_params(path, strict=True)  # it is no mistake
    many = make.header(99) + make.sparse((3, 4), THREE, STARTS, COLUMNS) * 99 + make.names()
    assert params_file.parse(many).warnings[0].endswith("7 (csr, 3 values stored), and 91 more")


W = "s.params: array 0 ('w'), byte "


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (row_sparse(rows=i8(1, 5)), "116: wanted each row between 0 and 4, found 5: the file is damaged"),
        (row_sparse(rows=i8(-1, 3)), "116: wanted each row between 0 and 4, found -1"),
        (row_sparse(rows=i8(3, 3)), "116: wanted each row once, found row 3 twice"),
        (row_sparse(rows=i8(1)), "116: wanted the row of 2, one each, found indices of shape (1,)"),
        (row_sparse(rows=i8(1, 3).reshape(1, 2)), "124: wanted the row of 2, one each, found indices of shape (1, 2)"),
        (row_sparse(rows=np.array([1, 3], np.float32)), "84: wanted one of uint8, int32, int8, int64, int16, uint16"),
        (row_sparse((5, 3)), "116: wanted some rows of shape (3,), found values of shape (2, 2)"),
        (row_sparse((5,)), "108: wanted some rows of shape (), found values of shape (2, 2)"),
        (row_sparse((-5, 2)), "56: wanted dimensions of 0 and more, found (-5, 2)"),
        (row_sparse((2**60, 2)), "56: wanted a shape whose values fit into memory"),
        (row_sparse((2**40, 2)), "56: wanted at most 67108864 bytes of dense arrays from the sparse ones, found 87960"),
        (csr(columns=i8(1, 0, 4)), "120: wanted each column between 0 and 3, found 4"),
        (csr(columns=i8(1, 0, -1)), "120: wanted each column between 0 and 3, found -1"),
        (csr(columns=i8(1, 2, 2)), "120: wanted each place once, found place 10 twice"),
        (csr(columns=i8(1, 0)), "120: wanted the column of 3, one each, found indices of shape (2,)"),
        (csr(starts=i8(0, 1, 1, 2)), "120: wanted starts of rows that rise from 0 to 3, found 0, 1, 1, 2"),
        (csr(starts=i8(1, 1, 1, 3)), "120: wanted starts of rows that rise from 0 to 3, found 1, 1, 1, 3"),
        (csr(starts=i8(0, 2, 1, 3)), "120: wanted starts of rows that rise from 0 to 3, found 0, 2, 1, 3"),
        (csr(starts=i8(0, 1, 1, 4)), "120: wanted each start of a row between 0 and 3, found 4"),
        (csr(starts=i8(0, 1, 3)), "120: wanted the start of a row of 4, one each, found indices of shape (3,)"),
        (csr(starts=i8()), "120: wanted the start of a row of 4, one each, found indices of shape (0,)"),
        (csr((3, 4, 1)), "128: wanted a matrix and a list of its values, found shapes (3, 4, 1) and (3,)"),
        (csr((2**20, 2**20)), "48: wanted at most 67108864 bytes"),
        (csr((2**40, 0), THREE[:0], i8(0), i8()), "108: wanted the start of a row of 1099511627777, one each"),
    ],
)  # fmt: skip
def test_damage_is_named(data, says):
    with pytest.raises(ParamsError) as caught:
        read(data)
    assert str(caught.value).startswith(W + says)


def test_small_files_never_spread_to_much():
    """A claim of 2^40 rows allocates nothing; the bound holds for all sparse arrays of a file together."""
    claims = [row_sparse((2**40, 2)), csr((2**20, 2**30)), row_sparse((2**24 + 1,), THREE[:1], i8(0))]
    many = make.header(40) + make.sparse((2**20,), THREE[:1], i8(0)) * 40 + make.names()
    tracemalloc.start()
    for data in claims:
        with pytest.raises(ParamsError, match="from the sparse ones"):
            read(data)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    with pytest.raises(ParamsError, match=rf"array 16.* found {17 * 2**22}: make it dense in MXNet"):
        params_file.parse(many)
    tracemalloc.stop()
    assert read(row_sparse((2**24,), THREE[:1], i8(0))).nbytes == sparse.MOST_ALWAYS
    assert read(csr((2**40, 0), THREE[:0], i8(), i8())).size == 0


def test_no_prefix_is_read_and_no_changed_byte_does_harm():
    choose = random.Random(0)
    for data in (row_sparse(), csr()):
        for size in range(len(data)):
            with pytest.raises(ParamsError, match="cut short"):
                params_file.parse(data[:size] or b"\x12")
        for at in range(24, len(data)):
            damaged = bytearray(data)
            damaged[at] ^= choose.randrange(1, 256)
            try:
                held = params_file.parse(bytes(damaged), "s.params").arrays
            except ParamsError as error:
                assert str(error).startswith("s.params: ") and str(error).isprintable()
            else:
                assert sum(array.nbytes for array in held.values()) <= sparse.MOST_ALWAYS


def test_v3_has_no_sparse_arrays():
    data = make.header(1) + struct.pack("<Ii", 0xF993FACA, 1) + bytes(60)
    with pytest.raises(ParamsError, match=r"byte 28: wanted a dense array, found a row_sparse one: make it dense"):
        params_file.parse(data)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int32", "int8", "int64"])
def test_mxnet_reads_the_same(mx, tmp_path, dtype):
    """Each file is one that MXNet's ``nd.save`` wrote; ``nd.load(...).tostype("default")`` says what is in it."""
    make_rows, make_csr = mx.nd.sparse.row_sparse_array, mx.nd.sparse.csr_matrix
    rng = np.random.default_rng(0)
    matrix = ((rng.random((7, 5)) < 0.3) * rng.integers(1, 100, (7, 5))).astype(dtype)
    arrays = {
        "rows": make_rows((rng.integers(0, 9, (3, 2, 3)).astype(dtype), [0, 2, 6]), shape=(8, 2, 3), dtype=dtype),
        "unsorted": make_rows((np.array([[1, 2], [3, 4]], dtype), [3, 1]), shape=(5, 2), dtype=dtype),
        "vector": make_rows((np.array([1, 2], dtype), [1, 3]), shape=(5,), dtype=dtype),
        "all": mx.nd.array(matrix, dtype=dtype).tostype("row_sparse"),
        "csr": make_csr(matrix, dtype=dtype),
        "columns unsorted": make_csr((np.array([1, 2, 3], dtype), [1, 2, 0], [0, 1, 1, 3]), shape=(3, 4), dtype=dtype),
        "no rows": mx.nd.sparse.zeros("row_sparse", (5, 2), dtype=dtype),
        "no values": mx.nd.sparse.zeros("csr", (5, 2), dtype=dtype),
        "dense": mx.nd.array(matrix, dtype=dtype),
    }
    path = str(tmp_path / "a.params")
    mx.nd.save(path, arrays)
    expected = {name: array.tostype("default").asnumpy() for name, array in mx.nd.load(path).items()}
    with pytest.warns(UserWarning, match="read as dense"):
        assert make.all_same(params_file.load_params(path), expected)
    rows = make.header(1) + make.sparse((5, 2), np.array([[1, 2], [3, 4]], dtype), ROWS) + make.names("w")
    mx.nd.save(path, {"w": make_rows((np.array([[1, 2], [3, 4]], dtype), [1, 3]), shape=(5, 2), dtype=dtype)})
    assert (tmp_path / "a.params").read_bytes() == rows  # the maker writes as MXNet does
