"""Runs the notebooks of examples/ from top to bottom and writes them back, as they are committed.

    python docs/run_notebooks.py          # all of them, at the size that MXGAN_EXAMPLES names (normal)
    python docs/run_notebooks.py 02 05    # these two

A notebook is kept with what its cells printed and drew, and nothing of the machine that it ran on: no paths, times or
versions in its metadata, and none of the progress that goes to stderr. Pictures become small palette PNGs.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("tags", "alt")  # of a cell's metadata; alt: what a picture shows, for those who can't see it
COLOURS = 128  # of a picture: a chart has fewer, 64 faces hardly show the difference


def execute(notebook: Any, folder: Path, timeout: int = 900) -> None:
    """Run all cells in ``folder``; the outputs are in the notebook afterwards."""
    NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    ).execute()


def tidy(notebook: Any) -> None:
    """Leave nothing of this machine, and small pictures. Raises ValueError where an output names a path."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in KEPT if key in cell.metadata})
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                _tidy_output(output, number)


def _tidy_output(output: Any, number: int) -> None:
    output.pop("transient", None)
    if "data" in output:
        output.metadata = nbformat.from_dict({})
    if "image/png" in output.get("data", {}):
        output.data = nbformat.from_dict({"image/png": _palette(output.data["image/png"])})
    told = [
        output.get("text", ""),
        *(str(data) for kind, data in output.get("data", {}).items() if "image" not in kind),
    ]
    for path in (ROOT, Path.home(), tempfile.gettempdir(), sys.prefix):
        if str(path) in " ".join(told):
            raise ValueError(f"cell {number} prints {path}, which is only here: print a name or a relative path")


def _palette(png: str) -> str:
    """A base64 PNG as a smaller one."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    data = io.BytesIO()
    image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(data, "PNG", optimize=True)
    return base64.b64encode(data.getvalue()).decode()


def main(names: list[str]) -> None:
    paths = [
        path for path in sorted((ROOT / "examples").glob("*.ipynb")) if not names or path.name.startswith(tuple(names))
    ]
    if not paths:
        sys.exit(f"no notebook begins with {' or '.join(names)}")
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, Path(folder))
        tidy(notebook)
        nbformat.write(notebook, path)
        print(f"{path.name}: {time.perf_counter() - start:.0f} s, {path.stat().st_size / 1e3:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
