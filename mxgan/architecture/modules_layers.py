"""A PyTorch module's settings and arrays as graph layers, with the meanings and defaults that ``torch.nn`` documents.

Modules of old versions lack attributes that came later; those have the default that keeps the old behaviour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mxgan.architecture.normed_weights import Unknown, plain_weights
from mxgan.graph import layers
from mxgan.graph.layers import Layer, Pair
from mxgan.weights.pickled_modules import Module

LARGEST = 2**20  # of a stride, a padding, a size
NORM_WORDS = {"weight": "gamma", "bias": "beta", "running_mean": "running_mean", "running_var": "running_var"}


@dataclass(frozen=True)
class Step:
    """One layer of a module, with its arrays by the layer's words and their own names in the module."""

    layer: Layer
    arrays: Mapping[str, np.ndarray]
    names: Mapping[str, str]
    suffix: str = ""  # after the module's key, where it has several layers


def steps_of(module: Module) -> list[Step]:
    """The layers of a module of ``torch.nn``, in order; none where it does nothing in inference mode.

    Raises Unknown for a module that isn't known, or whose settings no layer has.
    """
    rule = RULES.get(module.bare) if module.kind.startswith("torch.nn.") else None
    if rule is None:
        raise Unknown(f"{module.kind} isn't known")
    return rule(module)


def _own(module: Module) -> dict[str, np.ndarray]:
    """A module's arrays, with its parametrizations' under their dotted names."""
    found = dict(module.arrays)
    for child in module.children:
        if child.name.rpartition(".")[2] == "parametrizations":
            stack = list(child.children)
            while stack:
                inner = stack.pop()
                place = inner.name[len(child.name) + 1 :]
                found.update({f"parametrizations.{place}.{name}": array for name, array in inner.arrays.items()})
                stack.extend(inner.children)
    return found


def _with_weight(module: Module, layer: Layer, rank: int, transposed: bool = False) -> Step:
    found = plain_weights(_own(module), transposed)
    if "weight" not in found or found["weight"][0].ndim != rank:
        raise Unknown(f"its weight isn't there, or not of {rank} dimensions")
    return Step(layer, {word: array for word, (array, _) in found.items()}, {word: n for word, (_, n) in found.items()})


def _int(value: Any, name: str, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST:
        raise Unknown(f"{name} {value!r}; a whole number from {least} wanted")
    return value


def _pair(module: Module, name: str, default: int, least: int = 0) -> Pair:
    value = module.settings.get(name, default)
    both = value if isinstance(value, tuple) and len(value) == 2 else (value, value)
    return _int(both[0], name, least), _int(both[1], name, least)


def number(value: Any, name: str) -> float:
    """A setting that is a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Unknown(f"{name} {value!r}; a number wanted")
    return float(value)


def _number(module: Module, name: str, default: float) -> float:
    return number(module.settings.get(name, default), name)


def conv_steps(step: Step, padding: Pair, extra: Pair, mode: str, stride: Pair, dilation: Pair, groups: int) -> list:
    """A convolution, behind a Pad where its own zeros on both sides don't do. ``extra`` goes below and right."""
    if mode == "zeros" and extra == (0, 0):
        return [Step(layers.Conv(stride, padding, dilation, groups), step.arrays, step.names)]
    modes = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}
    if mode not in modes:
        raise Unknown(f"padding_mode {mode!r}; zeros, reflect and replicate are known")
    pad = layers.Pad(padding[0], padding[0] + extra[0], padding[1], padding[1] + extra[1], modes[mode])
    conv = layers.Conv(stride, (0, 0), dilation, groups)
    return [Step(pad, {}, {}, ".pad"), Step(conv, step.arrays, step.names)]


def _conv(module: Module) -> list[Step]:
    stride, dilation = _pair(module, "stride", 1, 1), _pair(module, "dilation", 1, 1)
    groups = _int(module.settings.get("groups", 1), "groups", 1)
    step = _with_weight(module, layers.Conv(), 4)
    if module.settings.get("padding") == "same":
        height, width = (d * (k - 1) for d, k in zip(dilation, step.arrays["weight"].shape[2:]))
        padding, extra = (height // 2, width // 2), (height % 2, width % 2)
    else:
        valid = module.settings.get("padding") == "valid"
        padding, extra = (0, 0) if valid else _pair(module, "padding", 0), (0, 0)
    mode = module.settings.get("padding_mode", "zeros")
    if mode in ("reflect", "replicate") and padding == extra == (0, 0):
        mode = "zeros"
    return conv_steps(step, padding, extra, mode, stride, dilation, groups)


def _conv_transpose(module: Module) -> list[Step]:
    if module.settings.get("padding_mode", "zeros") != "zeros":
        raise Unknown(f"padding_mode {module.settings['padding_mode']!r}; zeros wanted")
    layer = layers.ConvTranspose(
        _pair(module, "stride", 1, 1),
        _pair(module, "padding", 0),
        _pair(module, "output_padding", 0),
        _pair(module, "dilation", 1, 1),
        _int(module.settings.get("groups", 1), "groups", 1),
    )
    return [_with_weight(module, layer, 4, transposed=True)]


def _linear(module: Module) -> list[Step]:
    return [_with_weight(module, layers.Linear(), 2)]


def _embedding(module: Module) -> list[Step]:
    if module.settings.get("max_norm") is not None:
        raise Unknown("max_norm changes the weight while it is used")
    return [_with_weight(module, layers.Embedding(), 2)]


def _norm(module: Module, layer: Layer) -> list[Step]:
    names = {word: name for name, word in NORM_WORDS.items() if name in module.arrays}
    names = {word: name for word, name in names.items() if word in (*layer.needs, *layer.may)}
    return [Step(layer, {word: module.arrays[name] for word, name in names.items()}, names)]


def _batch_norm(module: Module) -> list[Step]:
    if "running_mean" not in module.arrays or "running_var" not in module.arrays:
        raise Unknown("it keeps no running statistics (track_running_stats=False): each picture depends on its batch")
    return _norm(module, layers.BatchNorm(_number(module, "eps", 1e-5)))


def _instance_norm(module: Module) -> list[Step]:
    if module.settings.get("track_running_stats", False) and "running_mean" in module.arrays:
        return _batch_norm(module)
    return _norm(module, layers.InstanceNorm(_number(module, "eps", 1e-5)))


def whole_factor(value: Any) -> Pair:
    """A scale factor, or one for each axis, as whole numbers."""
    both = value if isinstance(value, tuple) and len(value) == 2 else (value, value)
    rows, columns = (number(one, "scale_factor") for one in both)
    if rows != int(rows) or columns != int(columns):
        raise Unknown(f"scale_factor {value!r}; whole numbers wanted")
    return _int(int(rows), "scale_factor", 1), _int(int(columns), "scale_factor", 1)


def _upsample(module: Module) -> list[Step]:
    if module.settings.get("size") is not None:
        raise Unknown(f"size {module.settings['size']!r}, which isn't a factor")
    mode, corners = module.settings.get("mode", "nearest"), module.settings.get("align_corners", "unsaid")
    if mode == "bilinear" and corners == "unsaid":
        raise Unknown("bilinear, of a PyTorch that didn't say how corners are aligned")
    if mode not in ("nearest", "nearest-exact", "bilinear"):
        raise Unknown(f"mode {mode!r}; nearest and bilinear are known")
    mode = mode.partition("-")[0]
    return [_step(layers.Upsample(whole_factor(module.settings.get("scale_factor")), mode, corners is True))]


def _pixel_shuffle(module: Module) -> list[Step]:
    return [_step(layers.PixelShuffle(_int(module.settings.get("upscale_factor"), "upscale_factor", 1)))]


def _prelu(module: Module) -> list[Step]:
    if "weight" not in module.arrays:
        raise Unknown("its weight isn't there")
    return [Step(layers.PRelu(), {"slope": module.arrays["weight"]}, {"slope": "weight"})]


def _flatten(module: Module) -> list[Step]:
    if (module.settings.get("start_dim", 1), module.settings.get("end_dim", -1)) not in ((1, -1), (1, 3)):
        raise Unknown("it flattens some axes alone")
    return [_step(layers.Reshape((-1,)))]


def _unflatten(module: Module) -> list[Step]:
    shape = module.settings.get("unflattened_size")
    if module.settings.get("dim") not in (1, -1) or not isinstance(shape, tuple) or not shape:
        raise Unknown("it unflattens another axis than the features'")
    return [_step(layers.Reshape(tuple(n if n == -1 else _int(n, "unflattened_size", 1) for n in shape)))]


def _pad(mode: str) -> Callable[[Module], list[Step]]:
    def rule(module: Module) -> list[Step]:
        said = module.settings.get("padding")
        sides = said if isinstance(said, tuple) and len(said) == 4 else (said,) * 4
        left, right, top, bottom = (_int(side, "padding") for side in sides)
        if mode == "constant" and module.settings.get("value", 0) != 0:
            raise Unknown("it pads with another number than 0")
        return [_step(layers.Pad(top, bottom, left, right, mode))]

    return rule


def _step(layer: Layer) -> Step:
    return Step(layer, {}, {})


RULES: dict[str, Callable[[Module], list[Step]]] = {
    "Conv2d": _conv,
    "ConvTranspose2d": _conv_transpose,
    "Linear": _linear,
    "Embedding": _embedding,
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "SyncBatchNorm"), _batch_norm),
    "InstanceNorm2d": _instance_norm,
    **dict.fromkeys(("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"), _upsample),
    "PixelShuffle": _pixel_shuffle,
    "ReLU": lambda module: [_step(layers.Relu())],
    "LeakyReLU": lambda module: [_step(layers.LeakyRelu(_number(module, "negative_slope", 0.01)))],
    "PReLU": _prelu,
    "ELU": lambda module: [_step(layers.Elu(_number(module, "alpha", 1.0)))],
    "SELU": lambda module: [_step(layers.Selu())],
    "Tanh": lambda module: [_step(layers.Tanh())],
    "Sigmoid": lambda module: [_step(layers.Sigmoid())],
    **dict.fromkeys(("Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"), lambda module: []),
    "Flatten": _flatten,
    "Unflatten": _unflatten,
    "ReflectionPad2d": _pad("reflect"),
    "ReplicationPad2d": _pad("edge"),
    "ZeroPad2d": _pad("constant"),
    "ConstantPad2d": _pad("constant"),
}
