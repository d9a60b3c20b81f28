"""Hosts of pages on this machine: of a folder's files, and ``mxgan serve``."""

from __future__ import annotations

import functools
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processes import ROOT, environment


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """A plain host of a folder's files: it compresses nothing."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *said: object) -> None:
            """Say nothing."""

    host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=host.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{host.server_port}/"
    finally:
        host.shutdown()
        host.server_close()


@contextmanager
def serving(*arguments: object) -> Iterator[str]:
    """``mxgan serve`` in a process of its own, on any free port; its address."""
    command = [sys.executable, "-m", "mxgan", "serve", "--port", "0", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment())
    try:
        assert process.stdout is not None
        yield f"{process.stdout.readline().strip().rstrip('/')}/"
    finally:
        process.terminate()
        process.wait(30)
