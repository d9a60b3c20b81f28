"""Small runs with the engine of `tiny_engine`, and whether two of them came to the same."""

from __future__ import annotations

import json
from pathlib import Path

import mxgan
from mxgan.training import checkpoint

TIMES = ("seconds", "images_per_s")


def train(faces: Path, out: Path, **settings) -> Path:
    """Train the tutorial on the 24 faces of the tests' folder, three steps an epoch; returns the run's folder."""
    tiny = {"recipe": "gluon-tutorial", "data": str(faces), "size": 32, "latent": 5, "batch_size": 8, "out": str(out)}
    return mxgan.train(mxgan.TrainConfig(**{**tiny, **settings})).path


def log(run: Path) -> list[dict]:
    """The log without what depends on the clock."""
    records = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return [{name: value for name, value in record.items() if name not in TIMES} for record in records]


def outcome(run: Path) -> dict:
    """What a run came to: its weights' and its last checkpoint's bytes, and its log."""
    last = run / "checkpoints" / f"{checkpoint.steps(run / 'checkpoints')[-1]:06d}"
    files = [*sorted(run.glob("*.params")), *sorted(last.glob("*.params"))]
    return {**{str(file.relative_to(run)): file.read_bytes() for file in files}, "log.jsonl": log(run)}


def scores(run) -> dict[int, float]:
    return {record["step"]: record["score"] for record in log(run) if "score" in record}


def kept(run) -> list[int]:
    return checkpoint.steps(run / "checkpoints")


def best_weights(run) -> bytes:
    return (run / "netG-best.params").read_bytes()


def checkpoints_weights(run, step: int, name: str = "netG") -> bytes:
    return (run / "checkpoints" / f"{step:06d}" / f"{name}.params").read_bytes()
