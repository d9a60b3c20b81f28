"""Pickles as inert values: what comes out of PyTorch's files is what PyTorch put in, and nothing was called."""

import collections
import io
import pickle

import numpy as np
import pytest

from mxgan.errors import ParamsError
from mxgan.weights import pickled
from mxgan.weights.files import load
from mxgan.weights.pickled import Global, Made
from mxgan.weights.pickled_numbers import KNOWN

PLAIN = {
    "none": None,
    "bools": [True, False],
    "numbers": (0, 255, 65536, -1, 2**31, -(2**70), 0.5, float("inf")),
    "text": ["", "a", "é" * 300, "netG.main.0.weight"],
    "bytes": b"\0\xff" * 200,
    "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    "nested": {"a": {"b": [{}, [], [[1]]]}},
    1: "one",
}


def read(data: bytes):
    return pickled.load(io.BytesIO(data), KNOWN)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_out_as_they_went_in(protocol):
    values = {key: value for key, value in PLAIN.items() if key != "bytes" or protocol > 2}
    assert read(pickle.dumps(values, protocol)) == values


@pytest.mark.parametrize("protocol", range(6))
def test_ordered_dicts_are_dicts_and_sets_are_lists(protocol):
    value = {"state": collections.OrderedDict(b=1, a=2), "names": {"x"}, "kinds": frozenset([3])}
    assert read(pickle.dumps(value, protocol)) == {"state": {"b": 1, "a": 2}, "names": ["x"], "kinds": [3]}


class Options:
    """An object with attributes."""

    def __init__(self):
        self.lr = 0.5


@pytest.mark.parametrize("protocol", range(6))
def test_an_object_is_a_stand_in_with_its_attributes(protocol):
    found = read(pickle.dumps([Options(), Options], protocol))
    assert isinstance(found[0], Made) and found[0].state == {"lr": 0.5} and found[0].callable == found[1]
    assert found[1] == Global(__name__, "Options")


def test_shared_values_stay_shared_and_a_list_may_hold_itself():
    value = [[]]
    value += [value[0], value]
    found = read(pickle.dumps(value))
    assert found[0] is found[1] and found[2] is found


def test_old_opcodes():
    assert read(b"(dp0\nS'a'\np1\nI5\nsS'b'\nL7L\nsS'c'\nI01\ns.") == {"a": 5, "b": 7, "c": True}
    assert read(b"(iargparse\nNamespace\n.").kind == "argparse.Namespace"
    assert read(b"(cargparse\nNamespace\nI1\no.").args == (1,)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "exhausted"),
        (b"]", "exhausted"),
        (b".", "IndexError"),
        (b"h\5.", "KeyError"),
        (b"K\1K\2s.", "IndexError"),
        (b"\x82\1.", "instruction EXT1"),
        (b"\x80\5\x97.", "instruction NEXT_BUFFER"),
        (b"P0\n.", "instruction PERSID"),
        (b"K\1Q.", "outside it"),
        (b"\xff.", "unknown"),
        (b"]p99999999999\n.", "32 bits"),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.", "expected"),
    ],
)
def test_what_is_damaged_says_so(data, says):
    with pytest.raises(ValueError, match=says):
        read(data)


# Against PyTorch's own reading


def tensors(torch):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(4, 6, generator=generator)
    floats = [torch.float16, torch.float32, torch.float64, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2]
    whole = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.bool]
    found = {str(kind)[6:]: (values * 8).abs().to(kind) for kind in (*floats, *whole)}
    found |= {"transposed": values.t(), "strided": values[::2, 1::2], "row": values[2], "scalar": values[1, 1]}
    found |= {"empty": torch.zeros(0, 3), "parameter": torch.nn.Parameter(values), "shared": values}
    found |= {"complex": torch.complex(values, values), "conj": torch.complex(values, -values).conj()}
    tagged = torch.nn.Parameter(values)
    tagged.init = "normal"
    return {**found, "tagged": tagged}


@pytest.mark.parametrize(("legacy", "protocol"), [(False, 2), (False, 4), (False, 5), (True, 2)])
def test_every_tensor_is_pytorchs_bit_for_bit(tmp_path, legacy, protocol):
    torch = pytest.importorskip("torch")
    saved = tensors(torch)
    path = tmp_path / "a.pth"
    torch.save(saved, path, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
    file = load(path)
    assert list(file.arrays) == list(saved)
    for name, tensor in saved.items():
        wide = tensor.float() if "bfloat16" in name or "float8" in name else tensor
        wanted = wide.detach().resolve_conj().numpy()
        assert (file.arrays[name].dtype, file.dtypes[name]) == (wanted.dtype, str(tensor.dtype)[6:]), name
        np.testing.assert_array_equal(file.arrays[name], wanted)
        assert file.arrays[name].flags.aligned and not file.arrays[name].flags.writeable


def test_a_big_endian_file_is_read_the_other_way_round(tmp_path):
    torch = pytest.importorskip("torch")
    archive = torch._C.PyTorchFileWriter(str(tmp_path / "a.pth"))
    buffer = io.BytesIO()
    torch.save({"w": torch.arange(4, dtype=torch.float32)}, buffer)
    reader = torch._C.PyTorchFileReader(io.BytesIO(buffer.getvalue()))
    numbers = np.arange(4, dtype=">f4").tobytes()
    for name, data in (("data.pkl", reader.get_record("data.pkl")), ("byteorder", b"big"), ("data/0", numbers)):
        archive.write_record(name, data, len(data))
    archive.write_end_of_file()
    np.testing.assert_array_equal(load(tmp_path / "a.pth").arrays["w"], np.arange(4, dtype=np.float32))


def test_a_file_without_checksums_opens_and_one_with_a_wrong_one_does_not(tmp_path):
    torch = pytest.importorskip("torch")
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"w": torch.full((99,), 1.5)}, tmp_path / "a.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    assert load(tmp_path / "a.pth").arrays["w"].sum() == 148.5
    torch.save({"w": torch.full((99,), 1.5)}, tmp_path / "b.pth")
    data = (tmp_path / "b.pth").read_bytes()
    (tmp_path / "b.pth").write_bytes(
        data.replace(np.full(99, 1.5, "<f4").tobytes(), np.full(99, 1.25, "<f4").tobytes())
    )
    with pytest.raises(ParamsError, match="'b/data/0' doesn't have its checksum"):
        load(tmp_path / "b.pth")


def test_the_tar_of_2016_is_refused_with_the_cure(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"sys_info".ljust(257, b"\0") + b"ustar" + bytes(762))
    with pytest.raises(ParamsError, match=r"tar archive of PyTorch 0\.1, which isn't read: load it in PyTorch"):
        load(tmp_path / "a.pth")
