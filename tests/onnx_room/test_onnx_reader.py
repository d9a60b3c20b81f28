"""Generators in .onnx files as graphs: the same pictures that onnxruntime makes of the file itself."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import helper  # noqa: E402
from reader_models import both, kinds, model, node, numbers, save, start  # noqa: E402

from mxgan.graph import layers  # noqa: E402
from mxgan.onnx import reader  # noqa: E402
from mxgan.onnx.model import serialise  # noqa: E402
from mxgan.weights import load_net  # noqa: E402
from mxgan.weights.dcgan import graph_of  # noqa: E402

REAL = Path(__file__).parents[1] / "weights" / "files" / "G-mxnet1.9.1-ngf2-save_params.params"


def after(tmp_path, nodes, arrays, opset=17, **more):
    """The reading of z -> x (4, 4, 4) -> the nodes -> Conv to 3 channels -> Tanh, compared with onnxruntime."""
    first, held = start()
    channels = more.pop("channels", 4)
    last = [node("Conv", [nodes[-1].output[0], "WL"], "c", pads=[1] * 4), node("Tanh", ["c"], "images")]
    arrays = {**held, **arrays, "WL": numbers(3, channels, 3, 3)}
    return both(save(tmp_path / "g.onnx", model([*first, *nodes, *last], arrays, opset=opset, **more)))


def test_our_own_file_reads_back_as_it_was_exported(tmp_path):
    net = load_net(REAL, "generator")
    (tmp_path / "netG.onnx").write_bytes(serialise(graph_of(net)))
    reading, graph = reader.read(tmp_path / "netG.onnx"), graph_of(net)
    assert [item.layer for item in reading.graph.nodes] == [item.layer for item in graph.nodes]
    assert reading.graph.inputs == graph.inputs and reading.assumed == () and reading.warnings == ()
    assert reading.source == "netG.onnx's own graph"
    theirs = [(w, graph.array(n, w)) for n in graph.nodes for w in (*n.layer.needs, *n.layer.may)]
    ours = [(w, reading.graph.array(n, w)) for n in reading.graph.nodes for w in (*n.layer.needs, *n.layer.may)]
    assert len(ours) == len(theirs)
    for (word, mine), (same, array) in zip(ours, theirs):
        assert (word, mine.dtype) == (same, array.dtype)
        np.testing.assert_array_equal(mine, array)
    assert sorted(reading.names.values()) == sorted(graph.arrays)


@pytest.mark.parametrize(
    "settings",
    [
        {"strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"strides": [2, 3], "pads": [0, 1, 1, 2]},
        {"strides": [2, 2], "pads": [2, 1, 0, 1]},
        {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
        {"strides": [2, 2], "pads": [0, 0, 2, 2], "output_padding": [1, 0]},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
        {"strides": [3, 2], "auto_pad": "VALID"},
        {"strides": [2, 2], "output_shape": [8, 8]},
        {"strides": [2, 2], "output_shape": [8, 7], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 2], "dilations": [2, 1], "pads": [1, 0, 1, 0]},
    ],
)
@pytest.mark.parametrize("kernel", [3, 4, 5])
def test_transposed_convolutions_padded_in_every_way(tmp_path, settings, kernel):
    made = node("ConvTranspose", ["x", "W", "b"], "y", kernel_shape=[kernel] * 2, **settings)
    after(tmp_path, [made], {"W": numbers(4, 4, kernel, kernel), "b": numbers(4)})


def test_a_kernel_smaller_than_its_stride(tmp_path):
    made = node("ConvTranspose", ["x", "W"], "y", strides=[3, 3], output_shape=[12, 12])
    reading = after(tmp_path, [made], {"W": numbers(4, 4, 2, 2)})
    assert reading.graph.nodes[2].layer.output_padding == (1, 1)


def test_groups(tmp_path):
    nodes = [
        node("ConvTranspose", ["x", "W"], "y", strides=[2, 2], group=2, pads=[1] * 4),
        node("Conv", ["y", "V"], "v", group=4, pads=[1] * 4),
    ]
    after(tmp_path, nodes, {"W": numbers(4, 4, 4, 4), "V": numbers(8, 2, 3, 3)}, channels=8)


@pytest.mark.parametrize(
    "settings",
    [{"pads": [2, 1, 0, 1]}, {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
     {"auto_pad": "VALID"}, {"dilations": [2, 2], "pads": [2] * 4}],
)  # fmt: skip
def test_convolutions_padded_in_every_way(tmp_path, settings):
    made = node("Conv", ["x", "W", "b"], "y", **settings)
    reading = after(tmp_path, [made], {"W": numbers(4, 4, 2, 2), "b": numbers(4)})
    assert ("Pad" in kinds(reading)) == (settings in ({"pads": [2, 1, 0, 1]}, {"auto_pad": "SAME_UPPER"}))


def test_norms_keep_their_epsilon(tmp_path):
    words = {word: numbers(4) for word in "abm"} | {"v": np.abs(numbers(4))}
    nodes = [
        node("BatchNormalization", ["x", "a", "b", "m", "v"], "n1", epsilon=0.8),
        node("BatchNormalization", ["n1", "a", "b", "m", "v"], "n2"),
        node("InstanceNormalization", ["n2", "a", "b"], "n3", epsilon=1e-3),
    ]
    reading = after(tmp_path, nodes, words)
    assert [item.layer.eps for item in reading.graph.nodes[2:5]] == [0.8, 1e-5, 1e-3]


@pytest.mark.parametrize(
    ("kind", "settings", "layer"),
    [
        ("Relu", {}, layers.Relu()),
        ("LeakyRelu", {}, layers.LeakyRelu(0.01)),
        ("LeakyRelu", {"alpha": 0.2}, layers.LeakyRelu(0.2)),
        ("Elu", {}, layers.Elu(1.0)),
        ("Selu", {}, layers.Selu()),
        ("Sigmoid", {}, layers.Sigmoid()),
        ("HardSigmoid", {}, layers.Affine(0.2, 0.5)),
        ("DepthToSpace", {"blocksize": 2, "mode": "CRD"}, layers.PixelShuffle(2)),
    ],
)
def test_activations(tmp_path, kind, settings, layer):
    channels = 1 if kind == "DepthToSpace" else 4
    reading = after(tmp_path, [node(kind, ["x"], "y", **settings)], {}, channels=channels)
    assert reading.graph.nodes[2].layer == layer


def test_depth_to_space_the_other_way_round(tmp_path):
    assert "PixelShuffle" in kinds(after(tmp_path, [node("DepthToSpace", ["x"], "y", blocksize=2)], {}, channels=1))


def test_slopes_by_channel_and_limits(tmp_path):
    nodes = [
        node("PRelu", ["x", "slope"], "p"),
        node("Clip", ["p", "low", "high"], "l"),
        node("Max", ["l", "p"], "m"),
        node("Min", ["m", "high"], "y"),
    ]
    arrays = {"slope": numbers(4, 1, 1), "low": np.float32(-0.3), "high": np.float32(0.6)}
    assert "PRelu" in kinds(after(tmp_path, nodes, arrays))


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        {"mode": "nearest", "coordinate_transformation_mode": "half_pixel"},
        {"mode": "nearest", "coordinate_transformation_mode": "tf_half_pixel_for_nn", "nearest_mode": "floor"},
        {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
        {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"},
        {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    ],
)
@pytest.mark.parametrize("scale", [2, 3])
def test_resizing(tmp_path, settings, scale):
    scales = np.array([1, 1, scale, 2], np.float32)
    made = node("Resize", ["x", "", "scales"], "y", **settings)
    assert "Upsample" in kinds(after(tmp_path, [made], {"scales": scales}))
    made = node("Resize", ["x", "", "", "sizes"], "y", **settings)
    after(tmp_path, [made], {"sizes": np.array([2, 4, 4 * scale, 8])}, batch=2)


def test_resizing_of_old_opsets(tmp_path):
    scales = {"scales": np.array([1, 1, 2, 2], np.float32)}
    after(tmp_path, [node("Upsample", ["x"], "y", scales=[1.0, 1.0, 2.0, 2.0])], {}, opset=7)
    after(tmp_path, [node("Upsample", ["x", "scales"], "y")], scales, opset=9)
    after(tmp_path, [node("Resize", ["x", "scales"], "y")], scales, opset=10)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("Add", ()), ("Add", (1,)), ("Mul", ()), ("Sub", (4, 1, 1)), ("Mul", (1, 4, 1, 1)), ("Div", (4, 1, 1)),
     ("Add", (4, 4, 4)), ("Mul", (1, 4)), ("Add", (4, 1))],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_arithmetic_with_constants(tmp_path, kind, shape, first):
    first = first or kind == "Div"  # no layer divides by what it is given
    constant = (numbers(*shape) + 2).astype(np.float32)
    nodes = [node("Relu", ["x"], "r"), node(kind, ["r", "k"] if first else ["k", "r"], "y")]
    after(tmp_path, nodes, {"k": constant})


def test_a_vector_that_is_added_becomes_the_bias(tmp_path):
    nodes = [node("Conv", ["x", "W"], "w"), node("Add", ["w", "b"], "y")]
    reading = after(tmp_path, nodes, {"W": numbers(4, 4, 1, 1), "b": numbers(4, 1, 1)})
    assert kinds(reading) == ["Linear", "Reshape", "Conv", "Conv", "Tanh"]
    twice = [*nodes, node("Add", ["w", "y"], "yy")]  # the convolution without its bias is wanted, too
    reading = after(tmp_path, twice, {"W": numbers(4, 4, 1, 1), "b": numbers(4, 1, 1)})
    assert kinds(reading)[2:5] == ["Conv", "BatchNorm", "Add"]


def test_residuals_parts_and_joints(tmp_path):
    nodes = [
        node("Conv", ["x", "W"], "w"),
        node("Add", ["w", "x"], "r"),
        helper.make_node("Split", ["r", "half"], ["s", "t"], axis=1),
        node("Mul", ["s", "t"], "st"),
        node("Sub", ["s", "t"], "d"),
        node("Concat", ["st", "d"], "y", axis=1),
    ]
    after(tmp_path, nodes, {"W": numbers(4, 4, 1, 1), "half": np.array([2, 2])})


def test_padding_and_slices(tmp_path):
    nodes = [
        node("Pad", ["x", "pads"], "p", mode="reflect"),
        node("Slice", ["p", "from", "to", "axes"], "s"),
        node("Pad", ["s", "pads"], "q"),
        node("Slice", ["q", "one", "far", "channels"], "y"),
    ]
    arrays = {"pads": np.array([0, 0, 1, 2, 0, 0, 3, 1]), "from": np.array([1, 0]), "to": np.array([7, -1])}
    arrays |= {"axes": np.array([2, 3]), "one": np.array([1]), "far": np.array([2**62]), "channels": np.array([1])}
    assert kinds(after(tmp_path, nodes, arrays, channels=3)).count("Crop") == 3
