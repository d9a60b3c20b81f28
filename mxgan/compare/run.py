"""The comparison from end to end: choose the engines, prove, train, time, write the report."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import __version__, engines, machine
from mxgan import config as configuration
from mxgan.compare import outcome, proof, report, speed
from mxgan.compare.worker import Worker
from mxgan.config import TrainConfig
from mxgan.errors import SettingError
from mxgan.faces import Faces, open_faces
from mxgan.training import run_dir, setup

ENGINES = ("mxnet", "pytorch")  # the second is measured against the first
STEPS = 30  # of training by default: minutes on two cores


@dataclass(frozen=True)
class Comparison:
    """The path of report.html, whether the engines are the same, and the contents of report.json."""

    path: Path
    passed: bool
    report: dict[str, Any]


def compare(
    config: TrainConfig, out: str, say: Callable[[str], None] = print, processes: Optional[int] = None
) -> Comparison:
    """Run both engines as ``config`` says, whatever its engine, and write the report into the folder ``out``.

    ``say`` is called with a line of progress now and then. ``processes``: prove also that so many of PyTorch's are one,
    where BatchNorm counts the faces of all (`docs/scale.md`).

    Raises MxganError or ImportError if an engine, the data or ``out`` can't be used; nothing is written then.
    """
    steps = config.steps or STEPS
    ctx = "cpu" if config.ctx == "auto" else config.ctx
    asked = engines.as_computed(dataclasses.replace(config, epochs=None, steps=steps), ctx)
    wanted = configuration.resolve(asked)
    run_dir.check_out(out)
    choices = _chosen(ctx, config)
    faces = open_faces(config.data, config.size, config.fit, unique=config.unique)
    if wanted.batch_size > len(faces.images):
        raise SettingError("batch_size", wanted.batch_size, setup.too_few(faces))

    say(f"float64: {proof.STEPS} steps of both engines, every tensor compared")
    deviations = proof.prove(wanted, faces.images, ENGINES, ctx, config.threads)
    worst = max(deviations, key=lambda one: one.share)
    say(f"float64: of {len(deviations)} numbers the worst is {worst}")
    apart = list[proof.Deviation]()
    if processes is not None:
        say(f"float64: {proof.STEPS} steps of {processes} processes and of one")
        apart = proof.prove_processes(wanted, faces.images, processes, ctx, config.threads)
        worst = max(apart, key=lambda one: one.share)
        say(f"float64: of {len(apart)} numbers the worst is {worst}")
    with ExitStack() as stack:
        workers = {choice.engine: stack.enter_context(Worker(choice, wanted)) for choice in choices}
        about = {name: worker.about for name, worker in workers.items()}
        observed = outcome.observe(wanted, steps, faces.images, workers, say)
    with ExitStack() as stack:  # fresh processes, whose peak memory is that of training and generating
        workers = {choice.engine: stack.enter_context(Worker(choice, wanted)) for choice in choices}
        speeds = speed.measure(wanted, steps, faces.images, workers, say)

    found = _report(asked, faces, about, deviations, observed, speeds)
    if processes is not None:
        found["processes"] = {"count": processes, **_proved(apart)}
        found["problems"] += [f"{processes} processes: {one}" for one in apart if not one.passed]
        found["passed"] = not found["problems"]
    return Comparison(report.write(Path(out), found, observed.pictures), found["passed"], found)


def _chosen(ctx: str, config: TrainConfig) -> list[engines.Choice]:
    """Both engines. Raises ImportError with what to install for each that isn't."""
    choices, missing = list[engines.Choice](), list[str]()
    for name in ENGINES:
        try:
            choices.append(engines.choose(name, ctx, config.threads))
        except ImportError as error:
            missing.append(str(error))
    if missing:
        raise ImportError(f"compare runs both engines: {'; '.join(missing)}")
    return choices


def _report(
    config: TrainConfig,
    faces: Faces,
    about: dict[str, dict[str, Any]],
    deviations: list[proof.Deviation],
    observed: outcome.Outcome,
    speeds: dict[str, Any],
) -> dict[str, Any]:
    """The contents of report.json; the README lists its keys."""
    same = observed.inference
    problems = [f"float64: {one}" for one in deviations if not one.passed]
    if not same["images"] < same["limit"]:
        problems.append(f"float32: images of the same weights {same['images']:.1e} apart, {same['limit']:.0e} allowed")
    if not same["grey_levels"] <= same["grey_limit"]:
        problems.append(
            f"pictures of the same weights {same['grey_levels']} grey levels apart, {same['grey_limit']} allowed"
        )
    return {
        "passed": not problems,
        "problems": problems,
        "config": configuration.to_json(config),
        "faces": {"count": len(faces.images), "fingerprint": faces.fingerprint},
        "engines": about,
        "machine": {
            "processor": machine.processor(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "mxgan": __version__,
        },
        "float64": {
            "steps": proof.STEPS,
            "ngf": proof.WIDTH,
            "ndf": proof.WIDTH,
            "batch_size": proof.BATCH,
            **_proved(deviations),
        },
        "float32": {
            "inference": observed.inference,
            "first_step": observed.first_step,
            "drift": observed.drift,
            "control": observed.control,
        },
        "speed": speeds,
        "outcome": observed.runs,
    }


def _proved(deviations: list[proof.Deviation]) -> dict[str, Any]:
    return {
        "worst": proof.worst_of_each(deviations),
        "deviations": [dataclasses.asdict(one) for one in deviations],
    }
