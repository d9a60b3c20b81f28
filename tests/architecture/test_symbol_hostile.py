"""A damaged or hostile symbol ends in a ParamsError of one line, soon and in little memory."""

import copy
import json
import os
import time

import numpy as np
import pytest

from mxgan.architecture import symbol, symbol_json
from mxgan.architecture.symbol_shapes import BATCH, target
from mxgan.errors import ParamsError
from mxgan.graph.reading import Reading
from mxgan.graph.shapes import Unfit

ARRAYS = {
    "arg:g1_weight": np.ones((5, 4, 4, 4), np.float32),
    **{f"arg:bn_{word}": np.ones(4) for word in ("gamma", "beta")},
    **{f"aux:bn_moving_{word}": np.ones(4) for word in ("mean", "var")},
    "arg:g2_weight": np.ones((4, 3, 4, 4), np.float32), "arg:g2_bias": np.ones(3),
}  # fmt: skip


def node(op, name, inputs=(), **attrs):
    return {"op": op, "name": name, "attrs": attrs, "inputs": [[number, 0, 0] for number in inputs]}


def small() -> dict:
    """A sound symbol as MXNet 1.x writes it."""
    nodes = [node("null", "rand"), node("null", "g1_weight")]
    nodes += [node("Deconvolution", "g1", (0, 1), kernel="(4, 4)", num_filter="4")]
    nodes += [node("null", f"bn_{word}") for word in ("gamma", "beta", "moving_mean", "moving_var")]
    nodes += [node("BatchNorm", "bn", (2, 3, 4, 5, 6)), node("Activation", "relu", (7,), act_type="relu")]
    nodes += [node("null", "g2_weight"), node("null", "g2_bias")]
    settings = {"kernel": "(4, 4)", "stride": "(2, 2)", "pad": "(1, 1)", "num_filter": "3", "no_bias": "False"}
    nodes += [node("Deconvolution", "g2", (8, 9, 10), **settings), node("Activation", "out", (11,), act_type="tanh")]
    return {"nodes": nodes, "arg_nodes": [0, 1], "heads": [[12, 0, 0]], "attrs": {"mxnet_version": ["int", 10901]}}


def read(folder, said):
    path = folder / "net-symbol.json"
    path.write_bytes(said if isinstance(said, bytes) else json.dumps(said).encode())
    return symbol.read(path, ARRAYS, "net.params")


def refused(folder, said) -> str:
    began = time.perf_counter()
    with pytest.raises(ParamsError) as error:
        read(folder, said)
    assert time.perf_counter() - began < 5
    message = str(error.value)
    assert message.startswith(f"{folder / 'net-symbol.json'}: ") and message.isprintable() and len(message) < 1000
    return message


def changed(number, **items):
    said = small()
    said["nodes"][number].update(items)
    return said


def with_setting(number, key, value):
    said = small()
    said["nodes"][number]["attrs"][key] = value
    return said


def test_the_sound_one_reads(tmp_path):
    reading = read(tmp_path, small())
    assert isinstance(reading, Reading)
    assert reading.graph.latent == 5


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0" * 100, b"\xff\xfe{", b"[]", b"{}", b'{"nodes": [], "heads": []}', b'{"nodes": 3, "heads": []}',
        b'{"nodes": [{}], "heads": [[0, 0]]}', b"[" * 200_000, b'{"nodes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"nodes": [1], "heads": [[0, 0]]}', b"9" * 10_000, b'{"nodes": [null], "heads": [null]}', b"NaN",
        b"<html>not found</html>", b"version https://git-lfs.github.com/spec/v1\n",
        b" " * (symbol_json.LARGEST_FILE + 1),
        b'{"nodes": [' + b'{"op": "null", "name": "x"},' * 10_001 + b'{"op": "null"}], "heads": [[0, 0]]}',
    ],
    ids=range(18),
)  # fmt: skip
def test_what_is_no_symbol(tmp_path, data):
    refused(tmp_path, data)


@pytest.mark.parametrize(
    "inputs",
    [
        [[11, 0, 0], [9, 0, 0], [10, 0, 0]], [[12, 0, 0]], [[-1, 0, 0]], [[2**70, 0, 0]], [[8, -1, 0]], [[8, 2**40, 0]],
        [[8.0, 0, 0]], [["8", 0, 0]], [[True, 0]], [8], [[8]], [[8, 0, 0, 0]], [[None, 0]], {"0": 1}, "8", 8,
        [[8, 0, 0]] * 2001, [[8, 1, 0], [9, 0, 0], [10, 0, 0]], [], [[9, 0, 0], [9, 0, 0], [10, 0, 0]],
        [[8, 0, 0], [8, 0, 0], [10, 0, 0]],
    ],
)  # fmt: skip
def test_inputs_that_a_node_cannot_have(tmp_path, inputs):
    refused(tmp_path, changed(11, inputs=inputs))


@pytest.mark.parametrize("heads", [[[13, 0]], [[-1, 0]], [[12, 1]], [[12]], [], [12], [[0, 0]], [[1, 0]], [[3.5, 0]]])
def test_heads_that_cannot_be(tmp_path, heads):
    refused(tmp_path, {**small(), "heads": heads})


@pytest.mark.parametrize("name", [None, 7, ["g2"], "x" * 2000, "a\nb", "\x1b[2J", "\ud800"], ids=repr)
def test_names_that_are_no_text(tmp_path, name):
    refused(tmp_path, changed(11, name=name))
    refused(tmp_path, changed(11, op=name))


@pytest.mark.parametrize("key", ["kernel", "stride", "pad", "dilate", "adj", "num_filter", "num_group", "target_shape"])
@pytest.mark.parametrize(
    "value",
    [
        "(99999999999, 99999999999)", "(-1, -1)", "(1, 1, 1)", "nan", "inf", "1e400", "(", ")(", "((2, 2))", "2" * 900,
        "(2 2)", "(2, two)", "--1", "1-1", "²", "(1000000000, 1000000000)", "-3", "(,)" * 300, [[2]], {"a": 1},
        2**200, 1e308, "x" * 100_000, True,
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_settings_that_make_no_layer(tmp_path, key, value):
    refused(tmp_path, with_setting(11, key, value))


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e999", "x", "0x10", [1], {"a": 2}], ids=repr)
def test_an_epsilon_that_is_no_number(tmp_path, value):
    refused(tmp_path, with_setting(7, "eps", value))


def test_settings_that_are_no_object(tmp_path):
    refused(tmp_path, changed(11, attrs=["kernel"]))
    refused(tmp_path, changed(11, attr="kernel"))


def chain(op, count, **attrs):
    """The small symbol with ``count`` more operations before its end."""
    said = small()
    end = said["nodes"].pop()
    for number in range(count):
        said["nodes"].append(node(op, f"more{number}", (len(said["nodes"]) - 1,), **attrs))
    said["nodes"].append({**end, "inputs": [[len(said["nodes"]) - 1, 0]]})
    said["heads"] = [[len(said["nodes"]) - 1, 0]]
    return said


def test_growth_is_bounded_before_anything_is_allocated(tmp_path):
    assert "at most" in refused(tmp_path, chain("UpSampling", 40, scale="2", sample_type="nearest"))
    assert "at most" in refused(tmp_path, chain("UpSampling", 1, scale="1000000", sample_type="nearest"))
    assert "2000 layers" in refused(tmp_path, chain("relu", 2500))
    assert "at most" in refused(tmp_path, chain("Pad", 1, mode="edge", pad_width="(0,0,0,0,2000000000,0,0,2000000000)"))
    assert "takes 2000000000" in refused(tmp_path, chain("broadcast_to", 1, shape="(0, 2000000000, 8, 8)"))


def test_doubling_by_reference_is_linear_work(tmp_path):
    """x + x, 1,900 times: a tree of 2**1900 leaves to whoever follows every path."""
    said = chain("elemwise_add", 1900)
    for row in said["nodes"][12:-1]:
        row["inputs"] *= 2
    assert len(read(tmp_path, said).graph.nodes) == 1906


def test_many_heads_are_not_all_tried(tmp_path):
    said = chain("Pooling", 3000)
    said["heads"] = [[number, 0] for number in range(12, len(said["nodes"]))]
    assert "Pooling" in refused(tmp_path, said)


def test_many_ends_names_and_variables_are_linear_work(tmp_path):
    """Were it quadratic work, each would take longer than `refused` allows."""
    said = chain("tanh", 9_000)
    for row in said["nodes"][12:-1]:
        row["name"] = "same"
    said["nodes"][-1]["op"] = "Convolution"
    refused(tmp_path, said)
    said["heads"] = [[number, 0] for number in range(13, 2000)]
    began = time.perf_counter()
    read(tmp_path, said)
    assert time.perf_counter() - began < 5
    variables = [node("null", f"v{number}") for number in range(1000)]
    refused(tmp_path, {"nodes": [*variables, node("Concat", "all", range(1000))], "heads": [[1000, 0]]})
    wide = [node("null", "z"), *[node("Concat", "join", [number] * 1000) for number in range(100)]]
    assert "50000" in refused(tmp_path, {"nodes": wide, "heads": [[100, 0]]})


@pytest.mark.parametrize("key", ["nodes", "heads"])
def test_a_key_twice_takes_the_last_as_json_does(tmp_path, key):
    text = json.dumps(small())
    assert "not a symbol" in refused(tmp_path, (text[:-1] + f', "{key}": 0}}').encode())


def test_two_variables_of_one_name_are_one(tmp_path):
    said = small()
    said["nodes"][9]["name"] = "rand"  # a weight's place: rand has no array
    assert "'rand', which net.params lacks" in refused(tmp_path, said)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_what_is_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "net-symbol.json")
    with pytest.raises(ParamsError, match="not a regular file"):
        symbol.read(tmp_path / "net-symbol.json", ARRAYS, "net.params")
    with pytest.raises(ParamsError, match="there is no such file"):
        symbol.read(tmp_path / "missing.json", ARRAYS, "net.params")
    assert symbol.beside(tmp_path / "net.params") is None


def test_reading_changes_nothing_that_it_was_given(tmp_path):
    before = copy.deepcopy(ARRAYS)
    read(tmp_path, small())
    assert all((ARRAYS[name] == array).all() for name, array in before.items())


@pytest.mark.parametrize(
    ("sample", "codes", "wanted"),
    [
        ((6,), (0, 2, 3), (2, 3)), ((6,), (-1, 2, 3), (2, 3)), ((6,), (0, -1, 3), (2, 3)), ((2, 3), (0, -3), (6,)),
        ((6, 4), (0, -4, 2, -1, -2), (2, 3, 4)), ((2, 3, 4), (0, 0, -1), (2, 12)), ((6,), (0, 0, 1, 1), (6, 1, 1)),
        ((2, 3), (-2,), (2, 3)), ((2, 3), (-2, 1), (2, 3, 1)), ((), (-1,), ()), ((1,), (-1,), ()),
    ],
)  # fmt: skip
def test_the_codes_of_reshape(sample, codes, wanted):
    assert target((BATCH, *sample), codes) == (BATCH, *wanted)


@pytest.mark.parametrize("codes", [(-1, -1), (0, 0, 0), (0, -4, 4, 4), (0, -4, 2), (-5,), (0, -1, 4)])
def test_codes_that_fit_nothing(codes):
    with pytest.raises(Unfit):
        target((BATCH, 6), codes)
