"""Signs that a GAN has stopped learning, read off the numbers every run has.

D winning outright: when netD tells real from fake without a doubt (score_real near 1, score_fake near 0), netG's
gradient says little about what to change (Arjovsky & Bottou 2017, arXiv:1701.04862). Some such steps in a row are
usual, above all at the start; a mean of 0.99 and 0.01 over 200 steps leaves room for no batch that netG won.

Collapse: the samples come from fixed, different latents. If their pictures become one another, netG no longer listens
to its latent. Measured as the mean squared difference between two samples over that between two real faces: a
generator that has learned is near 1, and below 0.1 what differs is a tenth of that, by eye variations of one picture.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Optional

import numpy as np

STEPS = 200  # the scores are averaged over this many steps
SURE_REAL, SURE_FAKE = 0.99, 0.01
AGAIN = 1000  # steps before the same warning is given again
YOUNG = 1000  # steps until netG should have learned to vary
SAME = 0.1  # of the real faces' spread: below, the samples are variations of one picture


def d_wins(recent: Collection[dict[str, Any]]) -> Optional[str]:
    """A warning if netD has won outright over ``recent``, the log's records of the last `STEPS` steps, else None."""
    if len(recent) < STEPS:
        return None
    real, fake = (float(np.mean([record[name] for record in recent])) for name in ("score_real", "score_fake"))
    if real > SURE_REAL and fake < SURE_FAKE:
        return (
            f"netD has won: over the last {STEPS} steps score_real is {real:.3f} and score_fake {fake:.3f}, so netG "
            "learns next to nothing; a smaller ndf or more faces may help"
        )
    return None


def spread(images: np.ndarray) -> float:
    """Mean squared difference between two images of uint8 (n, h, w, c), in grey levels squared; of one alone, 0."""
    n = len(images)
    if n == 1:
        return 0.0
    # E|a - b|² over pairs is twice the variance; n/(n-1) leaves out an image with itself
    return float(2 * np.var(images.astype(np.float32), axis=0).mean() * n / (n - 1))


def variety(samples: np.ndarray, reals: np.ndarray) -> float:
    """How much the samples differ from one another, as a share of how much real faces do: 0 is one picture.

    To four decimals, as the log has it: a resumed run reads it there.
    """
    return round(spread(samples) / max(spread(reals), 1.0), 4)


def collapsed(varieties: Sequence[tuple[int, float]]) -> Optional[str]:
    """A warning if the samples have become one another, from (step, `variety`) so far, in order; else None.

    A young netG paints everything grey, so a low variety counts from step `YOUNG` on, or once it was twice as high.
    """
    step, now = varieties[-1]
    learned = step >= YOUNG or max(value for _, value in varieties) >= 2 * SAME
    if now < SAME and learned:
        return (
            f"netG has collapsed: its samples differ {now:.3f} times as much as real faces do (below {SAME} they are "
            "one picture); earlier checkpoints and samples/ may be better, a new seed may not collapse"
        )
    return None
