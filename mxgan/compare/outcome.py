"""Both engines at full size in float32: the same weights' pictures, and training side by side as users run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mxgan import pixels, rng
from mxgan.compare.proof import relative
from mxgan.compare.worker import Worker
from mxgan.config import RunConfig
from mxgan.engines.protocol import Batch, State
from mxgan.training import batches
from mxgan.weights.names import biases_before_norm
from mxgan.words import counted

LIMIT = 1e-5  # between two outputs in [-1, 1] of the same weights
GREY_LIMIT = 1  # between two pixels in 0..255
SAMPLES = 64
SHOWN_STEPS = (1, 2, 3, 5, 8, 10)  # after these the distance is measured; then after every tenth and the last
CONTROL_STEPS = 10
VISIBLE = 8.0  # grey levels of `contrast` from which on a picture shows more than grey
LATE = 10  # the last steps, whose means summarise a run


@dataclass(frozen=True)
class Outcome:
    """The report's part about training and pictures.

    ``pictures``: uint8 images, NHWC, by the name of their file; none where there is nothing to see in them.
    """

    inference: dict[str, Any]
    first_step: dict[str, Any]
    drift: list[dict[str, Any]]
    control: list[dict[str, Any]]
    runs: dict[str, dict[str, Any]]
    pictures: dict[str, np.ndarray]


def observe(
    config: RunConfig, steps: int, images: np.ndarray, workers: Mapping[str, Worker], say: Callable[[str], None]
) -> Outcome:
    """Train both engines for ``steps`` steps on the same weights, batches and latents, and compare them.

    The second worker is measured against the first.
    """
    names = list(workers)
    one, two = workers.values()
    start = one.engine("state")
    two.engine("load_state", start)
    weights = one.engine("weights")
    z = rng.latents(config.seed, "samples", 0, SAMPLES, config.latent)
    data = Data(config, steps, images)
    first = _first_step(data.batch(1), one, two, z)
    runs, drift, early = _train(data, workers, weights, say)
    samples = {name: worker.engine("generate", z) for name, worker in workers.items()}
    trained = one.engine("state")
    say(f"float32: {names[0]} once more, from weights one rounding away")
    control = _control(data, one, start, weights, early)

    for worker in (one, two):
        worker.engine("load_state", trained)
    outputs = [worker.engine("forward", z) for worker in (one, two)]
    grids = [pixels.to_uint8(output) for output in outputs]
    logits = [worker.engine("discriminate", images[:SAMPLES]) for worker in (one, two)]
    grey = np.abs(grids[0].astype(int) - grids[1].astype(int))
    inference = {
        "limit": LIMIT,
        "images": float(np.abs(outputs[0] - outputs[1]).max()),
        "logits_relative": relative(logits[1], logits[0]),
        "grey_limit": GREY_LIMIT,
        "grey_levels": int(grey.max()),
        "grey_share": float((grey > 0).mean()),
        "contrast": contrast(grids[0]),
        "contrast_wanted": VISIBLE,
    }
    pictures = {f"same-weights-{name}": grid for name, grid in zip(names, grids)}
    pictures["same-weights-difference"] = (255 - 255 * np.minimum(grey, 1)).astype(np.uint8)
    pictures.update({f"samples-{name}": grid for name, grid in samples.items()})
    if inference["contrast"] < VISIBLE:
        say(f"no pictures in the report: after {counted(steps, 'step')} netG paints grey; more --steps show more")
        pictures = {}
    return Outcome(inference, first, drift, control, runs, pictures)


def contrast(images: np.ndarray) -> float:
    """How far pixels lie from the mean colour of their picture, in grey levels: their deviation, a mean over pictures.

    ``images``: uint8 NHWC. An untrained netG's are below 1.
    """
    return float(images.std(axis=(1, 2), dtype=np.float64).mean())


@dataclass(frozen=True)
class Data:
    """What both engines are trained on: ``steps`` batches of ``images`` (uint8 NHWC)."""

    config: RunConfig
    steps: int
    images: np.ndarray

    def batch(self, step: int) -> Batch:
        """The inputs of a step, counted from 1."""
        picks = next(batches.indices(self.config.seed, len(self.images), self.config.batch_size, step - 1, step))
        return batches.inputs(self.config, step, self.steps, self.images[picks])


def _first_step(batch: Batch, one: Worker, two: Worker, z: np.ndarray) -> dict[str, Any]:
    """How far apart rounding alone puts the two before any update: in the outputs, the losses, the gradients."""
    outputs = [worker.engine("forward", z) for worker in (one, two)]
    theirs, ours = (worker.engine("probe", batch) for worker in (one, two))
    true = {name: b for name, b in theirs.gradients.items() if name in _trained_through(theirs.gradients)}
    gradients = {name: relative(ours.gradients[name], b) for name, b in true.items()}
    worst = max(gradients, key=gradients.__getitem__)
    return {
        "images": float(np.abs(outputs[0] - outputs[1]).max()),
        "loss_d": abs(ours.losses["loss_d"] - theirs.losses["loss_d"]),
        "loss_g": abs(ours.losses["loss_g"] - theirs.losses["loss_g"]),
        "gradient": gradients[worst],
        "gradient_of": worst,
    }


def _trained_through(names: Iterable[str]) -> set[str]:
    """The names, without biases in front of a BatchNorm: their gradient is nothing but rounding."""
    names = set(names)
    return names - set(biases_before_norm(names))


def _train(
    data: Data,
    workers: Mapping[str, Worker],
    start: Mapping[str, Mapping[str, np.ndarray]],
    say: Callable[[str], None],
) -> tuple[dict, list, dict]:
    """Train both in turns. Returns the runs, the distances between them, and the first engine's early weights."""
    logs: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
    drift, early = [], {}
    for step in range(1, data.steps + 1):
        batch = data.batch(step)
        for name, worker in workers.items():
            stats, seconds = worker.train(batch)
            logs[name].append({"step": step, **stats, "seconds": seconds})
        if step in SHOWN_STEPS or step % 10 == 0 or step == data.steps:
            theirs, ours = (worker.engine("weights") for worker in workers.values())
            drift.append({"step": step, **_distance(ours, theirs, start)})
            if step <= CONTROL_STEPS:
                early[step] = theirs
            say(f"float32: step {step} of {data.steps}")
    runs = {name: {"log": log, **_summary(log)} for name, log in logs.items()}
    return runs, drift, early


def _control(data: Data, one: Worker, start: State, weights: Mapping, early: Mapping) -> list:
    """The first engine against itself, started one rounding away: the drift that no second engine causes.

    ``weights`` are those of ``start``, ``early`` those after each of the first steps. A weight of 0 isn't moved: it
    isn't rounded.
    """
    moved = {
        group: {
            name: np.where(array == 0, array, np.nextafter(array, np.float32(np.inf))) for name, array in arrays.items()
        }
        for group, arrays in start.arrays.items()
    }
    one.engine("load_state", State(moved, start.counts))
    found = []
    for step in range(1, max(early, default=0) + 1):
        one.train(data.batch(step))
        if step in early:
            found.append({"step": step, **_distance(one.engine("weights"), early[step], weights)})
    return found


def _distance(ours: Mapping, theirs: Mapping, start: Mapping) -> dict[str, Any]:
    """The Euclidean distance of each network as a share of the way trained so far, and the tensor furthest apart."""
    found: dict[str, Any] = {}
    worst, where = 0.0, ""
    for net, arrays in theirs.items():
        trained = [name for name in arrays if "running" not in name]
        apart = sum(float(np.square(ours[net][name] - arrays[name], dtype=np.float64).sum()) for name in trained)
        way = sum(float(np.square(arrays[name] - start[net][name], dtype=np.float64).sum()) for name in trained)
        found[net] = (apart / way) ** 0.5 if way else 0.0
        for name in _trained_through(f"{net}.{name}" for name in trained):
            short = name.partition(".")[2]
            value = relative(ours[net][short], arrays[short])
            if value > worst:
                worst, where = value, name
    return {**found, "worst": worst, "worst_of": where}


def _summary(log: list[dict[str, float]]) -> dict[str, float]:
    """Means over the last `LATE` steps."""
    keys = ("loss_d", "loss_g", "score_real", "score_fake")
    return {f"late_{key}": float(np.mean([record[key] for record in log[-LATE:]])) for key in keys}
