"""What a run shows while it goes on: a bar on a terminal or in a notebook, plain lines anywhere else, on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Optional

from tqdm import tqdm

from mxgan.training import validation
from mxgan.training.cell import Cell, in_notebook

LINE_SECONDS = 10.0  # between two plain lines
WIDE = "{desc} {percentage:3.0f}%|{bar:16}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
NARROW = "{desc} {percentage:3.0f}% {n_fmt}/{total_fmt} {remaining} left{postfix}"
NARROWEST = "{percentage:3.0f}% {n_fmt}/{total_fmt} {remaining}{postfix}"


class Progress:
    """A bar with epoch, step, time left, score, losses and images/s; plain lines where stderr is no terminal.

    In a notebook all of it is one output of the cell.
    """

    def __init__(self, first: int, steps: int, epochs: int) -> None:
        self._steps, self._epochs = steps, epochs
        self._started, self._first, self._shown = time.monotonic(), first, 0.0
        self._warned: list[str] = []
        self._score: Optional[float] = None
        self._record: dict[str, Any] = {}  # the last
        self._bar: Optional[tqdm] = None
        self._cell = Cell(steps) if in_notebook() else None
        if self._cell is None and _is_terminal():
            self._bar = tqdm(total=steps, initial=first, bar_format=WIDE, dynamic_ncols=True, mininterval=0.5)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bar as it is: what is said from now on stands below it."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if self._cell is not None:
            self._cell.close()

    def show(self, record: dict[str, Any]) -> None:
        """One more step is done: ``record`` is its line of log.jsonl."""
        self._record = record
        if self._bar is not None:
            self._fit(self._bar, record)
            self._bar.update(1)
            return
        now, step = time.monotonic(), record["step"]
        if self._cell is not None:
            self._cell.show(step, self._line(record, now))
        elif now - self._shown >= LINE_SECONDS or step == self._steps:
            self._shown = now
            self.say(self._line(record, now))

    def scored(self, value: float) -> None:
        """The last score of the pictures: it stands before the other numbers from now on."""
        self._score = value
        if self._bar is not None and self._record:
            self._fit(self._bar, self._record)
            self._bar.refresh()
        if self._cell is not None and self._record:
            self._cell.show(self._record["step"], self._line(self._record, time.monotonic()))

    def warn(self, kind: str, line: str) -> None:
        """A warning: a line now, and its kind beside the numbers from now on."""
        if f"[{kind}]" not in self._warned:
            self._warned.append(f"[{kind}]")
        self.say(f"warning: {line}")

    def say(self, line: str) -> None:
        """One line for the user, above the bar if there is one."""
        if self._cell is not None:
            self._cell.say(line)
        elif self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def _line(self, record: dict[str, Any], now: float) -> str:
        """All of a step in one line."""
        step = record["step"]
        left = (now - self._started) / max(step - self._first, 1) * (self._steps - step)
        numbers = " ".join(_numbers(record, self._score))
        return f"{self._epoch(record)} step {step}/{self._steps} {numbers}, {tqdm.format_interval(left)} left"

    def _epoch(self, record: dict[str, Any]) -> str:
        return " ".join([*self._warned, f"epoch {record['epoch']}/{self._epochs}"])

    def _fit(self, bar: tqdm, record: dict[str, Any]) -> None:
        """Give the bar the richest text that its terminal has room for: tqdm would cut off the end of a longer one."""
        epoch, columns = self._epoch(record), _columns()
        state = {**bar.format_dict, "prefix": epoch, "ncols": None, "n": record["step"]}
        for bar.bar_format, numbers in _layouts(record, self._score):
            state.update(bar_format=bar.bar_format, postfix=numbers)
            if len(bar.format_meter(**state)) < columns:  # not all of them: some terminals would begin a new line
                break
        bar.set_description_str(epoch, refresh=False)
        bar.set_postfix_str(numbers, refresh=False)


def _numbers(record: dict[str, Any], score: Optional[float]) -> list[str]:
    """A step's numbers in words, the score of the pictures first."""
    return [
        *([] if score is None else [f"score {validation.shown(score)}"]),
        f"loss_d {record['loss_d']:.3f} loss_g {record['loss_g']:.3f}",
        f"score_real {record['score_real']:.2f} score_fake {record['score_fake']:.2f}",
        f"{record['images_per_s']:.0f} images/s",
    ]


def _layouts(record: dict[str, Any], score: Optional[float]) -> Iterator[tuple[str, str]]:
    """Layouts of the bar and the numbers in it, each shorter than the one before."""
    whole = _numbers(record, score)
    short = [
        *whole[:-3],
        f"loss {record['loss_d']:.2f} {record['loss_g']:.2f}",
        f"real {record['score_real']:.2f} fake {record['score_fake']:.2f}",
        f"{record['images_per_s']:.0f}/s",
    ]
    yield WIDE, " ".join(whole)
    yield NARROW, " ".join(whole)
    yield NARROWEST, " ".join(whole)
    yield NARROW, " ".join(short)
    for numbers in range(len(short), -1, -1):
        yield NARROWEST, " ".join(short[:numbers])


def _columns() -> int:
    """How wide the terminal is; 0: it says nothing, or has gone."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return 0


def _is_terminal() -> bool:
    """Is stderr a terminal with room for a bar? Some say that they have no columns."""
    return sys.stderr.isatty() and _columns() > 0
