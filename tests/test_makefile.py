"""``make run`` on machines that lack something: real make, real pip, and nothing that needs the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from processes import ROOT

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}


@pytest.fixture
def make(tmp_path, monkeypatch):
    """``make run`` with one Python on the PATH, which may be a script, and a .venv under tmp_path."""
    places = [Path(folder) / "make" for folder in os.defpath.split(os.pathsep) + os.environ["PATH"].split(os.pathsep)]
    if not any(place.exists() for place in places):
        pytest.skip("no make")

    def run(script: str, *more: str, **environment: str) -> subprocess.CompletedProcess:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for name in ("python3", *(f"python3.{minor}" for minor in range(9, 15))):
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        path = os.pathsep.join([str(folder), os.environ["PATH"], os.defpath])
        return subprocess.run(
            ["make", "--no-print-directory", "run", f"VENV={tmp_path / 'venv'}", *more],
            cwd=ROOT,
            env={**os.environ, "PATH": path, "MAKEFLAGS": "", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_without_a_python_that_fits_nothing_begins(make, tmp_path):
    ended = make("exit 1")
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert "mxgan needs Python 3.9 to 3.14 with venv" in line
    assert "make PYTHON=" in line
    assert not (tmp_path / "venv").exists()


def test_a_python_that_is_named_and_too_old_is_refused_in_a_line(make, tmp_path):
    old = "import sys; sys.version_info = (3, 8, 18);"
    ended = make(f"""test "$1" = -c && exec {sys.executable} -c "{old} $2"; exit 1""", "PYTHON=python3")
    said = [line for line in ended.stderr.splitlines() if not line.startswith("make")]
    assert said == [
        "mxgan: error: Python 3.8 is too old for mxgan: install Python 3.9 to 3.14, or name it with make PYTHON=..."
    ]
    assert ended.returncode == 2
    assert not (tmp_path / "venv").exists()


def test_without_a_network_pip_says_why_and_the_next_make_goes_on(make, tmp_path):
    """An environment left half-made, too, is not taken for a whole one."""
    half = tmp_path / "venv" / "bin"
    half.mkdir(parents=True)
    (half / "python").symlink_to(sys.executable)
    for _ in range(2):
        ended = make(f'exec {sys.executable} "$@"', **OFFLINE, PIP_FIND_LINKS=str(tmp_path))
        assert ended.returncode == 2
        assert "No matching distribution found" in ended.stderr  # pip's own
        assert "mxgan: error: pip can't install, for the reason above." in ended.stderr
        assert "type make again" in ended.stderr
        assert ended.stdout.count("installing '.[run]'") == 1
        assert (half / "pip").exists()
        assert not list(half.parent.glob(".installed*"))
