"""A run as Python's callers get it, and what a notebook shows of it."""

import base64
import html
import re
import shutil
import signal

import pytest
import tiny_engine
from processes import python

import mxgan
from mxgan.errors import Interrupted, MxganError
from mxgan.training import Run, validation
from mxgan.weights.of_run import weights_file


@pytest.fixture
def run(monkeypatch, faces_folder, tmp_path):
    tiny_engine.install(monkeypatch)
    out = str(tmp_path / "a & b")
    return mxgan.train(str(faces_folder), out=out, epochs=2, evaluate_every=3, size=32, latent=5, batch_size=8)


def test_a_notebook_shows_samples_and_curves(run):
    shown = run._repr_html_()
    best = run.best
    assert f"a &amp; b: finished after step 6 of 6; best score {best.value:.2f} at step {best.step} (" in shown
    assert "lower is better" in shown
    pictures = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', shown)
    assert [name for _, name in pictures] == ["000006.png", "curves.png"]
    for data, name in pictures:
        file = run.path / ("." if name == "curves.png" else "samples") / name
        assert base64.b64decode(data) == file.read_bytes() != b""
    assert "http" not in shown


def test_what_is_not_there_is_not_shown(tmp_path):
    shown = Run(tmp_path, 2, signal.SIGINT, 6)._repr_html_()
    assert shown == f"<p>{tmp_path}: stopped after step 2 of 6</p>"


def test_a_run_stays_what_it_is_in_another_folder(run, monkeypatch, faces_folder, tmp_path):
    monkeypatch.chdir(tmp_path)
    again = mxgan.train(str(faces_folder), out="near", epochs=1, evaluate_every=1, size=32, latent=5, batch_size=8)
    assert again._repr_html_().startswith("<p>near: finished after step 3 of 3")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir("other")
    assert [record["step"] for record in again.log] == [1, 2, 3]
    assert again.best.step == 3
    assert mxgan.load_params(weights_file(again))
    assert f"<p>{tmp_path / 'near'}: finished" in again._repr_html_()
    assert mxgan.resume(again, epochs=2).step == 6


def test_a_run_whose_folder_is_gone_says_so(run):
    shutil.rmtree(run.path)
    said = f"{run.path}: the run's folder is not there any more"
    for ask in (lambda: run.log, lambda: run.best, run.video):
        with pytest.raises(MxganError) as error:
            ask()
        assert str(error.value) == said
    assert run._repr_html_() == f"<p>{html.escape(said)}</p>"
    with pytest.raises(MxganError, match="a & b: there is no such file or run"):
        mxgan.load_generator(run)


def test_how_a_run_ended_can_be_read(tmp_path):
    assert "stopped_by=<Signals.SIGINT: 2>" in repr(Run(tmp_path, 2, signal.SIGINT, 6))
    assert (Run(tmp_path, 2, signal.SIGTERM, 6).state, Run(tmp_path, 6, 0, 6).state) == ("stopped", "finished")


def test_a_score_is_told_with_its_name_and_direction():
    told = validation.told(validation.Score(850, 4.066))
    assert told == "score 4.07 at step 850 (Fréchet distance of form and colours; lower is better)"


def test_running_the_cell_again_says_how_to_go_on(run):
    with pytest.raises(MxganError) as error:
        mxgan.train("painted", out=run.path)
    assert str(error.value) == (
        f"out '{run.path}': a run is there; mxgan.resume('{run.path}') goes on with it, another folder begins a new one"
    )


CELL = """
import os, signal, sys, threading, time
import mxgan

def press_stop():
    while not os.path.exists("run/log.jsonl") or open("run/log.jsonl").read().count("\\n") < 2:
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=press_stop, daemon=True).start()
run = mxgan.train(sys.argv[1], out="run", steps=100_000, size=32, ngf=2, ndf=3, latent=5, batch_size=8, threads=1)
print("the next cell")
"""


def test_an_interrupt_saves_and_then_interrupts_what_called(mx, faces_folder, tmp_path):
    """A real process: nothing after the call runs, and the run can be resumed."""
    done = python("-c", CELL, faces_folder, cwd=tmp_path)
    assert done.returncode == 1  # as the Python page says
    assert "the next cell" not in done.stdout
    said = done.stderr.splitlines()
    step = int(
        re.search(r"stopped after step ([\d,]+) of 100,000; to go on: mxgan\.resume\('run'\)", done.stderr)[1].replace(
            ",", ""
        )
    )
    assert said[-1].endswith(f"Interrupted: stopped after step {step:,} of 100,000, saved; mxgan.resume('run') goes on")
    assert issubclass(Interrupted, KeyboardInterrupt)
    again = python("-c", f"import mxgan; print(mxgan.resume('run', steps={step + 2}).step)", cwd=tmp_path)
    assert again.stdout == f"{step + 2}\n", again.stderr
