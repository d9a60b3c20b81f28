"""How good a run's pictures are while it trains: one number at ends of epochs and of a finish, and which was the best.

The number is the Fréchet distance (`mxgan.metrics.fd`) of form and colours (`mxgan.metrics.form`) between pictures of
the same latents each time and as many of the run's own faces; lower is better. It takes NumPy and OpenCV alone, so
every engine has it, and puts states of a run in much the order that a trained network's features do
(benchmarks/quality.md). It knows the faces that the run learns from: for what holds of others, there is
`mxgan evaluate --data`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from mxgan import plots, rng
from mxgan.config import RunConfig
from mxgan.metrics import fd, form
from mxgan.metrics.fd import Gaussian

NAME = plots.RATED
COUNT = 1000  # pictures, and faces; fewer where the run has fewer
LEAST = 16  # faces; a distance to fewer says little about faces
BATCH = 64  # pictures made at once
TIE = 0.02  # scores at most so much above the lowest are as good: from one epoch to the next they move as far by chance
FINISH_TIE = 0.1  # at the end of a finish, whose gain the score doesn't see (benchmarks/quality.md)


@dataclass(frozen=True)
class Score:
    """How far the pictures were from the faces after ``step``; ``finish``: at the end of a run's finish."""

    step: int
    value: float
    finish: bool = False

    @property
    def tie(self) -> float:
        """How far above the lowest it is still as good, as a share of that."""
        return FINISH_TIE if self.finish else TIE


class Scorer:
    """Scores a generator against the first faces of the run's own order."""

    def __init__(self, config: RunConfig, images: np.ndarray) -> None:
        """``images``: the run's faces, uint8 NHWC."""
        self._config, self._images = config, images
        self._count = min(COUNT, len(images))
        self._real: Optional[Gaussian] = None  # the faces' side of the comparison, once it was needed

    def score(self, generate: Callable[[np.ndarray], np.ndarray]) -> float:
        """The score of what ``generate`` makes, uint8 NHWC, of float32 (64, latent); three decimals, as in the log."""
        seed, latent = self._config.seed, self._config.latent
        if self._real is None:
            order = rng.order(seed, 0, len(self._images))
            self._real = fd.fit(form.describe(self._images[order[: self._count]]))
        blocks = range(math.ceil(self._count / BATCH))
        made = np.concatenate([generate(rng.latents(seed, "score", block, BATCH, latent)) for block in blocks])
        return round(fd.distance(self._real, fd.fit(form.describe(made[: self._count]))), 3)


def shown(value: float) -> str:
    """A score as people are shown it, everywhere: two decimals, finer than what chance makes of it (`TIE`)."""
    return f"{value:.2f}"


def told(score: Score) -> str:
    """A score in words: the figure, when it was, what it is, and which way is better."""
    return f"score {shown(score.value)} at step {score.step} ({NAME}; lower is better)"


def is_due(step: int, every: int, per_epoch: int) -> bool:
    """Is the epoch that ends with ``step`` the first to end at or after a multiple of ``every`` steps? 0: never.

    It depends on these numbers alone, so that a resumed run scores the steps that an uninterrupted one does.
    """
    return every > 0 and step // every > (step - per_epoch) // every


def of(records: Iterable[dict[str, Any]]) -> list[Score]:
    """The scores among the records of a log, in its order."""
    scored = [record for record in records if type(record.get("score")) in (int, float)]
    found = [Score(record["step"], record["score"], record.get("finish") is True) for record in scored]
    return [score for score in found if -math.inf < score.value < math.inf]


def best(scores: Sequence[Score], until: Optional[int] = None) -> Optional[Score]:
    """The newest score, up to step ``until``, that is as good as the lowest (`Score.tie`); None if there is none.

    Where the score has come to rest other measures still improve (benchmarks/quality.md), so the newest is taken.
    """
    counted = [score for score in scores if until is None or score.step <= until]
    lowest = min((score.value for score in counted), default=0.0)
    good = [score for score in counted if score.value <= lowest * (1 + score.tie)]
    return max(good, key=lambda score: score.step, default=None)
