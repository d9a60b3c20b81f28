"""The bytes of a generator's ONNX model: latents in, images out, at any batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mxgan import __version__
from mxgan.errors import MissingPackage
from mxgan.weights.dcgan import EPSILON
from mxgan.weights.net import Net, canonical

if TYPE_CHECKING:
    import onnx

OPSET, IR_VERSION = 17, 8  # what onnxruntime 1.15 on Python 3.9 reads


def serialise(net: Net) -> bytes:
    """The generator's model, checked by onnx.checker. float16 weights are stored as such and computed in float32.

    Input ``z`` float32 (N, latent), output ``images`` float32 (N, channels, H, W) in [-1, 1]; N is free.
    Raises MissingPackage without onnx.
    """
    onnx = _onnx()
    model = onnx.helper.make_model(
        _graph(onnx, net),
        producer_name="mxgan",
        producer_version=__version__,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingPackage("making an ONNX model needs onnx", "onnx") from error
    return onnx


def _graph(onnx: Any, net: Net) -> onnx.GraphProto:
    """Unsqueeze, then ConvTranspose, BatchNormalization, Relu, ..., ConvTranspose, Tanh; weights by canonical name."""
    make = onnx.helper.make_node
    initializers = [onnx.numpy_helper.from_array(np.array([2, 3]), "axes")]
    nodes = []
    for name, array in net.arrays.items():
        half = array.dtype == np.float16
        stored = np.ascontiguousarray(array, np.float16 if half else np.float32)
        initializers.append(onnx.numpy_helper.from_array(stored, f"{name}.float16" if half else name))
        if half:
            nodes.append(make("Cast", [f"{name}.float16"], [name], to=onnx.TensorProto.FLOAT))

    nodes.append(make("Unsqueeze", ["z", "axes"], ["latents"]))
    x = "latents"
    convs, norms = canonical("generator", net.convolutions)
    for index in convs:
        stride, pad = (1, 0) if index == 0 else (2, 1)
        inputs = [x, f"{index}.weight", *([f"{index}.bias"] if net.bias else [])]
        settings = {"kernel_shape": [4, 4], "strides": [stride] * 2, "pads": [pad] * 4}
        x = f"convolution{index}"
        nodes.append(make("ConvTranspose", inputs, [x], name=x, **settings))
        if index + 1 in norms:
            words = ("gamma", "beta", "running_mean", "running_var")
            normed, x = f"batchnorm{index + 1}", f"relu{index + 2}"
            inputs = [f"convolution{index}", *(f"{index + 1}.{word}" for word in words)]
            nodes.append(make("BatchNormalization", inputs, [normed], name=normed, epsilon=EPSILON))
            nodes.append(make("Relu", [normed], [x], name=x))
    nodes.append(make("Tanh", [x], ["images"], name="tanh"))

    value, size = onnx.helper.make_tensor_value_info, net.image_size
    z = value("z", onnx.TensorProto.FLOAT, ["N", net.latent])
    images = value("images", onnx.TensorProto.FLOAT, ["N", net.channels, size, size])
    return onnx.helper.make_graph(nodes, "netG", [z], [images], initializers)
