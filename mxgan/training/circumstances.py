"""What decides a run's bits beside its configuration: engine, threads, processor, versions, the faces themselves."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np

from mxgan import __version__
from mxgan.engines import Engine
from mxgan.faces import Faces


def collect(engine: Engine, faces: Faces) -> dict[str, Any]:
    """JSON values for config.json: ``ran_on``, ``versions`` and ``faces``."""
    return {
        "ran_on": {"engine": engine.name, "ctx": engine.ctx, "threads": engine.threads, "processor": processor()},
        "versions": {
            "mxgan": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            engine.package: engine.version,
        },
        "faces": {"count": len(faces.images), "skipped": len(faces.skipped), "fingerprint": faces.fingerprint},
    }


def processor() -> str:
    """The processor's name, as exactly as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.machine()
