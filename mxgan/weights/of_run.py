"""Which weights file a run directory stands for."""

from __future__ import annotations

import os
from pathlib import Path

from mxgan import run_names
from mxgan.errors import MxganError, ParamsError

RUN_WEIGHTS = ("netG-best.params", "netG-ema.params", "netG.params")  # the first that exists is used


def weights_file(path: str | os.PathLike) -> Path:
    """``path`` itself; for a run directory, or a run's name, its best generator, else the EMA, else the newest.

    Raises MxganError for a folder without any, and for what is nearly a run's name.
    """
    path = run_names.meant(path)
    hint = run_names.did_you_mean(path)
    if not os.path.isdir(path):
        if hint and not os.path.exists(path):
            raise ParamsError(f"{path}: there is no such file or run{hint}")
        return path
    for name in RUN_WEIGHTS:
        if (path / name).exists():
            return path / name
    if run_names.is_run(path):
        raise MxganError(f"{path}: this run has no weights yet; they come with the end of its first epoch")
    raise MxganError(f"{path}: no netG.params in this folder{hint or '; give a weights file or a run directory'}")
