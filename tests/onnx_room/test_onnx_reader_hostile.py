"""Damaged and hostile .onnx files: one line that says what is wrong, no other file opened, no size believed."""

import os
import resource
import time

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper  # noqa: E402
from reader_models import model, node, numbers, save, start  # noqa: E402

from mxgan.errors import ParamsError  # noqa: E402
from mxgan.graph.reading import NoGraph  # noqa: E402
from mxgan.onnx import file, reader  # noqa: E402


def refused(path, match, kind=ParamsError):
    """Each way to read the file must refuse it, in one line that begins with its name."""
    for read in (reader.read, reader.program):
        with pytest.raises(kind, match=match) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ") and str(caught.value).isprintable()


def after(tmp_path, nodes, arrays=None, end="Tanh", **more):
    """A file of z -> x (3, 4, 4) -> the nodes -> Tanh."""
    first, held = start(channels=3)
    made = model([*first, *nodes, node(end, [nodes[-1].output[0]], "images")], held | (arrays or {}), **more)
    return save(tmp_path / "g.onnx", made)


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def part(number, body):
    """A field of protobuf's that has a length."""
    return varint(number << 3 | 2) + varint(len(body)) + body


@pytest.mark.parametrize(
    "data",
    [b"", b"<!DOCTYPE html>", b"PK\x03\x04" + bytes(60), bytes(64), b"\x08\x08", b"\x3a\x00",
     b"\x3a\xff\xff\xff\xff\x0f", b"\x3a" + b"\xff" * 20, part(7, part(1, b"")), b"\x0b" * 1000],
)  # fmt: skip
def test_what_is_no_model(tmp_path, data):
    (tmp_path / "g.onnx").write_bytes(data)
    refused(tmp_path / "g.onnx", "not a sound ONNX model|no output")


def test_what_is_no_file(tmp_path):
    refused(tmp_path / "none.onnx", "no such file")
    (tmp_path / "folder.onnx").mkdir()
    refused(tmp_path / "folder.onnx", "this is a folder")
    os.mkfifo(tmp_path / "pipe.onnx")
    refused(tmp_path / "pipe.onnx", "a device or pipe")


def test_every_cut_is_noticed(tmp_path):
    data = after(tmp_path, [node("Relu", ["x"], "r")]).read_bytes()
    for size in range(0, len(data), 37):
        (tmp_path / "cut.onnx").write_bytes(data[:size])
        refused(tmp_path / "cut.onnx", "fetch it again|no output|takes")


def test_a_graph_of_tiny_nodes_inside_a_node_is_not_parsed(tmp_path):
    (tmp_path / "g.onnx").write_bytes(part(7, part(1, part(5, part(6, part(1, b"") * 2**22)))))
    refused(tmp_path / "g.onnx", "bytes beside its arrays")


@pytest.mark.parametrize("field", [1, 5, 11, 12, 13])
def test_many_small_parts_are_not_parsed(tmp_path, field):
    """Two bytes of a file can take 150 in memory: nodes, arrays, inputs, outputs, shapes."""
    (tmp_path / "g.onnx").write_bytes(part(7, part(field, b"") * 5_000_000))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    refused(tmp_path / "g.onnx", "more than 100000 parts")
    assert time.perf_counter() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_names_without_end_are_not_parsed(tmp_path):
    (tmp_path / "g.onnx").write_bytes(part(7, part(2, b"a" * 2**24)))
    refused(tmp_path / "g.onnx", "16,777,... bytes beside its arrays; at most 4,194,304 are read")


def test_graphs_in_graphs_are_not_followed(tmp_path):
    body = b""
    for _ in range(2000):
        body = part(1, part(4, b"If") + part(5, part(6, body)))
    (tmp_path / "g.onnx").write_bytes(part(7, body))
    refused(tmp_path / "g.onnx", "not a sound ONNX model")


@pytest.mark.parametrize(
    ("dims", "kind", "raw", "match"),
    [
        ([2**40], 1, bytes(8), "2 numbers for shape"),
        ([2**31, 2**31], 1, bytes(8), "fetch it again"),
        ([-1], 1, bytes(8), r"shape \(-1,\)"),
        ([1] * 40, 1, bytes(4), "shape"),
        ([2], 1, bytes(7), "1 numbers for shape"),
        ([2], 8, b"", "data type 8; floats, integers and bool can be read"),
        ([2], 21, bytes(1), "data type 21"),
        ([2], 9, b"\x02\x01", "bools of other bytes than 0 and 1"),
    ],
)
def test_arrays_that_are_not_what_they_say(tmp_path, dims, kind, raw, match):
    made = onnx.load(after(tmp_path, [node("Mul", ["x", "k"], "y")]))
    tensor = made.graph.initializer.add(name="k", data_type=kind, raw_data=raw)
    tensor.dims.extend(dims)
    path = save(tmp_path / "g.onnx", made)
    refused(path, match)
    with pytest.raises(ParamsError, match=match):
        file.contents(path)


@pytest.mark.parametrize("place", ["/etc/passwd", "../../secret", "weights.bin"])
def test_arrays_in_other_files_are_never_opened(tmp_path, place):
    (tmp_path / "weights.bin").write_bytes(bytes(64))
    made = onnx.load(after(tmp_path, [node("Mul", ["x", "k"], "y")]))
    tensor = made.graph.initializer.add(name="k", data_type=1, data_location=TensorProto.EXTERNAL)
    tensor.dims.append(16)
    tensor.external_data.add(key="location", value=place)
    path = save(tmp_path / "g.onnx", made)
    refused(path, "k: its numbers lie in another file, which is never opened")
    with pytest.raises(ParamsError, match="another file"):
        reader.arrays(path)


@pytest.mark.parametrize(
    ("made", "arrays"),
    [
        (node("Upsample", ["x", "s"], "y"), {"s": np.array([1, 1, 1e6, 1e6], np.float32)}),
        (node("Resize", ["x", "", "s"], "y"), {"s": np.array([1, 1, 1e30, 2], np.float32)}),
        (node("ConvTranspose", ["x", "W"], "y", strides=[2**31, 2**31]), {"W": numbers(3, 3, 2, 2)}),
        (node("Conv", ["x", "W"], "y", pads=[2**40] * 4), {"W": numbers(3, 3, 2, 2)}),
        (node("Pad", ["x", "s"], "y"), {"s": np.array([0, 0, 2**50, 0, 0, 0, 0, 2**50])}),
        (node("Reshape", ["x", "s"], "y"), {"s": np.array([2**62, 2**62])}),
        (node("Reshape", ["x", "s"], "y"), {"s": np.array([-1, -1, 0])}),
        (node("DepthToSpace", ["x"], "y", blocksize=2**31), {}),
        (node("LeakyRelu", ["x"], "y", alpha=float("nan")), {}),
        (node("Transpose", ["x"], "y", perm=[0, 1, 1, 1]), {}),
        (node("BatchNormalization", ["x", "s", "s", "s", "s"], "y"), {"s": numbers(3, 3)}),
        (node("Add", ["x", "nowhere"], "y"), {}),
        (node("Relu", ["y"], "y"), {}),
    ],
)
def test_settings_out_of_all_bounds(tmp_path, made, arrays):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(after(tmp_path, [made], arrays, opset=9 if made.op_type == "Upsample" else 17), "g.onnx: ")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # KiB


@pytest.mark.parametrize(
    "kind",
    [("Expand", ["k", "big"]), ("ConstantOfShape", ["big"]), ("Range", ["zero", "far", "one"]), ("MatMul", ["m", "m"])],
)
def test_constants_are_not_computed_without_end(tmp_path, kind):
    nodes = [node(*kind, "c")]
    for place in range(200):  # each product is as large as the one before
        nodes.append(node("Mul", ["c" if not place else f"c{place - 1}", "k"], f"c{place}"))
    nodes += [node("ReduceMax", ["c199"], "cc", keepdims=0), node("Add", ["x", "cc"], "y")]
    arrays = {"k": np.float32(1), "big": np.array([2**11, 2**11]), "zero": np.float32(0), "far": np.float32(2**22)}
    path = after(tmp_path, nodes, arrays | {"one": np.float32(1), "m": np.ones((512, 512), np.float32)})
    began = time.perf_counter()
    with pytest.raises(NoGraph, match="constants that are too large to compute"):
        reader.read(path)
    assert time.perf_counter() - began < 5


def test_more_nodes_than_anyone_means(tmp_path):
    nodes = [node("Relu", ["x" if not place else f"r{place - 1}"], f"r{place}") for place in range(3000)]
    with pytest.raises(ParamsError, match="more than 2000 layers"):
        reader.read(after(tmp_path, nodes))
    more = [*nodes, *(node("Relu", ["x"], f"s{place}") for place in range(8000)), node("Relu", ["r9"], "last")]
    refused(after(tmp_path, more), "at most 10,000 are read")


def test_names_that_are_no_text(tmp_path):
    path = after(tmp_path, [node("Relu", ["x"], "rrrr")])
    path.write_bytes(path.read_bytes().replace(b"rrrr", b"\xff\xfe\n\x01"))
    refused(path, "UTF-8")
    path = after(tmp_path, [node("Softplus", ["x"], "a\n\x1b[31mb")])
    with pytest.raises(ParamsError, match=r"a\\n\\x1b\[31mb"):
        reader.read(path)


def test_models_of_other_kinds(tmp_path):
    first, held = start(channels=3)
    held |= {"W0": numbers(47, 6), "b0": numbers(47), "S0": np.array([-1, 47])}
    path = save(tmp_path / "g.onnx", model([*first, node("Relu", ["x"], "r")], held))
    with pytest.raises(ParamsError, match=r"the model gives \(47,\); images of 1 to 4 channels wanted"):
        reader.read(path)
    made = onnx.load(after(tmp_path, [node("Add", ["x", "style"], "y")]))
    made.graph.input.append(helper.make_tensor_value_info("style", 1, ["N", 3, 4, 4]))
    refused(
        save(tmp_path / "g.onnx", made), "the model takes z, style; a generator of pictures takes one input of floats"
    )
    with pytest.raises(NoGraph, match="opset 6; 7 to 28 can be read"):
        reader.read(after(tmp_path, [node("Relu", ["x"], "r")], opset=6))
