"""What a run shows while it goes on: a bar on a terminal, plain lines anywhere else. All of it on stderr."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any, Optional

from tqdm import tqdm

LINE_SECONDS = 10.0  # between two plain lines


class Progress:
    """A bar with epoch, step, losses, scores, images/s and time left; plain lines where stderr is no terminal."""

    def __init__(self, first: int, steps: int, epochs: int) -> None:
        self._steps, self._epochs = steps, epochs
        self._started, self._first, self._shown = time.monotonic(), first, 0.0
        self._warned: list[str] = []
        self._score = ""
        self._bar: Optional[tqdm] = None
        if _is_terminal():
            layout = "{desc} {percentage:3.0f}%|{bar:16}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]{postfix}"
            self._bar = tqdm(total=steps, initial=first, bar_format=layout, dynamic_ncols=True, mininterval=0.5)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, record: dict[str, Any]) -> None:
        """One more step is done: ``record`` is its line of log.jsonl."""
        numbers = (
            f"loss_d {record['loss_d']:.3f} loss_g {record['loss_g']:.3f} score_real {record['score_real']:.2f} "
            f"score_fake {record['score_fake']:.2f} {self._score}{record['images_per_s']:.0f} images/s"
        )
        epoch = " ".join([*self._warned, f"epoch {record['epoch']}/{self._epochs}"])
        if self._bar is not None:
            self._bar.set_description_str(epoch, refresh=False)
            self._bar.set_postfix_str(numbers, refresh=False)
            self._bar.update(1)
            return
        now, step = time.monotonic(), record["step"]
        if now - self._shown >= LINE_SECONDS or step == self._steps:
            self._shown = now
            left = (now - self._started) / max(step - self._first, 1) * (self._steps - step)
            self.say(f"{epoch} step {step}/{self._steps} {numbers}, {tqdm.format_interval(left)} left")

    def scored(self, value: float) -> None:
        """The last score of the pictures: it stands beside the numbers from now on."""
        self._score = f"score {value:.2f} "

    def warn(self, kind: str, line: str) -> None:
        """A warning: a line now, and its kind beside the numbers from now on."""
        if f"[{kind}]" not in self._warned:
            self._warned.append(f"[{kind}]")
        self.say(f"warning: {line}")

    def say(self, line: str) -> None:
        """One line for the user, above the bar if there is one."""
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)


def _is_terminal() -> bool:
    """Is stderr a terminal with room for a bar? Some say that they have no columns."""
    try:
        return sys.stderr.isatty() and os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except OSError:
        return False
