"""The bytes of a generator's ONNX model: latents in, labels too if it takes them, images out, at any batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mxgan import __version__
from mxgan.errors import MissingPackage
from mxgan.graph.graph import LABELS, LATENTS, Graph
from mxgan.graph.shapes import shapes
from mxgan.onnx.nodes import Site, Writer

if TYPE_CHECKING:
    import onnx

IMAGES_OUT = "images"
RANGE = "pictures from -1 (black) to 1 (white); clip(rint((y + 1) * 127.5), 0, 255) makes bytes of them"
OPSET, IR_VERSION = 17, 8  # what onnxruntime 1.15 on Python 3.9 reads


def serialise(graph: Graph, uniform: bool = False) -> bytes:
    """The generator's model; see `check`. float16 weights are stored as such and computed in float32.

    Input ``z`` float32 (N, latent), and ``label`` int64 (N,) where a layer takes it; output ``images`` float32
    (N, channels, H, W) in [-1, 1]; N is free. Weights have the graph's names for them. The model says all this of
    itself, and that latents are from N(0, 1) or, if ``uniform``, from U(-1, 1): see `described`. Raises MissingPackage
    without onnx.
    """
    onnx = _onnx()
    writer = Writer(onnx)
    model = onnx.helper.make_model(
        _graph(onnx, graph, writer),
        producer_name="mxgan",
        producer_version=__version__,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.helper.set_model_props(model, described(graph, uniform))
    model.doc_string = _in_words(graph, uniform)
    for value, says in ((model.graph.input[0], _latents(graph, uniform)), (model.graph.output[0], RANGE)):
        value.doc_string = says
    _add_arrays(onnx, model, writer.initializers)
    return model.SerializeToString()


def check(serialised: bytes) -> None:
    """Raise onnx.checker's error where the model isn't ONNX. onnxruntime checks what it loads by itself."""
    _onnx().checker.check_model(serialised, full_check=True)


def described(graph: Graph, uniform: bool) -> dict[str, str]:
    """What the model's ``metadata_props`` say: how to call it, and what its numbers mean.

    ``mxgan``: the version that wrote it; ``input``, ``latent``, ``latents`` (normal or uniform); ``label`` and
    ``classes`` of a conditional one; ``output``, ``channels``, ``height``, ``width``, ``range``.
    """
    sizes = zip(("channels", "height", "width"), map(str, shapes(graph)[graph.nodes[-1].name]))
    label = {} if graph.classes is None else {"label": LABELS, "classes": str(graph.classes)}
    return {
        "mxgan": __version__,
        "input": LATENTS,
        "latent": str(graph.latent),
        "latents": "uniform" if uniform else "normal",
        **label,
        "output": IMAGES_OUT,
        **dict(sizes),
        "range": "-1 to 1",
    }


def _latents(graph: Graph, uniform: bool) -> str:
    return f"latents, {graph.latent} numbers a picture from {'U(-1, 1)' if uniform else 'N(0, 1)'}"


def _in_words(graph: Graph, uniform: bool) -> str:
    label = "" if graph.classes is None else f", and {LABELS}, whole numbers from 0 to {graph.classes - 1}"
    return f"A generator. In: {LATENTS}, {_latents(graph, uniform)}{label}. Out: {IMAGES_OUT}, {RANGE}."


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingPackage("making an ONNX model needs onnx", "onnx") from error
    return onnx


def _add_arrays(onnx: Any, model: onnx.ModelProto, arrays: dict[str, np.ndarray]) -> None:
    """Put the arrays into the model itself: onnx's helpers would copy them three times on the way."""
    for name, array in arrays.items():
        tensor = model.graph.initializer.add()
        tensor.name = name
        tensor.data_type = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor.dims.extend(array.shape)
        tensor.raw_data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _graph(onnx: Any, graph: Graph, writer: Writer) -> onnx.GraphProto:
    """Every node as one ONNX node or a few; what the last one gives is called images. The writer keeps the arrays."""
    found = shapes(graph)
    writer.weights(graph)
    outputs = {name: name for name in graph.inputs}
    for node in graph.nodes:
        outputs[node.name] = IMAGES_OUT if node is graph.nodes[-1] else f"{node.name}.output"
        words = [word for word in (*node.layer.needs, *node.layer.may) if f"{node.name}.{word}" in graph.arrays]
        site = Site(
            name=node.name,
            inputs=[outputs[name] for name in node.inputs],
            output=outputs[node.name],
            before=found[node.inputs[0]],
            after=found[node.name],
            arrays={word: graph.arrays[f"{node.name}.{word}"] for word in words},
        )
        writer.layer(node.layer, site)

    value, kinds = onnx.helper.make_tensor_value_info, onnx.TensorProto
    inputs = [value(LATENTS, kinds.FLOAT, ["N", graph.latent])]
    if any(LABELS in node.inputs for node in graph.nodes):
        inputs.append(value(LABELS, kinds.INT64, ["N"]))
    images = value(IMAGES_OUT, kinds.FLOAT, ["N", *found[graph.nodes[-1].name]])
    return onnx.helper.make_graph(writer.nodes, "netG", inputs, [images])
