"""The few errors a caller may catch. Each message names the file or option, the value and the fix, in one line."""

from __future__ import annotations

from mxgan import extras


class MxganError(ValueError):
    """The input was wrong: a file, a setting, a value. The command line prints it and exits 2."""


class ParamsError(MxganError):
    """A weights file that can't be read, or whose arrays aren't the network they should be."""


class TrainingError(MxganError):
    """The run itself went wrong: non-finite numbers, no room for its last files; exit status 3."""


class MissingPackage(ImportError):
    """An optional package isn't installed; the message ends in the ``pip install`` to type."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what}: {extras.install_line(extra)}")
