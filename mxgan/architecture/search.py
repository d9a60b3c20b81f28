"""The settings that arrays don't hold, found: likely ones first, and those that running statistics agree with.

A beam search along a flow. Each layer's possible settings have a cost (see `spatial`); where a BatchNorm has running
statistics, what reaches it is computed and compared (see `statistics`), and a bad fit costs more than any habit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf, log, prod
from typing import Optional

import numpy as np

from mxgan import rng
from mxgan.architecture import spatial, statistics
from mxgan.architecture.flow import Flow, Step
from mxgan.architecture.gaps import Counted, between, counting
from mxgan.architecture.parts import Part
from mxgan.graph import Graph, Node, layers
from mxgan.graph.forward import compute
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.graph.shapes import LARGEST, Unfit, after

EPS_CHANGES = 1.0  # what an epsilon other than the norm's before it costs
WIDTH, BEHIND = 8, 4.0  # drafts kept after each layer: so many at most, and none so far behind the best
MISFIT, NOISE = 2.0, 0.02  # what e times the misfit costs; the misfit that sampling alone leaves
FIRST_NOISE = 5e-4  # and leaves at the first norm, which sees many samples of what is linear in the latents


@dataclass(frozen=True)
class Habit:
    """What one network does everywhere."""

    activation: Optional[layers.Layer]
    eps: tuple[float, ...] = (1e-5,)  # that norms may have, the usual one first
    gamma: bool = True  # False: gammas are taken as 1 (MXNet's fix_gamma)
    upsample: layers.Upsample = field(default_factory=layers.Upsample)
    cost: float = 0.0


@dataclass(frozen=True)
class Draft:
    """A network as far as it has been worked out."""

    nodes: tuple[Node, ...]
    arrays: dict[str, np.ndarray]
    shape: tuple[int, ...]
    x: Optional[np.ndarray]  # a batch of what the last node gives; None where nothing is compared
    cost: float
    misfits: tuple[float, ...] = ()
    uniform: bool = False

    @property
    def score(self) -> float:
        """The cost with the misfits: lower is likelier."""
        noises = (FIRST_NOISE, *[NOISE] * len(self.misfits))
        return self.cost + MISFIT * sum(log(1 + wrong / noise) for wrong, noise in zip(self.misfits, noises))

    @property
    def doubt(self) -> Optional[float]:
        """The largest misfit; None where no BatchNorm could tell."""
        return max(self.misfits, default=None)


def drafts(
    flow: Flow, habit: Habit, uniform: Optional[bool], size: Optional[int], worst: float = inf, compare: bool = True
) -> list[Draft]:
    """Whole networks along a flow, likeliest first, up to the score ``worst``.

    Empty where none has images (of ``size`` pixels, if given), and where already the first running statistics fit no
    latents. ``compare``: are they looked at?
    """
    beam = [draft if compare else replace(draft, x=None) for draft in _starts(flow, uniform)]
    last_norm = max((at for at, step in enumerate(flow.steps) if step.role == "batchnorm"), default=-1)
    beam = [replace(draft, cost=draft.cost + flow.cost + habit.cost) for draft in beam]
    steps = [step for step in flow.steps if step.role != "embedding"]
    offset = len(flow.steps) - len(steps)
    counted = counting([step.part for step in steps])
    for at, step in enumerate(steps):
        before = steps[at - 1].part if at else None
        grown = [new for draft in beam for new in _grown(draft, before, step, habit, counted) if new.score < worst]
        if at + offset >= last_norm:
            grown = [replace(draft, x=None) for draft in grown]
        if not grown:
            return []
        if step.role == "batchnorm" and all(draft.misfits[:1] > (statistics.FITS,) for draft in grown):
            return []  # they say nothing of what comes after
        grown.sort(key=lambda draft: draft.score)
        last = at == len(steps) - 1
        beam = grown if last else [draft for draft in grown[:WIDTH] if draft.score <= grown[0].score + BEHIND]
    whole = [
        replace(draft, cost=draft.cost + spatial.of_size(*draft.shape[1:]))
        for draft in beam
        if len(draft.shape) == 3 and (size is None or draft.shape[1:] == (size, size))
    ]
    return sorted((draft for draft in whole if draft.score < worst), key=lambda draft: draft.score)


def _starts(flow: Flow, uniform: Optional[bool]) -> Iterator[Draft]:
    """The latents, joined with the labels' vectors where there are any."""
    embedding = flow.steps[0].part if flow.steps[0].role == "embedding" else None
    combine = flow.steps[1].combine if embedding else ""
    drawn = rng.latents(0, "statistics", 0, statistics.LATENTS, flow.latent)
    for flat in (False, True) if uniform is None else (uniform,):
        # Uniform in [-1, 1] by the normal distribution's own ranks: variance 1/3, and no second stream.
        x = statistics.uniform_of(drawn) if flat else drawn
        draft = Draft((), {}, (flow.latent,), x, 1.0 if flat and uniform is None else 0.0, uniform=flat)
        yield _labelled(draft, embedding, combine, flow) if embedding else draft


def _labelled(draft: Draft, embedding: Part, combine: str, flow: Flow) -> Draft:
    assert flow.classes is not None and draft.x is not None
    table = Node(embedding.key, layers.Embedding(), (LABELS,))
    joins = layers.Multiply() if combine == "multiply" else layers.Concat()
    order = (LATENTS, table.name) if combine == "label-last" else (table.name, LATENTS)
    joined = Node(f"{embedding.key}-with-z", joins, order)
    weight = embedding.weight.astype(np.float32)
    rows = weight[np.arange(len(draft.x)) % flow.classes]
    values = {LATENTS: draft.x, table.name: rows}
    x = compute(joins, {}, *(values[name] for name in order))
    return replace(
        draft, nodes=(table, joined), arrays={f"{table.name}.weight": embedding.weight}, shape=x.shape[1:], x=x,
        cost=draft.cost + (0.3 if combine == "label-last" else 0.0),
    )  # fmt: skip


def _grown(draft: Draft, before: Optional[Part], step: Step, habit: Habit, counted: Counted) -> Iterator[Draft]:
    """A draft with one more part, and what comes between, in every way."""
    for inserted, cost in between(before, step, counted) if before is not None else [((), 0.0)]:
        grown: Optional[Draft] = replace(draft, cost=draft.cost + cost)
        if "norm" in inserted:
            grown = _with(draft, f"{_key(before)}-norm", layers.InstanceNorm(habit.eps[0]), {})
        if grown is not None and "activation" in inserted and habit.activation:
            grown = _with(grown, f"{_key(before)}-activation", habit.activation, {})
        if grown is not None:
            grown = _entered(grown, step)
        if grown is not None and "upsample" in inserted:
            grown = _with(grown, f"{_key(before)}-upsample", habit.upsample, {})
        if grown is not None:
            yield from _settled(replace(grown, cost=draft.cost + cost), step, habit)


def _key(part: Optional[Part]) -> str:
    return part.key if part is not None else "z"


def _entered(draft: Draft, step: Step) -> Optional[Draft]:
    """What came before in the shape that a part takes."""
    if step.shuffle > 1:
        return _with(draft, f"{step.part.key}-shuffle", layers.PixelShuffle(step.shuffle), {})
    if step.reshape and draft.shape != step.reshape:
        return _with(draft, f"{step.part.key}-reshape", layers.Reshape(step.reshape), {})
    if step.role in ("conv", "deconv") and len(draft.shape) == 1:
        return _with(draft, f"{step.part.key}-reshape", layers.Reshape((*draft.shape, 1, 1)), {})
    return draft


def _settled(draft: Draft, step: Step, habit: Habit) -> Iterator[Draft]:
    """The part itself, with each of its possible settings."""
    part = step.part
    options: Iterator[tuple[layers.Layer, float]] | list[tuple[layers.Layer, float]]
    if part.layer is not None:
        options = [(part.layer, 0.0)]
    elif step.role == "deconv":
        kernels = [a.shape[2] for name, a in draft.arrays.items() if name.endswith(".weight") and a.ndim == 4]
        options = spatial.transposed(part.weight.shape, draft.shape, kernels[-1] if kernels else None)
    elif step.role == "conv":
        options = spatial.plain(part.weight.shape)
    elif step.role == "linear":
        options = [(layers.Linear(), 0.0)]
    elif step.role == "batchnorm":
        options = list(_norms(draft, part, habit))
    elif step.role == "norm":
        options = [(layers.InstanceNorm(habit.eps[0]), 0.0)]
    else:
        options = [(layers.PRelu(), 0.0)]
    arrays = part.arrays if habit.gamma else {word: array for word, array in part.arrays.items() if word != "gamma"}
    for layer, cost in options:
        if step.role == "batchnorm" and draft.x is not None:
            wrong = statistics.misfit(draft.x, part.arrays["running_mean"], part.arrays["running_var"])
            known = replace(draft, misfits=(*draft.misfits, wrong)) if wrong is not None else draft
        else:
            known = draft
        grown = _with(known, part.key, layer, arrays)
        if grown is not None:
            yield replace(grown, cost=grown.cost + cost)


def _norms(draft: Draft, part: Part, habit: Habit) -> Iterator[tuple[layers.Layer, float]]:
    """A BatchNorm with each epsilon that makes a difference here. One network's norms mostly have the same."""
    before = [node.layer.eps for node in draft.nodes if isinstance(node.layer, layers.BatchNorm)]
    usual = before[-1] if before else habit.eps[0]
    var = np.maximum(part.arrays["running_var"].astype(np.float64), 0)
    for eps in habit.eps:
        changes = float(np.median(np.abs(np.sqrt((var + usual) / (var + eps)) - 1))) > 0.02
        if eps == usual or changes:
            yield layers.BatchNorm(eps), 0.0 if eps == usual else EPS_CHANGES


def _with(draft: Draft, name: str, layer: layers.Layer, arrays: dict[str, np.ndarray]) -> Optional[Draft]:
    """The draft with one more node, or None where it doesn't fit."""
    node = Node(name, layer, (draft.nodes[-1].name if draft.nodes else LATENTS,))
    mine = {f"{name}.{word}": array for word, array in arrays.items()}
    try:
        shape = after(Graph((node,), mine, {}), node, [draft.shape])
    except Unfit:
        return None
    if min(shape, default=1) < 1 or prod(shape) > LARGEST:
        return None
    x = draft.x
    if x is not None and prod(shape) > statistics.LARGEST:  # nothing is compared at such a cost
        x = None
    if x is not None:
        weights = arrays["weight"].size if "weight" in arrays else 1
        pixels = prod(draft.shape[1:]) if isinstance(layer, (layers.ConvTranspose, layers.Linear)) else prod(shape[1:])
        x = compute(layer, arrays, statistics.enough(x, weights * pixels, prod(shape)))
    return replace(draft, nodes=(*draft.nodes, node), arrays={**draft.arrays, **mine}, shape=shape, x=x)
