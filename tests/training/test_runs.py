"""The table of runs tells the truth of living, finished, stopped, failed and damaged ones."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_engine
from click.testing import CliRunner
from tiny_runs import train

from mxgan import cli
from mxgan.errors import MxganError, TrainingError, in_shell
from mxgan.training import runs
from mxgan.training.log import read_log
from mxgan.training.run import Run


@pytest.fixture
def finished(monkeypatch, faces_folder, tmp_path) -> Path:
    """A run of six steps, two epochs, in a folder of its own."""
    tiny_engine.install(monkeypatch)
    return train(faces_folder, tmp_path / "runs" / "a", epochs=2)


def test_a_finished_run(finished):
    (run,) = runs.find(finished.parent)
    assert 0 <= run.pop("age_s") < 600
    assert run == {
        "path": str(finished),
        "recipe": "gluon-tutorial",
        "engine": "mxnet",
        "step": 6,
        "steps": 6,
        "best": None,
        "state": "finished",
        "why": None,
    }
    assert runs.find(finished) == runs.find(finished.parent)  # the run's own folder does as well


def test_one_that_stopped_after_its_steps_were_changed(finished):
    state = json.loads((finished / "state.json").read_text())
    (finished / "state.json").write_text(json.dumps({**state, "state": "running", "pid": os.getpid()}))
    assert runs.summary(finished)["state"] == "stopped"  # killed: nobody holds its lock, whoever has its number now
    (finished / "state.json").unlink()
    assert runs.summary(finished)["state"] == "stopped"


def test_one_at_work(finished):
    holder = (
        "import filelock, sys; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print(1, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(finished / "run.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"1\n"
    assert runs.summary(finished)["state"] == "running"
    process.communicate(b"\n")
    assert runs.summary(finished)["state"] == "finished"


def test_one_that_failed(finished, faces_folder, monkeypatch):
    class Rotten(tiny_engine.TinyEngine):
        def train_step(self, batch):
            self.weights["netD"]["0.weight"][:] = np.nan
            return super().train_step(batch)

    tiny_engine.install(monkeypatch, Rotten)
    with pytest.raises(TrainingError, match="there is no checkpoint yet"):
        train(faces_folder, finished.parent / "b", epochs=2)
    run = runs.summary(finished.parent / "b")
    assert (run["state"], run["step"]) == ("failed", 0)
    assert run["why"].startswith("step 1 isn't finite (loss_d nan")


@pytest.mark.parametrize(
    ("said", "why"), [(["no room for 8 GB\nStack trace: ..."], "no room for 8 GB"), ([], "MemoryError")]
)
def test_one_that_broke_off(finished, faces_folder, monkeypatch, said, why):
    class Large(tiny_engine.TinyEngine):
        def train_step(self, batch):
            raise MemoryError(*said)

    tiny_engine.install(monkeypatch, Large)
    with pytest.raises(MemoryError):
        train(faces_folder, finished.parent / "b", epochs=2)
    run = runs.summary(finished.parent / "b")
    assert (run["state"], run["why"]) == ("failed", why)


def test_the_age_is_since_it_wrote_not_since_it_was_looked_at(finished):
    for name in ("config.json", "state.json", "log.jsonl", "netG.params", "checkpoints"):
        os.utime(finished / name, (10**9, 10**9))
    ages = [runs.summary(finished)["age_s"], runs.find(finished.parent)[0]["age_s"]]
    assert min(ages) > 10**8 and max(ages) - min(ages) < 60  # two looks at a clock


DAMAGES = {
    "config.json": [b"", b"{", b"[1]", b"\xff", b'{"recipe": "none"}', b"[" * 9999],
    "state.json": [b"", b"[1]", b"\xff", b'{"state": 5}', b"[" * 9999],
    "log.jsonl": [b"", b"\0" * 99, b'{"step": "many"}\n', b"[" * 9999],
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_run_is_one_row_of_the_table(finished, name):
    shutil.copytree(finished, finished.parent / "b")
    for damage in DAMAGES[name]:
        (finished.parent / "b" / name).write_bytes(damage)
        rows = runs.lines(runs.find(finished.parent), finished.parent)
        states = {Path(row.split()[0]).name: row.split()[-1] for row in rows[1:3]}
        assert states["a"] == "finished"
        if name == "config.json":
            assert states["b"] == "damaged"
            assert str(finished.parent / "b" / "config.json") in rows[3]
        else:
            assert states["b"] in ("finished", "stopped")


@pytest.mark.parametrize("inexact", [3, [3], [{"step": 2}], [{"step": 2, "because": "x"}], [{"because": ["x"]}]])
def test_a_history_that_was_edited_is_passed_over(finished, inexact):
    written = json.loads((finished / "config.json").read_text())
    real = {"step": 4, "because": ["threads: 1 before, 2 now"]}
    for found, lines in ((inexact, []), ([real], ["  not exact    after step 4: threads: 1 before, 2 now"])):
        (finished / "config.json").write_text(json.dumps({**written, "inexact": found}))
        assert [line for line in runs.show_lines(runs.show(finished)) if "not exact" in line] == lines


def test_what_is_no_run_is_passed_over(finished):
    (finished.parent / "file").write_text("x")
    (finished.parent / "empty").mkdir()
    assert [Path(run["path"]).name for run in runs.find(finished.parent)] == ["a"]
    assert runs.lines(runs.find(finished.parent / "empty"), Path("empty")) == ["no runs in empty"]
    with pytest.raises(MxganError, match="no such folder; give the folder your runs are in"):
        runs.find(finished.parent / "nowhere")
    with pytest.raises(MxganError, match=r"not a run \(it has no config.json\)"):
        runs.show(finished.parent / "empty")


def test_show_on_the_command_line(finished):
    with open(finished / "log.jsonl", "a") as file:
        file.write('{"step": 6, "kind": "d_wins", "warning": "netD has won"}\n')
    shown = CliRunner().invoke(cli.program, ["runs", "show", str(finished)]).output
    for line in ("state        finished", "step         6/6", "checkpoints  3, 6", "warning      step 6: netD has won"):
        assert f"  {line}" in shown
    as_json = json.loads(CliRunner().invoke(cli.program, ["runs", "show", str(finished), "--json"]).output)
    assert as_json["last"]["step"] == 6 and as_json["config"]["seed"] == 0
    table = CliRunner().invoke(cli.program, ["runs", str(finished.parent)]).output.splitlines()
    assert table[0].split() == ["run", "recipe", "engine", "step", "score", "age", "state"]
    assert table[1].split()[:4] == [str(finished), "gluon-tutorial", "mxnet", "6/6"]


def test_before_the_first_run_there_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli.program, ["runs"]).output == "no runs in runs\n"
    forgotten = CliRunner().invoke(cli.program, ["runs", "show"])
    assert in_shell(forgotten.exception) == "runs show: which run? `mxgan runs` lists them; then `mxgan runs show RUN`"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172800, "2 days")],
)
def test_ages(seconds, said):
    assert runs.age(seconds) == said


def test_the_log_as_csv(finished):
    with open(finished / "log.jsonl", "a") as file:
        file.write('{"step": 6, "kind": "d_wins", "warning": "netD has won, again"}\n')
        file.write(
            '{"step": 6, "kind": "collapse", "warning": "one picture"}\n{"step": 6, "epoch": 2, "score": 4.5}\nhalf'
        )
    shown = CliRunner().invoke(cli.program, ["runs", "show", str(finished), "--csv"])
    assert shown.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(shown.output)))
    assert list(rows[0]) == [
        "step", "epoch", "loss_d", "loss_g", "score_real", "score_fake", "images_per_s", "seconds", "variety", "score",
        "warning",
    ]  # fmt: skip
    steps = [record for record in read_log(finished / "log.jsonl") if "loss_d" in record]
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    for row, record in zip(rows, steps):
        assert {name: float(row[name]) for name in record} == record
    assert [bool(row["variety"]) for row in rows] == [False, False, True, False, False, True]
    assert (rows[5]["score"], rows[5]["warning"]) == ("4.5", "netD has won, again; one picture")
    assert rows[0]["score"] == rows[0]["warning"] == ""
    log = Run(finished, 6).log
    assert log[5]["score"] == 4.5 and log[0]["score"] is None
    assert [row["loss_d"] for row in log] == [record["loss_d"] for record in steps]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["runs", "--csv"], "--csv: it is one run's log; give `runs show RUN --csv`"),
        (["runs", "show", "a", "--csv", "--json"], "--csv and --json: give one of them"),
        (["runs", "show", "nowhere", "--csv"], "nowhere: there is no such folder"),
    ],
)
def test_csv_of_what_is_no_run(words, message):
    assert in_shell(CliRunner().invoke(cli.program, words).exception).startswith(message)
