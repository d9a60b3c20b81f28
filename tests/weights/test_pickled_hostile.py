"""Pickles made to do harm: nothing in them runs, and none takes long or much memory."""

import builtins
import io
import os
import pickle
import struct
import subprocess
import time
import tracemalloc
import zipfile

import pytest

from mxgan.errors import ParamsError
from mxgan.weights import pickled
from mxgan.weights.files import load
from mxgan.weights.pickled_torch import LEGACY_MAGIC


class Call:
    """Unpickling it would call a function."""

    def __init__(self, function, *args):
        self.reduced = (function, args)

    def __reduce__(self):
        return self.reduced


class Caller:
    """Unpickling it would call a function for its state, its items or its entries."""

    def __init__(self, harm):
        self.harm = harm

    def __reduce__(self):
        return Caller, (None,), {"x": self.harm}, iter([self.harm]), iter([("k", self.harm)])


def harms(canary):
    """Ways to make a file named ``canary`` exist."""
    write = f"open({str(canary)!r}, 'w')"
    yield "os.system", Call(os.system, f"touch {canary}")
    yield "eval", Call(builtins.eval, write)
    yield "exec", Call(builtins.exec, write)
    yield "open", Call(builtins.open, str(canary), "w")
    yield "popen", Call(subprocess.Popen, ["touch", str(canary)])
    yield "getattr", Call(builtins.getattr, Call(builtins.__import__, "os"), "system")
    yield "state", Caller(Call(builtins.eval, write))
    yield "nested", {"a": [({"b": Call(builtins.eval, write)},)]}
    yield "import", Call(builtins.__import__, "antigravity")


def archive(path, data: bytes, **members: bytes):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in {"data.pkl": data, "version": b"3\n", **members}.items():
            file.writestr(f"a/{name}", content)
    return path


def legacy(path, data: bytes):
    rest = pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    path.write_bytes(LEGACY_MAGIC + rest + data + pickle.dumps([], 2))
    return path


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("save", [archive, legacy])
def test_nothing_runs(tmp_path, save, protocol):
    canary = tmp_path / "harm"
    for name, harm in harms(canary):
        for value in (harm, {"0.weight": harm}, {"hook": harm}, [harm], {"state_dict": {"x": harm}}):
            path = save(tmp_path / "a.pth", pickle.dumps(value, protocol))
            try:
                assert load(path).arrays == {}
            except ParamsError as error:
                assert str(error).isprintable()
            assert not canary.exists(), name


def test_names_that_sound_harmless_do_not_run(tmp_path):
    """A known constructor's arguments, and a class that only looks known, are values as well."""
    for data in (
        b"ctorch._utils\n_rebuild_tensor_v2\n(cos\nsystem\nK\0)\x85\x85tR.",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nctorch\nTensor\n(S'touch harm'\ntNtR.",
        b"ccollections\nOrderedDict\n(](cos\nsystem\nS'touch harm'\nteRtR.",
        b"c__torch__.os\nsystem\n(S'touch harm'\ntR.",
        b"cmxgan.weights.pickled\nload\n(K\1tR.",
    ):
        with pytest.raises(ParamsError):
            load(archive(tmp_path / "a.pth", data))


def measured(path, seconds=15.0, most=2**29) -> str:
    """How a file ends: "arrays", or the error; within these bounds."""
    tracemalloc.start()
    began = time.perf_counter()
    try:
        load(path)
        said = "arrays"
    except ParamsError as error:
        said = str(error)
        assert said.isprintable() and len(said) < 2000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - began < seconds and peak < most, (said, peak)
    return said


def laughs(depth: int) -> bytes:
    """A tuple that holds the one before it twice, again and again."""
    places = [struct.pack("<I", place) for place in range(depth)]
    return b"K\1" + b"".join(b"r" + place + b"j" + place + b"\x86" for place in places)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (laughs(5000) + b".", "holds a tuple"),
        (b"}X\1\0\0\0a" + laughs(5000) + b"s.", "arrays"),
        (b"}" + laughs(5000) + b"K\1s.", "arrays"),  # as a dict's key, which would be hashed
        (b"]" * 100_000 + b"a" * 99_999 + b".", "holds a list"),
        (b"(" * 300_000 + b".", "more than 250,000"),
        (b"}" * 300_000 + b".", "more than 250,000"),
        (b"}" + b"".join(b"r" + struct.pack("<I", 7 * i) for i in range(100_000)) + b".", "arrays"),
        (b"X\0\0\0\x7fa.", "damaged or cut short"),
        (b"\x8b\0\0\0\x7fa.", "damaged or cut short"),
        (b"L" + b"9" * 1_000_000 + b"L\n.", "damaged or cut short"),
        (b"](" + b"N" * 100_000 + b"eq\0" + b"0ccollections\nOrderedDict\nq\1h\1h\0\x85R" * 99 + b".", "again and"),
    ],
    ids=["tuples", "in a dict", "as a key", "deep", "marks", "dicts", "memo", "text", "number", "digits", "copies"],
)  # fmt: skip
def test_a_bomb_does_not_go_off(tmp_path, monkeypatch, data, says):
    monkeypatch.setattr(pickled, "MOST_OPCODES", 250_000)  # so that it takes less time to get there
    assert says in measured(archive(tmp_path / "a.pth", data))


def tensor(shape=b"K\2\x85", stride=b"K\1\x85", offset=b"K\0", numel=b"K\2", key=b"0") -> bytes:
    pid = b"(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" + key + b"X\3\0\0\0cpu" + numel + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + offset + shape + stride + b"\x89)tR"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"shape": b"\x8a\x06\0\0\0\0\0\x01\x85"}, "larger than its data"),
        ({"shape": b"\x8a\x09\0\0\0\0\0\0\0\0\x01\x85"}, "not whole numbers"),
        ({"shape": b"J\xff\xff\xff\xff\x85"}, "not whole numbers"),
        ({"offset": b"K\1"}, "reaches number 2 of the 2"),
        ({"offset": b"J\xff\xff\xff\xff"}, "not whole numbers"),
        ({"stride": b"J\xff\xff\xff\xff\x85"}, "not whole numbers"),
        ({"stride": b"M\xff\xff\x85"}, "reaches number 65535"),
        ({"stride": b")"}, "1 sizes and 0 strides"),
        ({"shape": b"(" + b"K\1" * 40 + b"t", "stride": b"(" + b"K\1" * 40 + b"t"}, "at most 32"),
        ({"shape": b"K\0\x8a\x08\0\0\0\0\0\0\0\x20\x86", "stride": b"K\1K\1\x86"}, "larger than its data"),
        ({"key": b"7"}, "aren't in the file"),
        ({"shape": b"G@\0\0\0\0\0\0\0\x85"}, "not whole numbers"),
    ],
)  # fmt: skip
def test_a_tensor_stays_inside_its_storage(tmp_path, bad, says):
    data = b"\x80\2}X\1\0\0\0w" + tensor(**bad) + b"s."
    with pytest.raises(ParamsError, match=says):
        load(archive(tmp_path / "a.pth", data, **{"data/0": bytes(8)}))
    good = b"\x80\2}X\1\0\0\0w" + tensor() + b"s."
    assert load(archive(tmp_path / "a.pth", good, **{"data/0": bytes(8)})).arrays["w"].tolist() == [0, 0]


def test_one_storage_is_not_a_thousand(tmp_path):
    data = b"\x80\2}(" + b"X\1\0\0\0a" + tensor(b"\x8a\3\0\0\4\x85", numel=b"\x8a\3\0\0\4") + b"q\1"
    data += b"".join(b"X\4\0\0\0%04dh\1" % i for i in range(1000)) + b"u."
    said = measured(archive(tmp_path / "a.pth", data, **{"data/0": bytes(2**20)}))
    assert "with it, tensors are more than 16 times the file's bytes" in said


def module(children: bytes, kind: bytes = b"torch.nn.modules.container\nSequential") -> bytes:
    return b"c" + kind + b"\n)\x81}(X\x0b\0\0\0_parameters}X\x08\0\0\0_modules}(" + children + b"uub"


def test_modules_inside_each_other_come_to_an_end(tmp_path):
    data = b"\x80\2" + module(b"") + b"q\0"
    for number in range(1, 60):  # each holds the one before it twice
        again = b"h" + bytes([number - 1])
        data += b"0" + module(b"X\1\0\0\0a" + again + b"X\1\0\0\0b" + again) + b"q" + bytes([number])
    assert "more than 10000 modules" in measured(archive(tmp_path / "a.pth", data + b"."))


def test_long_names_do_not_multiply(tmp_path):
    data = b"\x80\2}X" + struct.pack("<I", 1_000_000) + b"n" * 1_000_000 + b"}("
    data += b"".join(b"X\4\0\0\0%04dK\1" % i for i in range(9999)) + b"us."
    assert "too many or too long names" in measured(archive(tmp_path / "a.pth", data))


def test_a_zip_that_lies(tmp_path):
    good = pickle.dumps({}, 2)
    path = archive(tmp_path / "a.pth", good)
    assert load(path).arrays == {}
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("a/data.pkl", good)
    with pytest.raises(ParamsError, match="members of one name"):
        load(path)
    with zipfile.ZipFile(archive(path, good), "a") as file:
        file.writestr("b/data.pkl", good)
    with pytest.raises(ParamsError, match=r"a ZIP with 2 data\.pkl"):
        load(path)
    data = bytearray(archive(path, good, **{"data/0": bytes(1000)}).read_bytes())
    at = data.rindex(b"PK\1\2")  # every entry of the directory says the last member's bytes
    for place in (20, 24):
        struct.pack_into("<I", data, at + place, 2**31)
    path.write_bytes(data)
    with pytest.raises(ParamsError, match="more than the file's bytes"):
        load(path)
    path.write_bytes(io.BytesIO(b"PK\3\4" + b"a/data.pkl" * 9).getvalue())
    with pytest.raises(ParamsError):
        load(path)
