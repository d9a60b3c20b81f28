"""Generated faces against real ones: all the numbers of `mxgan evaluate`, each with its floor."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import numpy as np
from tqdm import tqdm

from mxgan import atomic, config, engines, plots, rng, run_names, sampling
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.errors import MxganError, SettingError
from mxgan.faces import open_faces
from mxgan.graph import shapes
from mxgan.metrics import extractors, fd, kid, msssim, nearest, prdc, reals, swd
from mxgan.metrics.report import Protocol, Report, Score, meaning
from mxgan.pixels import on_white
from mxgan.words import counted

METRICS = ("fd", "kid", "swd", "prdc", "msssim")
OF_FEATURES = {"fd", "kid", "prdc"}
LEAST = {"fd": fd.LEAST, "kid": kid.LEAST, "swd": 1, "prdc": prdc.LEAST, "msssim": msssim.LEAST}  # faces of each kind
SIZED: dict[str, Callable[[int], bool]] = {  # metrics that halve the pictures, and the sizes that they can
    "swd": lambda size: size >= swd.COARSEST and size & (size - 1) == 0,
    "msssim": lambda size: size % msssim.SMALLEST == 0,
}
FEW = 1000  # faces: with fewer, most numbers depend on n more than on the faces
Say = Callable[[str], None]


@dataclass
class Side:
    """One of the two sets compared: what the metrics need of it, gathered as its images pass by."""

    metrics: Sequence[str]
    n: int
    seed: int
    found: Optional[np.ndarray] = None  # features, float32 (n, length); None where no metric needs them
    parts: list[dict[int, np.ndarray]] = field(default_factory=list)  # swd's patches
    pictures: list[np.ndarray] = field(default_factory=list)  # msssim's

    @property
    def features(self) -> np.ndarray:
        """The features, of a side that has them."""
        assert self.found is not None
        return self.found

    def watch(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Keep what the metrics need of all images, in batches of uint8 (·, S, S, 3), and pass the batches on."""
        seen = 0
        for images in batches:
            if "swd" in self.metrics:
                self.parts.append(swd.patches(images, self.seed, seen, swd.patches_per_image(self.n)))
            if "msssim" in self.metrics and seen < msssim.MOST:
                self.pictures.append(images)
            seen += len(images)
            yield images


@dataclass(frozen=True)
class EvalConfig:
    """What an evaluation is asked for; the report's Protocol says what was compared in the end."""

    data: Optional[str] = None  # the real faces; None: those that the run directory was trained on
    n: int = 4000  # generated faces, and as many real ones; fewer of both if data has fewer
    metrics: Sequence[str] = METRICS
    extractor: str = "efficientnet-lite0"
    input_size: Optional[int] = None  # pixels on a side that the extractor sees
    inception_weights: Optional[str] = None  # a file
    seed: int = 0  # of latents, of the choice of real faces, of subsets and projections
    engine: str = "auto"
    ctx: str = "auto"
    nearest: Optional[str | Path] = None  # a PNG to write: generated faces beside the real ones nearest to them
    wishes: Wishes = NONE  # what the user knows of the generator and its file doesn't say


def evaluate(weights: str | Path, asked: EvalConfig, say: Say = lambda line: None, progress: bool = True) -> Report:
    """Score the generator in a weights file or run directory against real faces.

    Real faces are opened at the generator's size. They are fitted as the run's were (for a file, the run it lies in),
    or cropped. The first n pictures of the seed, of a conditional generator with all labels in turn, are compared with
    n real faces that the seed chooses; what is transparent is shown on white, as in the real ones. The floor
    compares these n with n others, or one half of the data with the other if it has fewer than 2n. ``say`` is told
    what was chosen. Anything that makes the numbers doubtful is a warning, and is kept in the report.

    Raises MxganError for a wish that can't be met (each metric needs some faces), ImportError for missing packages.
    """
    clock = _Clock()
    _check(asked)
    extractors.check_wish(asked.extractor, asked.input_size, asked.inception_weights)
    weights = run_names.meant(weights)
    data, fit, unique, trained_on = _data(weights, asked.data, say)
    generator = sampling.load_generator(weights, asked.engine, asked.ctx, wishes=asked.wishes)
    assert generator.file is not None  # load_generator gives it
    _check_size(generator, asked)
    needs_features = asked.nearest is not None or bool(OF_FEATURES & set(asked.metrics))
    network = _extractor(asked) if needs_features else None
    faces = open_faces(data, generator.image_size, fit, progress, unique)
    n, seed, count = asked.n, asked.seed, len(faces.images)
    protocol = Protocol(
        data, faces.fingerprint, generator.image_size, fit, min(n, count), min(n, count), min(n, count // 2), seed,
        *((network.name, network.input_size, network.resize) if network else ()),
    )  # fmt: skip
    warned = _warnings(protocol, asked, count, network)
    if trained_on not in (None, faces.fingerprint):
        warned.append(f"{data} has changed since the run was trained on it")
    some = faces.images[:64]
    if _is_grey(generator) and (some != some[..., :1]).any():
        warned.append(f"the generator is grey and {data} is in colour, which every number counts")
    for line in warned:
        warnings.warn(line, stacklevel=2)
    clock.lap("start")

    chosen = reals.choose(faces, min(2 * n, count), seed)
    known = reals.features(chosen, network, progress) if network else None
    real, others, floor = _real_sides(chosen, known, protocol, asked.metrics)
    clock.lap("real faces")
    fake = Side(asked.metrics, protocol.n_fake, seed)
    labels, _ = sampling.labelled(generator, fake.n)
    passing = fake.watch(map(on_white, generator.batches(fake.n, seed, labels)))
    if network:
        fake.found = reals.collect(passing, fake.n, network, "generated faces", progress)
    else:
        for _ in reals.watched(passing, fake.n, "generated faces", progress):
            pass
    clock.lap("generated faces")

    scores = {}
    for metric in tqdm(
        asked.metrics, desc="scores", dynamic_ncols=True, leave=False, disable=None if progress else True
    ):
        values, floors = _measure(metric, real, fake), _measure(metric, floor, others)
        scores.update({name: Score(values[name], floors[name], meaning(name)[0]) for name in values})
        clock.lap(metric)
    if asked.nearest is not None and known is not None:
        rows, near = nearest.find(fake.features, known)
        z = np.concatenate([rng.samples(seed, row, 1, generator.latent, generator.uniform) for row in rows])
        shown = on_white(generator.generate(z, None if labels is None else labels[rows]))
        atomic.make_folder_of(asked.nearest)
        plots.save_png(Path(asked.nearest), nearest.sheet(shown, chosen.images(near)))
    return Report(str(generator.file), generator.engine, protocol, scores, tuple(warned), clock.laps)


def _real_sides(
    chosen: reals.Chosen, known: Optional[np.ndarray], protocol: Protocol, metrics: Sequence[str]
) -> tuple[Side, Side, Side]:
    """The real faces to compare with; for the floor, other real faces, and those that these are compared with."""

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


def _check(asked: EvalConfig) -> None:
    """Raise MxganError or MissingPackage for what can be refused before anything is opened."""
    metrics = asked.metrics
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown or not metrics or len(set(metrics)) < len(metrics):
        raise SettingError("metrics", ",".join(metrics), f"some of {','.join(METRICS)}, each once")
    for metric in metrics:
        if asked.n < LEAST[metric]:
            raise SettingError("n", asked.n, f"{metric} needs at least {LEAST[metric]} faces of each kind")
    if asked.nearest is not None:
        plots.check_place("nearest", Path(asked.nearest))
    if asked.nearest is not None or "prdc" in metrics:
        prdc.searcher()


def _check_size(generator: sampling.Generator, asked: EvalConfig) -> None:
    """Raise MxganError for pictures that can't be compared, or not by these metrics, with what to type instead."""
    height, width, _ = generator.shape
    if height != width:
        raise MxganError(f"{generator.file}: its pictures are {height}×{width}; evaluate compares square ones")
    fitting = [metric for metric in asked.metrics if SIZED.get(metric, lambda size: True)(height)]
    if len(fitting) < len(asked.metrics):
        unfit = " and ".join(metric for metric in asked.metrics if metric not in fitting)
        raise MxganError(
            f"{generator.file}: pictures of {height} pixels: {unfit} can't halve them often enough; "
            f"use --metrics {','.join(fitting) or 'fd,kid,prdc'}"
        )


def _is_grey(generator: sampling.Generator) -> bool:
    assert generator.read is not None  # load_generator gives it
    graph = generator.read.graph
    return shapes(graph)[graph.nodes[-1].name][0] == 1


def _data(weights: Path, data: Optional[str], say: Say) -> tuple[str, str, bool, Optional[str]]:
    """The faces to compare with, how they are fitted, without duplicates or with, and the fingerprint due or None."""
    written = weights / "config.json"
    run = config.load(written) if written.exists() else None
    if data is not None:
        return data, (run or _run_beside(weights)).fit, False, None
    if run is None:
        raise MxganError(
            f"{weights}: not a run directory, so there are no faces to compare with; name some with --data"
        )
    say(f"note: compared with what the run was trained on, --data {run.data}")
    return run.data, run.fit, run.unique, config.trained_on(written)


def _run_beside(weights: Path) -> config.TrainConfig:
    """The run that a weights file lies in, else the defaults: a config.json beside it may be another program's."""
    try:
        return config.load(weights.parent / "config.json")
    except MxganError:
        return config.TrainConfig()


def _extractor(asked: EvalConfig) -> extractors.Extractor:
    wish = asked.extractor, asked.input_size, asked.inception_weights
    extractors.check(*wish)
    return extractors.load(*wish, engines.choose("pytorch", asked.ctx, among=("pytorch",)).ctx)


def _warnings(protocol: Protocol, asked: EvalConfig, count: int, network: Optional[extractors.Extractor]) -> list[str]:
    """What small numbers of faces do to the scores. Raises MxganError if there are too few for a floor."""
    for metric in asked.metrics:
        if count // 2 < LEAST[metric]:
            raise MxganError(
                f"{protocol.data}: {counted(count, 'face')}, too few: {metric} and its floor need {2 * LEAST[metric]}"
            )
    found = []
    if protocol.n_real < asked.n:
        found.append(f"{protocol.data} has {count:,} faces: {count:,} of each kind are compared instead of {asked.n:,}")
    enough = max(FEW, network.length + 1 if network and "fd" in asked.metrics else 0)
    if protocol.n_floor < enough:
        found.append(
            f"fewer than {enough:,} faces a side: small n biases fd, swd and prdc; compare numbers of one n alone"
        )
    return found


class _Clock:
    """How many seconds each part took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self._last = round(now - self._last, 2), now
