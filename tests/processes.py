"""mxgan in processes of their own, as a user starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Networks this narrow take milliseconds a step; the 24 faces of the tests' folder are 3 steps an epoch.
TINY = ["--size", "32", "--ngf", "2", "--ndf", "3", "--latent", "5", "--batch-size", "8"]

NOBODY = 65534  # the user of this number has no rights anywhere


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Permissions bind this process while the block runs, even where the tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.setresuid(NOBODY, NOBODY, 0)  # the saved one leads back
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


def mxgan(*arguments: object, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    """Run ``python -m mxgan`` in a process of its own, from any folder."""
    return python("-m", "mxgan", *arguments, cwd=cwd, env=env)


def python(
    *arguments: object, cwd: Path = ROOT, env: dict[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess:
    """Run Python in a process of its own, with this checkout's mxgan, from any folder."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        cwd=cwd,
        env={**environment(), **(env or {})},
    )


def several(commands: Sequence[Sequence[object]], cwd: Path = ROOT) -> list[subprocess.Popen]:
    """Python started with each of ``commands``, its arguments, as torchrun starts processes: by rank, on one host."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    shared = {"WORLD_SIZE": str(len(commands)), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=cwd,
            env={**environment(), **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, command in enumerate(commands)
    ]


def environment() -> dict[str, str]:
    """This process's environment, in which a child finds this checkout first."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}


def files_below(folder: Path) -> list[str]:
    """Everything below a folder, as sorted relative paths."""
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*"))
