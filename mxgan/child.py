"""An object in a Python process of its own, where its speed and memory can be measured.

multiprocessing does nearly the same, but it can't give a child other environment variables, and OpenMP and MKL read
theirs only once. It also imports the parent's main module again, and the last words of a crashing child are lost.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Optional

ROOT = Path(__file__).parents[1]


class ChildEnded(Exception):
    """A child has failed or is gone. The message is its error in one line, or its exit status and last words."""


class Child:
    """``make(*arguments)`` in a new process; `call` calls a method of what it returns.

    Use as a context manager, which ends the process. Starting doesn't wait, so that several children can warm up at
    once: an error of ``make`` is raised by the first call. Everything that is passed or returned is pickled.
    """

    def __init__(
        self, make: Callable[..., object], *arguments: Any, environment: Optional[Mapping[str, str]] = None
    ) -> None:
        """``environment``: all of the child's variables, see `variables`; None: those of this process."""
        self._pipe, theirs = Pipe()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mxgan.child", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                env=variables(os.environ) if environment is None else environment,
                pass_fds=[theirs.fileno()],
            )
        self._send(make, arguments)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method there and return its answer. Raises ChildEnded if it raises, or if the process is gone."""
        self.ask(method, *arguments)
        return self.answer()

    def ask(self, method: str, *arguments: Any) -> None:
        """Call a method there without waiting; `answer` does. Several children can then compute at once."""
        self._send(method, arguments)

    def answer(self) -> Any:
        """What the method asked for returns. Raises ChildEnded if it raises, or if the process is gone."""
        try:
            failed, answer = self._pipe.recv()
        except (EOFError, OSError):
            status = self._process.wait()
            words = [line for line in self.said().splitlines() if line.strip()]
            raise ChildEnded(f"ended with status {status}{f': {words[-1].strip()}' if words else ''}") from None
        if failed:
            raise ChildEnded(answer)
        return answer

    def said(self) -> str:
        """Everything that the process has written to stderr, a traceback for example."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._pipe.close()
        self._process.kill()
        self._process.wait()
        self._said.close()

    def _send(self, *message: Any) -> None:
        with contextlib.suppress(OSError):  # it is gone: `call` reads what it sent last
            self._pipe.send(message)


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """These environment variables, with a PYTHONPATH by which a child finds this mxgan, installed or not."""
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")]))}


def main(pipe: Connection) -> int:
    """The child: make the object, and answer calls until the parent hangs up. Returns the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    messages = _messages(pipe)
    try:
        make, arguments = next(messages)
        made = make(*arguments)
        for method, arguments in messages:
            pipe.send((False, getattr(made, method)(*arguments)))
    except BrokenPipeError:  # the parent is gone
        return 0
    except Exception as error:
        traceback.print_exc()
        pipe.send((True, " ".join(f"{type(error).__name__}: {error}".split())))
        return 1
    return 0


def _messages(pipe: Connection) -> Iterator[tuple]:
    """What the parent sends, until it hangs up."""
    with contextlib.suppress(EOFError, ConnectionResetError):
        while True:
            yield pipe.recv()


if __name__ == "__main__":
    sys.exit(main(Connection(int(sys.argv[1]))))
