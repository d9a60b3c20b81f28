"""Grids and curves, drawn without a display: Pillow for pictures, matplotlib's Agg canvas for plots."""

from __future__ import annotations

import gc
import io
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import atomic
from mxgan.errors import SettingError

REAL, FAKE, GOOD, THIRD, GREY = "#1d4ed8", "#c2410c", "#15803d", "#a21caf", "#6b7280"  # of faces, and of models
NET_D, NET_G = "#1f2937", "#db2777"  # of the two networks: their losses, and whatever else is theirs
LOSSES = {"loss_d": ("netD", NET_D), "loss_g": ("netG", NET_G)}
VERDICTS = {"score_real": ("score_real: real faces", REAL), "score_fake": ("score_fake: generated faces", FAKE)}
RATED = "Fréchet distance of form and colours"  # the score of the pictures


def grid(images: np.ndarray, columns: int | None = None, gap: int = 2) -> np.ndarray:
    """Images (n, h, w, 3) uint8 side by side on white, as nearly square as possible: one image, uint8 (H, W, 3)."""
    n, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = (gap + place * (side + gap) for place, side in zip(divmod(index, columns), (height, width)))
        sheet[top : top + height, left : left + width] = image
    return sheet


def captioned(image: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """A copy of a uint8 (h, w, 3) image with the first of the texts that it has room for, below on the left."""
    from PIL import Image, ImageDraw, ImageFont

    with _no_backend():
        import matplotlib
    font_file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    size = max(9, image.shape[0] // 36)
    font = ImageFont.truetype(str(font_file), size)
    drawing = Image.fromarray(image)
    pen = ImageDraw.Draw(drawing, "RGBA")
    edge = size // 3
    for text in texts:
        width = math.ceil(pen.textlength(text, font)) + 2 * edge
        if width <= image.shape[1] // 2:
            top = image.shape[0] - size - 2 * edge
            pen.rectangle((0, top, width, image.shape[0]), fill=(0, 0, 0, 170))
            pen.text((edge, image.shape[0] - edge), text, font=font, fill=(255, 255, 255), anchor="ls")
            break
    return np.asarray(drawing)


def save_png(path: Path, image: np.ndarray) -> None:
    """Write one uint8 (h, w, 3) image as a PNG; the same pixels give the same bytes."""
    atomic.write(path, png(image), flush=False)


def png(image: np.ndarray) -> bytes:
    """One uint8 (h, w, 3) image as the bytes of a PNG."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(image).save(data, format="PNG")
    return data.getvalue()


def check_place(setting: str, path: Path) -> None:
    """Raise SettingError if no PNG can be written to ``path``, the value of ``setting``; its folder may be missing."""
    if path.is_dir():
        raise SettingError(setting, str(path), "a folder is there; give a file's name, such as faces.png")
    if path.suffix.lower() != ".png":
        raise SettingError(setting, str(path), "pictures are written as .png; give a name that ends so")
    atomic.check_file(setting, path)


def save_curves(path: Path, log: Sequence[dict], best: Optional[int] = None) -> None:
    """Plot the losses, netD's verdicts and the pictures' scores, if any, from the records of log.jsonl, as a PNG.

    ``best``: the step to mark as the best.
    """
    with _no_backend():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    warnings = [record for record in log if "warning" in record]
    rated = [(record["step"], record["score"]) for record in log if "score" in record]
    figure = Figure(figsize=(9, 9.5 if rated else 6.5), dpi=110, layout="constrained")
    panels = figure.subplots(3 if rated else 2, 1, sharex=True)
    losses, verdicts = panels[:2]
    log = [record for record in log if "loss_d" in record]
    steps = [record["step"] for record in log]
    for axes, names, title in ((losses, LOSSES, "Loss"), (verdicts, VERDICTS, "netD's verdict: mean sigmoid(D(·))")):
        for key, (label, colour) in names.items():
            values = np.array([record[key] for record in log], float)
            axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
            axes.plot(steps, running_mean(values), color=colour, linewidth=1.6, label=label)
        axes.set_title(title, loc="left", fontsize=11)
    if rated:
        _draw_rated(panels[2], rated, best)
    for axes in panels:
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        for warning in warnings:
            axes.axvline(warning["step"], color=THIRD, linestyle="--", linewidth=1)
            place = {"xy": (warning["step"], 0.02), "xycoords": ("data", "axes fraction")}
            axes.annotate(f" {warning['kind']}", **place, color=THIRD)
        # above the axes, where no curve can be
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, ncols=2)
    losses.set_ylim(bottom=0)
    verdicts.set_ylim(0, 1)
    panels[-1].set_xlabel("step")
    data = io.BytesIO()
    FigureCanvasAgg(figure).print_png(data)
    atomic.write(path, data.getvalue())
    del figure, panels, losses, verdicts, axes
    gc.collect()  # a figure is 5 MB of reference cycles, which would pile up until Python's next collection


def _draw_rated(axes: Any, rated: Sequence[tuple[int, float]], best: Optional[int]) -> None:
    """The pictures' scores by step, that of step ``best`` marked."""
    steps, values = zip(*rated)
    line = {"color": GOOD, "clip_on": False}  # the marks at the edges are whole
    axes.plot(steps, values, marker=".", linewidth=1.6, label=RATED, **line)
    if best in steps:
        value = values[steps.index(best)]
        label = f"best: {value:.2f} at step {best}"
        axes.plot(best, value, "o", markersize=9, markerfacecolor="none", label=label, **line)
    axes.set_title("Score of the pictures (lower is better)", loc="left", fontsize=11)
    axes.set_ylim(bottom=0)


@contextmanager
def _no_backend() -> Iterator[None]:
    """Hide MPLBACKEND: no display is used here, and an unknown name would make matplotlib's import fail."""
    named = os.environ.pop("MPLBACKEND", None)
    try:
        yield
    finally:
        if named is not None:
            os.environ["MPLBACKEND"] = named


def running_mean(values: np.ndarray, share: float = 1 / 40) -> np.ndarray:
    """A centred running mean, float (n,), over a share of the curve, shorter at its ends."""
    half = int(len(values) * share / 2)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(values))
    return (sums[high] - sums[low]) / (high - low)
