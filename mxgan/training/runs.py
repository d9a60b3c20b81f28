"""What ran, how far, and how it ended: read from the run directories alone."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from mxgan import config as configuration
from mxgan.errors import MxganError
from mxgan.training import batches, checkpoint, log_file
from mxgan.training.run_dir import RunDir, is_running

COLUMNS = ("run", "recipe", "engine", "step", "age", "state")


def find(folder: Path) -> list[dict[str, Any]]:
    """A summary of every run directly in ``folder``, the newest first. Raises MxganError if there is no such folder."""
    if not folder.is_dir():
        raise MxganError(f"{folder}: no such folder; give the one your runs are in")
    found = [summary(entry) for entry in folder.iterdir() if (entry / "config.json").is_file()]
    return sorted(found, key=lambda run: run["age_s"])


def summary(path: Path) -> dict[str, Any]:
    """One run: path, recipe, engine, step, steps, age_s (since it last wrote), state and why.

    A run that is neither at work nor ended by itself was killed: it is ``stopped`` too. Raises MxganError if ``path``
    is no run directory.
    """
    run = RunDir(path)
    config = configuration.load(path / "config.json")
    written = run.read_json("config.json")
    state = run.read_json("state.json") if (path / "state.json").exists() else {}
    log = log_file.read(run.log)
    kept = checkpoint.steps(run.checkpoints)
    count = written.get("faces", {}).get("count")
    steps = config.steps or (config.epochs * batches.steps_per_epoch(count, config.batch_size) if count else None)
    ended = state.get("state") if state.get("state") in ("finished", "failed") else "stopped"
    return {
        "path": str(path),
        "recipe": config.recipe,
        "engine": written.get("ran_on", {}).get("engine"),
        "step": max([record["step"] for record in log[-1:]] + kept[-1:], default=0),
        "steps": steps,
        "age_s": round(time.time() - max(entry.stat().st_mtime for entry in path.iterdir()), 1),
        "state": "running" if is_running(run) else ended,
        "why": state.get("why"),
    }


def show(path: Path) -> dict[str, Any]:
    """`summary`, and the configuration, the checkpoints' steps, the last logged step and the warnings."""
    if not (path / "config.json").is_file():
        raise MxganError(f"{path}: no run directory (it has no config.json)")
    run = RunDir(path)
    log = log_file.read(run.log)
    return {
        **summary(path),
        "config": run.read_json("config.json"),
        "checkpoints": checkpoint.steps(run.checkpoints),
        "last": next((record for record in reversed(log) if "loss_d" in record), None),
        "warnings": [record for record in log if "warning" in record],
    }


def lines(summaries: list[dict[str, Any]], folder: Path) -> list[str]:
    """The summaries as a table."""
    if not summaries:
        return [f"no runs in {folder}"]
    rows = [COLUMNS] + [
        (
            Path(run["path"]).name,
            run["recipe"],
            str(run["engine"]),
            f"{run['step']}/{run['steps']}",
            age(run["age_s"]),
            run["state"],
        )
        for run in summaries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def show_lines(run: dict[str, Any]) -> list[str]:
    """What `show` gives, for people."""
    last = run["last"] or {}
    numbers = ", ".join(f"{name} {last[name]:.3f}" for name in ("loss_d", "loss_g", "score_real", "score_fake") if last)
    versions = ", ".join(f"{name} {version}" for name, version in run["config"].get("versions", {}).items())
    ran_on = ", ".join(f"{name} {value}" for name, value in run["config"].get("ran_on", {}).items())
    faces = run["config"].get("faces", {})
    said = [
        run["path"],
        f"  state        {run['state']}, step {run['step']}/{run['steps']}, last written {age(run['age_s'])} ago",
        f"  recipe       {run['recipe']}",
        f"  data         {run['config'].get('data')}: {faces.get('count')} faces, {faces.get('skipped')} skipped",
        f"  ran on       {ran_on}",
        f"  versions     {versions}",
        f"  checkpoints  {', '.join(map(str, run['checkpoints'])) or 'none'}",
        f"  last         {numbers or 'no step logged'}",
    ]
    said += [f"  warning      step {record['step']}: {record['warning']}" for record in run["warnings"]]
    if run["why"]:
        said.append(f"  why          {run['why']}")
    if run["state"] == "stopped":
        said.append(f"  to go on     mxgan train --resume {run['path']}")
    return said


def age(seconds: float) -> str:
    """Seconds as people say it: 40 s, 12 min, 3 h, 5 days."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{math.floor(seconds / length)} {unit}"
    return f"{math.floor(seconds)} s"
