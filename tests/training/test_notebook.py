"""A run in a notebook's cell, in a real kernel: one output however long it is, the stop button, and the next cell."""

import json
import queue
import time

import pytest
from processes import environment

TINY = "size=32, ngf=2, ndf=3, latent=5, batch_size=8, threads=1"


@pytest.fixture(scope="module")
def kernel(mx, faces_folder, tmp_path_factory):
    """(manager, client) of a kernel in a folder of its own."""
    manager_of = pytest.importorskip("jupyter_client.manager")
    pytest.importorskip("ipykernel")
    folder = tmp_path_factory.mktemp("notebook")
    manager, client = manager_of.start_new_kernel(kernel_name="python3", cwd=str(folder), env=environment())
    code = f"from mxgan.faces import open_faces\nopen_faces({str(faces_folder)!r}, 32, 'crop')"
    assert run_cell((manager, client, folder), code)[0]["status"] == "ok"  # packing tells of itself
    yield manager, client, folder
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run_cell(kernel, code: str, interrupt_after: int = 0) -> tuple[dict, list[tuple[str, dict]]]:
    """The reply to a cell and what it shows, as (kind, content); interrupted after so many updates of its output."""
    manager, client, _ = kernel
    asked = client.execute(code)
    shown, updates, ends = [], 0, time.monotonic() + 240
    while time.monotonic() < ends:
        try:
            message = client.get_iopub_msg(timeout=5)
        except queue.Empty:
            continue
        if message["parent_header"].get("msg_id") != asked:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            break
        if kind in ("stream", "display_data", "update_display_data", "execute_result", "error"):
            shown.append((kind, content))
        updates += kind == "update_display_data" and "step" in content["data"]["text/plain"]
        if updates == interrupt_after > 0:
            interrupt_after = 0
            manager.interrupt_kernel()
    return client.get_shell_msg(timeout=30)["content"], shown


def kinds(shown) -> list[str]:
    return [kind for kind, _ in shown if kind != "update_display_data"]


def test_a_run_is_one_output_and_shows_itself(kernel, faces_folder):
    _, _, folder = kernel
    reply, shown = run_cell(
        kernel, f"import mxgan\nrun = mxgan.train({str(faces_folder)!r}, steps=30, {TINY}, out='run')\nrun"
    )
    assert reply["status"] == "ok", reply
    assert kinds(shown) == ["display_data", "execute_result"]
    ids = {content["transient"]["display_id"] for kind, content in shown if "display_data" in kind}
    assert len(ids) == 1
    last = [content["data"] for kind, content in shown if kind == "update_display_data"][-1]
    lines = last["text/plain"].splitlines()
    assert lines[0] == f"run: mxgan, 30 steps of 8 faces, {faces_folder}"
    assert [line for line in lines if " step " in line] == [lines[-3]]
    assert lines[-3].startswith("epoch 10/10 step 30/30 loss_d ") and lines[-3].endswith(", 00:00 left")
    assert lines[-2] == "pictures run/samples, curves run/curves.png"
    assert '<progress value="30" max="30"' in last["text/html"] and "loss_d" in last["text/html"]
    assert shown[-1][1]["data"]["text/html"].count("<img src=") == 2  # samples and curves
    assert json.loads((folder / "run" / "state.json").read_text())["state"] == "finished"


def test_the_stop_button_saves_and_the_next_cell_goes_on(kernel, faces_folder):
    _, _, folder = kernel
    code = f"import mxgan\nrun = mxgan.train({str(faces_folder)!r}, steps=1_000_000, {TINY}, out='long')"
    reply, shown = run_cell(kernel, code, interrupt_after=2)
    step = json.loads((folder / "long" / "state.json").read_text())["step"]
    assert (reply["status"], reply["ename"]) == ("error", "Interrupted")
    told = f"stopped after step {step:,} of 1,000,000, saved; mxgan.resume('long') goes on"
    assert reply["evalue"] == told
    assert kinds(shown) == ["display_data", "error"]
    assert shown[-1][1]["traceback"] == [f"Interrupted: {told}"]  # no page of where it was
    assert (folder / "long" / "checkpoints" / f"{step:06d}").is_dir()
    again, shown = run_cell(kernel, f"mxgan.resume('long', steps={step + 5}).step")
    assert again["status"] == "ok"
    assert shown[-1][1]["data"]["text/plain"] == str(step + 5)
    assert f"going on after step {step}" in shown[-2][1]["data"]["text/plain"]


def test_the_finished_bar_has_the_last_score(kernel):
    """It comes after the step's own numbers."""
    code = """from mxgan.training.progress import Progress
numbers = {name: 0.5 for name in ("loss_d", "loss_g", "score_real", "score_fake")}
with Progress(0, 2, 1) as progress:
    progress.scored(9.25)
    progress.show({"step": 2, "epoch": 1, "images_per_s": 100.0, **numbers})
    progress.scored(4.5)
"""
    reply, shown = run_cell(kernel, code)
    assert reply["status"] == "ok", reply
    texts = [content["data"]["text/plain"] for kind, content in shown if "display_data" in kind]
    assert "step 2/2 score 9.25 loss_d" in texts[0]
    assert "step 2/2 score 4.50 loss_d" in texts[-1]


def test_outside_a_notebook_there_is_no_cell(capsys):
    """IPython may be imported, as by a library, and even be a shell on a terminal."""
    pytest.importorskip("IPython")
    from mxgan.training import cell, progress

    assert not cell.in_notebook()
    with progress.Progress(0, 3, 1) as shown:
        shown.say("a line")
    assert capsys.readouterr().err == "a line\n"
