"""``mxgan serve``: everything is checked before the first request."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Optional

from mxgan import pretrained, sampling
from mxgan.architecture.wishes import Wishes
from mxgan.errors import MissingPackage

PACKAGES = ("fastapi", "uvicorn")


def serve(
    folder: Optional[Path],
    weights: Path,
    host: str,
    port: int,
    engine: str,
    ctx: str,
    wishes: Wishes,
    note: Callable[[str], None],
    say: Callable[[str], object],
    most: Optional[int] = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM. ``say`` is given the page's address, ``note`` what else is to be known.

    ``most``: pictures in a batch; see `mxgan.page.server.batcher.Batcher`.

    Raises MissingPackage without the extra, and MxganError for a folder, weights or port that can't be had.
    """
    if not all(importlib.util.find_spec(name) for name in PACKAGES):
        raise MissingPackage("mxgan serve needs FastAPI and uvicorn", "page")
    from mxgan.page.server import app, serving
    from mxgan.page.server.faces import Faces

    if engine == "auto" and not ctx.startswith(("gpu", "mps")) and importlib.util.find_spec("onnxruntime"):
        engine = "onnx"  # on a CPU the fastest with few faces at once, and the first to be ready
    generator = sampling.load_generator(weights, engine, ctx, wishes=wishes)
    with contextlib.closing(serving.bound(host, port)) as listening:
        note(f"{generator.engine} on {generator.ctx}; weights {_source(generator)}")
        local = serving.is_local(host)
        if not local:
            note(f"--host {host}: everybody who reaches this machine can look; Ctrl-C ends it")
        say(serving.address(listening, host))
        serving.run(app.build(Faces(generator, most)), listening, local, ending=lambda: None)


def _source(generator: sampling.Generator) -> str:
    ships = generator.file is not None and generator.file.parent == pretrained.FOLDER
    return f"{pretrained.PAINTED}, which comes with mxgan" if ships else str(generator.file)
