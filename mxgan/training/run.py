"""A run that has ended, as Python's callers get it; a notebook shows its samples and curves."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Optional

from mxgan.errors import MxganError
from mxgan.run_names import from_here
from mxgan.training import film, validation
from mxgan.training.log import read_log, rows
from mxgan.training.run_dir import RunDir
from mxgan.training.validation import Score
from mxgan.video import FPS, Video


@dataclass(frozen=True)
class Run:
    """A run that has ended: where it is, and how far it came.

    ``path`` is absolute in what `mxgan.train` returns, as a notebook may change its folder. What is in the folder is
    read when it is asked for; MxganError says where it is gone.

    ``stopped_by``: the signal that stopped it, as `signal.Signals`, which is a number too; 0: it finished.
    """

    path: Path
    step: int
    stopped_by: int = 0
    steps: int = 0  # planned

    def __fspath__(self) -> str:
        """A run is taken wherever its path is."""
        return str(self.path)

    @property
    def state(self) -> str:
        """``finished`` or ``stopped``, as state.json has it."""
        return "stopped" if self.stopped_by else "finished"

    @property
    def best(self) -> Optional[Score]:
        """The best score of its pictures, as its log says it; None if nothing was scored."""
        return validation.best(validation.of(read_log(self._there().log, key="score")))

    @property
    def log(self) -> list[dict[str, Any]]:
        """What its log says of each step, a dict with ``step`` and the numbers there are: rows for a data frame."""
        return rows(read_log(self._there().log))

    def video(
        self,
        out: str | PathLike[str] = "training.mp4",
        seconds: Optional[float] = None,
        fps: float = FPS,
        hold_last: float = film.HOLD,
    ) -> Video:
        """Write its samples as a video, as ``mxgan video`` does; as a cell's last line, a notebook plays it.

        Raises MxganError and MissingPackage as `mxgan.training.film.of_run` does.
        """
        return film.of_run(self._there(), Path(out), seconds, fps, hold_last)

    def _repr_html_(self) -> str:
        """What a notebook shows: how it went, the newest samples, the curves. The pictures are inside, not linked."""
        if not self.path.is_dir():  # a saved cell is shown again
            return f"<p>{html.escape(self._gone())}</p>"
        best = self.best
        score = "" if best is None else f"; best {validation.told(best)}"
        line = f"{from_here(self.path)}: {self.state} after step {self.step:,} of {max(self.step, self.steps):,}{score}"
        pictures = [*sorted((self.path / "samples").glob("*.png"), key=_number)[-1:], self.path / "curves.png"]
        return f"<p>{html.escape(line)}</p>" + "".join(map(_image, filter(Path.is_file, pictures)))

    def _there(self) -> RunDir:
        """Its folder. Raises MxganError where that is gone."""
        if not self.path.is_dir():
            raise MxganError(self._gone())
        return RunDir(self.path)

    def _gone(self) -> str:
        return f"{self.path}: the run's folder is not there any more"


def _number(sample: Path) -> int:
    return int(sample.stem) if sample.stem.isdigit() else -1


def _image(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    name = html.escape(path.name, quote=True)
    return f'<img src="data:image/png;base64,{data}" alt="{name}" title="{name}" style="max-width: 100%">'
