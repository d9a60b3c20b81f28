"""Which layers follow which: an order of parts in which every layer takes what the one before it gives.

A convolution's weight doesn't say whether it is transposed: (a, b, kH, kW) takes a and gives b channels if it is, else
the other way round. Channels that must agree from the latents to the images settle nearly all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Optional

from mxgan.architecture.parts import Part
from mxgan.graph import layers

PICTURES = (1, 3, 4)  # channels
MOST_FLOWS = 64
FEWEST = 2  # convolutions and products of a generator


@dataclass(frozen=True)
class Step:
    """A part with its role, and what has to happen to its input first."""

    part: Part
    role: str  # linear | conv | deconv | batchnorm | norm | prelu | embedding | fixed
    reshape: Optional[tuple[int, int, int]] = None  # features to (channels, side, side)
    shuffle: int = 1  # PixelShuffle by this factor
    combine: str = ""  # of the latents with the labels' embedding: multiply | label-first | label-last


@dataclass(frozen=True)
class Flow:
    """A generator's layers in order."""

    steps: tuple[Step, ...]
    latent: int
    cost: float  # how unusual the choices were that channels left open
    classes: Optional[int] = None


class Broken(ValueError):
    """The parts are no chain; the message names where the furthest attempt ended."""


def flows(order: Sequence[Part]) -> list[Flow]:
    """Every way in which the parts, in this order, lead from latents to images, likeliest first.

    Raises Broken if there is none.
    """
    if sum(part.kind in ("conv", "linear") for part in order) < FEWEST:
        raise Broken(f"{len(order)} layers, where a generator has at least {FEWEST} that make images larger")
    embedding, rest = _embedding(order)
    found: list[Flow] = []
    furthest: list[tuple[int, str]] = []
    for latent, start, classes in _starts(embedding, rest):
        for steps, cost in _ways(rest, start, furthest):
            first = (Step(embedding, "embedding"),) if embedding else ()
            found.append(Flow((*first, *steps), latent, cost, classes))
            if len(found) >= MOST_FLOWS:
                break
    if not found:
        raise Broken(max(furthest, key=lambda end: end[0])[1] if furthest else "no layer takes latents")
    return sorted(found, key=lambda flow: flow.cost)


def _embedding(order: Sequence[Part]) -> tuple[Optional[Part], Sequence[Part]]:
    """A table of the labels' vectors before the first layer, and the layers after it."""
    first = order[0]
    if first.kind == "embedding":
        return first, order[1:]
    if first.kind == "linear" and first.layer is None and "bias" not in first.arrays and len(order) > 1:
        width = first.weight.shape[1]
        takes = order[1].weight.shape if order[1].kind in ("linear", "conv") else ()
        named = any(word in first.key.lower() for word in ("emb", "label", "class"))
        if takes and (named or (width <= takes[1] and first.weight.shape[0] != takes[1])):
            return first, order[1:]
    return None, order


def _starts(embedding: Optional[Part], rest: Sequence[Part]) -> Iterator[tuple[int, Step, Optional[int]]]:
    """(latent, the first layer's step, classes) for each way to read the first layer."""
    first = rest[0]
    if first.kind == "linear":
        takes = [(first.weight.shape[1], "linear")]
    elif first.kind == "conv":
        takes = [(first.weight.shape[0], "deconv"), (first.weight.shape[1], "conv")]
        takes = [(size, role) for size, role in takes if _may_be(first, role)]
    else:
        return
    for size, role in takes:
        if role != "linear" and size in PICTURES:  # a discriminator's first layer
            continue
        if embedding is None:
            yield size, Step(first, role), None
            continue
        classes, width = embedding.weight.shape
        if width == size:
            yield size, Step(first, role, combine="multiply"), classes
        elif width < size:
            yield size - width, Step(first, role, combine="label-first"), classes
            yield size - width, Step(first, role, combine="label-last"), classes


@dataclass(frozen=True)
class _Place:
    """What a layer gave: features, or channels of images."""

    size: int
    image: bool


def _ways(
    order: Sequence[Part], start: Step, furthest: list[tuple[int, str]]
) -> Iterator[tuple[tuple[Step, ...], float]]:
    """The steps after the first layer, in every way that fits; where one ends is noted in ``furthest``."""
    shape = start.part.weight.shape
    out = shape[1] if start.role == "deconv" else shape[0]
    if not _bias_fits(start.part, out):
        return
    stack: list[tuple[int, _Place, tuple[Step, ...], float]] = [(1, _Place(out, start.role != "linear"), (start,), 0.0)]
    while stack:
        at, place, steps, cost = stack.pop()
        if at == len(order):
            if place.image and place.size in PICTURES:
                yield steps, cost
            else:
                gives = f"{steps[-1].part.key} gives {place.size} {'channels' if place.image else 'numbers'}"
                furthest.append((at, f"{gives}; images of 1, 3 or 4 channels wanted"))
            continue
        shown = place.image and place.size in PICTURES and len(steps) > 1
        options = [one for one in _next(order[at], place, steps) if not shown or one[1].size <= max(PICTURES)]
        if not options:
            part = order[at]
            shapes = ", ".join(f"{word} {array.shape}" for word, array in part.arrays.items())
            furthest.append((at, f"{part.key} ({shapes}) doesn't take what {steps[-1].part.key} gives, {place.size}"))
        for step, after, more in reversed(options):
            stack.append((at + 1, after, (*steps, step), cost + more))


def _next(part: Part, place: _Place, steps: Sequence[Step]) -> Iterator[tuple[Step, _Place, float]]:
    """The ways to take a part after what came before, each with its cost."""
    if part.kind == "linear":
        out, into = part.weight.shape
        if not place.image and into == place.size:
            yield Step(part, "linear"), _Place(out, False), 0.0
        return
    if part.kind == "fixed":
        after = _fixed(part.layer, place)
        if after is not None:
            yield Step(part, "fixed"), after, 0.0
        return
    if part.kind != "conv":
        yield from _vector(part, place)
        return
    first, second = part.weight.shape[:2]
    kernel = part.weight.shape[2]
    usual = "deconv" if kernel % 2 == 0 else "conv"
    before = [step.role for step in steps if step.role in ("conv", "deconv")]
    for role, into, out in (("deconv", first, second), ("conv", second, first)):
        if not _bias_fits(part, out) or not _may_be(part, role):
            continue
        cost = 0.0
        if first == second:  # channels don't tell: as the others are, or by the kernel
            cost = 0.0 if role == (before[-1] if before and before[-1] == usual else usual) else 1.0
        for reshape, shuffle in _entries(place, into):
            yield Step(part, role, reshape, shuffle), _Place(out, True), cost + (0.5 if shuffle > 1 else 0.0)


def _may_be(part: Part, role: str) -> bool:
    """Whether a convolution can be of this kind: a module says which it is."""
    return part.layer is None or isinstance(part.layer, layers.ConvTranspose) == (role == "deconv")


def _fixed(layer: Optional[layers.Layer], place: _Place) -> Optional[_Place]:
    """What a layer without arrays gives; None where it doesn't fit."""
    if isinstance(layer, layers.PixelShuffle):
        square = layer.factor**2
        return _Place(place.size // square, True) if place.image and place.size % square == 0 else None
    if isinstance(layer, layers.Reshape):
        return _Place(layer.shape[0], len(layer.shape) == 3) if not place.image else None
    return place


def _vector(part: Part, place: _Place) -> Iterator[tuple[Step, _Place, float]]:
    if part.kind == "prelu" and part.size == 1:
        yield Step(part, "prelu"), place, 0.0
    elif part.size == place.size:
        yield Step(part, part.kind), place, 0.0
    else:
        for reshape, shuffle in _entries(place, part.size):
            yield Step(part, part.kind, reshape, shuffle), _Place(part.size, True), 0.0


def _entries(place: _Place, channels: int) -> Iterator[tuple[Optional[tuple[int, int, int]], int]]:
    """How what came before becomes images of so many channels: as they are, reshaped, or pixel-shuffled."""
    if place.image:
        if place.size == channels:
            yield None, 1
        elif place.size in (4 * channels, 9 * channels):
            yield None, isqrt(place.size // channels)
        return
    side = isqrt(place.size // channels)
    if place.size == channels * side * side and side > 0:
        yield (channels, side, side), 1


def _bias_fits(part: Part, out: int) -> bool:
    bias = part.arrays.get("bias")
    return bias is None or len(bias) == out
