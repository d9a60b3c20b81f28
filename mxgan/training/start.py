"""A run begins: `train` starts one, `resume` goes on exactly where one stopped. `loop` makes the steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from mxgan import config as configuration
from mxgan import engines
from mxgan.config import TrainConfig, resolve
from mxgan.engines.protocol import Engine, Weights
from mxgan.errors import ParamsError
from mxgan.faces import open_faces
from mxgan.training import checkpoint, loop, provenance, resuming, run_dir
from mxgan.training.log import Mark
from mxgan.training.loop import Run
from mxgan.training.setup import Setup, Start, length


def train(config: TrainConfig) -> Run:
    """Train as ``config`` says; everything made is in the run directory, whose path is returned.

    Raises MxganError before anything is written where the configuration, the data, the weights or the engine is wrong,
    and TrainingError where the run itself goes wrong.
    """
    run_dir.check_out(config.out)
    weights = _starting_weights(config)
    choice = engines.choose_trainer(config)
    faces = open_faces(config.data, config.size, config.fit, unique=config.unique)
    steps = length(config, faces)
    engine = engines.build(choice, resolve(config))
    _begin_with(weights, engine, config)

    run = run_dir.create(config)
    with run_dir.locked(run):
        run_dir.check_out(config.out)  # nobody has been faster
        run.remove_leftovers()  # of one that was killed here before it was a run
        written = {**configuration.to_json(config), **provenance.collect(engine, faces)}
        setup = Setup(resolve(config), run, faces, engine, steps, written)
        run.save_reals(setup.reals())
        if faces.skipped:
            run.write_lines("skipped.txt", [f"{skipped.path}: {skipped.reason}" for skipped in faces.skipped])
        run.write_json("config.json", written)  # the last: from here on it is a run, which can be resumed
        if weights:  # the file may change until a resume
            checkpoint.save(run.checkpoints, checkpoint.Checkpoint(0, engine.state(), Mark(), written))
        return loop.run(setup, Start(notes=(choice.line(config.ctx),)))


def resume(path: str | Path, changes: Optional[Mapping[str, Any]] = None) -> Run:
    """Go on with the run at ``path`` from its newest sound checkpoint, bit for bit as if it had never stopped.

    ``changes``: settings to change, by `TrainConfig`'s names. Raises MxganError with the difference where one of them,
    or the data, would make it another run; where the run isn't one, is at work, or has no sound checkpoint left.
    """
    run = run_dir.existing(Path(path))
    with run_dir.locked(run):
        plan = resuming.plan(run, dict(changes or {}))
        engine = engines.build(plan.choice, resolve(plan.config))
        if plan.saved:
            engine.load_state(plan.saved.state)
        else:
            _begin_with(_starting_weights(plan.config), engine, plan.config)
        written, notes = resuming.written(plan, provenance.collect(engine, plan.faces))
        run.remove_leftovers()
        run.write_json("config.json", written)
        setup = Setup(resolve(plan.config), run, plan.faces, engine, plan.length, written)
        return loop.run(setup, Start(plan.step, plan.saved.log if plan.saved else Mark(), notes))


def _starting_weights(config: TrainConfig) -> Weights:
    if config.weights is None:
        return {}
    from mxgan.weights import check_finite, load_net

    net = load_net(config.weights, "generator")
    check_finite(net, config.weights)
    return {"netG": net.arrays}


def _begin_with(weights: Weights, engine: Engine, config: TrainConfig) -> None:
    try:
        engine.load_weights(weights)
    except ParamsError as error:
        raise ParamsError(f"--weights {config.weights}: not this run's netG: {error}") from error
