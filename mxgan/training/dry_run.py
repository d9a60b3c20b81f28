"""What a run would be: everything is checked and decided as if it began, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Union

from mxgan import engines
from mxgan.config import TrainConfig, resolve, to_json
from mxgan.engines.protocol import Engine
from mxgan.faces import Faces, survey
from mxgan.training import resuming, run_dir, start
from mxgan.training.setup import Length


def of_train(config: TrainConfig) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The run that `mxgan.train` would make, as JSON values, and lines for the user. Raises MxganError as that does.

    The values are those of config.json, with ``epochs`` and ``steps`` both as numbers, the ``engine``, ``ctx`` and
    ``threads`` that were chosen, ``step`` (made already) and ``faces`` (count, skipped).
    """
    ready = start.prepared(config, survey)
    return _values(ready.config, ready.length, ready.engine, ready.faces, 0), ready.notes


def of_resume(path: Union[str, PathLike], changes: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`of_train` of a run that `mxgan.resume` would go on with."""
    plan = resuming.plan(run_dir.existing(Path(path)), dict(changes), survey)
    engine = engines.build(plan.choice, resolve(plan.config))
    if plan.saved:
        engine.load_state(plan.saved.state)
    return _values(plan.config, plan.length, engine, plan.faces, plan.step), plan.notes


def _values(config: TrainConfig, length: Length, engine: Engine, faces: Faces, step: int) -> dict[str, Any]:
    return {
        **to_json(config),
        "engine": engine.name,
        "ctx": engine.ctx,
        "threads": int(engine.threads) if engine.threads.isdecimal() else config.threads,
        "epochs": length.epochs,
        "steps": length.steps,
        "step": step,
        "faces": {"count": len(faces.images), "skipped": len(faces.skipped)},
    }
