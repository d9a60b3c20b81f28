"""A generator from its arrays alone: shapes decide what they can, common practice the rest, and it is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Optional

from mxgan.architecture import flow, statistics, wishes
from mxgan.architecture.parts import NoGenerator, Part, orders
from mxgan.architecture.search import Draft, Habit, drafts
from mxgan.architecture.wishes import Wishes, spelled
from mxgan.graph import Graph, Node, layers, shapes
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.graph.reading import Reading

ACTIVATIONS: tuple[tuple[Optional[layers.Layer], float], ...] = (
    (layers.Relu(), 0.0),
    (layers.LeakyRelu(0.2), 0.5),
)
RARER: tuple[tuple[Optional[layers.Layer], float], ...] = (
    (layers.Elu(), 1.5),
    (layers.Selu(), 2.0),
    (layers.Tanh(), 2.5),
    (None, 3.0),
    (layers.LeakyRelu(0.1), 1.2),
    (layers.LeakyRelu(0.3), 1.5),
)
COMBINED = {
    "multiply": "latents times the label's vector",
    "label-first": "the label's vector before the latents",
    "label-last": "the label's vector after the latents",
}
MOST_WAYS = 4  # flows tried
EPS, SLIP, MODULES = 1e-5, 0.8, 1e-3  # usual; PyTorch-GAN's, copied widely; MXNet's Module API's default


STRANGE = (
    "its first running statistics aren't those of latents from N(0, 1) or U(-1, 1), so they confirm nothing: "
    "the pictures may be wrong"
)
CONTRADICTED = (
    "its running statistics contradict every network tried, so the pictures may be wrong: "
    "say what it is with --activation, --eps, --size or --layout"
)
GUESSED = (
    "two layers without arrays stand between its convolutions: taken as InstanceNorm and an activation, but they can "
    "also be an activation and dropout; say which with --layout"
)
Best = tuple[Draft, Habit, flow.Flow]


@dataclass(frozen=True)
class Hints:
    """What is known of a network besides its layers' arrays."""

    module_api: bool = False  # MXNet's Module API's defaults: eps 1e-3, gammas fixed at 1
    activation: Optional[layers.Layer] = None  # of a whole module: its only hidden activation
    output: Optional[str] = None  # its last one: tanh or sigmoid
    upsample: Optional[layers.Upsample] = None


NOTHING = Hints()


def assume(found: Sequence[Part], wish: Wishes, where: str, hints: Hints = NOTHING) -> Reading:
    """The generator that these layers are, with what had to be assumed.

    Raises NoGenerator, with what is in the way, if the layers form none.
    """
    ways, why = _flows(found)
    if not ways:
        raise NoGenerator(f"{where}: no generator that can be worked out: {why}; describe it with --layout")
    best = _best(ways, _habits(wish, hints, found), wish)
    if best is not None and (
        (best[0].doubt or 0) > statistics.WELL or isinstance(best[1].activation, layers.LeakyRelu)
    ):
        best = _best(ways, _habits(wish, hints, found, best[1], rarer=True), wish, best)
    doubts: tuple[str, ...] = ()
    if best is None:  # nothing at all fits the statistics, or the wishes
        best, doubts = _best(ways, _habits(wish, hints, found)[:1], wish, compare=False), (STRANGE,)
    elif (best[0].doubt or 0) > statistics.CONTRADICTS:
        doubts = (CONTRADICTED,)
    if best is not None and any(node.name.endswith("-norm") for node in best[0].nodes):
        doubts += (GUESSED,)
    if best is None:
        if wish.size:
            raise NoGenerator(f"{where}: its layers can't make images of {wish.size} pixels; leave --size out")
        raise NoGenerator(f"{where}: no strides give images; describe the network with --layout")
    if doubts and wish.size:
        doubts += _of_another_size(found, wish, where, hints)
    return replace(_reading(*best, wish, hints), warnings=doubts)


def _of_another_size(found: Sequence[Part], wish: Wishes, where: str, hints: Hints) -> tuple[str, ...]:
    """What to say of a network that fits badly at the size that was asked for, and has another one by itself."""
    itself = assume(found, replace(wish, size=None), where, hints)
    _, height, width = shapes(itself.graph)[itself.graph.nodes[-1].name]
    return () if height == wish.size else (f"without --size {wish.size} its images have {height} × {width} pixels",)


def _flows(found: Sequence[Part]) -> tuple[list[flow.Flow], str]:
    """The flows of all orders, and why the likeliest order has none."""
    whys: list[str] = []
    for order in orders(found):
        try:
            return flow.flows(order), ""
        except flow.Broken as error:
            whys.append(str(error))
    return [], whys[0] if whys else "there are no layers"


def _habits(
    wish: Wishes, hints: Hints, found: Iterable[Part], like: Optional[Habit] = None, rarer: bool = False
) -> list[Habit]:
    """What the whole network may do, likeliest first; ``rarer``: rarer things too, as ``like`` in all others."""
    if wish.activation is not None:
        acts: tuple[tuple[Optional[layers.Layer], float], ...] = ((wishes.activation(wish.activation), 0.0),)
    elif hints.activation is not None:
        acts = ((hints.activation, 0.0),)
    else:
        acts = (*ACTIVATIONS, *RARER) if rarer else ACTIVATIONS
    usual = MODULES if hints.module_api else EPS
    slips = tuple(other for other in (EPS, MODULES, *([SLIP] if rarer else [])) if other != usual)
    epsilons = (wish.eps,) if wish.eps else (usual, *slips)
    moved = any("gamma" in part.arrays and (part.arrays["gamma"] != 1).any() for part in found)
    gammas = [(False, 0.0), (True, 0.2)] if hints.module_api and moved else [(True, 0.0)]
    upsamplings = [(hints.upsample or layers.Upsample(), 0.0)]
    if hints.upsample is None and any(part.kind == "conv" and part.weight.shape[2] % 2 for part in found):
        upsamplings.append((layers.Upsample(mode="bilinear"), 1.0))
    habits = [
        Habit(act, epsilons, gamma, up, one + two + three)
        for act, one in acts
        for gamma, two in gammas
        for up, three in upsamplings
    ]
    return [habit for habit in habits if like is None or (habit.gamma, habit.upsample) == (like.gamma, like.upsample)]


def _best(
    ways: Sequence[flow.Flow], habits: Sequence[Habit], wish: Wishes, best: Optional[Best] = None, compare: bool = True
) -> Optional[Best]:
    """The likeliest network of all, or ``best`` if none is likelier."""
    for way in ways[:MOST_WAYS]:
        for habit in habits:
            worst = best[0].score if best else inf
            for draft in drafts(way, habit, wish.uniform, wish.size, worst, compare)[:1]:
                best = (draft, habit, way)
    return best


def _reading(draft: Draft, habit: Habit, way: flow.Flow, wish: Wishes, hints: Hints) -> Reading:
    """The draft with its end, and all that was assumed in words."""
    nodes = [*draft.nodes]
    for layer in _end(nodes[-1].layer, wish.output or hints.output or "tanh"):
        nodes.append(Node(f"end-{type(layer).__name__.lower()}", layer, (nodes[-1].name,)))
    inputs: dict[str, tuple[int, ...]] = {LATENTS: (way.latent,)}
    if way.classes is not None:
        inputs[LABELS] = ()
    graph = Graph(tuple(nodes), draft.arrays, inputs)
    names = {
        f"{step.part.key}.{word}": name
        for step in way.steps
        for word, name in step.part.names.items()
        if f"{step.part.key}.{word}" in draft.arrays
    }
    assumed = tuple(_assumed(draft, habit, way, wish, hints))
    return Reading(graph, "its arrays", names, assumed, uniform=draft.uniform, guessed=True)


def _end(last: layers.Layer, output: str) -> list[layers.Layer]:
    """What follows the last layer, so that images are in [-1, 1]."""
    if isinstance(last, layers.Tanh):
        return []
    if isinstance(last, layers.Sigmoid):
        return [layers.Affine(2.0, -1.0)]
    if output == "sigmoid":
        return [layers.Sigmoid(), layers.Affine(2.0, -1.0)]
    return [layers.Tanh()] if output == "tanh" else []


def _assumed(draft: Draft, habit: Habit, way: flow.Flow, wish: Wishes, hints: Hints) -> list[str]:
    """What neither the file nor the user says, in words."""
    open_ones = {step.part.key for step in way.steps if step.part.layer is None}
    layers_open = [node.layer for node in draft.nodes if node.name in open_ones]
    said = []
    if any(node.name.endswith("-activation") for node in draft.nodes) and not (wish.activation or hints.activation):
        said.append(spelled(habit.activation))
    ended = isinstance(draft.nodes[-1].layer, (layers.Tanh, layers.Sigmoid))
    if not (wish.output or hints.output or ended):
        said.append("tanh at the end")
    epsilons = dict.fromkeys(f"{layer.eps:g}" for layer in layers_open if isinstance(layer, layers.BatchNorm))
    if epsilons and wish.eps is None:
        said.append(f"eps {' and '.join(epsilons)}" + ("" if habit.gamma else ", gammas of 1"))
    convs = [layer for layer in layers_open if isinstance(layer, (layers.Conv, layers.ConvTranspose))]
    strides = [str(layer.stride[0]) for layer in convs]
    if strides:
        said.append(f"stride {' '.join(strides) if len(set(strides)) > 1 else strides[0]}")
    ups = [node.layer for node in draft.nodes if node.name.endswith("-upsample")]
    if ups:
        said.append(f"{len(ups)} × {getattr(ups[0], 'mode', '')} upsampling")
    if any(isinstance(layer, layers.InstanceNorm) for layer in layers_open):
        said.append("InstanceNorm")
    if any(node.name.endswith("-norm") for node in draft.nodes):
        said.append("InstanceNorm without arrays of its own")
    if way.classes is not None:
        said.append(COMBINED[way.steps[1].combine])
    if draft.uniform and wish.uniform is None:
        said.append("uniform latents")
    return said
