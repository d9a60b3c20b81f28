"""From one output of a symbol back to its inputs, and forward again as a graph: what each input is, and how large."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Optional

import numpy as np

from mxgan.architecture.symbol_draft import Draft, Lacking, Short, Value
from mxgan.architecture.symbol_json import VARIABLE, Operation, Output, Symbol
from mxgan.architecture.symbol_rules import data_inputs, rule_of, same_name
from mxgan.graph.graph import IMAGES, LABELS, LATENTS
from mxgan.graph.layers import Conv, Linear, OneHot
from mxgan.graph.shapes import LARGEST, Shape, Unfit

_GUESS = 9973  # a latent's length until a layer says what it takes: a prime, so that no shape fits it by chance
_SIZES = (512, 256, 128, 64, 32, 16, 8, 4, 28)  # of a discriminator's images; 28 is MNIST's
_MOST_INPUTS = 4  # of a network that are looked into, to be named where there are too many
_RESHAPES = ("Reshape", "numpy_reshape", "Flatten", "expand_dims", "squeeze", "transpose", "SwapAxis")
# what says nothing about its input: images, latents and labels may all go through
_CLEAR = (
    *_RESHAPES, "identity", "Cast", "Dropout", "BatchNorm", "InstanceNorm", "Activation", "LeakyReLU", "relu", "tanh",
    "sigmoid", "plus_scalar", "minus_scalar", "rminus_scalar", "mul_scalar", "div_scalar", "negative", "Pad", "Crop",
    "Concat",
)  # fmt: skip


class Stopped(Exception):
    """Reading ended at an operation. ``short`` is set where only a size was wrong."""

    def __init__(self, place: int, message: str, short: Optional[Short] = None) -> None:
        super().__init__(message)
        self.place, self.short = place, short


@dataclass(frozen=True)
class Weights:
    """The arrays of the file, and MXNet's names for them (without arg: and aux:)."""

    arrays: Mapping[str, np.ndarray]
    stored: Mapping[str, str]
    where: str


@dataclass(frozen=True)
class Part:
    """The operations that lead to one output, in order, and the variables that are its inputs."""

    symbol: Symbol
    end: int
    numbers: tuple[int, ...]
    inputs: tuple[Operation, ...]


@dataclass(frozen=True)
class Found:
    """A part as a graph in the making."""

    part: Part
    draft: Draft
    end: Value
    inputs: dict[str, Shape]


@dataclass(frozen=True)
class Given:
    """What a variable is: latents, a label, a label as a one-hot vector, or images; its shape where it is known."""

    role: str
    shape: Optional[Shape]


def part_to(symbol: Symbol, head: Output) -> Part:
    """The part of the symbol that computes an output. Raises Stopped for one that isn't an operation's first."""
    needed, inputs, waiting = set(), {}, [head]
    if symbol.operations[head[0]].operator == VARIABLE:
        raise Stopped(head[0], f"{symbol.operations[head[0]].name!r} is a variable; the output of a layer wanted")
    while waiting:
        number, output = waiting.pop()
        operation = symbol.operations[number]
        if output and operation.operator != VARIABLE:
            said = (
                f"{operation.name!r} ({operation.operator}): its output {output} is asked for; only the first is known"
            )
            raise Stopped(number, said)
        if operation.operator == VARIABLE:
            inputs[operation.name] = number
        elif number not in needed:
            waiting += data_inputs(operation)
        needed.add(number)
    variables = tuple(symbol.operations[number] for number in sorted(inputs.values()))
    return Part(symbol, head[0], tuple(sorted(needed)), variables)


def translate(part: Part, weights: Weights) -> Found:
    """The part as a graph. Raises Stopped with the reason, naming the operation, or Unreadable."""
    given = {variable.name: _given(part, variable, weights) for variable in part.inputs[:_MOST_INPUTS]}
    roles = [one.role for one in given.values()]
    if roles.count("latents") == 1 and len(roles) <= 2 and IMAGES not in roles:
        vague = [name for name, one in given.items() if one.shape is None]
        if len(vague) > 1:
            raise Stopped(0, f"nothing tells how long {' and '.join(map(repr, vague))} are; --layout can say")
        if not vague:
            return _walk(part, weights, given)
        return _solved(
            vague[0], lambda shape: _walk(part, weights, {**given, vague[0]: Given(given[vague[0]].role, shape)})
        )
    if roles == [IMAGES]:
        return _sized(part, weights, next(iter(given)), given)
    wanted = "one for latents and at most one for a label wanted"
    raise Stopped(0, f"its inputs are {', '.join(map(repr, given)) or 'none'}; {wanted}; --layout can describe others")


def _given(part: Part, variable: Operation, weights: Weights) -> Given:
    """What a variable is, by what takes it and by its name."""
    shape = _known_shape(variable, weights)
    taker, reshaped = _first_taker(part, variable.name)
    if taker in ("Embedding", "one_hot"):
        return Given("label", shape or ())
    if taker == "Convolution" and not reshaped:
        return Given(IMAGES, shape if shape and len(shape) == 3 else None)
    others = [other for other in part.inputs if other.name != variable.name]
    if others and re.search("label|class", variable.name.lower()):
        return Given("one-hot", shape)
    return Given("latents", shape)


def _known_shape(variable: Operation, weights: Weights) -> Optional[Shape]:
    """One sample's shape, where the symbol says it or the file holds what the network was last given."""
    if variable.name in weights.stored:
        dims: Shape = weights.arrays[weights.stored[variable.name]].shape
    else:
        try:
            dims = variable.wholes("__shape__", ())
        except Unfit:
            return None
    return dims[1:] if len(dims) > 1 and min(dims[1:]) > 0 else None


def _first_taker(part: Part, variable: str) -> tuple[str, bool]:
    """The first operator that says what the variable is, and whether the variable was reshaped on the way."""
    reached: dict[int, bool] = {}
    for number in part.numbers:
        operation = part.symbol.operations[number]
        if operation.operator == VARIABLE:
            if operation.name == variable:
                reached[number] = False
            continue
        before = [reached[place] for place, _ in data_inputs(operation) if place in reached]
        if before:
            name = same_name(operation)
            if name not in _CLEAR:
                return name, any(before)
            reached[number] = any(before) or name in _RESHAPES
    return "", False


def convolutions_after(symbol: Symbol) -> dict[int, str]:
    """For each operation whose output goes into a Convolution, by whatever says nothing about it: the first one."""
    found: dict[int, str] = {}
    for number in range(len(symbol.operations) - 1, -1, -1):
        operation = symbol.operations[number]
        name = same_name(operation)
        into = operation.name if name == "Convolution" else found.get(number) if name in _CLEAR else None
        if into is not None:
            found.update((before, into) for before, _ in data_inputs(operation))
    return found


def _solved(name: str, walk: Callable[[Shape], Found]) -> Found:
    """Reads with one input's size not known: the first layer that is given a wrong size tells the right one."""
    furthest: Optional[Stopped] = None
    for ones in ((), (1, 1)):
        size = _GUESS
        for _ in range(3):
            try:
                found = walk((size, *ones))
            except Stopped as stopped:
                if furthest is None or stopped.place > furthest.place:
                    furthest = stopped
                size += stopped.short.wanted - stopped.short.given if stopped.short else -_GUESS * 2
                if not 0 < size <= LARGEST:
                    break
            else:
                if size != _GUESS:
                    return found
                raise Stopped(0, f"nothing tells how long {name!r} is; --layout can say")
    assert furthest is not None
    raise furthest


def _sized(part: Part, weights: Weights, name: str, given: Mapping[str, Given]) -> Found:
    """Reads a discriminator; of images whose size isn't known, the largest that leave one pixel or fit a Linear."""
    if given[name].shape:
        return _walk(part, weights, given)
    stopped = Stopped(0, f"the size of the images {name!r} isn't in it, and none fits; --layout can say")
    channels = 3
    for size in _SIZES:
        for _ in range(2):  # the first Convolution tells how many channels
            try:
                found = _walk(part, weights, {name: Given(IMAGES, (channels, size, size))})
            except Stopped as error:
                if error.short is None or error.short.given != channels:
                    stopped = stopped if error.short else error
                    break
                channels = error.short.wanted
            else:
                if _fits(found):
                    found.draft.notes.append(f"images of {size}×{size}")
                    return found
                break
    raise stopped


def _fits(found: Found) -> bool:
    """Whether the size is the right one: a Linear took it, or one pixel is left."""
    last = [node for node in found.draft.nodes if isinstance(node.layer, (Conv, Linear))][-1]
    return isinstance(last.layer, Linear) or prod(found.end.shape) == len(found.draft.arrays[f"{last.name}.weight"])


def _walk(part: Part, weights: Weights, given: Mapping[str, Given]) -> Found:
    """Every operation as layers. Raises Stopped at the first that can't be."""
    draft = Draft(part.symbol, weights.arrays, weights.stored)
    values: dict[int, Value] = {}
    inputs: dict[str, Shape] = {}
    entries: dict[str, Value] = {}
    for number in part.numbers:
        operation = part.symbol.operations[number]
        try:
            if operation.operator == VARIABLE:
                if operation.name not in entries:
                    entries[operation.name] = _entry(draft, operation.name, given[operation.name], inputs)
                values[number] = entries[operation.name]
                continue
            taken = [values[place] for place, _ in data_inputs(operation)]
            if not taken:
                raise Unfit("has no inputs")
            values[number] = rule_of(operation).handler(draft, operation, taken)
        except Unfit as error:
            lacking = f", which {weights.where} lacks: is it the symbol's?" if isinstance(error, Lacking) else ""
            said = f"{operation.name!r} ({operation.operator}): {error}{lacking}"
            raise Stopped(number, said, error if isinstance(error, Short) else None) from None
    return Found(part, draft, values[part.end], inputs)


def _entry(draft: Draft, name: str, given: Given, inputs: dict[str, Shape]) -> Value:
    """An input of the graph, in the shape that the symbol's variable has."""
    shape = given.shape or ()
    if prod(shape) > LARGEST:
        raise Unfit(f"is {shape}; at most {LARGEST} numbers wanted")
    if given.role == "label":
        inputs[LABELS] = ()
        if prod(shape) != 1:
            raise Unfit(f"is {shape}; one label for each sample wanted")
        return Value(LABELS, shape)
    if given.role == "one-hot":
        inputs[LABELS] = ()
        draft.notes.append(f"{name} is a label as a one-hot vector")
        return draft.reshape(f"{name}_shape", draft.add(name, OneHot(prod(shape)), [Value(LABELS, ())]), shape)
    if given.role == IMAGES:
        inputs[IMAGES] = shape
        return Value(IMAGES, shape)
    inputs[LATENTS] = (prod(shape),)
    return draft.reshape(name, Value(LATENTS, (prod(shape),)), shape)
