"""What the notebooks of examples/ share and isn't their lesson: the first cell, the size of a run, how figures look."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, TypeVar

import numpy as np

from mxgan import engines, plots
from mxgan.errors import MissingPackage, SettingError

T = TypeVar("T")

VARIABLE = "MXGAN_EXAMPLES"
SIZES = ("quick", "normal", "long")
NAMES = {"sklearn": "scikit-learn", "torch": "PyTorch"}
REAL, FAKE, GOOD, THIRD, GREY = plots.REAL, plots.FAKE, plots.GOOD, plots.THIRD, plots.GREY  # as in curves.png
NET_D, NET_G = plots.NET_D, plots.NET_G


class Missing(MissingPackage):
    """What a notebook needs isn't installed. A notebook shows the one line and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Course:
    """What a notebook found: its size, and the engines that train here, the one to prefer first."""

    size: str
    engines: tuple[str, ...]

    @property
    def engine(self) -> str:
        """The engine to train with."""
        return self.engines[0]

    def pick(self, quick: T, normal: T, long: T) -> T:
        """The value for this size. ``normal`` is what is committed, ``quick`` what the tests run."""
        return {"quick": quick, "normal": normal, "long": long}[self.size]


def begin(*packages: str) -> Course:
    """A notebook's first call: says its size and which engines it found, and sets the style of its figures.

    ``packages``: what it imports of the extra ``examples``, such as ``sklearn``. The engines are imported, each as it
    has to be: after that, ``import mxnet`` and ``import torch`` work. The environment variable MXGAN_EXAMPLES is the
    size, normal where it isn't set. From the next cell on, one that starts with ``%%mxnet`` or ``%%pytorch`` runs only
    where that engine is. Raises Missing, with the line to type, where a package is not installed.
    """
    size = os.environ.get(VARIABLE) or "normal"
    if size not in SIZES:
        raise SettingError(VARIABLE, size, f"one of {', '.join(SIZES)}")
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise Missing(f"this notebook needs {NAMES.get(package, package)}", "examples")
    found = tuple(name for name in engines.TRAINERS if _runs(name))
    if not found:
        raise Missing("this notebook trains, and neither MXNet nor PyTorch is installed", "examples")
    _set_style()
    _offer_magic(found)
    lines = dict(line.split(": ", 1) for line in engines.versions())
    names = [f"{engines.TITLES[name]} ({lines[name]})" for name in found]
    print(f"size: {size}\nengine: {' and '.join(names)}")
    return Course(size, found)


def picture(images: np.ndarray, columns: Optional[int] = None, zoom: int = 1) -> Any:
    """Faces, uint8 (n, h, w, 3), side by side as one PIL image, which a cell shows. ``zoom``: pixels a pixel."""
    from PIL import Image

    sheet = Image.fromarray(plots.grid(images, columns))
    return sheet.resize((sheet.width * zoom, sheet.height * zoom), Image.Resampling.NEAREST)


def rows(faces: Mapping[str, np.ndarray], face: float = 0.62) -> Any:
    """A figure of one row of faces for each label, which stands left of it. ``face``: a face's side in inches."""
    from matplotlib import pyplot as plt

    strips = {label: plots.grid(images, len(images), 1) for label, images in faces.items()}
    most = max(len(images) for images in faces.values())
    figure, axes = plt.subplots(len(strips), 1, figsize=(1.5 + face * most, face * 1.06 * len(strips)), squeeze=False)
    for ax, (label, strip) in zip(axes[:, 0], strips.items()):
        ax.imshow(strip, interpolation="nearest")
        ax.set_anchor("W")
        ax.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=8)
        ax.set(xticks=[], yticks=[], xlim=(-0.5, most * (strip.shape[0] - 1) + 0.5))
        ax.spines[:].set_visible(False)
        ax.grid(False)
    return figure


def smooth(values: Any, share: float = 1 / 40) -> np.ndarray:
    """A curve's centred running mean over a share of it, as in curves.png."""
    return plots.running_mean(np.asarray(values, float), share)


def _runs(engine: str) -> bool:
    try:
        engines.choose(engine, "cpu")
    except ImportError:
        return False
    return True


def _offer_magic(found: tuple[str, ...]) -> None:
    """``%%mxnet`` and ``%%pytorch``: such a line is taken off its cell, or the cell is a line that says why not."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return
    for transform in [one for one in shell.input_transformers_cleanup if isinstance(one, _OnlyWhere)]:
        shell.input_transformers_cleanup.remove(transform)
    shell.input_transformers_cleanup.append(_OnlyWhere(found))


@dataclass(frozen=True)
class _OnlyWhere:
    found: tuple[str, ...]

    def __call__(self, lines: list[str]) -> list[str]:
        """A cell's lines as they are to run."""
        name = lines[0].strip().removeprefix("%%") if lines and lines[0].startswith("%%") else ""
        if name not in engines.TRAINERS:
            return lines
        if name in self.found:
            return lines[1:]
        return [f"print({f'left out: {engines.TITLES[name]} is not installed here'!r})\n"]


def _set_style() -> None:
    """How every figure of the course looks."""
    from matplotlib import pyplot as plt

    plt.rcParams.update(
        {
            "figure.figsize": (7.2, 3.4),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "axes.prop_cycle": plt.cycler(color=[REAL, FAKE, GOOD, THIRD, GREY]),
        }
    )
