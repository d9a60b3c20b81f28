"""Run directories as a training leaves them, made without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mxgan.training.run_dir import RunDir

CONFIG = {
    "recipe": "mxgan", "data": "painted:640", "epochs": 10, "batch_size": 64,
    "faces": {"count": 640}, "ran_on": {"engine": "mxnet"},
}  # fmt: skip


def make(path: Path, steps: int = 0, **config: Any) -> RunDir:
    """A run of 100 steps that has come so far."""
    path.mkdir(parents=True)
    run = RunDir(path)
    run.write_json("config.json", {**CONFIG, **config})
    run.write_json("state.json", {"state": "running"})
    goes_on(run, 1, steps)
    return run


def goes_on(run: RunDir, first: int, last: int) -> None:
    """Log the steps from ``first`` to ``last``, with samples and a score at every tenth."""
    with open(run.log, "a", encoding="utf-8") as log:
        for step in range(first, last + 1):
            log.write(json.dumps(line(step)) + "\n")
            if step % 10 == 0:
                log.write(json.dumps({"step": step, "epoch": step // 10, "score": 100 / step}) + "\n")
    (run.path / "samples").mkdir(exist_ok=True)
    for step in range(first + -first % 10, last + 1, 10):
        run.save_samples(step, np.full((4, 8, 8, 3), step, np.uint8))


def line(step: int, **changed: Any) -> dict[str, Any]:
    numbers = {"loss_d": step / 2, "loss_g": 1.5, "score_real": 0.75, "score_fake": 0.25}
    return {"step": step, "epoch": 1, **numbers, "images_per_s": 100.0, "seconds": float(step), **changed}
