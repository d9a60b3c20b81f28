"""The run directory: everything a run makes, and nothing anywhere else.

config.json  log.jsonl  reals.png  skipped.txt  samples/000094.png  curves.png  netG.params  netD.params
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mxgan import atomic, plots
from mxgan.config import TrainConfig
from mxgan.engines import Weights
from mxgan.errors import MxganError
from mxgan.weights import params_file


def check_out(out: Optional[str]) -> None:
    """Raise MxganError if a run can't be made at ``out``: something is there, or it can't be written."""
    path = Path(out or "runs")
    if out is not None and path.exists():
        if not path.is_dir():
            raise MxganError(f"--out {out}: a file is there; give a new or an empty folder")
        if any(path.iterdir()):
            raise MxganError(f"--out {out}: the folder isn't empty; give a new one, or remove what is there")
    parent = path
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise MxganError(f"--out {out or 'runs'}: can't be written, since {parent} is no folder you may write to")


def create(config: TrainConfig) -> RunDir:
    """Make the directory of a new run: ``config.out``, or a new one under runs/ named by time and recipe."""
    check_out(config.out)
    name = Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{config.recipe}"
    candidates = [Path(config.out)] if config.out else [name, *(Path(f"{name}-{i}") for i in range(2, 1000))]
    for path in candidates:
        try:
            path.mkdir(parents=True, exist_ok=config.out is not None)
            (path / "samples").mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise MxganError(f"--out {path}: can't be made ({error.strerror})") from error
        return RunDir(path)
    raise MxganError(f"--out {candidates[0]}: another run has just been made there; give another folder")


@dataclass(frozen=True)
class RunDir:
    """The files of one run. Whole files are written atomically; log.jsonl grows a line at a time."""

    path: Path

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        """Write one JSON file, indented for people."""
        atomic.write(self.path / name, (json.dumps(value, indent=2) + "\n").encode())

    def write_lines(self, name: str, lines: list[str]) -> None:
        """Write one text file."""
        atomic.write(self.path / name, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))

    def append(self, record: dict[str, Any]) -> None:
        """Add one line to log.jsonl."""
        with open(self.path / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def log(self) -> list[dict[str, Any]]:
        """The records of log.jsonl, in order."""
        with open(self.path / "log.jsonl", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def save_reals(self, images: np.ndarray) -> None:
        """reals.png: training faces, uint8 NHWC, to lay beside the samples."""
        plots.save_png(self.path / "reals.png", plots.grid(images))

    def save_samples(self, step: int, images: np.ndarray) -> None:
        """samples/<step>.png: generated faces, uint8 NHWC, always of the same latents."""
        plots.save_png(self.path / "samples" / f"{step:06d}.png", plots.grid(images))

    def save_weights(self, weights: Weights) -> None:
        """netG.params and netD.params, as MXNet's own ``load_parameters`` reads them."""
        for name, arrays in weights.items():
            params_file.save(self.path / f"{name}.params", arrays)

    def save_curves(self) -> None:
        """curves.png from log.jsonl."""
        log = self.log()
        if log:
            plots.save_curves(self.path / "curves.png", log)
