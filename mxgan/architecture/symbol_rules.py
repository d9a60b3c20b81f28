"""Which of MXNet's operators can be read, by every name that a version gave them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from mxgan.architecture import symbol_ops as ops
from mxgan.architecture import symbol_shapes as moves
from mxgan.architecture.symbol_draft import Draft, Unreadable, Value
from mxgan.architecture.symbol_json import Operation, Output
from mxgan.graph.layers import Add, Layer, Multiply, Relu, Sigmoid, Tanh
from mxgan.graph.shapes import Unfit

Handler = Callable[[Draft, Operation, list[Value]], Value]


@dataclass(frozen=True)
class Rule:
    """How an operator is read. ``data``: how many of its inputs are data, the rest being arrays; None for all."""

    handler: Handler
    data: Optional[int] = 1


def same_name(operation: Operation) -> str:
    """The operator under the one name that all its others stand for."""
    return _RENAMED.get(operation.operator, operation.operator)


def rule_of(operation: Operation) -> Rule:
    """The operator's rule. Raises Unreadable, with the operator's and the node's name, where there is none."""
    found = RULES.get(same_name(operation))
    if found is None:
        raise Unreadable(
            f"node {operation.name!r} is the operator {operation.operator!r}, which no layer stands for; --layout can "
            "describe the network in other layers",
            operation.operator,
        )
    return found


def data_inputs(operation: Operation) -> tuple[Output, ...]:
    """Which of an operation's inputs are data; all, where the operator is unknown."""
    name = same_name(operation)
    if name == "UpSampling" and operation.settings.get("sample_type") == "bilinear":
        return operation.inputs[:1]  # the other is its weight
    rule = RULES.get(name)
    return operation.inputs if rule is None or rule.data is None else operation.inputs[: rule.data]


def _layer(layer: Layer) -> Handler:
    return lambda draft, operation, values: draft.add(operation.name, layer, values)


def _merged(layer: Layer) -> Handler:
    return lambda draft, operation, values: draft.merge(operation.name, layer, values)


def _scalar(coefficients: Callable[[float], tuple[float, float]]) -> Handler:
    """An operator with one number in its settings, as (scale, shift)."""

    def handler(draft: Draft, operation: Operation, values: list[Value]) -> Value:
        number = operation.number("scalar")
        if operation.flag("scalar_on_left", False):
            raise Unfit("has its scalar on the left; an operator of its own wanted")
        if number == 0 and operation.operator.lower().endswith(("div_scalar", "divscalar", "divide_scalar")):
            raise Unfit("divides by 0")
        return draft.affine(operation.name, values[0], *coefficients(number))

    return handler


def _minus(draft: Draft, operation: Operation, values: list[Value]) -> Value:
    if len(values) != 2:
        raise Unfit(f"has {len(values)} inputs; 2 wanted")
    return draft.difference(operation.name, *values)


RULES: dict[str, Rule] = {
    "Convolution": Rule(ops.convolution),
    "Deconvolution": Rule(ops.deconvolution),
    "FullyConnected": Rule(ops.fully_connected),
    "BatchNorm": Rule(ops.batch_norm),
    "InstanceNorm": Rule(ops.instance_norm),
    "Activation": Rule(ops.activation),
    "LeakyReLU": Rule(ops.leaky_relu),
    "relu": Rule(_layer(Relu())),
    "tanh": Rule(_layer(Tanh())),
    "sigmoid": Rule(_layer(Sigmoid())),
    "Embedding": Rule(ops.embedding),
    "one_hot": Rule(ops.one_hot),
    "UpSampling": Rule(ops.upsampling, None),
    "BilinearResize2D": Rule(ops.bilinear_resize, None),
    "Reshape": Rule(moves.reshape),
    "numpy_reshape": Rule(moves.numpy_reshape),
    "Flatten": Rule(moves.flatten),
    "expand_dims": Rule(moves.expand_dims),
    "squeeze": Rule(moves.squeeze),
    "transpose": Rule(moves.transpose),
    "SwapAxis": Rule(moves.swap_axes),
    "Concat": Rule(moves.concat, None),
    "Crop": Rule(moves.crop, None),
    "slice_axis": Rule(moves.slice_axis),
    "slice": Rule(moves.slice_spans),
    "Pad": Rule(moves.pad),
    "depth_to_space": Rule(moves.depth_to_space),
    "broadcast_to": Rule(moves.broadcast_to),
    "broadcast_axis": Rule(moves.broadcast_axis),
    "Add": Rule(_merged(Add()), None),
    "Multiply": Rule(_merged(Multiply()), None),
    "Minus": Rule(_minus, None),
    "plus_scalar": Rule(_scalar(lambda number: (1.0, number))),
    "minus_scalar": Rule(_scalar(lambda number: (1.0, -number))),
    "rminus_scalar": Rule(_scalar(lambda number: (-1.0, number))),
    "mul_scalar": Rule(_scalar(lambda number: (number, 0.0))),
    "div_scalar": Rule(_scalar(lambda number: (1.0 / number, 0.0))),
    "negative": Rule(lambda draft, operation, values: draft.affine(operation.name, values[0], -1.0, 0.0)),
    "identity": Rule(ops.same),
    "Cast": Rule(ops.cast),
    "Dropout": Rule(ops.dropout),
    "SoftmaxOutput": Rule(ops.softmax_output),
}

_NAMES = {
    "Convolution": "Convolution_v1 _npx_convolution",
    "Deconvolution": "_npx_deconvolution",
    "FullyConnected": "_npx_fully_connected",
    "BatchNorm": "BatchNorm_v1 CuDNNBatchNorm _npx_batch_norm",
    "InstanceNorm": "_npx_instance_norm",
    "Activation": "_npx_activation",
    "LeakyReLU": "_npx_leaky_relu",
    "relu": "_npx_relu",
    "tanh": "_npi_tanh _np_tanh",
    "sigmoid": "LogisticRegressionOutput _npx_sigmoid",
    "Embedding": "_npx_embedding",
    "one_hot": "_npx_one_hot",
    "BilinearResize2D": "_contrib_BilinearResize2D",
    "Reshape": "reshape",
    "numpy_reshape": "_npx_reshape _np_reshape _npi_reshape",
    "Flatten": "flatten _npx_batch_flatten",
    "expand_dims": "_npi_expand_dims",
    "squeeze": "_np_squeeze _npi_squeeze",
    "transpose": "_np_transpose _npi_transpose",
    "SwapAxis": "swapaxes _npi_swapaxes",
    "Concat": "concat _npi_concatenate",
    "Crop": "Crop_v1",
    "slice": "crop _npx_slice _npi_slice",
    "Pad": "pad _npx_pad",
    "broadcast_axis": "broadcast_axes",
    "Add": "elemwise_add _plus _Plus _add broadcast_add broadcast_plus _grad_add ElementWiseSum add_n _npi_add",
    "Multiply": "elemwise_mul _mul _Mul broadcast_mul _npi_multiply",
    "Minus": "elemwise_sub _minus _Minus _sub broadcast_sub broadcast_minus _npi_subtract",
    "plus_scalar": "_plus_scalar _PlusScalar _npi_add_scalar",
    "minus_scalar": "_minus_scalar _MinusScalar _npi_subtract_scalar",
    "rminus_scalar": "_rminus_scalar _RMinusScalar _npi_rsubtract_scalar",
    "mul_scalar": "_mul_scalar _MulScalar _npi_multiply_scalar",
    "div_scalar": "_div_scalar _DivScalar _npi_true_divide_scalar",
    "negative": "_np_negative _npi_negative",
    "identity": "_copy _np_copy _npi_copy BlockGrad stop_gradient MakeLoss make_loss LinearRegressionOutput "
    "MAERegressionOutput SVMOutput IdentityAttachKLSparseReg _identity_with_attr_like_rhs _CrossDeviceCopy",
    "Cast": "cast amp_cast _npx_cast",
    "Dropout": "_npx_dropout",
    "SoftmaxOutput": "Softmax",
}
_RENAMED = {name: mine for mine, names in _NAMES.items() for name in names.split()}
