"""Which weights file a run directory, or the name of the generator that ships with mxgan, stands for."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from mxgan import pretrained, run_names
from mxgan.errors import MxganError, ParamsError

RUN_WEIGHTS = ("netG-best.params", "netG-ema.params", "netG.params")  # the first that exists is used


def has_weights(run: Path) -> bool:
    """Whether a run directory holds a generator yet: the first comes with the end of its first epoch."""
    return any((run / name).exists() for name in RUN_WEIGHTS)


def weights_file(path: str | os.PathLike) -> Path:
    """``path`` itself; for a run directory, or a run's name, its best generator, else the EMA, else the newest.

    ``painted`` is the generator that ships with mxgan. A file or run of that name comes first, with a warning.
    Raises MxganError for a folder without any, and for what is nearly a run's name.
    """
    word, path = path, run_names.meant(path)
    if os.fspath(word) == pretrained.PAINTED:
        if not os.path.exists(path):
            return pretrained.painted()
        text = f"{path}: this is taken; mxgan's own generator has this name too: rename yours to use it"
        warnings.warn(text, stacklevel=3)
    hint = run_names.did_you_mean(path)
    if not os.path.isdir(path):
        if not os.path.exists(path) and (hint or not path.suffix):  # a run has none, a weights file has
            raise ParamsError(f"{path}: there is no such file or run{hint}")
        return path
    for name in RUN_WEIGHTS:
        if (path / name).exists():
            return path / name
    if run_names.is_run(path):
        raise MxganError(f"{path}: this run has no weights yet; they come with the end of its first epoch")
    raise MxganError(f"{path}: no netG.params in this folder{hint or '; give a weights file or a run directory'}")
