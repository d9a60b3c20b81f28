"""What the layers of a DCGAN must be like, one after the other, and what is wrong with those that aren't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mxgan.weights.names import NORM_FIELDS, Layer

MIN_CONVOLUTIONS = 3  # 16 pixels; mxgan's own sizes 32, 64 and 128 have 4, 5 and 6


def channels(kind: str, conv: Layer) -> tuple[int, int]:
    """Channels in and out of a convolution: transposed in the generator."""
    first, second = conv.arrays["weight"].shape[:2]
    return (first, second) if kind == "generator" else (second, first)


def words(layer: Layer, bias: bool) -> Sequence[str]:
    """The arrays that a layer needs, in canonical order."""
    if layer.is_conv:
        return ("weight", "bias") if bias else ("weight",)
    return NORM_FIELDS


def chain_problems(kind: str, convs: Sequence[Layer]) -> list[str]:
    """Why these convolutions, one after the other, are no DCGAN of this kind."""
    if len(convs) < MIN_CONVOLUTIONS:
        return [f"{len(convs)} convolutions, at least {MIN_CONVOLUTIONS} wanted"]
    odd = [conv for conv in convs if conv.arrays["weight"].shape[2:] != (4, 4)]
    problems = [f"{conv.names['weight']} is {conv.arrays['weight'].shape}, a 4×4 kernel wanted" for conv in odd]
    for one, two in zip(convs, convs[1:]):
        out, into = channels(kind, one)[1], channels(kind, two)[0]
        if out != into:
            problems.append(f"{two.names['weight']} takes {into} channels and {one.names['weight']} gives {out}")
    pictures = channels(kind, convs[-1])[1] if kind == "generator" else channels(kind, convs[0])[0]
    if pictures not in (1, 3):
        problems.append(f"images of {pictures} channels, 1 or 3 wanted")
    if kind == "discriminator" and channels(kind, convs[-1])[1] != 1:
        problems.append(f"{convs[-1].names['weight']} gives {channels(kind, convs[-1])[1]} values an image, 1 wanted")
    return problems


def array_problems(kind: str, order: Sequence[Layer], bias: bool) -> list[str]:
    """What the layers, in this order, lack, have too much, or have in another shape or type."""
    problems: list[str] = []
    width = 0  # channels of the last convolution's output
    for layer in order:
        if layer.is_conv:
            width = channels(kind, layer)[1]
        wanted: dict[str, tuple[int, ...]] = dict.fromkeys(words(layer, bias), (width,))
        if layer.is_conv:
            wanted["weight"] = layer.arrays["weight"].shape
        problems += _field_problems(layer, wanted)
    return problems


def _field_problems(layer: Layer, wanted: Mapping[str, tuple[int, ...]]) -> list[str]:
    """What one layer lacks, has too much, or has in another shape or type."""
    problems = []
    for word in wanted.keys() | layer.arrays.keys():
        array = layer.arrays.get(word)
        if array is None:
            problems.append(f"{word} of {layer.key} is missing")
        elif word == "num_batches_tracked" and layer.is_norm and array.size == 1 and array.dtype.kind in "iu":
            continue
        elif word not in wanted:
            problems.append(f"{layer.names[word]} {array.shape} is one too many")
        elif array.shape != wanted[word]:
            problems.append(f"{layer.names[word]} is {array.shape}, {wanted[word]} wanted")
        elif array.dtype.kind != "f" or array.size == 0:
            problems.append(f"{layer.names[word]} is {array.shape} {array.dtype}, floating-point numbers wanted")
    return sorted(problems)
