"""What a TorchScript program's ``forward`` takes: latents, and perhaps a label, and how long each of them is.

An archive doesn't say it, but for ``traced_inputs.pkl``, which newer PyTorch adds to traced ones. So a length that
nothing has by chance is tried, and the first layer that is given a wrong one tells the right one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import prod
from typing import Any, Optional

from mxgan.architecture.torchscript_graph import Short
from mxgan.architecture.torchscript_source import Failed
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.graph.labels import can_be, label_place
from mxgan.weights.pickled import Made
from mxgan.weights.pickled_modules import is_module
from mxgan.weights.pickled_numbers import Storage, Tensor
from mxgan.weights.pickled_torch import ZipFile

GUESSES = {LATENTS: 9973, LABELS: 8999}  # lengths that no layer takes: primes, whose sum is none's either
MOST_TRIED = 12  # weights whose sizes are tried
LARGEST_LATENT = 2**16
TRACED = "traced_inputs.pkl"


@dataclass(frozen=True)
class Input:
    """An argument of ``forward``: latents (n,) or (n, 1, 1), a label (), or a label as a one-hot vector."""

    name: str
    role: str  # LATENTS | LABELS
    shape: tuple[int, ...]
    known: bool  # is its length certain?

    @property
    def one_hot(self) -> bool:
        """Whether it is a label as a vector."""
        return self.role == LABELS and bool(self.shape)


Inputs = tuple[Input, ...]


class Together(Failed):
    """Latents and a one-hot label are only ever seen side by side: ``total`` numbers, in parts that nothing tells."""

    def __init__(self, total: int, inputs: Inputs) -> None:
        label = next(item.name for item in inputs if item.one_hot)
        super().__init__(
            f"its latents and {label}, a label as a one-hot vector, come to {total} numbers together, and nothing "
            "tells how many of them are classes"
        )
        self.total, self.inputs = total, inputs


def candidates(file: ZipFile, names: Sequence[str]) -> Iterator[Inputs]:
    """What ``forward`` may take, the likelier first: what it was traced with, lengths to be solved, weights' sizes."""
    seen = _traced(file, names)
    if seen is not None:
        yield seen
    for label in ((), (GUESSES[LABELS],), (GUESSES[LABELS], 1, 1)) if len(names) == 2 else ((),):
        for latents in ((GUESSES[LATENTS], 1, 1), (GUESSES[LATENTS],)):
            for roles in _orders(names, bool(label)):
                shapes = [latents if role == LATENTS else label for role in roles]
                yield tuple(Input(*each, not each[2]) for each in zip(names, roles, shapes))
    for shape in _shapes(file.value):
        for roles in _orders(names, False):
            yield tuple(Input(name, role, shape if role == LATENTS else (), True) for name, role in zip(names, roles))


def _orders(names: Sequence[str], vectors: bool) -> list[tuple[str, ...]]:
    """Which argument is which. An Embedding tells the label; of two vectors, the names do, or the label comes last."""
    both = (LATENTS, LABELS)[: len(names)]
    if not vectors:
        return list(permutations(both))
    return [both if label_place((names[0], names[1])) else both[::-1]]


def _traced(file: ZipFile, names: Sequence[str]) -> Optional[Inputs]:
    """The arguments by what the program was traced with, where the archive holds that and it is latents and a label."""
    if f"{file.root}{TRACED}" not in file.members:
        return None

    def persistent(pid: Any) -> Storage:
        _, kind, key, _, numel = pid
        return Storage.of(f"traced_inputs/{key}", kind, numel)

    value = file.unpickle(io.BytesIO(file.record(f"{file.root}{TRACED}").tobytes()), persistent)
    for key in (None, "forward", None):  # both the dict and its list are in a restore_type_tag
        value = value.args[0] if isinstance(value, Made) and isinstance(value.args, tuple) and value.args else value
        value = value.get(key) if key is not None and isinstance(value, dict) else value
    if not isinstance(value, (list, tuple)) or len(value) != len(names):
        return None
    if not all(isinstance(item, Tensor) and item.shape for item in value):
        return None
    shapes = [item.shape[1:] for item in value]
    whole = ["int" in item.dtype for item in value]
    vectors = [shape for shape, is_whole in zip(shapes, whole) if not is_whole]
    if any(len(shape) not in (1, 3) or prod(shape[1:]) != 1 or not 0 < shape[0] <= LARGEST_LATENT for shape in vectors):
        return None
    if any(shape for shape, is_whole in zip(shapes, whole) if is_whole) or sum(whole) == len(names):
        return None
    by_dtype = tuple(LABELS if is_whole else LATENTS for is_whole in whole)
    roles = by_dtype if any(whole) else _orders(names, len(names) == 2)[0]
    return tuple(Input(*each, True) for each in zip(names, roles, shapes))


def solved(inputs: Inputs, short: Short) -> Inputs:
    """The inputs with the length that a layer wanted. Raises ``short`` where that solves nothing, or Together."""
    free = [item for item in inputs if item.role in short.free and not item.known]
    if len(free) == 2:
        total = sum(item.shape[0] for item in inputs) + short.wanted - short.given
        raise Together(total, inputs) if total > 2 else short
    size = free[0].shape[0] + short.wanted - short.given if free else 0
    if not 0 < size <= LARGEST_LATENT:
        raise short
    return tuple(
        replace(item, shape=(size, *item.shape[1:]), known=True) if item is free[0] else item for item in inputs
    )


def sound(inputs: Inputs) -> None:
    """Raises Failed where a length is still a guess, or a vector that is taken for a label looks like none."""
    for item in inputs:
        if not item.known:
            raise Failed(f"nothing tells how long {item.name} is")
    latent = next(item.shape[0] for item in inputs if item.role == LATENTS)
    for item in inputs:
        if item.one_hot and not can_be(item.name, item.shape[0], latent):
            raise Failed(f"it takes {item.name} of {item.shape[0]} numbers beside the latents, which is not a label")


def _shapes(made: Made) -> Iterator[tuple[int, ...]]:
    """Shapes that latents may have: by the first weights, in the order of definition, the likelier first."""
    seen: set[tuple[int, ...]] = set()
    for shape in _weights(made):
        sizes = shape[:1] if len(shape) in (1, 4) else shape[1:2]
        more = shape[1:2] if len(shape) == 4 else shape[:1]
        for size in (*sizes, *more):
            for wanted in ((size, 1, 1), (size,)) if len(shape) == 4 else ((size,), (size, 1, 1)):
                if 0 < size <= LARGEST_LATENT and wanted not in seen:
                    seen.add(wanted)
                    yield wanted


def _weights(made: Made) -> list[tuple[int, ...]]:
    """The shapes of the first tensors of a module tree that have any."""
    found: list[tuple[int, ...]] = []
    waiting: list[Any] = [made]
    visited = 0
    while waiting and len(found) < MOST_TRIED and visited < 10_000:
        value = waiting.pop()
        visited += 1
        if isinstance(value, Tensor) and len(value.shape) in (1, 2, 4) and value.shape not in found:
            found.append(value.shape)
        elif is_module(value):
            waiting += _children(value)
    return found


def _children(made: Made) -> list[Any]:
    state: Optional[Any] = made.state
    return list(reversed(list(state.values()))) if isinstance(state, dict) else []
