"""How published generators open with no option: right, wrong and told, wrong and silent, or refused."""

from __future__ import annotations

import json
import signal
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import pixels, sampling
from mxgan.errors import MxganError
from mxgan.graph import Graph, layers, shapes
from mxgan.graph.reading import Reading

LIMIT = 120  # seconds for one file
VERDICTS = ("right", "warned", "guessed", "told", "silent", "refused", "crash", "slow")
ARRAYS = ("netG.pth", "netG.params", "G-nosymbol.params")  # forms that hold arrays alone
SAID = ("scripted.pt", "traced.pt", "export-0000.params", "G-*.params", "netG.onnx")  # that say their graph
FOUND = ("activation", "eps", "stride", "end", "latents")
ACTIVE = (layers.Relu, layers.LeakyRelu, layers.Elu, layers.Selu, layers.Tanh, layers.Sigmoid)


@dataclass
class Opened:
    """What came of one file."""

    net: str
    form: str
    verdict: str  # of VERDICTS
    seconds: float
    conditional: bool
    apart: int = -1  # grey levels, at most; -1: no pictures of this shape
    latents: bool = True  # N(0, 1) or U(-1, 1) is told as it is
    guessed: bool = False  # a warning that its arrays don't say what was assumed
    alarm: bool = False  # any other warning, though the latents are drawn as they should be
    said: str = ""  # the source, what was assumed, what was warned of; or the error


def folders(root: Path, only: Optional[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Complete folders by name, each with its about.json."""
    names = sorted(path.parent.name for path in root.glob("*/about.json"))
    exact = [name for name in names if name == only]
    for name in exact or [name for name in names if only is None or only in name]:
        yield root / name, json.loads((root / name / "about.json").read_text())


def files_of(about: dict[str, Any], forms: Sequence[str]) -> list[tuple[str, str]]:
    """(file, form) of a folder; a checkpoint's form is without its epoch. A symbol isn't opened by itself."""
    found = []
    for file, state in sorted(about["forms"].items()):
        form = "G-EPOCH.params" if file.startswith("G-0") else file
        if state == "ok" and not file.endswith("-symbol.json") and (not forms or form in forms or file in forms):
            found.append((file, form))
    return found


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """TimeoutError when the time is up."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def opened(folder: Path, about: dict[str, Any], file: str, form: str, engine: str) -> tuple[Opened, Optional[Reading]]:
    """One file, opened as a user does it, and its pictures against the framework's."""
    row = Opened(folder.name, form, "refused", 0.0, bool(about["classes"]))
    start = time.perf_counter()
    reading = None
    try:
        with limited(LIMIT), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            generator = sampling.load_generator(folder / file, engine, "cpu")
            reading = generator.read
            row.seconds = time.perf_counter() - start
            row.apart = apart(generator, np.load(folder / "expected.npz"))
    except MxganError as error:
        row.said = str(error)
    except TimeoutError:
        row.verdict, row.said = "slow", f"more than {LIMIT} s"
    except Exception as error:  # any other is a fault to be found
        row.verdict, row.said = "crash", f"{type(error).__name__}: {error}"
    row.seconds = row.seconds or time.perf_counter() - start
    if reading is not None and row.verdict == "refused":
        row.latents = about["latents"] == ("uniform" if reading.uniform else "normal")
        row.guessed = reading.guessed and bool(reading.assumed)
        row.alarm = bool(reading.warnings) and row.latents
        row.verdict = "right" if 0 <= row.apart <= 1 else wrong_as(reading)
        row.said = "; ".join((reading.source, ", ".join(reading.assumed), *reading.warnings))
    row.said = row.said.replace(f"{folder}/", "").replace(str(folder), "")
    return row, reading if row.verdict != "crash" else None


def wrong_as(reading: Reading) -> str:
    """What a reading whose pictures are wrong counts as: by the strongest word that the user gets."""
    if reading.warnings:
        return "warned"
    if reading.cautions:
        return "guessed"
    return "told" if reading.assumed else "silent"


def apart(generator: sampling.Generator, expected: Any) -> int:
    """The largest difference from the framework's pictures, in grey levels; -1 where the shapes differ."""
    z, images = expected["z"].reshape(len(expected["z"]), -1), expected["images"]
    wanted = pixels.to_uint8(images * 2 - 1 if str(expected["range"]) == "sigmoid" else images)
    wanted = np.repeat(wanted, 3, axis=-1) if wanted.shape[-1] == 1 else wanted
    if (generator.latent, generator.shape) != (z.shape[1], wanted.shape[1:]):
        return -1
    if generator.classes is not None and "labels" not in expected:
        return -1
    labels = expected["labels"] if generator.classes is not None else None
    return int(np.abs(generator.generate(z, labels).astype(int) - wanted).max())


def settings(reading: Reading) -> dict[str, Any]:
    """What arrays alone don't say, of a reading: to compare with the true ones."""
    graph: Graph = reading.graph
    found = shapes(graph)
    kinds = [type(node.layer) for node in graph.nodes]
    last = max(i for i, kind in enumerate(kinds) if kind in (layers.Conv, layers.ConvTranspose))
    hidden, end = graph.nodes[:last], graph.nodes[last:]
    return {
        "activation": [str(node.layer) for node in hidden if isinstance(node.layer, ACTIVE)],
        "eps": [round(np.log10(node.layer.eps), 3) for node in hidden if isinstance(node.layer, layers.BatchNorm)],
        "stride": [found[n.name][1:] for n in hidden if isinstance(n.layer, (layers.Conv, layers.ConvTranspose))]
        + [found[graph.nodes[-1].name][1:]],
        "end": [str(node.layer) for node in end if isinstance(node.layer, ACTIVE)],
    }


def check(root: Path, forms: Sequence[str], only: Optional[str], engine: str, progress: Any) -> dict[str, Any]:
    """Every file's `Opened`, and for the nets that arrays alone left open, what of their settings was found."""
    rows: list[Opened] = []
    worked_out: dict[str, dict[str, bool]] = {}
    usual: dict[str, dict[str, bool]] = {}
    for folder, about in folders(root, only):
        readings = {}
        for file, form in files_of(about, forms):
            row, readings[file] = opened(folder, about, file, form, engine)
            rows.append(row)
            progress(row)
        mine = next((readings[file] for file in ARRAYS if readings.get(file)), None)
        if mine is not None and mine.source == "its arrays" and not about["classes"]:
            truth = true_settings(folder, about, engine)
            if truth is not None:
                found = {**settings(mine), "latents": mine.uniform}
                worked_out[folder.name] = {key: found[key] == truth[key] for key in FOUND}
                usual[folder.name] = {key: is_usual(key, truth[key]) for key in FOUND}
    return {"files": [asdict(row) for row in rows], "worked_out": worked_out, "usual": usual}


def true_settings(folder: Path, about: dict[str, Any], engine: str) -> Optional[dict[str, Any]]:
    """The settings by a form that says its graph, if one gives the right pictures."""
    for pattern in SAID:
        for path in sorted(folder.glob(pattern)):
            if path.name in ARRAYS or about["forms"].get(path.name) != "ok":
                continue
            row, reading = opened(folder, about, path.name, path.name, engine)
            if row.verdict == "right" and reading is not None:
                return {**settings(reading), "latents": about["latents"] == "uniform"}
    return None


def is_usual(key: str, value: Any) -> bool:
    """Whether a setting is what a DCGAN has."""
    if key == "activation":
        return set(value) == {str(layers.Relu())}
    if key == "eps":
        return set(value) <= {-5.0}
    if key == "end":
        return value == [str(layers.Tanh())]
    if key == "latents":
        return value is False
    return all(b == (2 * a[0], 2 * a[1]) for a, b in zip(value, value[1:]))


def table(result: dict[str, Any]) -> str:
    """The result as text."""
    rows = [Opened(**row) for row in result["files"]]
    lines = [
        f"{'form':18}{'nets':>5}" + "".join(f"{word:>9}" for word in VERDICTS) + "   false alarms   median s   max s"
    ]
    for form in [*sorted({row.form for row in rows}), None]:
        mine = [row for row in rows if form in (None, row.form)]
        counted = Counter(row.verdict for row in mine)
        alarms = sum(row.alarm and row.verdict == "right" for row in mine)
        seconds = [row.seconds for row in mine]
        lines.append(
            f"{form or 'all':18}{len(mine):5}"
            + "".join(f"{counted[word]:9}" for word in VERDICTS)
            + f"{alarms:15}{np.median(seconds):11.2f}{max(seconds):8.1f}"
        )
    lines.append(
        "wrong pictures: warned = with a warning that they may be, guessed = with one that the network was guessed, "
        "told = with an assumption that is said, silent = with none of these"
    )
    guessed = [row for row in rows if row.guessed]
    right = sum(row.verdict == "right" for row in guessed)
    lines.append(f"guessed, with a warning: {len(guessed)} files, {right} of them right")
    plain = [row for row in rows if not row.conditional]
    for title, of in (("all forms", plain), ("arrays alone", [row for row in plain if row.form in ARRAYS])):
        if of:
            right = sum(row.verdict == "right" for row in of)
            lines.append(f"unconditional, {title}: right {right} of {len(of)} ({100 * right / len(of):.0f} %)")
    lines += _worked_out(result)
    wrong_latents = sorted({row.net for row in rows if row.verdict == "right" and not row.latents})
    lines.append(f"right pictures, but latents of another kind are drawn: {', '.join(wrong_latents) or 'none'}")
    alarms = sorted({(row.net, row.form, row.said) for row in rows if row.alarm and row.verdict == "right"})
    lines += [f"  {net:24} {form:18} a false alarm       {said[:300]}" for net, form, said in alarms]
    for row in rows:
        if row.verdict != "right":
            apart_by = f"{row.apart} levels" if row.apart >= 0 else ""
            lines.append(f"  {row.net:24} {row.form:18} {row.verdict:8} {apart_by:10} {row.said[:300]}")
    return "\n".join(lines)


def _worked_out(result: dict[str, Any]) -> list[str]:
    """How often each setting was found, of all nets worked out and of those where it isn't a DCGAN's."""
    found, usual = result["worked_out"], result["usual"]
    lines = [f"settings found in the {len(found)} nets that had to be worked out (where it isn't a DCGAN's):"]
    for key in FOUND:
        rare = [name for name in found if not usual[name][key]]
        missed = [name for name in found if not found[name][key]]
        lines.append(
            f"  {key:11}{len(found) - len(missed):3} of {len(found):3}"
            f"   ({sum(found[name][key] for name in rare)} of {len(rare)})"
            f"   not in: {', '.join(missed) or 'none'}"
        )
    return lines if found else []
