"""Ctrl-C and SIGTERM end a run between two steps, so that what it has learned is saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Stop:
    """Has the user asked to stop, and by which signal?"""

    signal: int = 0  # 0: no


@contextmanager
def watch() -> Iterator[Stop]:
    """Turn the first SIGINT or SIGTERM into a wish to stop; the second one stops at once.

    At once means by KeyboardInterrupt for SIGINT, and by SystemExit with status 143 for SIGTERM.

    Outside the main thread, where Python can't catch signals, the wish never comes.
    """
    stop = Stop()

    def ask(number: int, frame: object) -> None:
        if stop.signal:
            if number == signal.SIGINT:
                raise KeyboardInterrupt("stopped at once: what was saved before is kept")
            raise SystemExit(128 + number)
        stop.signal = signal.Signals(number)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
