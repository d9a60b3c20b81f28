"""What a notebook's cell shows while a run goes on: one output, brought up to date, however long it takes."""

from __future__ import annotations

import html
import sys
import time
from typing import Any

SECONDS = 0.5  # between two updates: each is a message to the browser


def in_notebook() -> bool:
    """Does this process compute a notebook's cells? Importing IPython alone doesn't make it so."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class Cell:
    """A bar, and lines above and below it. Plain HTML: it needs no extension, and stays in a saved notebook."""

    def __init__(self, steps: int) -> None:
        self._steps, self._step, self._text = steps, 0, ""
        self._above: list[str] = []
        self._below: list[str] = []
        self._closed = False
        self._updated = 0.0
        self._handle: Any = None

    def show(self, step: int, text: str) -> None:
        """``step`` is done, and ``text`` tells of it."""
        self._step, self._text = step, text
        if time.monotonic() - self._updated >= SECONDS or step == self._steps:
            self._update()

    def say(self, line: str) -> None:
        """One line: above the bar, or below it once that has been closed."""
        (self._below if self._closed else self._above).append(line)
        self._update()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._closed = True
        self._update()

    def _update(self) -> None:
        from IPython.display import display

        self._updated = time.monotonic()
        lines = [*self._above, *([self._text] if self._text else []), *self._below]
        bar = f'<progress value="{self._step}" max="{self._steps}" style="width: 16em"></progress> '
        rows = [*map(html.escape, self._above), f"{bar}{html.escape(self._text)}", *map(html.escape, self._below)]
        shown = {
            "text/plain": "\n".join(lines),
            "text/html": f'<div style="font-family: monospace">{"<br>".join(rows)}</div>',
        }
        if self._handle is None:
            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)
