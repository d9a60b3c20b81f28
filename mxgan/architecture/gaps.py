"""What stands between two layers with arrays. Layers without arrays leave gaps in the numbers of an nn.Sequential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from mxgan.architecture.flow import Step
from mxgan.architecture.parts import Part
from mxgan.graph import layers

Inserted = tuple[str, ...]  # "activation", "upsample"
ACTIVATIONS, NORMS = ("prelu",), ("batchnorm", "norm")
ACTIVE = (layers.Relu, layers.LeakyRelu, layers.Elu, layers.Selu, layers.Tanh, layers.Sigmoid)


@dataclass(frozen=True)
class Counted:
    """What a network's names tell of its layers without arrays."""

    blocks: frozenset[str]  # whose numbers count them: those with a gap. A ModuleList has none
    first: bool  # activations stand before norms: gaps are there
    instance: bool  # norms without arrays: no norm has any, and every gap has room for one beside the activation


def counting(order: Sequence[Part]) -> Counted:
    """What the gaps of a network tell."""
    gaps = [(before, after) for before, after in zip(order, order[1:]) if (gap(before, after) or 0) > 0]
    first = any(before.kind == "conv" and after.kind in NORMS for before, after in gaps) or any(
        isinstance(middle.layer, ACTIVE) and after.kind in NORMS for middle, after in zip(order, order[1:])
    )
    rooms = [gap(before, after) or 0 for before, after in gaps if before.kind == after.kind == "conv"]
    instance = bool(rooms) and min(rooms) >= 2 and not any(part.kind in NORMS for part in order)
    return Counted(frozenset(before.parent for before, _ in gaps), first, instance)


def gap(before: Part, after: Part) -> Optional[int]:
    """How many layers without arrays the names leave room for; None where they don't tell."""
    if before.index is None or after.index is None or before.parent != after.parent or after.index <= before.index:
        return None
    return after.index - before.index - 1


def between(before: Part, step: Step, counted: Counted) -> list[tuple[Inserted, float]]:
    """What may stand between a layer and the next, with costs. ``counted``: see `counting`."""
    if before.layer is not None and before.container == "Sequential" and before.parent == step.part.parent:
        return [((), 0.0)]  # a module's Sequential says all that is in it
    found = gap(before, step.part) if before.parent in counted.blocks else None
    active = before.kind in ACTIVATIONS or isinstance(before.layer, ACTIVE)
    normed = step.role in ("batchnorm", "norm", "prelu", "fixed")
    if found is None:
        if normed:  # an activation follows the norm, as a rule
            return [((), 0.0)]
        first: Inserted = () if active or (counted.first and before.kind in NORMS) else ("activation",)
        ways: list[tuple[Inserted, float]] = [(first, 0.0)]
        if first and before.kind in ("conv", "linear"):  # or nothing: more often before a reshape
            ways.append(((), 0.4 if step.reshape else 1.5))
        if step.role == "conv" and step.shuffle == 1:  # upsampled before, or not
            ways = [((*way, *more), cost + 0.2) for way, cost in ways for more in ((), ("upsample",))]
        return ways
    others = found - (step.reshape is not None) - (step.shuffle > 1)
    if others <= 0:
        return [((), 0.0)]
    first = () if active else ("activation",)
    if counted.instance and others >= 2 and before.kind == "conv":
        first, others = ("norm", "activation"), others - 1
    if step.role != "conv":
        return [(first, 0.0)]
    if others == 1:
        return [(first, 0.0), (("upsample",), 1.0)]
    return [((*first, "upsample"), 0.0), (first, 1.0)]
