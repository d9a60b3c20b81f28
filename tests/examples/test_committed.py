"""The notebooks as they are committed: run, in order, small, and with nothing of the machine that ran them."""

import base64
import io
import json
import sys

import course_notebooks
import numpy as np
import pytest
from PIL import Image
from processes import ROOT

sys.path.insert(0, str(ROOT / "docs"))


@pytest.fixture(params=course_notebooks.committed(), ids=lambda path: path.name[:2])
def path(request):
    return request.param


def test_every_cell_was_run_from_top_to_bottom(path):
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert cells[0]["outputs"][0]["text"][0] == "size: normal\n"


def test_no_cell_failed_and_none_shows_progress(path):
    kinds = {(output["output_type"], output.get("name")) for output in course_notebooks.outputs(path)}
    assert kinds <= {("stream", "stdout"), ("display_data", None), ("execute_result", None)}


def test_pictures_are_small_palettes_and_say_what_they_show(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    drawn = 0
    for cell in cells:
        for output in cell.get("outputs", []):
            png = output.get("data", {}).get("image/png")
            if png is not None:
                image = Image.open(io.BytesIO(base64.b64decode("".join(png))))
                assert image.mode == "P" and image.width <= 900
                assert len(cell["metadata"].get("alt", "")) > 20, cell["source"]
                drawn += 1
    assert drawn >= 3
    assert path.stat().st_size < 1_000_000


def test_nothing_is_kept_of_the_machine(path):
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert {key for cell in notebook["cells"] for key in cell["metadata"]} <= {"alt", "tags"}
    for place in ("/tmp/", "/home/", "/root/", "site-packages"):
        assert place not in text


def test_tidying_leaves_no_progress_and_refuses_a_path():
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbclient")
    import run_notebooks

    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)).save(data, "PNG")
    png = base64.b64encode(data.getvalue()).decode()
    v4 = nbformat.v4
    outputs = [
        v4.new_output("stream", name="stderr", text="10 %"),
        v4.new_output("stream", name="stdout", text="12 faces"),
        v4.new_output("display_data", data={"image/png": png, "text/plain": "<Figure size 700x300>"}),
    ]
    cell = v4.new_code_cell("draw()", outputs=outputs, metadata={"alt": "noise", "execution": {"started": "now"}})
    notebook = v4.new_notebook(cells=[cell], metadata={"language_info": {"name": "python", "version": "3.11.9"}})
    run_notebooks.tidy(notebook)
    assert notebook.metadata.language_info == {"name": "python"} and cell.metadata == {"alt": "noise"}
    text, drawn = cell.outputs
    assert text["text"] == "12 faces" and list(drawn.data) == ["image/png"]
    small = Image.open(io.BytesIO(base64.b64decode(drawn.data["image/png"])))
    assert small.mode == "P" and small.size == (40, 40)

    cell.outputs = [v4.new_output("stream", name="stdout", text=f"written to {ROOT}/runs")]
    with pytest.raises(ValueError, match=r"cell 0 prints .* a relative path"):
        run_notebooks.tidy(notebook)
