"""What goes into a model and what comes out: latents and labels of every shape, images of every range and order."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper  # noqa: E402
from reader_models import both, kinds, model, node, numbers, save, start  # noqa: E402

from mxgan.errors import ParamsError  # noqa: E402
from mxgan.graph.reading import NoGraph  # noqa: E402
from mxgan.onnx import file, reader  # noqa: E402
from mxgan.onnx.constants import Budget, fold  # noqa: E402
from mxgan.onnx.node import Op  # noqa: E402


def test_shapes_computed_from_the_batchs_size(tmp_path):
    nodes = [
        node("Gemm", ["z", "W"], "flat", transB=1),
        node("Shape", ["z"], "shape"),
        node("Gather", ["shape", "zero"], "n", axis=0),
        node("Unsqueeze", ["n", "at"], "n1"),
        node("Concat", ["n1", "rest"], "wanted", axis=0),
        node("Reshape", ["flat", "wanted"], "x"),
        node("Tanh", ["x"], "images"),
    ]
    arrays = {"W": numbers(48, 6), "zero": np.array(0), "at": np.array([0]), "rest": np.array([3, 4, 4])}
    assert kinds(both(save(tmp_path / "g.onnx", model(nodes, arrays)))) == ["Linear", "Reshape", "Tanh"]


def test_as_tensorflow_writes_it(tmp_path):
    """Channels last outside, a product and a sum for a layer, and SAME padding as an output shape."""
    nodes = [
        node("MatMul", ["z", "W"], "m"),
        node("Add", ["m", "b"], "d"),
        node("Reshape", ["d", "S"], "last"),
        node("Transpose", ["last"], "x", perm=[0, 3, 1, 2]),
        node("ConvTranspose", ["x", "V"], "v", strides=[2, 2], pads=[1, 1, 2, 2]),
        node("Add", ["v", "c"], "y"),
        node("Tanh", ["y"], "t"),
        node("Transpose", ["t"], "images", perm=[0, 2, 3, 1]),
    ]
    arrays = {"W": numbers(6, 36), "b": numbers(36), "S": np.array([-1, 3, 3, 4]), "V": numbers(4, 3, 5, 5)}
    path = save(tmp_path / "g.onnx", model(nodes, arrays | {"c": numbers(1, 3, 1, 1)}))
    reading = both(path, lambda y: y.transpose(0, 3, 1, 2))
    assert kinds(reading) == ["Linear", "Reshape", "Permute", "ConvTranspose", "Crop", "BatchNorm", "Tanh"]
    assert "0.bias" not in reading.graph.arrays and reading.graph.array(reading.graph.nodes[0], "bias") is not None


@pytest.mark.parametrize(
    ("end", "arrays", "back", "assumed"),
    [
        ([("Sigmoid", ["x"])], {}, lambda y: 2 * y - 1, ()),
        ([("Tanh", ["x"]), ("Mul", ["0", "k"]), ("Add", ["1", "k"])], {"k": np.float32(0.5)}, lambda y: 2 * y - 1, ()),
        ([("Tanh", ["x"]), ("Add", ["0", "k"]), ("Mul", ["1", "m"])], {"k": np.float32(1), "m": np.float32(127.5)},
         lambda y: y / 127.5 - 1, ()),
        ([("Tanh", ["x"]), ("Mul", ["0", "k"])], {"k": np.float32(0.5)}, lambda y: 2 * y, ("images in [-0.5, 0.5]",)),
        ([("Neg", ["x"])], {}, lambda y: y, ("images in [-1, 1]",)),
    ],
)  # fmt: skip
def test_ends_are_put_into_minus_1_to_1(tmp_path, end, arrays, back, assumed):
    first, held = start(channels=3)
    nodes = [node(kind, inputs, str(place)) for place, (kind, inputs) in enumerate(end)]
    reading = both(save(tmp_path / "g.onnx", model([*first, *nodes], held | arrays)), back)
    assert reading.assumed == assumed


def test_flat_images_are_square(tmp_path):
    nodes = [node("Gemm", ["z", "W"], "g"), node("Tanh", ["g"], "images")]
    path = save(tmp_path / "g.onnx", model(nodes, {"W": numbers(6, 49)}))
    assert both(path, lambda y: y.reshape(-1, 1, 7, 7)).assumed == ("49 numbers are an image of 1×7×7",)


@pytest.mark.parametrize("latent", [(6,), (6, 1, 1), (1, 1, 6), (2, 3)])
@pytest.mark.parametrize("batch", ["N", 2])
def test_latents_of_every_shape(tmp_path, latent, batch):
    nodes = [node("Flatten", ["z"], "f"), *start(channels=3)[0], node("Tanh", ["x"], "images")]
    nodes[1].input[0] = "f"
    reading = both(save(tmp_path / "g.onnx", model(nodes, start(channels=3)[1], latent=latent, batch=batch)))
    assert reading.graph.inputs == {"z": (6,)} and kinds(reading) == ["Linear", "Reshape", "Tanh"]


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.INT32, TensorProto.FLOAT])
@pytest.mark.parametrize("shape", [["N"], ["N", 1]])
@pytest.mark.parametrize("how", ["Gather", "OneHot"])
def test_labels(tmp_path, kind, shape, how):
    nodes = [node("Cast", ["label"], "l", to=TensorProto.INT64), node("Flatten", ["l"], "l2", axis=1)]
    nodes = nodes[: len(shape)]
    place = nodes[-1].output[0]
    if how == "Gather":
        nodes += [node("Gather", ["table", place], "e")]
    else:
        nodes += [node("OneHot", [place, "depth", "values"], "e", axis=-1)]
    nodes += [node("Reshape", ["e", "five"], "e1"), node("Concat", ["z", "e1"], "zl", axis=-1)]
    nodes += [node("Gemm", ["zl", "W"], "g"), node("Reshape", ["g", "S"], "s"), node("Tanh", ["s"], "images")]
    arrays = {"table": numbers(5, 5), "depth": np.array(5), "values": np.array([0, 1], np.float32)}
    arrays |= {"five": np.array([-1, 5]), "W": numbers(11, 48), "S": np.array([-1, 3, 4, 4])}
    path = save(tmp_path / "g.onnx", model(nodes, arrays, label=kind, label_shape=shape))
    reading = both(path, n=3, labels=np.array([0, 4, 2]))
    assert reading.graph.classes == 5 and reading.graph.inputs == {"z": (6,), "label": ()}


@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16"])
@pytest.mark.parametrize("raw", [True, False])
def test_arrays_of_other_floats(tmp_path, dtype, raw):
    first, held = start(channels=3)
    number = {"float16": TensorProto.FLOAT16, "float64": TensorProto.DOUBLE, "bfloat16": TensorProto.BFLOAT16}[dtype]
    values = np.array([[0.5, -1.25], [3.0, 0.0078125]], np.float32)
    bits = values.view(np.uint32) >> 16
    data = {"float16": values.astype("<f2"), "float64": values.astype("<f8"), "bfloat16": bits.astype("<u2")}[dtype]
    tensor = helper.make_tensor("k", number, (2, 2), data.tobytes() if raw else values.reshape(-1).tolist(), raw=raw)
    made = model([*first, node("Tanh", ["x"], "images")], held)
    made.graph.initializer.append(tensor)
    found = file.contents(save(tmp_path / "g.onnx", made))
    assert found.arrays["k"].dtype == ("float32" if dtype == "bfloat16" else dtype) and found.dtypes["k"] == dtype
    np.testing.assert_array_equal(found.arrays["k"], values)
    assert list(reader.arrays(tmp_path / "g.onnx")) == ["W0", "b0", "S0", "k"]


def test_a_discriminator(tmp_path):
    nodes = [node("Conv", ["z", "W"], "c", strides=[2, 2]), node("LeakyRelu", ["c"], "l", alpha=0.2)]
    nodes += [node("Flatten", ["l"], "f"), node("Gemm", ["f", "V"], "logits")]
    path = save(tmp_path / "d.onnx", model(nodes, {"W": numbers(4, 3, 2, 2), "V": numbers(64, 1)}, latent=(3, 8, 8)))
    reading = reader.read(path)
    assert reading.graph.kind == "discriminator" and reading.graph.inputs == {"images": (3, 8, 8)}
    assert kinds(reading) == ["Conv", "LeakyRelu", "Reshape", "Linear"]


@pytest.mark.parametrize(
    ("name", "shape", "label"),
    [("label", (5,), True), ("c", (5, 1, 1), True), ("code", (5,), True), ("code", (6,), False), ("noise", (5,), False),
     ("text_embedding", (5,), False), ("label", (1,), False), ("label", (2000,), False)],
)  # fmt: skip
def test_which_second_vector_is_a_label(tmp_path, name, shape, label):
    """Beside 6 latents: one that is named as a label, or a shorter one that isn't named as something else."""
    nodes = [node("Flatten", [name], "l"), node("Concat", ["l", "z"], "lz", axis=1), node("Gemm", ["lz", "W"], "g")]
    nodes += [node("Reshape", ["g", "S"], "s"), node("Tanh", ["s"], "images")]
    made = model(nodes, {"W": numbers(6 + shape[0], 48), "S": np.array([-1, 3, 4, 4])})
    made.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape]))
    save(tmp_path / "g.onnx", made)
    if label:
        reading = reader.read(tmp_path / "g.onnx")
        assert reading.assumed == (f"{name} is a label as a one-hot vector",)
        assert reading.graph.inputs == {"z": (6,), "label": ()} and reading.graph.classes == 5
    else:
        with pytest.raises(ParamsError, match=f"the model takes z, {name}; a generator of pictures takes one input"):
            reader.read(tmp_path / "g.onnx")


@pytest.mark.parametrize(
    ("kind", "inputs", "value"),
    [("Mod", ([-7, 7, 5], [3, -3, 0]), [2, -2, 0]), ("Tile", ([[1], [2]], [1, 2]), [[1, 1], [2, 2]]),
     ("GreaterOrEqual", ([1, 2], [2, 2]), [False, True]), ("LessOrEqual", ([1, 2], [1, 1]), [True, False]),
     ("Sign", ([-3, 0],), [-1, 0]), ("Xor", ([True, True], [True, False]), [False, True])],
)  # fmt: skip
def test_whole_numbers_are_computed(kind, inputs, value):
    op = Op(node(kind, ["a", "b"], "y"), "a.onnx")
    np.testing.assert_array_equal(fold(op, [np.array(item) for item in inputs], Budget(100)), value)


def test_the_remainder_of_c_and_repeats_without_bound():
    op = Op(node("Mod", ["a", "b"], "y", fmod=1), "a.onnx")
    np.testing.assert_array_equal(fold(op, [np.array([-7, 7]), np.array([3, -3])], Budget(100)), [-1, 1])
    with pytest.raises(NoGraph, match="too large to compute"):
        fold(Op(node("Tile", ["a", "b"], "y"), "a.onnx"), [np.ones(2), np.array([2**40])], Budget(100))
