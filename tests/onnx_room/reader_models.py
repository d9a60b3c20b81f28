"""ONNX models for the reader's tests, made by hand as each writer makes them, and onnxruntime's own pictures."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from mxgan.graph.forward import generate
from mxgan.onnx import reader

RANDOM = np.random.default_rng(7)


def numbers(*shape):
    """Weights of moderate size, float32."""
    return RANDOM.normal(0, 0.4, shape).astype(np.float32)


def node(kind, inputs, output, **attributes):
    """A node of one output."""
    return helper.make_node(kind, inputs, [output], name=output, **attributes)


def model(nodes, arrays, latent=(6,), batch="N", opset=17, output=None, label=None, kind=TensorProto.FLOAT, **more):
    """A model from z (batch, *latent) to the last node's output, ``images``."""
    inputs = [helper.make_tensor_value_info("z", kind, [batch, *latent])]
    if label is not None:
        inputs.append(helper.make_tensor_value_info("label", label, more.pop("label_shape", [batch])))
    images = helper.make_tensor_value_info(output or nodes[-1].output[0], more.pop("out", kind), None)
    held = [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "g", inputs, [images], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=more.pop("ir", 8))


def save(path, made):
    """Write the model; returns the path."""
    path.write_bytes(made.SerializeToString())
    return path


def own_pictures(path, z, labels=None):
    """What onnxruntime makes of the file, as it stands."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {}
    for item in session.get_inputs():
        shape = [len(z), *(size if isinstance(size, int) else 1 for size in item.shape[1:])]
        floats = item.type in ("tensor(float)", "tensor(double)", "tensor(float16)")
        if floats and (labels is None or item.name != "label"):
            given[item.name] = z.reshape(shape).astype({"d": "f8", "f": "f4"}[item.type[7]])
        else:
            given[item.name] = labels.reshape(shape).astype("f4" if floats else "i4" if "32" in item.type else "i8")
    return session.run(None, given)[0]


def both(path, seen=lambda y: y, n=2, labels=None):
    """The reading, after its pictures were compared with onnxruntime's: ``seen`` puts those into [-1, 1] and NCHW."""
    reading = reader.read(path)
    z = np.random.default_rng(1).normal(size=(n, reading.graph.latent)).astype(np.float32)
    theirs, ours = seen(own_pictures(path, z, labels)), generate(reading.graph, z, labels)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-4
    return reading


def kinds(reading):
    """The layers' kinds in order."""
    return [type(item.layer).__name__ for item in reading.graph.nodes]


def start(channels=4, size=4):
    """The nodes and arrays from z (N, 6) to x (N, channels, size, size)."""
    shape = np.array([-1, channels, size, size])
    nodes = [node("Gemm", ["z", "W0", "b0"], "flat", transB=1), node("Reshape", ["flat", "S0"], "x")]
    return nodes, {"W0": numbers(channels * size * size, 6), "b0": numbers(channels * size * size), "S0": shape}
