"""Damaged and hostile files end in a ParamsError that says what is where; the process stays well."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import params_makers as make
import pytest
from params_makers import npy, object_npy

from mxgan import ParamsError
from mxgan.weights import params_file

FILES = Path(__file__).parent / "files"
REAL = (FILES / "G-mxnet1.9.1-ngf2-save_parameters.params").read_bytes()
ZIP = (FILES / "G-mxnet2.0.0beta1-ngf2-save_parameters.params").read_bytes()
F4 = make.record(np.ones(2, np.float32))  # 36 bytes: magic 0, storage 4, rank 8, dims 12, device 20, dtype 28, data 32


def error_of(data: bytes) -> str:
    """The one line that `data` ends in."""
    with pytest.raises(ParamsError) as caught:
        params_file.parse(data, "bad.params")
    text = str(caught.value)
    assert text.startswith("bad.params: ") and text.isprintable()
    return text


def arrays_or_error(data: bytes) -> bool:
    """Whether `data` is read; it must be that or a ParamsError."""
    try:
        file = params_file.parse(data, "bad.params")
    except ParamsError as error:
        assert str(error).startswith("bad.params: ") and str(error).isprintable()
        return False
    assert sum(array.nbytes for array in file.arrays.values()) <= max(16 * len(data), 2**20)
    return True


# The measured table: what MXNet aborts on, corrupts or accepts


def v2(storage=0, rank=1, dims=(2,), flag=0, data=b"\0" * 8) -> bytes:
    return struct.pack(f"<Iii{len(dims)}qiii", 0xF993FAC9, storage, rank, *dims, 1, 0, flag) + data


def second(record: bytes) -> bytes:
    """A file whose array 1 of 3, 'b', at byte 24 + 40 = 64, is `record`."""
    return make.header(3) + F4 + record + F4 + make.names("a", "b", "c")


B = "bad.params: array 1 ('b'), byte "


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (make.header(2**60), "byte 16: wanted at most 0 arrays in a file of 24 bytes, found a count of 11529215046068"),
        (make.header(2**33) + F4 * 3, "byte 16: wanted at most 30 arrays in a file of 144 bytes, found a count of 858"),
        (second(v2(rank=2_000_000_000)), B + "72: wanted a rank up to 32, found 2000000000"),
        (second(v2(rank=33)), B + "72: wanted a rank up to 32, found 33"),
        (second(v2(rank=-1)), B + "72: wanted a rank up to 32, found -1"),
        (second(v2(rank=-5)), B + "72: wanted a rank up to 32, found -5"),
        (second(v2(dims=(-2,))), B + "76: wanted dimensions of 0 and more, found (-2,)"),
        (second(v2(rank=2, dims=(2**40, 2**30))), B + "76: wanted a shape whose values fit into memory, found ("),
        (second(v2(rank=2, dims=(2**62, 4))), B + "76: wanted a shape whose values fit into memory"),
        (second(v2(rank=3, dims=(0, 2**62, 4))), B + "76: wanted a shape whose values fit into memory"),
        (second(v2(dims=(2**40,))), B + "96: wanted 4398046511104 bytes of float32 of shape (1099511627776,), found"),
        (second(v2(storage=99)), B + "68: wanted a storage type of 0 (dense), 1 or 2, found 99"),
        (second(v2(storage=-1)), B + "68: wanted a storage type of 0 (dense), 1 or 2, found -1"),
        (second(v2(flag=13)), B + "92: wanted a dtype flag of 0 to 12, found 13"),
        (second(v2(flag=-1)), B + "92: wanted a dtype flag of 0 to 12, found -1"),
        (second(v2(flag=7, data=b"\0\2")), B + "96: wanted bools, which are bytes of 0 and 1, found a byte of 2"),
        (second(struct.pack("<Iii", 0xF993FAC9, 0, 0)), B + "72: wanted an array, found MXNet's mark for none"),
        (second(struct.pack("<Iii", 0xF993FACA, 0, -1)), B + "72: wanted an array, found MXNet's mark for none"),
        (second(struct.pack("<Iiiq", 0xF993FACA, 0, 1, -1)), B + "76: wanted an array, found MXNet's mark for none"),
        (second(struct.pack("<II", 0xF993FAC8, 0)), B + "68: wanted an array, found MXNet's mark for none"),
        (second(struct.pack("<I", 0)), B + "64: wanted an array, found MXNet's mark for none"),
        (second(struct.pack("<I", 2**31 - 1)), B + "64: wanted a magic number (0xf993fac8, c9 or ca) or a rank up"),
        (make.header(1) + F4 + make.names("a", "b"), "byte 64: wanted as many names as arrays, 1, or none, found 2"),
        (make.header(1) + F4 + struct.pack("<Q", 2**60), "wanted as many names as arrays, 1, or none, found 115292150"),
        (make.header(1) + F4 + struct.pack("<QQ", 1, 2**60), "byte 80: wanted 1152921504606846976 bytes of the name"),
        (make.header(2) + F4 * 2 + make.names("a", "a"), "the name of array 1, byte 129: wanted one of its own, found"),
        (make.header(1) + F4 + make.names("a\0b"), "the name of array 0, byte 81: wanted no NUL, where MXNet would"),
        (make.header(1) + F4 + make.names(b"ab\xff"), "the name of array 0, byte 82: wanted UTF-8, found b'ab"),
    ],
)  # fmt: skip
def test_the_measured_table(data, says):
    assert says in error_of(data)


def test_a_zero_dimension_is_fine():
    assert params_file.parse(second(v2(rank=2, dims=(0, 3), data=b""))).arrays["b"].shape == (0, 3)


def test_the_name_is_left_out_where_the_end_of_the_file_is_gone():
    cut = second(v2(flag=13))[:-1]
    assert "array 1 (its name is unknown), byte 92: wanted a dtype flag" in error_of(cut)


# Every prefix, every byte, many accidents


def structure(data: bytes) -> list[int]:
    """The places in a list file of 26 arrays that aren't inside of values; those are a few kinds of place only."""
    loaded = params_file.parse(data).arrays
    places, at = list(range(24)), 24
    for array in loaded.values():
        head = 24 + 8 * array.ndim
        places += [*range(at, at + head), at + head + 1, at + head + array.nbytes - 1]
        at += head + array.nbytes
    return places + list(range(at, len(data)))


@pytest.mark.parametrize("container", ["legacy", "V1", "V2", "V3"])
def test_no_prefix_of_a_small_file_is_read(container):
    data = make.listed(make.small(), container)
    for size in range(len(data)):
        assert "cut short" in error_of(data[:size]) or size == 0


def test_no_prefix_of_a_real_file_is_read():
    for size in structure(REAL):
        assert not arrays_or_error(REAL[:size])


def test_no_prefix_of_a_zip_is_read():
    for size in [*range(0, 400), *range(400, len(ZIP), 997), *range(len(ZIP) - 2000, len(ZIP))]:
        assert not arrays_or_error(ZIP[:size])


def test_every_single_byte_of_a_small_file():
    for container in ("legacy", "V2", "V3"):
        data = make.listed(make.small(), container)
        for at in range(len(data)):
            for byte in {0, 1, 0x7F, 0x80, 0xFF, data[at] ^ 1, data[at] ^ 0x80} - {data[at]}:
                arrays_or_error(data[:at] + bytes([byte]) + data[at + 1 :])


def test_every_single_byte_of_the_first_header_of_a_real_file():
    for at in range(24 + 24 + 32):
        for byte in range(256):
            arrays_or_error(REAL[:at] + bytes([byte]) + REAL[at + 1 : 4000])


def test_every_single_byte_of_a_small_zip():
    file = io.BytesIO()
    np.savez_compressed(file, a=np.ones(3, np.float32), b=np.zeros(2, bool))
    data = file.getvalue()
    for at in range(len(data)):
        for byte in (0, 0xFF, data[at] ^ 1, data[at] ^ 0x80):
            arrays_or_error(data[:at] + bytes([byte]) + data[at + 1 :])


def test_many_accidents():
    files = [make.listed(make.small(), container) for container in ("legacy", "V1", "V2", "V3")] + [
        ZIP[-4000:],
        REAL[:2000],
    ]
    choose, read = random.Random(0), 0
    for _ in range(3000):
        data = bytearray(choose.choice(files))
        for _ in range(choose.randint(1, 4)):
            at = choose.randrange(len(data))
            new = struct.pack("<Q", choose.choice((0, 1, 2**31, 2**32 - 1, 2**60, 2**63)))[: choose.choice((1, 4, 8))]
            data[at : at + choose.choice((0, len(new), 20))] = new
        read += arrays_or_error(bytes(data))
    assert 0 < read < 3000


# ZIPs


def header_npy(header: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + data


def npy_of(descr: str, shape: str, data: bytes = b"") -> bytes:
    return header_npy(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n", data)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"../../x.npy": npy()}, "array 0 ('../../x.npy'), byte 0: wanted an array's name, found '../../x.npy', which"),
        ({"/etc/x.npy": npy()}, "which is a path or holds a NUL"),
        ({"a\\b.npy": npy()}, "which is a path or holds a NUL"),
        ({"a.npy": npy(), "notes.txt": b"hi"}, "array 1 ('notes.txt'), byte 187: wanted a ZIP of .npy members"),
        ({"netG.params": REAL}, "if weights are inside, unpack them first"),
        ({"w/format.npy": npy(), "w/data.npy": npy(), "b.npy": npy()}, "found 'w', a row_sparse or csr one: make"),
        ({"archive/data.pkl": b"", "archive/version": b"3"}, "this is a PyTorch file, where .params or .npz is wanted"),
        ({"a.npy": object_npy(None)}, "byte 45: wanted bools, integers or floats of up to 8 bytes, found dtype '|O'"),
        ({"a.npy": npy_of("'<U4'", "(1,)", bytes(16))}, "found dtype '<U4'"),
        ({"a.npy": npy_of("'<c8'", "(1,)", bytes(8))}, "found dtype '<c8'"),
        ({"a.npy": npy_of("[('a', '<f4')]", "(1,)", bytes(4))}, "found dtype \"[('a', '<f4')]\""),
        ({"a.npy": npy_of("'<\0\n'", "(1,)", bytes(4))}, "found dtype '<\\x00\\n'"),
        ({"a.npy": npy_of("'<f4'", "(2,)", bytes(4))}, "wanted 8 bytes of float32 of shape (2,), found 4"),
        ({"a.npy": npy_of("'<f4'", "(1,)", bytes(8))}, "wanted 4 bytes of float32 of shape (1,), found 8"),
        ({"a.npy": npy_of("'<f4'", "(4294967296, 4294967296)")}, "wanted a shape whose values fit into memory"),
        ({"a.npy": npy_of("'<f4'", "(-1,)")}, "wanted an .npy header's descr, fortran_order and shape"),
        ({"a.npy": npy_of("'<f4'", "(" + "1, " * 33 + ")", bytes(4))}, "wanted at most 32 dimensions, found 33"),
        ({"a.npy": npy_of("'<f4'", "(" + "9" * 5000 + ",)")}, "wanted an .npy header's descr"),
        ({"a.npy": header_npy("(" * 9000)}, "wanted an .npy header's descr"),
        ({"a.npy": header_npy("__import__('os').abort()")}, "wanted an .npy header's descr"),
        ({"a.npy": header_npy("{" + " " * 20000 + "}")}, "wanted at most 10000 bytes of .npy header, found 20002"),
        ({"a.npy": b"\x93NUMPY\1\0\xff\xff"}, "wanted at most 0 bytes of .npy header, found 65535"),
        ({"a.npy": b"\x93NUMPY\4\0" + bytes(9)}, "wanted an .npy of version 1 to 3, found 93 4e 55 4d 50 59 04 00"),
        ({"a.npy": b""}, "wanted an .npy of version 1 to 3, found nothing"),
    ],
)  # fmt: skip
def test_a_zip_of_something_else(members, says):
    assert says in error_of(make.zipped(members))
    assert error_of(make.zipped(members, zipfile.ZIP_DEFLATED))


def test_a_zip_bomb_is_not_unpacked():
    bomb = make.zipped({"a.npy": npy_of("'<f4'", "(5000000,)", bytes(20_000_000))}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    assert f"bytes to unpack from a file of {len(bomb)}, found 200000" in error_of(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * len(bomb) + 100_000


def test_a_zip_bomb_that_lies_about_its_size():
    data = make.zipped({"a.npy": npy_of("'<f4'", "(5000000,)", bytes(20_000_000))}, zipfile.ZIP_DEFLATED)
    entry = data.index(b"PK\1\2")
    lie = data[: entry + 24] + struct.pack("<I", 5000) + data[entry + 28 :]
    tracemalloc.start()
    assert "wanted 5000 bytes when unpacked, found more" in error_of(lie)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * len(lie) + 100_000


def patched(data: bytes, mark: bytes, place: int, new: bytes) -> bytes:
    at = data.index(mark) + place
    return data[:at] + new + data[at + len(new) :]


def test_damage_to_a_zip():
    two = make.zipped({"a.npy": npy(), "b.npy": npy()})
    directory, end = two.index(b"PK\1\2"), two.index(b"PK\5\6")
    for data, says in (
        (patched(two, b"\x93NUMPY", 130, b"\xff"), "array 0 ('a'), byte 35: wanted bytes whose CRC-32 is 0x"),
        (patched(two, b"PK\1\2", 8, b"\1"), "wanted a member without a password, found an encrypted one"),
        (patched(two, b"PK\1\2", 10, b"\x0e"), "wanted a member stored or deflated, found method 14"),
        (patched(two, b"PK\1\2", 24, b"\xff"), "bytes stored, found"),
        (patched(two, b"PK\1\2", 42, struct.pack("<I", 2**31)), "found one that overlaps"),
        (patched(two, b"PK\3\4", 30, b"z"), "array 0 ('a'), byte 0: wanted the header of 'a.npy', found another"),
        (
            two.replace(b"b.npy", b"a.npy"),
            "array 1 ('a.npy'), byte 187: wanted a name of its own, found that of arr",
        ),
        (two[: end + 10] + struct.pack("<H", 60000) + two[end + 12 :], "wanted a directory that ends at byte"),
        (two[: directory + 30] + b"\xff\xff" + two[directory + 32 :], "wanted a directory entry"),
    ):
        assert says in error_of(data)
    second_entry = directory + 46 + len("a.npy")
    overlapping = two[: second_entry + 42] + bytes(4) + two[second_entry + 46 :]  # both begin at byte 0
    assert "array 1 ('b'), byte 0: wanted a member at bytes" in error_of(overlapping)


def test_a_zip64_field_that_is_cut_short():
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 6, 0, 2**32 - 1, 2**32 - 1, 5, 9, *[0] * 4, 2**32 - 1)
    for extra in (struct.pack("<HHB4x", 1, 40, 7), struct.pack("<HHB4x", 1, 3, 7), struct.pack("<HHB4x", 0, 9, 7)):
        directory = entry + b"a.npy" + extra
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(directory), 4, 0)
        assert "array 0 ('a'), byte 4294967295: wanted a member at" in error_of(b"PK\3\4" + directory + end)


def test_an_empty_zip():
    assert params_file.parse(make.zipped({})).arrays == {}


# Memory


def test_a_hostile_size_costs_nothing():
    for data in (
        make.header(2**60) + bytes(1000),
        second(v2(dims=(2**40,))),
        make.header(1) + F4 + struct.pack("<QQ", 1, 2**60),
    ):
        tracemalloc.start()
        error_of(data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 100_000


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
def test_a_file_larger_than_memory(tmp_path):
    with open(tmp_path / "huge.params", "wb") as file:
        file.write(make.header(1) + v2(dims=(2**37,), data=b""))
        file.truncate(2**40)  # takes no place on the disk
    code = (
        "import resource, sys, mxgan; from mxgan.weights import params_file\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))\n"
        "try: params_file.load_params(sys.argv[1])\n"
        "except mxgan.ParamsError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "huge.params")], capture_output=True, text=True)
    assert "1099511627776 bytes and what is in them don't fit into memory" in done.stdout, done.stderr
