"""Which run a word means: a folder, a name that ``mxgan runs`` prints, or ``last``."""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from mxgan import checks
from mxgan.errors import MxganError

RUNS = Path("runs")  # where train makes its run directories
LAST = "last"
WRITTEN = ("config.json", "state.json", "log.jsonl", "netG.params", "checkpoints")  # as a run goes on


def meant(word: str | os.PathLike) -> Path:
    """The file or folder that ``word`` means, wherever a run may be given.

    What has this very path comes first, then the run of this name in runs/, then for ``last`` the newest run there, the
    first that ``mxgan runs`` lists. A word that means none of these is returned as a path.
    Raises MxganError for ``last`` where there is no run, and for what is no path.
    """
    path = Path(checks.as_path("path", word))
    if os.path.exists(path) or len(path.parts) != 1:
        return path
    if is_run(RUNS / path):
        return RUNS / path
    if path.name != LAST:
        return path
    if not _runs():
        raise MxganError(
            f"{LAST}: there is no run in {RUNS}/ yet, where alone it looks; give a path, or make one with `mxgan train`"
        )
    return newest_first(_runs())[0]


def name_of(run: Path) -> str:
    """The shortest word that means the run at this path, here and now."""
    return run.name if run.name not in ("", LAST) and meant(run.name) == run else str(run)


def from_here(path: Path) -> Path:
    """An absolute path as one types it here and now: relative to the current folder where it lies below that."""
    here = Path.cwd()
    return path.relative_to(here) if path != here and here in path.parents else path


def newest_first(runs: Iterable[Path]) -> list[Path]:
    """The runs by when they last wrote."""
    return sorted(runs, key=lambda run: (last_written(run), run), reverse=True)


def is_run(path: Path) -> bool:
    """Is there a run in this folder?"""
    return os.path.isfile(path / "config.json")


def last_written(run: Path) -> float:
    """When the run last wrote, in seconds since 1970; 0.0 if never. run.lock is ignored: reading a run touches it."""
    times = [0.0]
    for name in WRITTEN:
        with contextlib.suppress(OSError):
            times.append((run / name).stat().st_mtime)
    return max(times)


def did_you_mean(word: str | os.PathLike) -> str:
    """``; did you mean faces?`` for a word close to the name of a run in runs/, else nothing."""
    path = Path(word)
    if len(path.parts) == 1 and is_run(RUNS / path):
        return f"; did you mean {RUNS / path}?"  # something else has this very name
    close = difflib.get_close_matches(path.name, [run.name for run in _runs()], n=1)
    return f"; did you mean {name_of(RUNS / close[0])}?" if close else ""


def _runs() -> list[Path]:
    try:
        return [entry for entry in RUNS.iterdir() if is_run(entry)]
    except OSError:
        return []
