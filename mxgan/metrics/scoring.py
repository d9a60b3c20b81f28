"""Generated faces against real ones: all numbers of `mxgan evaluate`, each beside its floor."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np
from tqdm import tqdm

from mxgan import config, engines, plots, rng, sampling
from mxgan.errors import MxganError
from mxgan.faces import open_faces
from mxgan.metrics import extractors, fd, kid, msssim, nearest, prdc, reals, swd
from mxgan.metrics.report import Protocol, Report, Score, meaning

METRICS = ("fd", "kid", "swd", "prdc", "msssim")
OF_FEATURES = {"fd", "kid", "prdc"}
LEAST = {"fd": fd.LEAST, "kid": kid.LEAST, "swd": 1, "prdc": prdc.LEAST, "msssim": msssim.LEAST}  # faces of each kind
FEW = 1000  # faces; with fewer, small n decides most numbers
Say = Callable[[str], None]


@dataclass
class Side:
    """One of the two sets that are compared: what the metrics need of it, gathered as its images pass by."""

    metrics: Sequence[str]
    n: int
    seed: int
    features: Optional[np.ndarray] = None  # float32 (n, length)
    parts: list[dict[int, np.ndarray]] = field(default_factory=list)  # swd's patches
    pictures: list[np.ndarray] = field(default_factory=list)  # msssim's

    def watch(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Keep what is needed of all images, in batches of uint8 (·, S, S, 3), and hand them on."""
        seen = 0
        for images in batches:
            if "swd" in self.metrics:
                self.parts.append(swd.patches(images, self.seed, seen, swd.patches_per_image(self.n)))
            if "msssim" in self.metrics and seen < msssim.MOST:
                self.pictures.append(images)
            seen += len(images)
            yield images


def evaluate(
    weights: str | Path,
    data: Optional[str] = None,
    n: int = 4000,
    metrics: Sequence[str] = METRICS,
    extractor: str = "efficientnet-lite0",
    input_size: Optional[int] = None,
    inception_weights: Optional[str] = None,
    seed: int = 0,
    engine: str = "auto",
    ctx: str = "auto",
    picture: Optional[str | Path] = None,
    say: Say = lambda line: None,
    progress: bool = True,
) -> Report:
    """Score the generator in a weights file or run directory against the faces of ``data``.

    ``data`` None: what the run directory was trained on. Real faces are opened at the generator's size, fitted as the
    run's were (a file's: of the run that it lies in), else cropped. The first n pictures of ``seed`` meet n real faces
    that ``seed`` chooses, fewer of both where data has fewer; the floor is n of these against n others, or one half of
    the data against the other where it has no 2n. ``picture``: a PNG to write, the generated faces nearest to real
    ones beside these (`nearest`). ``say`` is told what was chosen; what makes numbers doubtful is warned of, and kept
    in the report.

    Raises MxganError for wishes that can't be met (each metric needs some faces), ImportError for missing packages.
    """
    clock = _Clock()
    needs_features = picture is not None or bool(OF_FEATURES & set(metrics))
    _check(metrics, n, picture)
    extractors.check_wish(extractor, input_size, inception_weights)
    data, fit, trained_on = _data(weights, data, say)
    generator = sampling.load_generator(weights, engine, ctx)
    network = _extractor(extractor, input_size, inception_weights, ctx) if needs_features else None
    faces = open_faces(data, generator.image_size, fit, progress)
    count = len(faces.images)
    protocol = Protocol(
        data, faces.fingerprint, generator.image_size, fit, min(n, count), min(n, count), min(n, count // 2), seed,
        *((network.name, network.input_size, network.resize) if network else ()),
    )  # fmt: skip
    warned = _warnings(protocol, metrics, n, count, network)
    if trained_on not in (None, faces.fingerprint):
        warned.append(f"{data} has changed since the run was trained on it")
    for line in warned:
        warnings.warn(line, stacklevel=2)
    clock.lap("start")

    chosen = reals.choose(faces, min(2 * n, count), seed)
    known = reals.features(chosen, network, progress) if network else None
    real, others, floor = _real_sides(chosen, known, protocol, metrics)
    clock.lap("real faces")
    fake = Side(metrics, protocol.n_fake, seed)
    passing = fake.watch(generator.batches(fake.n, seed))
    if network:
        fake.features = reals.collect(passing, fake.n, network, "generated faces", progress)
    else:
        for _ in reals.watched(passing, fake.n, "generated faces", progress):
            pass
    clock.lap("generated faces")

    scores = {}
    for metric in tqdm(metrics, desc="scores", dynamic_ncols=True, leave=False, disable=None if progress else True):
        values, floors = _measure(metric, real, fake), _measure(metric, floor, others)
        scores.update({name: Score(values[name], floors[name], meaning(name)[0]) for name in values})
        clock.lap(metric)
    if picture is not None:
        rows, near = nearest.find(fake.features, known)
        z = np.concatenate([rng.samples(seed, row, 1, generator.latent) for row in rows])
        plots.save_png(Path(picture), nearest.sheet(generator.generate(z), chosen.images(near)))
    file = str(sampling.weights_file(weights))
    return Report(file, generator.engine, protocol, scores, tuple(warned), clock.laps)


def _real_sides(
    chosen: reals.Chosen, known: Optional[np.ndarray], protocol: Protocol, metrics: Sequence[str]
) -> tuple[Side, Side, Side]:
    """Real faces to compare with; others, for the floor; and those that the others are compared with."""

    def side(first: int, n: int) -> Side:
        made = Side(metrics, n, protocol.seed, None if known is None else known[first : first + n])
        if {"swd", "msssim"} & set(metrics):
            for _ in made.watch(chosen.batches(first, n)):
                pass
        return made

    half = protocol.n_floor
    real = side(0, protocol.n_real)
    return real, side(half, half), real if half == protocol.n_real else side(0, half)


def _measure(metric: str, real: Side, fake: Side) -> dict[str, float]:
    """A metric's numbers by name."""
    if metric == "fd":
        return {"fd": fd.distance(fd.fit(real.features), fd.fit(fake.features))}
    if metric == "kid":
        return {"kid_e3": 1e3 * kid.distance(real.features, fake.features, real.seed)}
    if metric == "prdc":
        return prdc.prdc(real.features, fake.features)
    if metric == "msssim":
        return {"msssim": msssim.diversity(np.concatenate(fake.pictures))}
    levels = swd.distances(*(swd.project_patches(side.parts, side.seed) for side in (real, fake)))
    return {"swd": float(np.mean(list(levels.values()))), **{f"swd_{size}": value for size, value in levels.items()}}


def _check(metrics: Sequence[str], n: int, picture: Optional[str | Path]) -> None:
    """What can be refused before anything is opened."""
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown or not metrics or len(set(metrics)) < len(metrics):
        raise MxganError(f"metrics {','.join(metrics)!r}: some of {','.join(METRICS)}, each once")
    for metric in metrics:
        if n < LEAST[metric]:
            raise MxganError(f"n {n}: {metric} needs at least {LEAST[metric]} faces of each kind")
    if picture is not None:
        nearest.check_place(Path(picture))
    if picture is not None or "prdc" in metrics:
        prdc.searcher()


def _data(weights: str | Path, data: Optional[str], say: Say) -> tuple[str, str, Optional[str]]:
    """The faces to compare with, how they are fitted, and the fingerprint they should have, if one is known."""
    written = Path(weights) / "config.json"
    run = config.load(written) if written.exists() else None
    if data is not None:
        return data, (run or _run_beside(Path(weights))).fit, None
    if run is None:
        raise MxganError(f"{weights}: no run directory, so there are no faces to compare with; name some with --data")
    say(f"note: compared with what the run was trained on, --data {run.data}")
    return run.data, run.fit, config.trained_on(written)


def _run_beside(weights: Path) -> config.TrainConfig:
    """The run that a weights file lies in, or the defaults: a config.json beside it may be another program's."""
    try:
        return config.load(weights.parent / "config.json")
    except MxganError:
        return config.TrainConfig()


def _extractor(name: str, input_size: Optional[int], weights: Optional[str], ctx: str) -> Any:
    extractors.check(name, input_size, weights)
    return extractors.load(name, input_size, weights, engines.choose("pytorch", ctx, among=("pytorch",)).ctx)


def _warnings(protocol: Protocol, metrics: Sequence[str], n: int, count: int, network: Any) -> list[str]:
    """What small numbers of faces do to the scores. Raises MxganError where there are too few for a floor."""
    for metric in metrics:
        if count // 2 < LEAST[metric]:
            raise MxganError(
                f"{protocol.data}: {count} faces are too few: {metric} and its floor need {2 * LEAST[metric]}"
            )
    found = []
    if protocol.n_real < n:
        found.append(f"{protocol.data} has {count:,} faces: {count:,} of each kind are compared instead of {n:,}")
    enough = max(FEW, network.length + 1 if network and "fd" in metrics else 0)
    if protocol.n_floor < enough:
        found.append(
            f"fewer than {enough:,} faces a side: small n biases fd, swd and prdc; compare numbers of one n alone"
        )
    return found


class _Clock:
    """Seconds by what they went into."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self._last = round(now - self._last, 2), now
