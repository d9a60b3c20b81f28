"""The run directory: everything a run makes, and nothing anywhere else.

config.json  state.json  log.jsonl  reals.png  skipped.txt  samples/000094.png  curves.png
netG.params  netD.params  netG-ema.params  netG-best.params  checkpoints/000094/  run.lock
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import filelock
import numpy as np

from mxgan import atomic, plots, run_names
from mxgan.config import TrainConfig
from mxgan.engines.protocol import Weights
from mxgan.errors import MxganError, SettingError
from mxgan.training import validation
from mxgan.training.checkpoint import flush_folder
from mxgan.training.log import read_log
from mxgan.weights import params_file

LOCK = "run.lock"
MENDED = "put a copy of it back, or begin a new run; the weights files beside it still work"
BEST = "netG-best"  # the weights of the best score
PATIENCE = 1.0  # seconds to wait for the lock: a status check holds it briefly
TEMPORARY = ".mxgan-*.tmp"
UNBORN = ("samples", "reals.png", "skipped.txt", LOCK)  # what a run killed before config.json, the last, leaves


@dataclass(frozen=True)
class RunDir:
    """The files of one run. Each is written whole or not at all."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def log(self) -> Path:
        """The log of the steps."""
        return self.path / "log.jsonl"

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        """Write one JSON file, indented for people."""
        atomic.write(self.path / name, (json.dumps(value, indent=2) + "\n").encode())

    def read_json(self, name: str) -> dict[str, Any]:
        """Read one JSON file. Raises MxganError, naming it, if it is missing or no JSON object."""
        try:
            value = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise MxganError(f"{self.path / name}: can't be read ({_why(error)}); {MENDED}") from error
        if not isinstance(value, dict):
            raise MxganError(f"{self.path / name}: not a JSON object; {MENDED}")
        return value

    def state(self) -> dict[str, Any]:
        """What state.json says of how the run goes: state, step, steps, pid, why; empty if nothing can be read."""
        try:
            return self.read_json("state.json")
        except MxganError:
            return {}

    def write_lines(self, name: str, lines: list[str]) -> None:
        """Write one text file."""
        atomic.write(self.path / name, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))

    def save_reals(self, images: np.ndarray) -> None:
        """reals.png: training faces, uint8 NHWC, to lay beside the samples."""
        plots.save_png(self.path / "reals.png", plots.grid(images))

    def save_samples(self, step: int, images: np.ndarray) -> None:
        """samples/<step>.png: generated faces, uint8 NHWC, always of the same latents."""
        plots.save_png(self.path / "samples" / f"{step:06d}.png", plots.grid(images))

    def save_weights(self, weights: Weights) -> None:
        """netG.params, netD.params, netG-ema.params, netG-best.params, as MXNet's ``load_parameters`` reads them."""
        for name, arrays in weights.items():
            params_file.save_params(self.path / f"{name}.params", arrays)

    def save_curves(self) -> None:
        """curves.png from log.jsonl."""
        records = read_log(self.log)
        if records:
            best = validation.best(validation.of(records))
            plots.save_curves(self.path / "curves.png", records, best.step if best else None)

    def remove_leftovers(self) -> None:
        """Remove the temporary files that a killed process of this run left behind."""
        for folder in (self.path, self.path / "samples"):
            for leftover in folder.glob(TEMPORARY):
                with contextlib.suppress(OSError):
                    leftover.unlink()


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    return "damaged: not JSON" if isinstance(error, json.JSONDecodeError) else "damaged"


def check_out(out: Optional[str]) -> None:
    """Raise MxganError if a run can't be made at ``out``: something is there, or it can't be written."""
    try:
        _check_out(out)
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise SettingError("out", out or "runs", f"can't be used ({error.strerror}); give another folder") from error


def _check_out(out: Optional[str]) -> None:
    if out == "":
        raise SettingError("out", out, "no name of a folder; leave it out for a new one under runs/")
    path = Path(out or run_names.RUNS)
    if out is not None and _exists(path):
        if not path.is_dir():
            raise SettingError("out", str(out), "a file is there; give a new or an empty folder")
        if (path / "config.json").exists():
            there, other = "a run is there; ", " goes on with it, another folder begins a new one"
            python, shell = f"mxgan.resume({str(out)!r})", f"train --resume {shlex.quote(str(out))}"
            raise SettingError("out", str(out), there + python + other, there + shell + other)
        if not all(entry.name in UNBORN or entry.match(TEMPORARY) for entry in path.iterdir()):
            raise SettingError("out", str(out), "the folder isn't empty; give a new one")
    obstacle = atomic.in_the_way(path)
    if obstacle is not None:
        raise SettingError("out", str(path), f"can't be written, since {obstacle} is not a folder you may write to")


def _exists(path: Path) -> bool:
    """Path.exists as it was before Python 3.14: of a name too long, say, it raises OSError."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def create(config: TrainConfig) -> RunDir:
    """Make the directory of a new run: ``config.out``, or a new one under runs/ named by time and recipe."""
    check_out(config.out)
    name = run_names.RUNS / f"{time.strftime('%Y%m%d-%H%M%S')}-{config.recipe}"
    candidates = [Path(config.out)] if config.out else [name, *(Path(f"{name}-{i}") for i in range(2, 1000))]
    for path in candidates:
        try:
            path.mkdir(parents=True, exist_ok=config.out is not None)
            (path / "samples").mkdir(exist_ok=config.out is not None)
            flush_folder(path.parent)
        except FileExistsError:
            continue
        except OSError as error:
            raise SettingError("out", str(path), f"can't be made ({error.strerror})") from error
        return RunDir(path)
    raise SettingError("out", str(candidates[0]), "another run has just been made there; give another folder")


def existing(path: str | os.PathLike) -> RunDir:
    """The run that ``path`` means: its folder, or its name (see `mxgan.run_names`).

    Raises MxganError, saying what is there instead, if there is none.
    """
    path = run_names.meant(path)
    if run_names.is_run(path):
        return RunDir(path)
    hint = run_names.did_you_mean(path)
    if not path.exists():
        listed = "; `mxgan runs` lists the runs under runs/, where names are looked for"
        raise MxganError(f"{path}: there is no such folder{hint or listed}")
    if not path.is_dir():
        raise MxganError(f"{path}: a file; give the folder of a run")
    if (path / LOCK).exists():
        raise MxganError(f"{path}: this run was stopped before its first step, so start it again with --out {path}")
    raise MxganError(f"{path}: not a run (it has no config.json){hint or '; give the folder of a run'}")


@contextlib.contextmanager
def locked(run: RunDir) -> Iterator[None]:
    """Hold the run for this process. Raises MxganError if another one has it.

    The operating system holds the lock, not the file's content: it is gone with the process, however that ended, and no
    later process of the same number can be mistaken for it.
    """
    lock = filelock.FileLock(run.path / LOCK, timeout=PATIENCE)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise MxganError(f"{run.path}: another process is training this run; stop it first") from error
    except OSError as error:
        raise MxganError(f"{run.path}: can't be written ({error.strerror})") from error
    try:
        yield
    finally:
        lock.release()


def is_running(run: RunDir) -> bool:
    """Is a process training this run now?"""
    if not (run.path / LOCK).exists():
        return False
    lock = filelock.FileLock(run.path / LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        return True
    except OSError:  # a folder that this user may only read: what it says has to do
        return run.state().get("state") == "running"
    lock.release()
    return False
