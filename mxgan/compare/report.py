"""The report: report.html with everything in it, report.json with the numbers, and the pictures as PNGs."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mxgan import atomic, plots
from mxgan.engines import TITLES
from mxgan.words import counted

COLOURS = {"mxnet": "#1d4ed8", "pytorch": "#c2410c"}
TEMPLATE = Path(__file__).with_name("report.html")


def write(out: Path, report: Mapping[str, Any], pictures: Mapping[str, np.ndarray]) -> Path:
    """Write all files into the folder ``out`` and return report.html's path. Raises MxganError if that fails."""
    import jinja2

    out.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.png": _png(plots.grid(images)) for name, images in pictures.items()}
    files["losses.png"] = _losses(report["outcome"])
    files["drift.png"] = _drift(report["float32"])
    for name, data in files.items():
        atomic.write(out / name, data)
    atomic.write(out / "report.json", (json.dumps(_finite(report), indent=2) + "\n").encode())
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update({"power": _power, "counted": counted, "mb": lambda size: f"{size / 2**20:,.0f}"})
    html = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        report=report,
        titles=TITLES,
        images={name: "data:image/png;base64," + base64.b64encode(data).decode() for name, data in files.items()},
    )
    atomic.write(out / "report.html", html.encode())
    return out / "report.html"


def _power(value: float) -> str:
    """A number as people write it: 5.9e-13 as 5.9·10⁻¹³."""
    if not math.isfinite(value) or value == 0:
        return str(value) if value else "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    if -3 < int(exponent) < 4:
        return f"{value:.3g}"
    small = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    number = "" if mantissa == "1.0" else f"{mantissa}·"
    return f"{number}10{str(int(exponent)).translate(small)}"


def _finite(value: Any) -> Any:
    """The same value with None for NaN and infinity, which JSON lacks."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _png(image: np.ndarray) -> bytes:
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(image).save(data, format="PNG", optimize=True)
    return data.getvalue()


def _losses(runs: Mapping[str, Mapping[str, Any]]) -> bytes:
    """A PNG of both runs' losses and netD's verdicts, one drawn over the other."""
    figure, axes = _figure(2, 2)
    for place, key in zip(axes.flat, ("loss_d", "loss_g", "score_real", "score_fake")):
        for (name, run), style in zip(runs.items(), ("-", "--")):
            steps = [record["step"] for record in run["log"]]
            place.plot(steps, [record[key] for record in run["log"]], style, color=COLOURS[name], label=TITLES[name])
        place.set_title(key, loc="left", fontsize=10)
    axes.flat[0].legend(frameon=False)
    for place in axes[1]:
        place.set_ylim(0, 1)
        place.set_xlabel("step")
    return _drawn(figure)


def _drift(float32: Mapping[str, Any]) -> bytes:
    """A PNG of the distance between the engines' weights, and of the first engine's from its control run."""
    figure, axes = _figure(1, 2)
    for place, net in zip(axes.flat, ("netG", "netD")):
        for key, label, style, colour in (
            ("drift", "PyTorch from MXNet", "o-", COLOURS["pytorch"]),
            ("control", "MXNet from itself, one rounding away", "s--", COLOURS["mxnet"]),
        ):
            points = float32[key]
            place.plot(
                [p["step"] for p in points], [p[net] for p in points], style, color=colour, label=label, markersize=4
            )
        place.set_yscale("log")
        place.set_title(f"{net}: distance as a share of the way trained", loc="left", fontsize=10)
        place.set_xlabel("step")
    axes.flat[0].legend(frameon=False)
    return _drawn(figure)


def _figure(rows: int, columns: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.9 * rows), dpi=110, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for place in axes.flat:
        place.grid(alpha=0.25)
        place.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _drawn(figure: Any) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    data = io.BytesIO()
    FigureCanvasAgg(figure).print_png(data)
    return data.getvalue()
