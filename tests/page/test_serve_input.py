"""What can't be served is one line that says why, and exit status 2."""

import socket

import numpy as np
import pytest
from made_runs import make
from networks import discriminator, generator
from processes import ROOT, mxgan
from servers import server

from mxgan import load_generator
from mxgan.errors import Caution
from mxgan.weights import save_params

pytest.importorskip("fastapi")
pytest.importorskip("onnxruntime")


def refused(*arguments, cwd, env=None) -> str:
    ended = mxgan("serve", "--port", "0", *arguments, cwd=cwd, env=env)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    return line


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused("--port", port, cwd=tmp_path)
    assert line == (
        f"mxgan: error: --port {port}: another program listens there; "
        f"give another one, as --port {port + 1}, or 0 for any"
    )


@pytest.mark.parametrize("host", ["no.such.name.invalid", "203.0.113.7", "a b"])
def test_a_host_that_is_not_here(tmp_path, host):
    assert "try 127.0.0.1" in refused("--host", host, cwd=tmp_path)


def test_no_such_weights(tmp_path):
    assert "none.params" in refused("--weights", "none.params", cwd=tmp_path)


def test_a_discriminator(tmp_path):
    save_params(tmp_path / "netD.params", discriminator())
    assert "netD.params: holds a discriminator; a generator is wanted" in refused(
        "--weights", "netD.params", cwd=tmp_path
    )


def test_folders(tmp_path):
    (tmp_path / "netG.params").write_bytes(b"x")
    assert "nowhere: no such folder" in refused("nowhere", cwd=tmp_path)
    assert "a generator is given as --weights netG.params" in refused("netG.params", cwd=tmp_path)


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_without_the_extra(tmp_path, missing):
    """A finder that doesn't find the package stands for an environment without it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {missing!r}: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Without())\n"
    )
    line = refused(cwd=tmp_path, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert "mxgan serve needs FastAPI and uvicorn: pip install" in line and "page" in line


def test_the_help_needs_nothing(tmp_path):
    ended = mxgan("serve", "--help", cwd=tmp_path)
    assert ended.returncode == 0 and "--port N" in ended.stdout


def test_a_run_shows_its_own_faces_once_it_has_some(tmp_path):
    make(tmp_path / "my-run", 10)
    with server("my-run", cwd=tmp_path) as started:
        note = "my-run: no weights yet; its own faces: --weights my-run, once its first epoch has ended\n"
        assert started.process.stderr.readline() == note
        assert started.process.stderr.readline() == "onnx on cpu; weights painted, which comes with mxgan\n"
    save_params(tmp_path / "my-run" / "netG.params", generator())
    with server("my-run", cwd=tmp_path) as started:
        with pytest.warns(Caution, match="running statistics"):
            (own,) = load_generator(tmp_path / "my-run", "numpy").sample(1)
        apart = started.ask("/face.png?seed=0&index=0").picture.astype(int) - own
        assert np.abs(apart).max() <= 1  # two engines
        assert started.ask("/runs/my-run").status == 200
    with server("my-run", "--weights", "painted", cwd=tmp_path) as started:
        assert started.process.stderr.readline() == "onnx on cpu; weights painted, which comes with mxgan\n"


def test_for_others_too_is_said(tmp_path):
    with server("--host", "0.0.0.0", cwd=tmp_path) as started:
        started.process.stderr.readline()
        assert started.process.stderr.readline() == (
            "--host 0.0.0.0: everybody who reaches this machine can look, "
            f"at http://{socket.gethostname()}:{started.port}/; Ctrl-C ends it\n"
        )
        assert started.ask("/healthz", headers={"Host": "my-machine.example"}).status == 200
        assert started.ask("/runs").status == 200  # there is no runs/ here: an empty list
