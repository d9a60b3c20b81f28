"""What stands between two layers with arrays. Layers without arrays leave gaps in the numbers of an nn.Sequential."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from mxgan.architecture.flow import Step
from mxgan.architecture.parts import Part

Inserted = tuple[str, ...]  # "activation", "nearest" (upsampling), "bilinear"
ACTIVATIONS = ("prelu",)


def counting(order: Sequence[Part]) -> frozenset[str]:
    """The blocks whose numbers count layers without arrays too: those with a gap. A ModuleList has none."""
    pairs = zip(order, order[1:])
    return frozenset(before.parent for before, after in pairs if (gap(before, after) or 0) > 0)


def gap(before: Part, after: Part) -> Optional[int]:
    """How many layers without arrays the names leave room for; None where they don't tell."""
    if before.index is None or after.index is None or before.parent != after.parent or after.index <= before.index:
        return None
    return after.index - before.index - 1


def between(before: Part, step: Step, counted: frozenset[str]) -> list[tuple[Inserted, float]]:
    """What may stand between a layer and the next, with costs. ``counted``: see `counting`."""
    found = gap(before, step.part) if before.parent in counted else None
    active = before.kind in ACTIVATIONS
    normed = step.role in ("batchnorm", "norm", "prelu")
    if found is None:
        if normed:  # an activation follows the norm, as a rule
            return [((), 0.0)]
        first: Inserted = () if active else ("activation",)
        if step.role != "conv" or step.reshape or step.shuffle > 1:
            return [(first, 0.0)]
        return [(first, 0.2), ((*first, "nearest"), 0.2), ((*first, "bilinear"), 1.4)]
    others = found - (step.reshape is not None) - (step.shuffle > 1)
    if others <= 0:
        return [((), 0.0)]
    first = () if active else ("activation",)
    if step.role != "conv" or step.reshape:
        return [(first, 0.0)]
    if others == 1:
        return [(first, 0.0), (("nearest",), 0.3), (("bilinear",), 1.3)]
    return [((*first, "nearest"), 0.0), (first, 1.0), ((*first, "bilinear"), 1.0)]
