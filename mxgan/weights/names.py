"""What an array's name says: which layer it belongs to, and what it is there.

MXNet wrote the same net under five naming schemes (Block.save_params, 1.2.0's dotted save_params, save_parameters,
ParameterDict.save, export), the Module API and PyTorch under others. All of them end in the same few words, with the
layer before them: ``conv0_weight``, ``0.weight``, ``arg:hybridsequential0_conv0_weight``, ``netG.main.0.weight``.
The layer's own name carries no further meaning here: shapes say what it is (see net.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

NORM_FIELDS = ("gamma", "beta", "running_mean", "running_var")

_WORDS = {
    "weight": "weight",
    "bias": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "running_mean": "running_mean",
    "running_var": "running_var",
    "moving_mean": "running_mean",  # the symbol API's word
    "moving_var": "running_var",
    "num_batches_tracked": "num_batches_tracked",  # PyTorch's counter
}
_NAME = re.compile(rf"(?:arg:|aux:)?(.+?)[._]({'|'.join(_WORDS)})")


@dataclass
class Layer:
    """The arrays whose names share everything but the last word."""

    key: str  # what they share: "0", "conv0", "netG.main.0"
    arrays: dict[str, np.ndarray] = field(default_factory=dict)  # field -> array
    names: dict[str, str] = field(default_factory=dict)  # field -> name in the file

    @property
    def tokens(self) -> list[str]:
        """The parts of the key, outermost block first."""
        return re.split(r"[._]", self.key)

    @property
    def is_conv(self) -> bool:
        """Whether this is a convolution of either kind: it has a weight of four dimensions."""
        return "weight" in self.arrays and self.arrays["weight"].ndim == 4

    @property
    def is_norm(self) -> bool:
        """Whether this is a BatchNorm, complete or not."""
        return bool(self.arrays.keys() & set(NORM_FIELDS))


def layers(arrays: Mapping[str, np.ndarray]) -> tuple[list[Layer], list[str]]:
    """The layers that the names describe, in the file's order, and the names that belong to no layer.

    PyTorch's words for a BatchNorm (weight, bias) become gamma and beta. If a layer's array has two names, the second
    is a stray.
    """
    found: dict[str, Layer] = {}
    strays = []
    for name, array in arrays.items():
        match = _NAME.fullmatch(name)
        layer = found.setdefault(match[1], Layer(match[1])) if match else None
        word = _WORDS[match[2]] if match else ""
        if layer is None or word in layer.arrays:
            strays.append(name)
        else:
            layer.arrays[word], layer.names[word] = array, name
    for layer in found.values():
        _to_gamma_and_beta(layer)
    return list(found.values()), strays


def _to_gamma_and_beta(layer: Layer) -> None:
    """Rename PyTorch's weight and bias of a BatchNorm."""
    words = layer.arrays.keys()
    torch_norm = "running_mean" in words or "running_var" in words or "num_batches_tracked" in words
    if torch_norm and not layer.is_conv and "gamma" not in words and "beta" not in words:
        for old, new in (("weight", "gamma"), ("bias", "beta")):
            if old in words:
                layer.arrays[new], layer.names[new] = layer.arrays.pop(old), layer.names.pop(old)


def is_unnamed(names: Iterable[str]) -> bool:
    """Whether these are only positions: a list saved without names ("0", "1", ...) or NumPy's arr_0, arr_1, ..."""
    names = list(names)
    count = range(len(names))
    return bool(names) and names in ([str(i) for i in count], [f"arr_{i}" for i in count])


def layers_of_list(arrays: Mapping[str, np.ndarray]) -> tuple[list[Layer], list[str]]:
    """The layers of a list without names, as :func:`layers` gives them.

    Every writer of such a list puts weight, bias, gamma, beta, running_mean, running_var in this order, so a weight
    is followed by 0 vectors (no bias, no BatchNorm), 1 (bias), 4 (BatchNorm) or 5 (both); anything else is stray.
    """
    words_after = {0: (), 1: ("bias",), 4: NORM_FIELDS, 5: ("bias", *NORM_FIELDS)}
    names = list(arrays)
    starts = [i for i, name in enumerate(names) if arrays[name].ndim == 4]
    found, strays = [], names[: starts[0] if starts else None]
    for start, stop in zip(starts, [*starts[1:], len(names)]):
        run = names[start:stop]
        if len(run) - 1 not in words_after or any(arrays[name].ndim != 1 for name in run[1:]):
            strays.extend(run[1:])
            run = run[:1]
        conv, norm = Layer(str(start)), Layer(str(start + len(run) - 4))
        for word, name in zip(("weight", *words_after[len(run) - 1]), run):
            layer = norm if word in NORM_FIELDS else conv
            layer.arrays[word], layer.names[word] = arrays[name], name
        found += [conv, norm] if norm.arrays else [conv]
    return found, strays


def biases_before_norm(names: Iterable[str]) -> dict[str, str]:
    """Biases that feed a BatchNorm, and the BatchNorm each one feeds: {"3.bias": "4"}, {"netG.3.bias": "netG.4"}.

    A BatchNorm subtracts the batch's mean, and any such bias with it. So the bias's true gradient is 0, and only the
    running mean sees it. ``names`` are canonical, with or without a network's name before them, and include
    each BatchNorm's gamma.
    """
    known = dict.fromkeys(names)  # a set that keeps the order
    found = {}
    for name in known:
        layer, _, word = name.rpartition(".")
        net, dot, index = layer.rpartition(".")
        norm = f"{net}{dot}{int(index) + 1}" if index.isdecimal() else ""
        if word == "bias" and f"{norm}.gamma" in known:
            found[name] = norm
    return found


def printable(text: str) -> str:
    """The text in one line, without control characters: names come from files and may hold anything."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def shared(sequences: Sequence[Sequence]) -> int:
    """How many leading elements all of these have in common."""
    for depth, column in enumerate(zip(*sequences)):
        if any(item != column[0] for item in column):
            return depth
    return min(map(len, sequences), default=0)


def natural(key: str) -> list[tuple[int, int, str]]:
    """A sort key that reads digits as numbers: conv9 before conv10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|[^\d._]+", key)]


def indexed(keys: Iterable[str]) -> bool:
    """Whether layers are told apart by child indices ("0", "net.3", "0.1"), which are their order."""
    keys = list(keys)
    return len({re.sub(r"[\d._]+", " ", key).strip() for key in keys}) == 1 and all(
        key.rpartition(".")[2].isdigit() for key in keys
    )


def scheme(names: Iterable[str]) -> str:
    """Which writer's naming this is.

    One of ``list`` (no names), ``export`` (arg: and aux:, also the Module API's save_checkpoint), ``pytorch``,
    ``save_parameters`` (dotted; also 1.2.0's save_params, and mxgan's canonical names), ``save_params`` (conv0_weight),
    ``collect_params`` (with the blocks' prefixes before that) or ``unknown``.
    """
    names = list(names)
    if is_unnamed(names):
        return "list"
    matches = [_NAME.fullmatch(name) for name in names]
    if not names or not all(matches):
        return "unknown"
    if any(name.startswith(("arg:", "aux:")) for name in names):
        return "export"
    dotted = any("." in name for name in names)
    words = {match[2] for match in matches if match}
    if dotted and "gamma" not in words and words & {"running_mean", "running_var"}:
        return "pytorch"
    if dotted:
        return "save_parameters"
    return "save_params" if all("_" not in match[1] for match in matches if match) else "collect_params"
