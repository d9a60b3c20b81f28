"""What `mxgan runs` prints is taken wherever a run may be given, and so is ``last``."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny_engine
from click.testing import CliRunner
from processes import mxgan
from tiny_runs import train

from mxgan import cli, run_names
from mxgan.errors import MxganError
from mxgan.run_names import did_you_mean, meant, name_of
from mxgan.training import runs
from mxgan.weights import load_params
from mxgan.weights.of_run import weights_file


@pytest.fixture
def here(monkeypatch, tmp_path):
    """A folder to work in, where runs/ has the runs `faces` and, written a minute later, `newer`."""
    monkeypatch.chdir(tmp_path)
    for age, name in ((100, "faces"), (40, "newer")):
        folder = Path("runs") / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "netG.params").write_bytes(b"")
        for file in folder.iterdir():
            os.utime(file, (10**9 - age, 10**9 - age))
    Path("runs/file").write_text("")
    Path("runs/empty").mkdir()
    return tmp_path


def test_a_name_is_the_run_under_runs_unless_something_has_that_very_path(here):
    assert meant("faces") == Path("runs/faces")
    assert meant("runs/faces") == Path("runs/faces")
    assert meant("empty") == Path("empty")  # no run
    assert meant("sub/faces") == Path("sub/faces")
    assert meant(here / "faces") == here / "faces"
    for make in (Path.mkdir, Path.touch):
        make(Path("faces"))
        assert meant("faces") == Path("faces")
        Path("faces").rmdir() if Path("faces").is_dir() else Path("faces").unlink()
    assert weights_file("faces") == Path("runs/faces/netG.params")
    assert meant("name" * 100) == Path("name" * 100)


def test_last_is_the_run_that_wrote_last(here):
    assert meant("last") == Path("runs/newer")
    os.utime("runs/faces/config.json", (10**9, 10**9))
    assert meant("last") == Path("runs/faces")
    Path("last").mkdir()
    assert meant("last") == Path("last")
    Path("last").rmdir()
    os.rename("runs/newer", "runs/last")
    assert meant("last") == Path("runs/last")  # a run of that very name


def test_last_without_a_run_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MxganError, match="last: there is no run in runs/ yet"):
        meant("last")


def test_a_name_that_is_nearly_right_is_told(here):
    assert did_you_mean("fases") == "; did you mean faces?"
    assert did_you_mean("nothing-like-it") == ""
    Path("faces").mkdir()
    assert did_you_mean("faces") == did_you_mean("fases") == "; did you mean runs/faces?"
    with pytest.raises(MxganError, match="fases: there is no such file or run; did you mean runs/faces"):
        weights_file("fases")
    with pytest.raises(MxganError, match=r"faces: no netG\.params in this folder; did you mean runs/faces"):
        weights_file("faces")
    with pytest.raises(MxganError, match=r"faces: not a run \(it has no config.json\); did you mean runs/faces"):
        runs.show(Path("faces"))


def test_the_name_of_a_run_is_a_word_that_means_it(here):
    assert name_of(Path("runs/faces")) == "faces"
    Path("faces").mkdir()
    assert name_of(Path("runs/faces")) == "runs/faces"  # the folder in the way wins
    assert name_of(Path("experiments/faces")) == "experiments/faces"
    assert name_of(here / "runs" / "newer") == str(here / "runs" / "newer")
    assert name_of(Path("runs/last")) == "runs/last"
    assert name_of(Path(".")) == "."


def test_every_name_that_the_table_prints_is_taken_by_every_command(monkeypatch, faces_folder, tmp_path):
    monkeypatch.chdir(tmp_path)
    tiny_engine.install(monkeypatch)
    for place in ("runs/a", "runs/b", "others/c"):
        train(faces_folder, Path(place), epochs=1)
    for folder, paths in (([], ["runs/b", "runs/a"]), (["others"], ["others/c"]), (["a"], ["runs/a"])):
        table = CliRunner().invoke(cli.program, ["runs", *folder]).output.splitlines()
        names = [row.split()[0] for row in table[1:]]
        assert [str(meant(name)) for name in names] == paths
        for name, path in zip(names, paths):
            shown = CliRunner().invoke(cli.program, ["runs", "show", name, "--json"]).output
            assert json.loads(shown)["path"] == path
            again = CliRunner().invoke(cli.program, ["train", "--resume", name, "--steps", "4", "--dry-run"]).output
            assert json.loads(again)["steps"] == 4
            assert weights_file(name).parent == Path(path)
    assert meant("last") == run_names.RUNS / "b"
    gone_on = CliRunner().invoke(cli.program, ["train", "--resume", "last", "--steps", "5"])
    assert gone_on.output.splitlines()[-1] == "runs/b"
    assert [runs.summary(Path(name))["step"] for name in ("a", "b")] == [3, 5]


def test_a_run_is_taken_wherever_weights_are(trained, tmp_path):
    """By its name, by ``last`` and by its path."""
    shutil.copytree(trained.path, tmp_path / "runs" / "faces")
    best = str(Path("runs/faces/netG-ema.params"))
    for word in ("faces", "last", "runs/faces"):
        seen = mxgan("weights", "inspect", word, "--json", cwd=tmp_path)
        assert json.loads(seen.stdout)["file"] == best, seen.stderr
        layout = mxgan("weights", "inspect", word, "--layout", cwd=tmp_path)
        assert json.loads(layout.stdout)["latent"] == 5
        written = mxgan("weights", "convert", word, f"{Path(word).name}.npz", cwd=tmp_path)
        assert (written.returncode, written.stdout) == (0, f"{Path(word).name}.npz\n"), written.stderr
    with np.load(tmp_path / "last.npz") as arrays:
        assert arrays["0.weight"].tobytes() == load_params(tmp_path / best)["0.weight"].tobytes()
    made = mxgan("generate", "--weights", "last", "--n", 2, "--engine", "mxnet", cwd=tmp_path)
    assert (made.returncode, made.stdout) == (0, "generated.png\n")
    for option in ("--run", "--weights"):
        scored = mxgan("evaluate", option, "faces", "--metrics", "swd", "--engine", "mxnet", "--json", cwd=tmp_path)
        assert json.loads(scored.stdout)["weights"] == best, scored.stderr
    wrong = mxgan("evaluate", "--run", "fases", cwd=tmp_path)
    assert wrong.stderr == "mxgan: error: --run fases: there is no such run; did you mean faces?\n"
