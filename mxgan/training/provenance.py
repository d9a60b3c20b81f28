"""What a run's bits depend on beside its configuration: engine, threads, processor, versions, the faces."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from mxgan import __version__, machine
from mxgan.engines.protocol import Engine
from mxgan.faces import Faces


def collect(engine: Engine, faces: Faces, processes: int = 1) -> dict[str, Any]:
    """JSON values for config.json: ``ran_on``, ``versions`` and ``faces``. ``processes``: how many share each batch."""
    return {
        "ran_on": {
            "engine": engine.name,
            "ctx": engine.ctx,
            "threads": engine.threads,
            "processes": processes,
            "processor": machine.processor(),
        },
        "versions": versions(engine),
        "faces": {
            "count": len(faces.images),
            "skipped": len(faces.skipped),
            **({"duplicates": faces.duplicates} if faces.duplicates else {}),  # where they were to be left out
            "fingerprint": faces.fingerprint,
        },
    }


def versions(engine: Engine) -> dict[str, str]:
    """Of mxgan, Python, NumPy and the engine's framework."""
    return {
        "mxgan": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        engine.package: engine.version,
    }
