"""Are the two engines the same function? In float64, where rounding can't hide a difference.

In float32 two correct builds differ visibly: rounding flips a ReLU, which changes a gradient by parts in a thousand,
and Adam's first steps are little more than signs. In float64 the two agree to about 1e-12; anything above that is a
difference in definition.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Optional, Union

import numpy as np
from numpy.typing import ArrayLike

from mxgan import engines, rng
from mxgan.compare.several import Several
from mxgan.config import RunConfig
from mxgan.engines.protocol import Batch, Engine
from mxgan.training import batches
from mxgan.weights.names import biases_before_norm

STEPS = 5
WIDTH = BATCH = 8  # a power of two, because MXNet divides by the batch size in float32
LIMIT = 1e-9  # max|a - b| / max|b| of a tensor
NO_GRADIENT = 1e-12  # |gradient| where the true one is 0


@dataclass(frozen=True)
class Deviation:
    """How far apart one tensor of the two engines is."""

    kind: str  # forward, loss, gradient, weight or statistic
    name: str
    step: int  # 0: before the first
    value: float
    measure: str  # relative: max|a - b| / max|b|; or absolute
    limit: float

    @property
    def passed(self) -> bool:
        return self.value < self.limit  # False for NaN

    def __str__(self) -> str:
        where = f" at step {self.step}" if self.step else ""
        return f"{self.kind} {self.name}{where}: {self.value:.1e} {self.measure}, {self.limit:.0e} allowed"

    @property
    def share(self) -> float:
        """The deviation as a share of what is allowed."""
        return self.value / self.limit if math.isfinite(self.value) else math.inf


def prove(
    config: RunConfig, images: np.ndarray, names: tuple[str, str], ctx: str = "cpu", threads: Optional[int] = None
) -> list[Deviation]:
    """Every deviation of the second engine from the first, on reduced nets of ``config`` over `STEPS` steps.

    ``images``: the training faces, uint8 NHWC. Both engines start from the same weights and see the same batches and
    latents.
    """
    small = dataclasses.replace(config, ngf=WIDTH, ndf=WIDTH, batch_size=BATCH)
    one, two = (engines.build(engines.Choice(name, ctx, "", threads), small, "float64") for name in names)
    return _followed(one, two, small, images)


def prove_processes(
    config: RunConfig, images: np.ndarray, count: int, ctx: str = "cpu", threads: Optional[int] = None
) -> list[Deviation]:
    """Likewise every deviation of ``count`` processes of PyTorch, with one BatchNorm over all, from one process."""
    batch_size = count * math.ceil(BATCH / count)
    small = dataclasses.replace(config, ngf=WIDTH, ndf=WIDTH, batch_size=batch_size, sync_batchnorm=True)
    alone = engines.build(engines.Choice("pytorch", ctx, "", threads), small, "float64")
    with Several(small, count, ctx) as several:
        return _followed(alone, several, small, images)


def _followed(one: Engine, two: Union[Engine, Several], small: RunConfig, images: np.ndarray) -> list[Deviation]:
    two.load_state(one.state())
    z = rng.latents(small.seed, "samples", 0, BATCH, small.latent)
    found = list(_forward(one, two, z, images[:BATCH], 0))
    indices = batches.indices(small.seed, len(images), small.batch_size, 0, STEPS)
    for step, picks in enumerate(indices, start=1):
        batch = batches.inputs(small, step, STEPS, images[picks])
        found += _probes(one, two, batch, step)
        stats = [engine.train_step(batch).read() for engine in (one, two)]
        found += [_relative("loss", name, step, stats[1][name], stats[0][name]) for name in stats[0]]
        found += _weights(one, two, step)
    two.load_state(one.state())  # once more on the same weights, now trained ones
    return [*found, *_forward(one, two, z, images[:BATCH], STEPS)]


def worst_of_each(deviations: list[Deviation]) -> list[dict]:
    """The worst deviation of each kind and measure, with how many there are (``count``)."""
    groups: dict[tuple[str, str, float], list[Deviation]] = {}
    for one in deviations:
        groups.setdefault((one.kind, one.measure, one.limit), []).append(one)
    return [
        {**dataclasses.asdict(max(group, key=lambda one: one.share)), "count": len(group)} for group in groups.values()
    ]


def relative(ours: ArrayLike, theirs: ArrayLike) -> float:
    """max|a - b| / max|b|, in float64."""
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    difference = np.abs(a - b).max()
    return float(difference / np.abs(b).max()) if difference else 0.0


def _forward(
    one: Engine, two: Union[Engine, Several], z: np.ndarray, images: np.ndarray, step: int
) -> Iterator[Deviation]:
    yield _relative("forward", "netG", step, two.forward(z), one.forward(z))
    yield _relative("forward", "netD", step, two.discriminate(images), one.discriminate(images))


def _probes(one: Engine, two: Union[Engine, Several], batch: Batch, step: int) -> Iterator[Deviation]:
    ours, theirs = two.probe(batch), one.probe(batch)
    cancelled = biases_before_norm(theirs.gradients)  # the BatchNorm removes such a bias again
    for name in theirs.losses:
        yield _relative("loss", name, step, ours.losses[name], theirs.losses[name])
    for name, b in theirs.gradients.items():
        a = ours.gradients[name]
        if name in cancelled:
            yield Deviation("gradient", name, step, _largest(a, b), "absolute", NO_GRADIENT)
        else:
            yield _relative("gradient", name, step, a, b)


def _weights(one: Engine, two: Union[Engine, Several], step: int) -> Iterator[Deviation]:
    ours, theirs = (
        {f"{net}.{name}": array for net, arrays in _arrays(engine).items() for name, array in arrays.items()}
        for engine in (two, one)
    )
    cancelled = biases_before_norm(theirs)
    follow = {f"{norm}.running_mean" for norm in cancelled.values()}
    for name, b in theirs.items():
        a = ours[name]
        kind = "statistic" if "running" in name else "weight"
        if name in cancelled:  # Adam turns the rounding of its gradient into steps
            yield Deviation(kind, name, step, _largest(a, b), "absolute", LIMIT)
        elif name in follow:  # the mean of what such a bias was added to
            yield Deviation(kind, name, step, float(np.abs(a - b).max()), "absolute", LIMIT)
        else:
            yield _relative(kind, name, step, a, b)


def _arrays(engine: Union[Engine, Several]) -> dict[str, Mapping[str, np.ndarray]]:
    """The engine's weights, and those that spectral norm keeps beside netD's."""
    kept = engine.state().arrays.get("spectral")
    return {**engine.weights(), **({} if kept is None else {"spectral": kept})}


def _relative(kind: str, name: str, step: int, a: ArrayLike, b: ArrayLike) -> Deviation:
    return Deviation(kind, name, step, relative(a, b), "relative", LIMIT)


def _largest(a: np.ndarray, b: np.ndarray) -> float:
    return float(max(np.abs(a).max(), np.abs(b).max()))
