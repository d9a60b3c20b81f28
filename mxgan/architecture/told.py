"""A reading of a file that says its own graph, with what the user says of it."""

from __future__ import annotations

from dataclasses import replace

from mxgan.architecture import one_hot, statistics
from mxgan.architecture.wishes import SETTINGS, Wishes
from mxgan.errors import SettingError
from mxgan.graph.reading import Reading


def decided(reading: Reading, wish: Wishes) -> Reading:
    """A reading of a file that says its own graph. Raises MxganError for wishes that contradict it."""
    for option in SETTINGS:
        if getattr(wish, option) is not None:
            raise SettingError(
                option, ..., f"{reading.source} says it; leave the option out, or describe all with --layout"
            )
    reading = one_hot.labelled(reading, wish.uniform)
    if wish.uniform is None and reading.graph.latent is not None and statistics.tells_uniform(reading.graph):
        return replace(reading, uniform=True, assumed=(*reading.assumed, "uniform latents, by its running statistics"))
    return replace(reading, uniform=wish.uniform_or(reading.uniform))
