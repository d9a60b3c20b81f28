"""A label as a one-hot vector beside the latents: how a reader of graphs tells it from other inputs."""

from __future__ import annotations

import re

MOST_CLASSES = 1000  # of a one-hot label that is named as one; ...
MOST_UNNAMED = 200  # ... of one that isn't
_LABEL = re.compile(r"^[yc]$|label|class|one_?hot|cond|digit", re.IGNORECASE)
_NO_LABEL = re.compile(r"^z|noise|latent|text|caption|style|feature|image", re.IGNORECASE)


def is_named(name: str) -> bool:
    """Whether an input's name says that it is a label."""
    return bool(_LABEL.search(name)) and not _NO_LABEL.search(name)


def label_place(names: tuple[str, str]) -> int:
    """Which of a generator's two vectors is the label: the one whose name says so, else the second."""
    return 0 if is_named(names[0]) and not is_named(names[1]) else 1


def can_be(name: str, classes: int, latent: int) -> bool:
    """Whether a vector of ``classes`` numbers beside ``latent`` latents can be a one-hot label."""
    most = MOST_CLASSES if is_named(name) else min(MOST_UNNAMED, latent - 1)
    return 2 <= classes <= most and not _NO_LABEL.search(name)
