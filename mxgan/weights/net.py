"""Which network is this? Names and shapes tell, or it is an error: no guessing, no partial network.

The networks are DCGAN's (Radford et al., 2016): a chain of 4x4 convolutions with BatchNorm between them. Transposed
convolutions keep their weights as (in, out, 4, 4), convolutions as (out, in, 4, 4), in MXNet and PyTorch alike.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from mxgan.errors import ParamsError
from mxgan.weights import chain, files
from mxgan.weights.names import (
    Layer,
    indexed,
    is_unnamed,
    layers,
    layers_of_list,
    natural,
    printable,
    scheme,
    shared,
)

KINDS = ("generator", "discriminator")
LIST_NOTE = "a list without names: taken as weight, bias, gamma, beta, running_mean, running_var, as Gluon orders them"
SHOWN, LONGEST = 30, 8000  # arrays that a message lists, and characters it has
MOST_STRAYS = 5  # arrays that a message names as the reason


class Unrecognised(ParamsError):
    """The arrays are not a network, or not clearly one. ``why`` is the reason, without the list of arrays."""

    def __init__(self, where: str, why: str, arrays: Mapping[str, np.ndarray]) -> None:
        self.why = printable(why)[:LONGEST]
        super().__init__(printable(f"{where}: {why}; {_listing(arrays)}")[:LONGEST])


@dataclass(frozen=True)
class Net:
    """What the shapes say, and the arrays under canonical names, in canonical order, as they are in the file."""

    kind: str  # "generator" | "discriminator"
    latent: Optional[int]  # the generator's; None for a discriminator
    width: int  # ngf or ndf: channels next to the images
    channels: int  # of the images: 1 or 3
    image_size: int  # 4 * 2 ** (convolutions - 1)
    bias: bool  # whether the convolutions have one
    first_norm: bool  # whether a BatchNorm follows the discriminator's first convolution; True for a generator
    arrays: dict[str, np.ndarray] = field(repr=False)
    scheme: str  # see names.scheme
    names: dict[str, str]  # canonical name -> name in the file
    batches: dict[str, int]  # canonical layer -> PyTorch's num_batches_tracked, where the file has it

    @property
    def convolutions(self) -> int:
        """How many convolutions the network has."""
        return sum(array.ndim == 4 for array in self.arrays.values())

    @property
    def prefix(self) -> str:
        """What the network's names in the file have in common."""
        names = list(self.names.values())
        return names[0][: shared(names)]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The arrays' shapes by canonical name."""
        return {name: array.shape for name, array in self.arrays.items()}

    def __str__(self) -> str:
        seen = f"latent {self.latent}, ngf" if self.kind == "generator" else "ndf"
        return (
            f"{self.kind}: {seen} {self.width}, {self.image_size}×{self.image_size}×{self.channels}, "
            f"{'with' if self.bias else 'no'} convolution bias"
        )


def recognise(arrays: Mapping[str, np.ndarray], where: str, kind: Optional[str] = None) -> Net:
    """The network that these arrays are, under any naming scheme. ``where`` names the file in messages.

    ``kind``, "generator" or "discriminator", picks one from a checkpoint with both.
    Raises ParamsError, listing what was found and what was expected, if the arrays are neither, aren't of this kind,
    or fit more than one network.
    """
    nets = recognise_all(arrays, where)
    wanted = [net for net in nets if kind in (None, net.kind)]
    if len(wanted) == 1:
        return wanted[0]
    found = "; ".join(printable(f"{net} ({net.prefix}…)") if len(nets) > 1 else str(net) for net in nets)
    if not wanted:
        raise ParamsError(f"{where}: found a {found}; expected a {kind}")
    raise ParamsError(f"{where}: found {len(nets)} networks: {found}; expected one{f' {kind}' if kind else ''}")


def recognise_all(arrays: Mapping[str, np.ndarray], where: str) -> list[Net]:
    """Every network in these arrays, which must be networks and nothing else; raises ParamsError as recognise does."""
    unnamed = is_unnamed(arrays)
    found, strays = (layers_of_list if unnamed else layers)(arrays)
    problems: dict[str, list[str]] = {}
    if not strays:
        nets, problems = _whole(found, scheme(arrays))
        if len(nets) > 1:
            raise Unrecognised(where, "the shapes fit both a generator and a discriminator", arrays)
        nets = nets or _parts(found)
        if nets:
            return nets
    why = f"neither a DCGAN generator nor a discriminator: {_reasons(strays, problems)}"
    raise Unrecognised(where, why, arrays)


def canonical(kind: str, convolutions: int, first_norm: bool = True) -> tuple[list[int], list[int]]:
    """Child indices of the convolutions and of the BatchNorms in a Sequential; activations count, in both frameworks.

    The generator: convolution, BatchNorm, relu, ..., convolution, tanh. The discriminator's first convolution is
    followed by a BatchNorm (``first_norm``, the pytorch-* recipes) or not (the Gluon tutorial, the reference DCGAN).
    """
    if kind == "generator" or first_norm:
        convs = [3 * k for k in range(convolutions)]
        return convs, [index + 1 for index in convs[:-1]]
    convs = [0, *(3 * k - 1 for k in range(1, convolutions))]
    return convs, [index + 1 for index in convs[1:-1]]


def check_finite(net: Net, where: str | os.PathLike) -> None:
    """Raise ParamsError, naming the arrays, where a weight is NaN or infinite."""
    bad = [net.names[name] for name, array in net.arrays.items() if not np.isfinite(array).all()]
    if bad:
        names = printable(", ".join(bad))
        raise ParamsError(f"{os.fspath(where)}: NaN or infinite values in {names}: the run diverged; use other weights")


def load_net(path: str | os.PathLike, kind: Optional[str] = None) -> Net:
    """The network in a weights file of any format that files.load reads; of several, the one of ``kind``.

    Raises ParamsError as recognise does, or where the file can't be read; MissingPackage where an extra is needed.
    Warns of oddities in the file, and that a list without names is taken in Gluon's order.
    """
    file = files.load(path)
    net = recognise(file.arrays, file.path, kind)
    for text in [*file.warnings, *([LIST_NOTE] if net.scheme == "list" else [])]:
        warnings.warn(f"{file.path}: {text}", stacklevel=2)
    return net


def _whole(found: Sequence[Layer], scheme_name: str) -> tuple[list[Net], dict[str, list[str]]]:
    """The networks that all these layers together can be, and for each kind why not."""
    nets: list[Net] = []
    problems: dict[str, list[str]] = {}
    for kind in KINDS:
        tried = [_build(kind, order, scheme_name) for order in _orders(found)]
        fitting = [net for net in tried if isinstance(net, Net)]
        different = {tuple(net.names.values()): net for net in fitting}
        if len(different) > 1:  # numbers and places in the file disagree, and shapes can't tell
            problems[kind] = ["its layers' numbers and their order in the file disagree, and both orders fit"]
        elif different:
            nets.extend(different.values())
        else:
            problems[kind] = min((p for p in tried if not isinstance(p, Net)), key=len)
    return nets, problems


def _parts(found: Sequence[Layer]) -> list[Net]:
    """The networks side by side in one file (netG.…, netD.…), where every part is one; else nothing."""
    tokens = [layer.tokens for layer in found]
    depth = shared(tokens)
    groups: dict[str, list[Layer]] = {}
    for layer, parts in zip(found, tokens):
        groups.setdefault(parts[depth] if depth < len(parts) else "", []).append(layer)
    nets = []
    for group in groups.values() if len(groups) > 1 else ():
        fitting, _ = _whole(group, scheme([name for layer in group for name in layer.names.values()]))
        if len(fitting) != 1:
            return []
        nets += fitting
    return nets


def _orders(found: Sequence[Layer]) -> Iterator[list[Layer]]:
    """The orders the layers may be meant in: by number, and, where names are no child indices, by place in the file."""
    yield sorted(found, key=lambda layer: natural(layer.key))
    if not indexed(layer.key for layer in found):
        yield list(found)


def _build(kind: str, order: Sequence[Layer], scheme_name: str) -> Net | list[str]:
    """The network of this kind that the layers in this order form, or why they form none."""
    convs = [layer for layer in order if layer.is_conv]
    norms = [layer for layer in order if layer.is_norm and not layer.is_conv]
    others = [layer for layer in order if not layer.is_conv and not layer.is_norm]
    problems = [_describe(layer) + " belongs to no convolution and no BatchNorm" for layer in others]
    problems += chain.chain_problems(kind, convs)
    if problems:
        return problems

    first_norm = kind == "generator" or len(norms) == len(convs) - 1
    conv_at, norm_at = canonical(kind, len(convs), first_norm)
    if len(norms) != len(norm_at):
        counts = str(len(convs) - 1) if kind == "generator" else f"{len(convs) - 2} or {len(convs) - 1}"
        return [f"{len(convs)} convolutions go with {counts} BatchNorms and there are {len(norms)}"]
    places = sorted([*zip(conv_at, convs), *zip(norm_at, norms)], key=lambda place: place[0])
    if indexed(layer.key for layer in order) and [layer for _, layer in places] != list(order):
        return ["convolutions and BatchNorms don't alternate as they should"]

    bias = "bias" in convs[0].arrays
    problems = chain.array_problems(kind, [layer for _, layer in places], bias)
    if problems:
        return problems
    first, last = chain.channels(kind, convs[0]), chain.channels(kind, convs[-1])
    generator = kind == "generator"
    kept = [(f"{index}.{word}", layer, word) for index, layer in places for word in chain.words(layer, bias)]
    return Net(
        kind=kind,
        latent=first[0] if generator else None,
        width=last[0] if generator else first[1],
        channels=last[1] if generator else first[0],
        image_size=4 * 2 ** (len(convs) - 1),
        bias=bias,
        first_norm=first_norm,
        arrays={name: layer.arrays[word] for name, layer, word in kept},
        scheme=scheme_name,
        names={name: layer.names[word] for name, layer, word in kept},
        batches={
            str(index): int(layer.arrays["num_batches_tracked"].reshape(()))
            for index, layer in places
            if "num_batches_tracked" in layer.arrays
        },
    )


def _describe(layer: Layer) -> str:
    return ", ".join(f"{layer.names[word]} {array.shape}" for word, array in layer.arrays.items())


def _reasons(strays: Sequence[str], problems: Mapping[str, Sequence[str]]) -> str:
    """Why it is no network; where one kind nearly fits, only that kind's reasons."""
    if strays:
        more = f" and {len(strays) - MOST_STRAYS} more" if len(strays) > MOST_STRAYS else ""
        return f"{', '.join(strays[:MOST_STRAYS])}{more} can't be placed"
    chained = {kind: why for kind, why in problems.items() if len(why) == min(map(len, problems.values()))}
    return "; ".join(f"not a {kind}: {', '.join(why[:6])}" for kind, why in chained.items())


def _listing(arrays: Mapping[str, np.ndarray]) -> str:
    """What was found and what was expected, in a line."""
    found = [f"{name} {array.shape}" for name, array in list(arrays.items())[:SHOWN]]
    more = f" and {len(arrays) - SHOWN} more" if len(arrays) > SHOWN else ""
    return (
        f"found {', '.join(found) or 'no arrays'}{more}; expected convolutions 4×4 in a chain, each weight "
        "(in, out, 4, 4) with or without bias in a generator (latent to 1 or 3 channels), (out, in, 4, 4) in a "
        "discriminator (1 or 3 channels to 1), and between them BatchNorms with gamma, beta, running_mean, running_var"
    )
