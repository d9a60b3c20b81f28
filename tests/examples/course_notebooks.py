"""A notebook of examples/, run from top to bottom at its smallest size, and the numbers that it found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from processes import ROOT

FOLDER = ROOT / "examples"


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the notebook whose name begins so, in ``folder``: its variable ``claims``, as JSON has it.

    ``claims`` is a dict of numbers and texts that the notebook's words rest on.
    """
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    for package in ("ipykernel", "sklearn"):  # the notebooks are read by their own kernel
        pytest.importorskip(package)
    monkeypatch.setenv("MXGAN_EXAMPLES", "quick")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (path,) = FOLDER.glob(f"{name}*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    asked = nbformat.v4.new_code_cell("import json; print(json.dumps(claims))")
    notebook.cells.append(asked)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return json.loads(asked.outputs[0]["text"])


def committed() -> list[Path]:
    """All notebooks."""
    return sorted(FOLDER.glob("*.ipynb"))


def outputs(path: Path) -> list[dict]:
    """The outputs of a notebook as it is committed."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]
