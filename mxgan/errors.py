"""The few errors a caller may catch. Each message names the file or option, the value and the fix, in one line.

Messages are written in the command line's words, as ``--engine pytorch``; Python's users read ``engine='pytorch'``.
"""

from __future__ import annotations

import re
import shlex
from typing import Optional

from mxgan import extras

CALLS = {  # commands that Python has too
    "mxgan train": "mxgan.train",
    "mxgan generate": "mxgan.load_generator",
    "mxgan weights inspect": "mxgan.inspect_weights",
    "mxgan weights convert": "mxgan.convert_weights",
}
IN_SHELL = " (in a shell)"
WISHES = "activation|output|eps|size|layout|symbol"  # the fields of mxgan.Wishes, which are options in a shell


class MxganError(ValueError):
    """The input was wrong: a file, a setting, a value. The command line prints it and exits 2."""

    def __str__(self) -> str:
        return in_python(super().__str__())


class Caution(UserWarning):
    """What may be wrong with pictures or numbers, though they can be had."""

    def __str__(self) -> str:
        return in_python(super().__str__())


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
        return f"{self.setting}{shown}: {in_python(self.problem)}"


class ParamsError(MxganError):
    """A weights file that can't be read, or whose arrays aren't the network they should be."""


class TrainingError(MxganError):
    """The run itself went wrong: non-finite numbers, no room for its last files; exit status 3."""


class Deserted(TrainingError):
    """Another process of this run is gone, and with it the step; the run is what its newest checkpoint is."""


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
        install = extras.install_line(extra)
        super().__init__(f"{what}: {install}")
        self._in_python = f"{in_python(what)}: {install}"

    def __str__(self) -> str:
        return self._in_python


def in_shell(error: Exception) -> str:
    """An error's or warning's message in the command line's words: a wrong setting is the option as it is typed."""
    if isinstance(error, SettingError):
        value = f"{error.value:g}" if isinstance(error.value, float) else str(error.value)
        shown = "" if error.value is ... else f" {shlex.quote(value)}"
        return f"{as_option(error.setting)}{shown}: {error.shell}"
    return str(error.args[0]) if isinstance(error, (MxganError, Caution, MissingPackage)) and error.args else str(error)


def in_python(text: str) -> str:
    """A message in Python's words: ``--engine pytorch`` is ``engine='pytorch'``.

    A command in backticks is the function that does the same; where there is none, it is said to be for a shell.
    """
    parts = text.split("`")
    for i in range(1, len(parts) - 1, 2):
        if parts[i] in CALLS:
            parts[i] = CALLS[parts[i]]
        elif parts[i].startswith("mxgan ") and not parts[i + 1].startswith(IN_SHELL):
            parts[i + 1] = IN_SHELL + parts[i + 1]
    for i in range(0, len(parts), 2):
        said = re.sub(r"(?<!\S)--(engine|ctx|names|metrics) (\w+(?:,\w+)*)", r"\1='\2'", parts[i])
        said = re.sub(r"(?<!\S)--([a-z]+) (\d+)", r"\1=\2", said)
        said = re.sub(rf"--(?:{WISHES})\b(?:(?:, | or )--(?:{WISHES})\b)*", _as_wishes, said)
        parts[i] = re.sub(r"(?<![^\s(])--([a-z]+(?:-[a-z]+)*)", lambda found: found[1].replace("-", "_"), said)
    return "`".join(parts)


def _as_wishes(found: re.Match[str]) -> str:
    return f"mxgan.Wishes({', '.join(f'{name}=...' for name in re.findall('[a-z]+', found[0]) if name != 'or')})"


def as_option(setting: str) -> str:
    """A setting's name as it is typed: ``--batch-size`` for ``batch_size``."""
    return f"--{setting.replace('_', '-')}"
