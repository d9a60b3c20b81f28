"""Which weights file a run directory stands for."""

from __future__ import annotations

import os
from pathlib import Path

from mxgan.errors import MxganError

RUN_WEIGHTS = ("netG-best.params", "netG-ema.params", "netG.params")  # the first that exists is used


def weights_file(path: str | os.PathLike) -> Path:
    """``path`` itself; for a run directory its best generator, else the EMA, else the newest.

    Raises MxganError for a folder without any.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    for name in RUN_WEIGHTS:
        if (path / name).exists():
            return path / name
    if (path / "config.json").exists():
        raise MxganError(f"{path}: this run has no weights yet; they come with the end of its first epoch")
    raise MxganError(f"{path}: no netG.params in this folder; give a weights file or a run directory")
