"""``mxgan serve``: everything is checked before the first request."""

from __future__ import annotations

import contextlib
import importlib.util
import shlex
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Optional

from mxgan import pretrained, run_names, sampling
from mxgan.architecture.wishes import Wishes
from mxgan.errors import MissingPackage, MxganError
from mxgan.weights.of_run import has_weights


def serve(
    folder: Optional[Path],
    weights: Optional[Path],
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

    ``folder``: where runs are, or one run. ``weights``: whose faces are shown; None: that run's, once it has some, or
    else those of the generator that comes with mxgan.
    ``most``: pictures in a batch; see `mxgan.page.server.batcher.Batcher`.

    Raises MissingPackage without the extra, and MxganError for a folder, weights or port that can't be had.
    """
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingPackage("mxgan serve needs FastAPI and uvicorn", "page") from error
    from mxgan.page.server import app, serving
    from mxgan.page.server.faces import Faces
    from mxgan.page.server.watch import Runs

    if engine == "auto" and not ctx.startswith(("gpu", "mps")) and importlib.util.find_spec("onnxruntime"):
        engine = "onnx"  # on a CPU the fastest with few faces at once, and the first to be ready
    place = _folder(folder)
    watched = Runs(place)
    if weights is None and run_names.is_run(place):
        if has_weights(place):
            weights = place
        else:
            own = shlex.quote(str(folder))
            note(f"{folder}: no weights yet; its own faces: --weights {own}, once its first epoch has ended")
    weights = weights or Path(pretrained.PAINTED)
    generator = sampling.load_generator(weights, engine, ctx, wishes=wishes)
    with contextlib.closing(serving.bound(host, port)) as listening:
        note(f"{generator.engine} on {generator.ctx}; weights {_source(generator)}")
        local = serving.is_local(host)
        if not local:
            others = serving.address(listening, socket.gethostname() if serving.is_any(host) else host)
            note(f"--host {host}: everybody who reaches this machine can look, at {others}; Ctrl-C ends it")
        say(serving.address(listening, host))
        if folder is not None:
            note(f"runs in {folder}: {serving.address(listening, host)}runs")
        faces = Faces(generator, most)
        serving.run(lambda ending: app.build(faces, watched, ending), listening, local)


def _folder(folder: Optional[Path]) -> Path:
    """Where the runs are. Raises MxganError for a place that isn't there or is none."""
    if folder is None:
        return run_names.RUNS
    found = run_names.meant(folder)
    if found.is_dir():
        return found
    if found.is_file():
        raise MxganError(f"{folder}: a file; a generator is given as --weights {shlex.quote(str(folder))}")
    hint = run_names.did_you_mean(folder) or "; give the one your runs are in, or none"
    raise MxganError(f"{folder}: no such folder{hint}")


def _source(generator: sampling.Generator) -> str:
    ships = generator.file is not None and generator.file.parent == pretrained.FOLDER
    return f"{pretrained.PAINTED}, which comes with mxgan" if ships else str(generator.file)
