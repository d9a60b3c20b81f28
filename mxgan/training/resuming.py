"""What may change when a run goes on, what makes it another run, and where exactness ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

from mxgan import engines
from mxgan.config import TrainConfig, filled, from_json, load, resolve, to_json
from mxgan.errors import MxganError, SettingError, as_option, in_shell
from mxgan.faces import Faces, open_faces
from mxgan.recipe import finish
from mxgan.recipe.finish import FinishPlan
from mxgan.training import board, checkpoint
from mxgan.training.checkpoint import Checkpoint
from mxgan.training.run_dir import RunDir
from mxgan.training.setup import Length, length

LENGTH = ("epochs", "steps")
# May change: the steps made so far stay what they are (but see `replanned`). evaluate_every decides which later steps
# are scored, and so what the log holds and which of the scored states is the best.
FREE = (*LENGTH, "finish", "checkpoint_minutes", "evaluate_every", "tensorboard")
INEXACT = ("engine", "ctx", "threads")  # may change: the same mathematics, rounded differently
BY_CONTENT = ("data",)  # the fingerprint decides, not the path
MAY_CHANGE = (*FREE, *INEXACT, *BY_CONTENT)


@dataclass(frozen=True)
class Plan:
    """How a run goes on."""

    config: TrainConfig  # from now on
    choice: engines.Choice
    faces: Faces
    length: Length
    saved: Optional[Checkpoint]  # what it goes on from; None: it begins anew
    finishes: tuple[FinishPlan, FinishPlan]  # of the run as its steps so far were made, and from now on
    before: dict[str, Any]  # config.json as it was
    failed: str  # a warning where the run failed before
    notes: tuple[str, ...]

    @property
    def step(self) -> int:
        """How many steps are made."""
        return self.saved.step if self.saved else 0


def plan(run: RunDir, changes: dict[str, Any], look: Callable[..., Faces] = open_faces) -> Plan:
    """How ``run`` goes on with ``changes``; nothing is written but what ``look`` writes, `open_faces` or `survey`.

    Raises MxganError as `mxgan.training.start.resume` says.
    """
    before, notes = run.read_json("config.json"), list[str]()
    config = changed(load(run.path / "config.json"), changes)
    if config.tensorboard:
        board.check()
    saved = checkpoint.newest(run.checkpoints, notes.append)
    if saved:
        check_same_run(before, saved.config)
    choice = engines.choose_trainer(as_it_ran(config, changes, before))
    faces = _same_faces(config, before, look)
    made, now = saved.step if saved else 0, length(config, faces)
    if now.steps < made:
        raise MxganError(
            f"{run.path}: the run is at step {made:,} already, past the {now.steps:,} asked for; "
            f"give --steps above {made:,}, or more --epochs"
        )
    then = from_json(saved.config) if saved else config
    if now.steps == made and config.finish not in (0, then.finish):
        raise SettingError(
            "finish", config.finish, f"all of the run's steps, {made}, are made; give more --steps for it"
        )
    state = run.state()
    failed = (
        f"warning: it failed before ({state.get('why')}) and will again unless something changes"
        if state.get("state") == "failed"
        else ""
    )
    finishes = finish.plan(resolve(then), length(then, faces).steps), finish.plan(resolve(config), now.steps)
    return Plan(config, choice, faces, now, saved, finishes, before, failed, tuple(notes))


def changed(saved: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """The run's configuration with what the user asks for now; ``changes`` holds only what was asked for.

    Raises MxganError with the difference where that would make it another run.
    """
    others = [name for name, value in changes.items() if name not in MAY_CHANGE and value != getattr(saved, name)]
    if others:
        told = (_another_run(saved, changes, others, spelled) for spelled in (str, as_option))
        raise SettingError(others[0], ..., *told)
    if any(changes.get(name) is not None for name in LENGTH):
        changes = {**dict.fromkeys(LENGTH), **changes}  # a new length replaces the old one, in either unit
    return filled(dataclasses.replace(saved, **changes))


def as_it_ran(config: TrainConfig, changes: dict[str, Any], written: dict[str, Any]) -> TrainConfig:
    """``config`` with the engine, ctx and threads that the run left open and has been computed with so far.

    Another machine, or another day, may choose otherwise, and then the run wouldn't go on bit for bit.
    ``written`` is the run's config.json.
    """
    ran_on = part(written, "ran_on")
    before = {"engine": ran_on.get("engine"), "ctx": ran_on.get("ctx"), "threads": _number(ran_on.get("threads"))}
    still_open: dict[str, Any] = {
        name: value
        for name, value in before.items()
        if value is not None and name not in changes and getattr(config, name) in ("auto", None)
    }
    if "engine" in changes:  # another engine may not run on that ctx: it chooses its own
        still_open.pop("ctx", None)
    return dataclasses.replace(config, **still_open)


def check_same_run(written: dict[str, Any], kept: dict[str, Any]) -> None:
    """Raise MxganError unless a checkpoint, made under the configuration ``kept``, is of the run that ``written`` says.

    Both are the values of config.json, now and then: somebody may have edited it, or copied a checkpoint into the run.
    """
    now, then = (from_json(values) for values in (written, kept))
    names = [field.name for field in dataclasses.fields(TrainConfig) if field.name not in (*MAY_CHANGE, "out")]
    pairs: dict[str, tuple[Any, Any]] = {name: (getattr(now, name), getattr(then, name)) for name in names}
    prints = [part(values, "faces").get("fingerprint") for values in (written, kept)]
    pairs["data"] = prints[0], prints[1]
    differences = [
        f"{name}: config.json has {one}, the checkpoint {other}" for name, (one, other) in pairs.items() if one != other
    ]
    if differences:
        raise MxganError(f"{'; '.join(differences)}: this checkpoint is another run's, or config.json was edited")


def inexact(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Why the run goes on but not bit for bit: what it was computed with, and is now; empty if nothing changed."""
    then = {group: part(before, group) for group in ("ran_on", "versions")}
    then["ran_on"] = {"processes": 1, **then["ran_on"]}  # older runs don't say it
    return [
        f"{name}: {known.get(name, 'none')} before, {value} now"
        for group, known in then.items()
        for name, value in now[group].items()
        if value != known.get(name)
    ]


def replanned(before: FinishPlan, now: FinishPlan, step: int) -> list[str]:
    """Why a run that goes on after ``step`` isn't the one it would be if planned so at first; empty if it is.

    Steps that were made as the run's finish stay made when the run becomes longer. So do steps that were made as usual
    when they would now be part of its finish.
    """
    if before == now or step < min(before.first, now.first):
        return []
    return [f"finish: {before} before, {now} now"]


def written(plan: Plan, now: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """config.json of the run as it goes on, computed with ``now``, and all that the user is told.

    Its ``inexact`` is a list of {step, because}: after which steps the run no longer went on bit for bit, and why.
    """
    because, notes = inexact(plan.before, now), list(plan.notes)
    if plan.step < plan.length.steps:
        because += replanned(*plan.finishes, plan.step)
    if because:
        notes.append(f"warning: from step {plan.step + 1} on not bit for bit the run it was ({'; '.join(because)})")
    if plan.failed:
        notes.append(plan.failed)
    notes.append(f"going on after step {plan.step}" if plan.saved else "no checkpoint yet: starting at the first step")
    new = [{"step": plan.step, "because": because}] if because else []
    return {**to_json(plan.config), **now, "inexact": [*inexact_before(plan.before), *new]}, tuple(notes)


def inexact_before(written: dict[str, Any]) -> list[dict[str, Any]]:
    """config.json's ``inexact``, without entries that someone has edited into something else."""
    found = written.get("inexact")
    return [
        one
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict)
        and type(one.get("step")) is int
        and isinstance(one.get("because"), list)
        and all(isinstance(reason, str) for reason in one["because"])
    ]


def part(values: dict[str, Any], name: str) -> dict[str, Any]:
    """One of config.json's groups of values; empty where it is missing or someone has edited it into something else."""
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _another_run(saved: TrainConfig, changes: dict[str, Any], others: list[str], spelled: Callable[[str], str]) -> str:
    """What is told of changes that make another run; the first one's name is left to the caller."""
    differences = [
        f"{spelled(name)}: the run has {_shown(getattr(saved, name))}, you asked for {_shown(changes[name])}"
        for name in others
    ]
    free, inexact = (", ".join(map(spelled, names)) for names in (FREE, INEXACT))
    told = "; ".join(differences).removeprefix(f"{spelled(others[0])}: ")
    return (
        f"{told}: that is another run, start it anew with another {spelled('out')} ({free} may change; {inexact} "
        "may change too, but the run is then no longer bit-exact)"
    )


def _shown(value: Any) -> Any:
    return "none" if value == "" else value


def _number(value: Any) -> Optional[int]:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and int(value) > 0 else None


def _same_faces(config: TrainConfig, written: dict[str, Any], look: Callable[..., Faces]) -> Faces:
    """The faces that the run began with. Raises MxganError if they aren't there, or are others."""
    try:
        faces = look(config.data, config.size, config.fit, unique=config.unique)
    except MxganError as error:
        raise MxganError(f"{in_shell(error)}; if the run's faces are elsewhere now, say where with --data") from error
    before = part(written, "faces")
    if faces.fingerprint not in ("", before.get("fingerprint")):  # empty: `survey` didn't look so far
        then = f"{before.get('count')} then, fingerprint {str(before.get('fingerprint'))[:8]}"
        now = f"{len(faces.images)} now, {faces.fingerprint[:8]}"
        told = (
            f"not the faces that the run began with ({then}; {now}): that is another run, begin it with another {{}}"
        ).format
        raise SettingError("data", faces.source, told("out"), told("--out"))
    return faces
