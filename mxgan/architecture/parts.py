"""The layers of a net by their names: what each can be, by its arrays alone, and where it stands among the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional, Union

import numpy as np

from mxgan.architecture.normed_weights import Unknown as UnknownNorm
from mxgan.architecture.normed_weights import plain_weights
from mxgan.errors import ParamsError
from mxgan.graph.layers import Layer
from mxgan.graph.reading import Reading
from mxgan.weights import names


@dataclass(frozen=True)
class Part:
    """One layer with arrays. ``layer`` is known where a module says it; else its arrays leave it open."""

    key: str  # the name its arrays share: "main.0"
    kind: str  # conv (either kind) | linear (or embedding) | batchnorm | norm | prelu; of modules: embedding | fixed
    arrays: dict[str, np.ndarray]  # by the words of mxgan.graph.layers
    names: dict[str, str] = field(default_factory=dict)  # word -> name in the file
    layer: Optional[Layer] = None
    container: str = ""  # of a module's part: the class that holds it

    @property
    def parent(self) -> str:
        """The block that holds the layer."""
        return re.split(r"[._](?=[^._]*$)", self.key)[0] if re.search(r"[._]", self.key) else ""

    @property
    def index(self) -> Optional[int]:
        """Its place in an nn.Sequential, where its name is one."""
        last = re.split(r"[._]", self.key)[-1]
        return int(last) if last.isdigit() else None

    @property
    def weight(self) -> np.ndarray:
        """The weight of a convolution or product."""
        return self.arrays["weight"]

    @property
    def size(self) -> int:
        """How many channels a norm or PReLU is for."""
        return max(len(array) for array in self.arrays.values())


@dataclass(frozen=True)
class Unknown:
    """A network that isn't known, or layers that form none."""

    prefix: str  # of its arrays' names
    why: str
    found: tuple[Part, ...]  # its layers


Network = Union[Reading, Unknown]


class NoGenerator(ParamsError):
    """The layers are no generator that can be worked out."""


def parts(arrays: Mapping[str, np.ndarray]) -> tuple[list[Part], list[str]]:
    """The layers that the names describe, in the file's order, and the names that can't be placed."""
    folded, named = fold(arrays)
    unnamed = names.is_unnamed(folded)
    found, strays = (names.layers_of_list if unnamed else names.layers)(folded)
    sorted_out: list[Part] = []
    for layer in found:
        part = _part(layer)
        if part is None:
            strays.extend(layer.names.values())
        else:
            sorted_out.append(replace(part, names={word: named.get(name, name) for word, name in part.names.items()}))
    return sorted_out, strays


def _part(layer: names.Layer) -> Optional[Part]:
    """What a layer's arrays can be; None for what no layer has."""
    arrays = {word: array for word, array in layer.arrays.items() if word != "num_batches_tracked"}
    if not arrays or any(array.dtype.kind != "f" or array.size == 0 for array in arrays.values()):
        return None
    kind = _kind({word: array.ndim for word, array in arrays.items()})
    if kind is None:
        return None
    known = dict(layer.names)
    if kind in ("prelu", "norm"):
        words = {"weight": "slope"} if kind == "prelu" else {"weight": "gamma", "bias": "beta"}
        arrays = {words.get(word, word): array for word, array in arrays.items()}
        known = {words.get(word, word): name for word, name in known.items()}
    return Part(layer.key, kind, arrays, {word: name for word, name in known.items() if word in arrays})


def _kind(ranks: Mapping[str, int]) -> Optional[str]:
    words = set(ranks)
    if words <= {"weight", "bias"} and "weight" in words and ranks.get("bias", 1) == 1:
        if ranks["weight"] == 4:
            return "conv"
        if ranks["weight"] == 2:
            return "linear"
        if ranks["weight"] == 1:
            return "norm" if "bias" in words else "prelu"
    if words == {"gamma", "beta"} and set(ranks.values()) == {1}:
        return "norm"
    if {"running_mean", "running_var"} <= words <= set(names.NORM_FIELDS) and set(ranks.values()) == {1}:
        return "batchnorm"
    return None


_NORMED = re.compile(r"(.+?)[._](weight_(?:orig|u|v|g)|parametrizations\.weight\.\S+)")


def fold(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Spectral and weight normalisation worked into plain weights, and which array each such weight comes from."""
    groups: dict[str, dict[str, str]] = {}
    for name in arrays:
        match = _NORMED.fullmatch(name)
        if match:
            groups.setdefault(match[1], {})[match[2]] = name
    out, named, done = {}, {}, set()
    for name, array in arrays.items():
        match = _NORMED.fullmatch(name)
        key = match[1] if match else ""
        if not match or key in done:
            if not match:
                out[name] = array
            continue
        done.add(key)
        try:
            weight, source = plain_weights({word: arrays[at] for word, at in groups[key].items()}, None)["weight"]
        except (UnknownNorm, KeyError):  # parts of something else
            out.update({at: arrays[at] for at in groups[key].values()})
            continue
        out[f"{key}.weight"], named[f"{key}.weight"] = weight, groups[key][source]
    return out, named


def orders(found: Sequence[Part]) -> list[list[Part]]:
    """The orders that the layers may be meant in, likeliest first.

    As in the file, which a state dict keeps from the module's definition; by number; and with the norms, however they
    are listed, each behind the convolution or product whose channels it has.
    """
    by_number = sorted(found, key=lambda part: names.natural(part.key))
    if any(part.kind == "fixed" for part in found):  # a module's Sequential says the order
        return [list(found)]
    tried: list[list[Part]] = []
    for order in (list(found), by_number):
        for version in (order, _paired(order)):
            if version is not None and [id(part) for part in version] not in [[id(p) for p in one] for one in tried]:
                tried.append(version)
    return tried


def _paired(order: Sequence[Part]) -> Optional[list[Part]]:
    """Norms moved behind the layer of their own number, or the next one of their size; None if one fits nowhere."""
    bodies = [part for part in order if part.kind in ("conv", "linear")]
    norms = [part for part in order if part.kind not in ("conv", "linear")]
    out: list[Part] = []
    for body in bodies:
        out.append(body)
        sizes = set(body.weight.shape[:2])
        fitting = [norm for norm in norms if norm.size in sizes]
        own = [norm for norm in fitting if _number(norm) is not None and _number(norm) == _number(body)]
        numbered = all(_number(norm) is not None for norm in norms)
        chosen = own[:1] or ([] if numbered else fitting[:1] if norms and fitting[:1] == norms[:1] else [])
        for norm in chosen:
            out.append(norm)
            norms.remove(norm)
    return None if norms else out


def _number(part: Part) -> Optional[str]:
    digits = re.findall(r"\d+", part.key)
    return digits[-1] if digits else None


def groups(found: Iterable[Part]) -> dict[str, list[Part]]:
    """The layers by the first part of their names that differs: netG, netD, ...; empty where there is one group."""
    found = list(found)
    dotted = any("." in part.key for part in found)
    tokens = [re.split(r"[.:]" if dotted else r"[._:]", part.key) for part in found]
    depth = names.shared(tokens)
    sorted_out: dict[str, list[Part]] = {}
    for part, words in zip(found, tokens):
        sorted_out.setdefault(".".join(words[: depth + 1]), []).append(part)
    return sorted_out if len(sorted_out) > 1 else {}


def is_module_api(found: Sequence[Part]) -> bool:
    """Whether MXNet's Module API wrote these names: arg: and aux:, and none of Gluon's."""
    stored = [name for part in found for name in part.names.values()]
    return (
        bool(stored)
        and all(name.startswith(("arg:", "aux:")) for name in stored)
        and any(name.endswith(("moving_mean", "moving_var")) for name in stored)
    )
