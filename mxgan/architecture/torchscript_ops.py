"""TorchScript's tensor operations as graph layers. Signatures are those of PyTorch's native_functions.yaml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mxgan.architecture import torchscript_moves as moves
from mxgan.architecture.modules_layers import Unknown, whole_factor
from mxgan.architecture.torchscript_graph import Builder, Flow, changed
from mxgan.architecture.torchscript_moves import axis_of, flow_of, held_of, maybe_held, pair_of, whole
from mxgan.architecture.torchscript_source import Failed
from mxgan.architecture.torchscript_values import PLAIN, Held, as_number, fold, is_number
from mxgan.graph import layers
from mxgan.graph.layers import Layer
from mxgan.graph.shapes import Unfit

MOST_FOLDED = 2**29  # numbers of the file's own tensors that may be computed with
DROPPED = "the program keeps dropout on: taken as off"


def operate(builder: Builder, name: str, args: list, named: dict) -> Any:
    """What a function that isn't the archive's own gives. Raises Failed where it isn't known."""
    try:
        found = _operate(builder, name, args, named)
    except (Unfit, Unknown) as error:
        raise Failed(f"{name}: {error}") from error
    except Failed:
        raise
    except (TypeError, ValueError, ZeroDivisionError, OverflowError, IndexError, AttributeError) as error:
        raise Failed(f"{name} has arguments that aren't known") from error
    if found is NotImplemented:
        raise Failed(f"the operation {name} isn't known")
    return found


def _operate(builder: Builder, name: str, args: list, named: dict) -> Any:
    inside = [item for arg in args for item in (arg if isinstance(arg, (list, tuple)) else (arg,))]
    if name in SAME and args:
        return builder.alias(args[0], name == "torch.clone") if isinstance(args[0], Flow) else args[0]
    if any(isinstance(item, Flow) for item in inside):
        if name in IN_PLACE:
            return changed(flow_of(args[0]), IN_PLACE[name](builder, *args, **named))
        if name in TENSORS:
            return TENSORS[name](builder, *args, **named)
    elif any(isinstance(item, Held) and item.array.ndim for item in inside):
        if name == "torch.size":
            sizes = list(held_of(args[0]).array.shape)
            return sizes[axis_of(args[1], len(sizes))] if len(args) > 1 else sizes
        builder.folded += sum(arg.array.size for arg in args if isinstance(arg, Held))
        if builder.folded > MOST_FOLDED:
            raise Failed("it computes too much with its own tensors")
        found = fold(name, args)
        if found is not None:
            return found
    return PLAIN[name](*args, **named) if name in PLAIN else NotImplemented


def _conv(b: Builder, x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
          groups: Any = 1) -> Flow:  # fmt: skip
    layer = layers.Conv(pair_of(stride), pair_of(padding), pair_of(dilation), whole(groups, 1))
    return b.add(layer, [flow_of(x)], weight=held_of(weight, 4), bias=maybe_held(bias))


def _conv_transpose(b: Builder, x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
                    output_padding: Any = 0, groups: Any = 1, dilation: Any = 1) -> Flow:  # fmt: skip
    settings = pair_of(stride), pair_of(padding), pair_of(output_padding), pair_of(dilation), whole(groups, 1)
    return b.add(layers.ConvTranspose(*settings), [flow_of(x)], weight=held_of(weight, 4), bias=maybe_held(bias))


def _convolution(b: Builder, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: Any,
                 output_padding: Any, groups: Any, *_: Any) -> Flow:  # fmt: skip
    if transposed:
        return _conv_transpose(b, x, weight, bias, stride, padding, output_padding, groups, dilation)
    return _conv(b, x, weight, bias, stride, padding, dilation, groups)


def _batch_norm(b: Builder, x: Any, weight: Any, bias: Any, mean: Any, var: Any, training: Any, momentum: Any,
                eps: Any, *_: Any) -> Flow:  # fmt: skip
    if training or mean is None:
        raise Failed("its BatchNorm takes each batch's own statistics: trace it after net.eval()")
    held = {
        "gamma": maybe_held(weight),
        "beta": maybe_held(bias),
        "running_mean": held_of(mean, 1),
        "running_var": held_of(var, 1),
    }
    return b.add(layers.BatchNorm(float(eps)), [flow_of(x)], **held)


def _instance_norm(b: Builder, x: Any, weight: Any, bias: Any, mean: Any, var: Any, own: Any, momentum: Any, eps: Any,
                   *_: Any) -> Flow:  # fmt: skip
    if not own:
        return _batch_norm(b, x, weight, bias, mean, var, False, momentum, eps)
    return b.add(layers.InstanceNorm(float(eps)), [flow_of(x)], gamma=maybe_held(weight), beta=maybe_held(bias))


def _linear(b: Builder, x: Any, weight: Any, bias: Any = None) -> Flow:
    return b.add(layers.Linear(), [flow_of(x)], weight=held_of(weight, 2), bias=maybe_held(bias))


def _addmm(b: Builder, bias: Any, x: Any, weight: Any, beta: Any = 1, alpha: Any = 1) -> Flow:
    if (as_number(beta), as_number(alpha)) != (1, 1):
        raise Failed("addmm with factors")
    return _linear(b, x, _transposed(weight), bias)


def _matmul(b: Builder, x: Any, weight: Any) -> Flow:
    return _linear(b, x, _transposed(weight))


def _transposed(weight: Any) -> Held:
    held = held_of(weight, 2)
    return Held(held.array.T, held.name)


def _simple(layer: Layer) -> Callable[..., Flow]:
    return lambda b, x, *_: b.add(layer, [flow_of(x)])


def _leaky(b: Builder, x: Any, slope: Any = 0.01) -> Flow:
    return b.add(layers.LeakyRelu(float(slope)), [flow_of(x)])


def _elu(b: Builder, x: Any, alpha: Any = 1, scale: Any = 1, input_scale: Any = 1) -> Flow:
    if (scale, input_scale) != (1, 1):
        raise Failed("elu with scales")
    return b.add(layers.Elu(float(alpha)), [flow_of(x)])


def _threshold(b: Builder, x: Any, threshold: Any, value: Any) -> Flow:
    if (threshold, value) != (0, 0):
        raise Failed("a threshold other than 0")
    return b.add(layers.Relu(), [flow_of(x)])


def _upsample(mode: str) -> Callable[..., Flow]:
    def rule(b: Builder, x: Any, size: Any, *rest: Any) -> Flow:
        flow, corners = flow_of(x), mode == "bilinear" and bool(rest[0])
        scales = next((item for item in rest if isinstance(item, (list, tuple))), None)
        if isinstance(size, (list, tuple)) and len(flow.shape) == 3:
            scales = [whole(new, 1) / old for new, old in zip(pair_of(size), flow.shape[1:])]
        if not scales or not all(is_number(scale) for scale in scales):
            raise Failed("it upsamples by nothing that is known")
        return b.add(layers.Upsample(whole_factor(tuple(scales)), mode, corners), [flow])

    return rule


def _sum(sign: float) -> Callable[..., Flow]:
    def rule(b: Builder, one: Any, other: Any, alpha: Any = 1) -> Flow:
        factor, other, one = sign * float(as_number(alpha)), as_number(other), as_number(one)
        if is_number(other):
            return b.add(layers.Affine(1.0, factor * other), [flow_of(one)])
        if is_number(one):
            return b.add(layers.Affine(factor, float(one)), [flow_of(other)])
        flow = flow_of(other) if factor == 1 else b.add(layers.Affine(factor, 0.0), [flow_of(other)])
        return b.add(layers.Add(), [flow_of(one), flow])

    return rule


def _product(b: Builder, one: Any, other: Any) -> Flow:
    one, other = as_number(one), as_number(other)
    if is_number(one) or is_number(other):
        flow, factor = (one, other) if is_number(other) else (other, one)
        return b.add(layers.Affine(float(factor), 0.0), [flow_of(flow)])
    return b.add(layers.Multiply(), [flow_of(one), flow_of(other)])


def _quotient(b: Builder, one: Any, other: Any) -> Flow:
    return _product(b, flow_of(one), 1.0 / as_number(other))


def _embedding(b: Builder, weight: Any, label: Any, *_: Any) -> Flow:
    return b.add(layers.Embedding(), [flow_of(label)], weight=held_of(weight, 2))


def _dropout(b: Builder, x: Any, rate: Any = 0.5, training: Any = False) -> Flow:
    if training and DROPPED not in b.warnings:
        b.warnings.append(DROPPED)
    return flow_of(x)


SAME = (
    "torch.contiguous", "torch.detach", "torch.clone", "torch.to", "torch.type_as", "torch.float", "torch.double",
    "torch.alias", "torch.cpu", "torch.cuda",
)  # fmt: skip
_BOTH: dict[str, Callable[..., Any]] = {  # with a form that works in place, relu_
    "relu": _simple(layers.Relu()),
    "leaky_relu": _leaky,
    "elu": _elu,
    "selu": _simple(layers.Selu()),
    "tanh": _simple(layers.Tanh()),
    "sigmoid": _simple(layers.Sigmoid()),
    "threshold": _threshold,
    "add": _sum(1.0),
    "sub": _sum(-1.0),
    "mul": _product,
    "div": _quotient,
    "neg": lambda b, x: _product(b, x, -1.0),
    "unsqueeze": moves.unsqueeze,
    "squeeze": moves.squeeze,
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"), _dropout),
}
IN_PLACE = {f"torch.{name}_": rule for name, rule in _BOTH.items() if "squeeze" not in name}
_OTHERS: dict[str, Callable[..., Any]] = {
    "conv2d": _conv,
    "conv_transpose2d": _conv_transpose,
    "_convolution": _convolution,
    "batch_norm": _batch_norm,
    "instance_norm": _instance_norm,
    "linear": _linear,
    "addmm": _addmm,
    **dict.fromkeys(("matmul", "mm"), _matmul),
    "prelu": lambda b, x, slope: b.add(layers.PRelu(), [flow_of(x)], slope=held_of(slope, 1)),
    **dict.fromkeys(("upsample_nearest2d", "_upsample_nearest_exact2d"), _upsample("nearest")),
    "upsample_bilinear2d": _upsample("bilinear"),
    "pixel_shuffle": lambda b, x, factor: b.add(layers.PixelShuffle(whole(factor, 1)), [flow_of(x)]),
    "reflection_pad2d": lambda b, x, sides: moves.pad(b, x, sides, "reflect"),
    "replication_pad2d": lambda b, x, sides: moves.pad(b, x, sides, "replicate"),
    "constant_pad_nd": lambda b, x, sides, value=0: moves.pad(b, x, sides, "constant", value),
    "pad": moves.pad,
    **dict.fromkeys(("view", "reshape", "_unsafe_view"), moves.view),
    "flatten": moves.flatten,
    "unflatten": moves.unflatten,
    "permute": moves.permute,
    "transpose": moves.transpose,
    "size": moves.size,
    "dim": lambda b, x: len(flow_of(x).shape) + 1,
    "len": lambda b, x: moves.size(b, x, 0) if isinstance(x, Flow) else len(x),
    "slice": moves.slice_of,
    "cat": moves.cat,
    "embedding": _embedding,
    "one_hot": lambda b, x, classes: b.add(layers.OneHot(whole(classes, 1)), [flow_of(x)]),
    "rsub": lambda b, x, other, alpha=1: _sum(-1.0)(b, other, x, alpha),
}
TENSORS = {f"torch.{name}": rule for name, rule in {**_BOTH, **_OTHERS}.items()}
