"""A network from its arrays alone: a published architecture that they can be, or what shapes and habits suggest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

from mxgan.architecture import known, one_hot, statistics
from mxgan.architecture.assume import Hints, assume
from mxgan.architecture.parts import NoGenerator, Part, is_module_api
from mxgan.architecture.wishes import Wishes
from mxgan.graph.reading import Reading

UNCONFIRMED = "none of it confirmed by running statistics"
STRANGE = 1.0  # misfit of the first running statistics from which a recognised network's pictures may be wrong


def doubted(
    reading: Reading, seen: Optional[statistics.Look], found: Sequence[Part], wish: Wishes, where: str
) -> Reading:
    """A recognised DCGAN under its published name, or the other network that its running statistics speak for."""
    if is_module_api(found):  # whose own defaults hold
        other = looked_up(found, wish, where)
        return replace(other, warnings=(*reading.warnings, *other.warnings))
    usual, said, notes = reading.assumed, reading.assumed, reading.warnings
    if seen is not None and not seen.relu_fits:
        doubts: tuple[str, ...] = ()
        try:
            other = assume(found, wish, where)
            if not other.warnings:
                return replace(other, warnings=notes)
            doubts = other.warnings
        except NoGenerator:  # channels as few as pictures', say
            pass
        if seen.first > STRANGE:
            notes = (*notes, *doubts)
        elif doubts:
            said = (*said, UNCONFIRMED)
    reading = one_hot.labelled(replace(reading, assumed=said, warnings=notes), wish.uniform)
    kinds = [node.layer for node in reading.graph.nodes]
    named = [one.name for one in known.matches(found) if [node.layer for node in one.graph.nodes] == kinds]
    if named:
        return replace(reading, source=named[0], known=True, assumed=reading.assumed[len(usual) :], guessed=False)
    return reading


def looked_up(found: Sequence[Part], wish: Wishes, where: str) -> Reading:
    """A published architecture whose arrays these can be, unless its running statistics contradict it; else assumed."""
    hints = Hints(module_api=is_module_api(found))
    fitting = known.matches(found) if wish == Wishes(uniform=wish.uniform) else []
    doubts = [(statistics.doubt(one.graph, wish.uniform_or(one.uniform)), one) for one in fitting]
    if not doubts:
        return one_hot.labelled(assume(found, wish, where, hints), wish.uniform)
    doubt, best = min(doubts, key=lambda pair: pair[0] or 0.0)
    if (doubt or 0.0) > statistics.WELL:
        try:
            other = assume(found, wish, where, hints)
        except NoGenerator:  # branches, say, which the table knows and no chain is
            return _of_known(best, found, wish)
        others = statistics.doubt(other.graph, other.uniform)
        if not other.warnings and others is not None and others < 0.5 * (doubt or 0.0):
            return other
    return _of_known(best, found, wish)


def _of_known(best: known.Known, found: Sequence[Part], wish: Wishes) -> Reading:
    file_names = {f"{part.key}.{word}": name for part in found for word, name in part.names.items()}
    kept = {name: file_names[name] for name in best.graph.arrays if name in file_names}
    doubts: tuple[str, ...] = ()
    if best.collides:
        doubts = (f"its arrays can also be those of {' and '.join(best.collides)}, which makes other pictures",)
    return Reading(best.graph, best.name, kept, (), doubts, wish.uniform_or(best.uniform), known=True)
