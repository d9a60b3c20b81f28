"""What may change when a run goes on, what makes it another run, and where exactness ends."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

from mxgan.config import TrainConfig, from_json, resolve, to_json
from mxgan.errors import MxganError
from mxgan.recipe import finish

LENGTH = ("epochs", "steps")
# may change: the steps made stay what they are, and the run the same, but for `replanned`. evaluate_every decides which
# steps after the resume are scored, so the log and what counts as best, which is always the best of those scored.
FREE = (*LENGTH, "finish", "checkpoint_minutes", "evaluate_every")
INEXACT = ("engine", "ctx", "threads")  # may change: the same mathematics, rounded elsewhere
BY_CONTENT = ("data",)  # the fingerprint decides, not the path
MAY_CHANGE = (*FREE, *INEXACT, *BY_CONTENT)


def changed(saved: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """The run's configuration with what the user asks for now; ``changes`` holds only what was asked for.

    Raises MxganError with the difference where that would make it another run.
    """
    saved = resolve(saved)  # a version of mxgan that lacked a setting hasn't written its value
    differences = [
        f"{name}: the run has {_shown(getattr(saved, name))}, you asked for {_shown(value)}"
        for name, value in changes.items()
        if name not in MAY_CHANGE and value != getattr(saved, name)
    ]
    if differences:
        raise MxganError(
            f"{'; '.join(differences)}: that is another run, start it anew with --out ({', '.join(FREE)} may change, "
            f"and {', '.join(INEXACT)} where exactness may end)"
        )
    if any(changes.get(name) is not None for name in LENGTH):
        changes = {**dict.fromkeys(LENGTH), **changes}  # a new length replaces the old one, in either unit
    return resolve(dataclasses.replace(saved, **changes))


def as_it_ran(config: TrainConfig, changes: dict[str, Any], written: dict[str, Any]) -> TrainConfig:
    """``config`` with the engine, ctx and threads that the run left open and has been computed with so far.

    Another machine, or another day, may choose otherwise, and then the run wouldn't go on bit for bit.
    ``written`` is the run's config.json.
    """
    ran_on = part(written, "ran_on")
    before = {"engine": ran_on.get("engine"), "ctx": ran_on.get("ctx"), "threads": _number(ran_on.get("threads"))}
    still_open = {
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
    now, then = (resolve(from_json(values)) for values in (written, kept))
    names = [field.name for field in dataclasses.fields(TrainConfig) if field.name not in (*MAY_CHANGE, "out")]
    pairs = {name: (getattr(now, name), getattr(then, name)) for name in names}
    pairs["data"] = tuple(part(values, "faces").get("fingerprint") for values in (written, kept))
    differences = [
        f"{name}: config.json has {now}, the checkpoint {then}" for name, (now, then) in pairs.items() if now != then
    ]
    if differences:
        raise MxganError(f"{'; '.join(differences)}: this checkpoint is another run's, or config.json was edited")


def inexact(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Why the run goes on but not bit for bit: what the circumstances were, and are now; empty if it does."""
    return [
        f"{name}: {part(before, group).get(name, 'none')} before, {value} now"
        for group in ("ran_on", "versions")
        for name, value in now[group].items()
        if value != part(before, group).get(name)
    ]


def replanned(before: tuple[TrainConfig, int], now: tuple[TrainConfig, int], step: int) -> list[str]:
    """Why a run that goes on after ``step`` isn't the one that it would be if planned so at first; empty if it is.

    ``before`` and ``now``: its resolved configuration and number of steps, when it came to ``step`` and now. Steps that
    were made as the run's end (`mxgan.recipe.finish`) stay made when it becomes longer, and those made as usual do when
    more of them are to be its end.
    """
    first, steps = finish.begins(*before), before[1]
    first_now, steps_now = finish.begins(*now), now[1]
    if (first, steps) == (first_now, steps_now) or step < min(first, first_now):
        return []
    was, is_now = (f"steps {a} to {b}" if a <= b else "none" for a, b in ((first, steps), (first_now, steps_now)))
    return [f"finish: {was} before, {is_now} now"]


def written(
    config: TrainConfig, before: dict[str, Any], now: dict[str, Any], step: int, because: list[str]
) -> dict[str, Any]:
    """config.json of a run that goes on after ``step`` in the circumstances ``now``; ``before`` is what it was.

    Its ``inexact`` is a list of {step, because}: after which steps the run no longer went on bit for bit, and why.
    """
    new = [{"step": step, "because": because}] if because else []
    return {**to_json(config), **now, "inexact": [*inexact_before(before), *new]}


def inexact_before(written: dict[str, Any]) -> list[dict[str, Any]]:
    """config.json's ``inexact``, less what somebody made something else of."""
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
    """One of config.json's groups of values; empty where it is missing or somebody made something else of it."""
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _shown(value: Any) -> Any:
    return "none" if value == "" else value


def _number(value: Any) -> Optional[int]:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and int(value) > 0 else None
