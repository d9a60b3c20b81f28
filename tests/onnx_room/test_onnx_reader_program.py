"""Models with operators that no layer is: onnxruntime runs the file itself, within bounds."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper  # noqa: E402
from reader_models import model, node, numbers, own_pictures, save, start  # noqa: E402

from mxgan.errors import MxganError, ParamsError  # noqa: E402
from mxgan.onnx import reader  # noqa: E402
from mxgan.onnx.runner import Runner  # noqa: E402


def soft(tmp_path, end="Tanh", extra=(), arrays=None, **more):
    """A file whose x goes through Softplus, which no layer is."""
    first, held = start(channels=3)
    nodes = [*first, node("Softplus", ["x"], "p"), *extra, node(end, [extra[-1].output[0] if extra else "p"], "images")]
    return save(tmp_path / "g.onnx", model(nodes, held | (arrays or {}), **more))


Z = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)


@pytest.mark.parametrize("batch", ["N", 1, 2])
def test_the_file_is_run(tmp_path, batch):
    path = soft(tmp_path, batch=batch)
    with pytest.raises(reader.NoGraph, match=r"g.onnx: p: no layer of mxgan does this: the operator Softplus"):
        reader.read(path)
    program = reader.program(path)
    assert (program.latent, program.shape, program.classes, program.last) == (6, (3, 4, 4), None, False)
    assert "Softplus" in program.why and program.assumed == () and program.limits == (-1, 1)
    size = batch if batch != "N" else 5
    theirs = np.concatenate([own_pictures(path, np.resize(Z[at : at + size], (size, 6))) for at in range(0, 5, size)])
    np.testing.assert_allclose(Runner(program).forward(Z), theirs[:5], atol=1e-6)


def test_its_range_and_its_channels_last(tmp_path):
    path = soft(tmp_path, end="Sigmoid", extra=[node("Transpose", ["p"], "t", perm=[0, 2, 3, 1])])
    first = onnx.load(path)
    program = reader.program(path)
    assert program.shape == (3, 4, 4) if program.last else True
    assert len(first.graph.node) == 5 and program.limits == (0, 1)
    images = Runner(program).forward(Z)
    theirs = own_pictures(path, Z)
    np.testing.assert_allclose(images, 2 * (theirs.transpose(0, 3, 1, 2) if program.last else theirs) - 1, atol=1e-6)
    program = reader.program(soft(tmp_path, end="Identity"))
    assert program.assumed in (("images in [0, 255]",), ("images in [0, 1]",))


def test_labels_are_counted(tmp_path):
    first, held = start(channels=3)
    first[0].input[0] = "zl"
    nodes = [node("Gather", ["table", "label"], "e"), node("Add", ["z", "e"], "zl"), *first]
    nodes += [node("Softplus", ["x"], "p"), node("Tanh", ["p"], "images")]
    path = save(tmp_path / "g.onnx", model(nodes, held | {"table": numbers(7, 6)}, label=TensorProto.INT64))
    program = reader.program(path)
    assert program.classes == 7
    labels = np.array([0, 6, 3, 3, 1])
    np.testing.assert_allclose(Runner(program).forward(Z, labels), own_pictures(path, Z, labels), atol=1e-6)
    with pytest.raises(MxganError, match="takes labels"):
        Runner(program).forward(Z)


def test_noise_of_its_own_is_said(tmp_path):
    noise = [node("RandomNormalLike", ["p"], "r"), node("Add", ["p", "r"], "pr")]
    assert "noise of their own (RandomNormalLike)" in reader.program(soft(tmp_path, extra=noise)).warnings[0]


def test_loops_custom_operators_and_other_files_are_refused(tmp_path):
    branch = helper.make_graph([node("Identity", ["p"], "q")], "b", [], [helper.make_tensor_value_info("q", 1, None)])
    extra = [helper.make_node("If", ["yes"], ["i"], name="i", then_branch=branch, else_branch=branch)]
    with pytest.raises(ParamsError, match="i is If, which holds graphs or types: loops and conditions aren't run"):
        reader.program(soft(tmp_path, extra=extra, arrays={"yes": np.array(True)}))
    extra = [helper.make_node("Fast", ["p"], ["i"], name="i", domain="my.own")]
    with pytest.raises(ParamsError, match=r"i is my\.own::Fast: only ONNX's own operators are run"):
        reader.program(soft(tmp_path, extra=extra))
    made = onnx.load(soft(tmp_path))
    made.graph.initializer[0].data_location = TensorProto.EXTERNAL
    made.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")
    with pytest.raises(ParamsError, match="W0: its numbers lie in another file, which is never opened"):
        reader.program(save(tmp_path / "g.onnx", made))


def test_a_program_that_takes_all_memory_is_stopped(tmp_path):
    extra = [node("Expand", ["p", "big"], "e"), node("ReduceMax", ["e"], "m", keepdims=0), node("Add", ["p", "m"], "i")]
    with pytest.raises(ParamsError, match="onnxruntime can't run it"):
        reader.program(soft(tmp_path, extra=extra, arrays={"big": np.array([2**20, 2**20, 1, 3, 4, 4])}))


def test_what_gives_no_images_is_refused(tmp_path):
    extra = [node("Flatten", ["p"], "i")]
    with pytest.raises(ParamsError, match=r"the model gives \(48,\); finite images of 1 to 4 channels wanted"):
        reader.program(soft(tmp_path, extra=extra))
