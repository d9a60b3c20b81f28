"""What ran, how far, and how it ended: read from the run directories alone."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from mxgan import config as configuration
from mxgan.errors import MxganError
from mxgan.run_names import did_you_mean, is_run, last_written, meant, name_of, newest_first
from mxgan.training import batches, checkpoint, resuming, validation
from mxgan.training.advice import shell
from mxgan.training.log import COLUMNS as COLUMNS_OF_LOG
from mxgan.training.log import last_record, read_log, rows
from mxgan.training.run_dir import RunDir, existing, is_running
from mxgan.words import counted

COLUMNS = ("run", "recipe", "engine", "step", "score", "age", "state")


def find(folder: Path) -> list[dict[str, Any]]:
    """A summary of every run directly in ``folder``, or of ``folder`` if it is one or a run's name, the newest first.

    Raises MxganError if there is no such folder.
    """
    folder = meant(folder)
    if not folder.is_dir():
        hint = did_you_mean(folder) or "; give the folder your runs are in"
        what = "a file" if folder.exists() else "no such folder"
        raise MxganError(f"{folder}: {what}{hint}")
    return list(map(summary_or_damage, newest_first(entry for entry in (folder, *folder.iterdir()) if is_run(entry))))


def summary(path: Path) -> dict[str, Any]:
    """One run: path, recipe, engine, step, steps, best (step and score), age_s (since it last wrote), state and why.

    A run that is neither at work nor ended by itself was killed: it is ``stopped`` too. Raises MxganError if ``path``
    is no run directory.
    """
    run = existing(path)
    return summed(run, last_record(run.log), validation.of(read_log(run.log, key="score")))


def summed(run: RunDir, logged: Optional[dict[str, Any]], scores: Sequence[validation.Score]) -> dict[str, Any]:
    """`summary` for one who has read the log already: its last record, if there is one, and its scores."""
    written = run.read_json("config.json")
    config = configuration.load(run.path / "config.json")
    state = run.state()
    count = resuming.part(written, "faces").get("count")
    steps = config.steps
    if steps is None and isinstance(count, int) and config.epochs and config.batch_size:
        steps = config.epochs * batches.steps_per_epoch(count, config.batch_size)
    ended = state.get("state") if state.get("state") in ("finished", "failed") else "stopped"
    return {
        "path": str(run.path),
        "recipe": config.recipe,
        "engine": resuming.part(written, "ran_on").get("engine"),
        "step": max([logged["step"] if logged else 0, *checkpoint.steps(run.checkpoints)]),
        "steps": steps,
        "best": _score(validation.best(scores)),
        "age_s": _age(run.path),
        "state": "running" if is_running(run) else ended,
        "why": state.get("why"),
    }


def show(path: Path) -> dict[str, Any]:
    """`summary`, and the configuration, the checkpoints' steps, the last logged step, the scores and the warnings."""
    run = existing(path)
    log = read_log(run.log)
    return {
        **summary(run.path),
        "config": run.read_json("config.json"),
        "checkpoints": checkpoint.steps(run.checkpoints),
        "last": next((record for record in reversed(log) if "loss_d" in record), None),
        "scores": [_score(one) for one in validation.of(log)],
        "warnings": [record for record in log if "warning" in record],
    }


def csv_text(path: Path) -> str:
    """The log of a run as CSV (RFC 4180, but for the plain line ends): the columns of `mxgan.training.log.rows`.

    Raises MxganError if ``path`` is no run directory.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS_OF_LOG, lineterminator="\n")
    table.writeheader()
    table.writerows(rows(read_log(existing(path).log)))
    return text.getvalue()


def summary_or_damage(path: Path) -> dict[str, Any]:
    """`summary`, also of a run whose files are damaged: its state is ``damaged``, and why says which one."""
    try:
        return summary(path)
    except MxganError as error:
        unknown = dict.fromkeys(("recipe", "engine", "step", "steps", "best"))
        return {"path": str(path), **unknown, "age_s": _age(path), "state": "damaged", "why": str(error)}


def _age(path: Path) -> float:
    return round(time.time() - last_written(path), 1)


def lines(summaries: list[dict[str, Any]], folder: Path) -> list[str]:
    """The summaries as a table. A run is named by the shortest word that commands take for it."""
    if not summaries:
        return [f"no runs in {folder}"]
    rows = [COLUMNS] + [
        (
            name_of(Path(run["path"])),
            run["recipe"] or "?",
            run["engine"] or "?",
            f"{_or_unknown(run['step'])}/{_or_unknown(run['steps'])}",
            validation.shown(run["best"]["score"]) if run["best"] else "-",
            age(run["age_s"]),
            run["state"],
        )
        for run in summaries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return table + [run["why"] for run in summaries if run["state"] == "damaged"]


def show_lines(run: dict[str, Any]) -> list[str]:
    """What `show` gives, for people."""
    last = run["last"] or {}
    numbers = ", ".join(f"{name} {last[name]:.3f}" for name in ("loss_d", "loss_g", "score_real", "score_fake") if last)
    versions, ran_on = (
        ", ".join(f"{name} {value}" for name, value in resuming.part(run["config"], group).items())
        for group in ("versions", "ran_on")
    )
    faces = resuming.part(run["config"], "faces")
    said = [
        run["path"],
        f"  state        {run['state']}, last written {age(run['age_s'])} ago",
        f"  step         {run['step']}/{_or_unknown(run['steps'])}",
        f"  recipe       {run['recipe']}",
        f"  data         {run['config'].get('data')}: {_faces(faces.get('count'))}, {faces.get('skipped')} skipped",
        f"  ran on       {ran_on}",
        f"  versions     {versions}",
        f"  checkpoints  {', '.join(map(str, run['checkpoints'])) or 'none'}",
        f"  last         {numbers or 'no step logged'}",
    ]
    if run["best"]:
        best, last = (
            f"{validation.shown(one['score'])} at step {one['step']}" for one in (run["best"], run["scores"][-1])
        )
        said.append(f"  score        best {best}, last {last}: {validation.NAME}; lower is better")
    for change in resuming.inexact_before(run["config"]):
        said.append(f"  not exact    after step {change['step']}: {'; '.join(change['because'])}")
    said += [f"  warning      step {record['step']}: {record['warning']}" for record in run["warnings"]]
    if run["why"]:
        said.append(f"  why          {run['why']}")
    if run["state"] == "stopped":
        said.append(f"  to go on     {shell().resume(run['path'])}")
    return said


def _score(one: Optional[validation.Score]) -> Optional[dict[str, Any]]:
    return {"step": one.step, "score": one.value} if one else None


def _faces(count: Any) -> str:
    return counted(count, "face") if isinstance(count, int) else f"{count} faces"


def _or_unknown(value: Any) -> str:
    return "?" if value is None else str(value)


def age(seconds: float) -> str:
    """Seconds as people say it: 40 s, 12 min, 3 h, 5 days."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{math.floor(seconds / length)} {unit}"
    return f"{math.floor(seconds)} s"
