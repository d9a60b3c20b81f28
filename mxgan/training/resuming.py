"""What may change when a run goes on, what makes it another run, and where exactness ends."""

from __future__ import annotations

import dataclasses
from typing import Any

from mxgan.config import TrainConfig, resolve
from mxgan.errors import MxganError

LENGTH = ("epochs", "steps")
FREE = (*LENGTH, "checkpoint_minutes")  # may change: the steps stay what they are
INEXACT = ("engine", "ctx", "threads")  # may change: the same mathematics, rounded elsewhere
BY_CONTENT = ("data",)  # the fingerprint decides, not the path


def changed(saved: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """The run's configuration with what the user asks for now; ``changes`` holds only what was asked for.

    Raises MxganError with the difference where that would make it another run.
    """
    differences = [
        f"{name}: the run has {getattr(saved, name)}, you asked for {value}"
        for name, value in changes.items()
        if name not in (*FREE, *INEXACT, *BY_CONTENT) and value != getattr(saved, name)
    ]
    if differences:
        raise MxganError(
            f"{'; '.join(differences)}: that is another run, start it anew with --out "
            f"(only {', '.join((*FREE, *INEXACT))} may change)"
        )
    if any(changes.get(name) is not None for name in LENGTH):
        changes = {**dict.fromkeys(LENGTH), **changes}  # a new length replaces the old one, in either unit
    return resolve(dataclasses.replace(saved, **changes))


def inexact(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Why the run goes on but not bit for bit: what the circumstances were, and are now; empty if it does."""
    return [
        f"{name}: {before.get(group, {}).get(name)} before, {value} now"
        for group in ("ran_on", "versions")
        for name, value in now[group].items()
        if value != before.get(group, {}).get(name)
    ]
