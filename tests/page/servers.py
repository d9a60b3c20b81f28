"""``mxgan serve`` in a process of its own, and plain clients for it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import cv2
import numpy as np
from processes import ROOT, environment

PATIENCE = 60  # seconds, on a busy machine


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def picture(self) -> np.ndarray:
        """A PNG's pixels: uint8 (h, w, channels), RGB or RGBA."""
        pixels = cv2.imdecode(np.frombuffer(self.body, np.uint8), cv2.IMREAD_UNCHANGED)
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(
        self, path: str, method: str = "GET", body: Optional[bytes] = None, headers: Optional[dict[str, str]] = None
    ) -> Answer:
        """One request, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, value: Any) -> Answer:
        """JSON to /api/generate."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask("/api/generate", "POST", body, {"Content-Type": "application/json"})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def memory(self, name: str = "VmRSS") -> int:
        """Bytes that the server has in RAM now; ``VmHWM``: the most that it ever had."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {name}")


@contextmanager
def server(*arguments: object, cwd: Path = ROOT) -> Iterator[Server]:
    """A server on a free port. It must have said nothing beside its notes, and end on SIGTERM."""
    command = [sys.executable, "-m", "mxgan", "serve", "--port", "0", "--engine", "onnx", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, env=environment()
    )
    try:
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        yield Server(process, int(address.rstrip("/").rpartition(":")[2]))
    finally:
        process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in said, said
