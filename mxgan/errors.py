"""The few errors a caller may catch. Each message names the file or option, the value and the fix, in one line."""

from __future__ import annotations

import shlex
from typing import Optional

from mxgan import extras


class MxganError(ValueError):
    """The input was wrong: a file, a setting, a value. The command line prints it and exits 2."""


class SettingError(MxganError):
    """One setting makes no sense, or can't be had here. The command line and Python spell it each in their own way.

    ``setting``: its name in Python, as ``batch_size``. ``value``: what it was; ...: not to be shown. ``problem``: what
    is wrong, and the fix; ``shell``: the same in the command line's words, where those differ.
    """

    def __init__(self, setting: str, value: object, problem: str, shell: Optional[str] = None) -> None:
        super().__init__(setting, value, problem, shell)  # as they are: an error may be pickled
        self.setting, self.value, self.problem, self.shell = setting, value, problem, shell or problem

    def __str__(self) -> str:
        shown = "" if self.value is ... else f" {self.value!r}"
        return f"{self.setting}{shown}: {self.problem}"


class ParamsError(MxganError):
    """A weights file that can't be read, or whose arrays aren't the network they should be."""


class TrainingError(MxganError):
    """The run itself went wrong: non-finite numbers, no room for its last files; exit status 3."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or a notebook's stop button, ended a run after it had been saved. ``run``: what `mxgan.train` returns."""

    def __init__(self, message: str, run: object) -> None:
        super().__init__(message, run)
        self.run = run

    def __str__(self) -> str:
        return str(self.args[0])

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: where in the code a run was stopped tells its user nothing."""
        return [f"Interrupted: {self}"]


class MissingPackage(ImportError):
    """An optional package isn't installed; the message ends in the ``pip install`` to type."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what}: {extras.install_line(extra)}")


def in_shell(error: Exception) -> str:
    """An error's message in the command line's words: a wrong setting is the option as it is typed."""
    if not isinstance(error, SettingError):
        return str(error)
    shown = "" if error.value is ... else f" {shlex.quote(str(error.value))}"
    return f"{as_option(error.setting)}{shown}: {error.shell}"


def as_option(setting: str) -> str:
    """A setting's name as it is typed: ``--batch-size`` for ``batch_size``."""
    return f"--{setting.replace('_', '-')}"
