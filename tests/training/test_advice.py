"""How a user is told to go on: what is printed can be typed."""

import os
import sys
from pathlib import Path

import pytest

from mxgan.training import advice
from mxgan.training.advice import Advice


def test_in_python_and_in_a_shell():
    run = Path("my runs/faces")
    assert Advice().resume(run) == "mxgan.resume('my runs/faces')"
    assert Advice().generate(run) == "mxgan.load_generator('my runs/faces').sample(64)"
    assert Advice("mxgan").resume(run) == "mxgan train --resume 'my runs/faces'"
    assert Advice().longer(run, 6) == "mxgan.resume('my runs/faces', steps=N), N above 6"
    assert Advice("mxgan").longer(run, 6) == "mxgan train --resume 'my runs/faces' --steps N, N above 6"
    assert Advice("mxgan").generate(run) == "mxgan generate --weights 'my runs/faces' --out faces.png"


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A virtual environment in the folder that one works in, which isn't activated."""
    monkeypatch.chdir(tmp_path)
    bin = tmp_path / ".venv" / "bin"
    bin.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(bin / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return bin


def program(folder: Path) -> None:
    (folder / "mxgan").write_text("#!/bin/sh\n")
    os.chmod(folder / "mxgan", 0o755)


def test_the_program_is_named_as_this_shell_finds_it(environment, tmp_path, monkeypatch):
    assert advice.shell().command == f"{environment / 'python'} -m mxgan"  # not installed
    program(environment)
    assert advice.shell().command == ".venv/bin/mxgan"
    program(tmp_path)  # another one is first on the PATH
    assert advice.shell().command == ".venv/bin/mxgan"
    monkeypatch.setenv("PATH", str(environment))  # activated
    assert advice.shell().command == "mxgan"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("PATH", "")
    assert advice.shell().command == str(environment / "mxgan")
