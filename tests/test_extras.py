"""The line that installs an optional package keeps the others working; where none can help, the reason is said."""

import platform
import re
import sys
from pathlib import Path

import pytest
from processes import ROOT

from mxgan import extras
from mxgan.errors import MissingPackage

NO_MAC = "MXNet has no working build for Darwin on arm64: use Linux on x86_64"


@pytest.fixture
def installed(monkeypatch):
    """A machine to order: what pip has installed there."""

    def order(*distributions):
        monkeypatch.setattr(extras, "_is_here", lambda name: name in ("mxgan", *distributions))

    return order


@pytest.mark.parametrize(
    ("there", "extra", "named"),
    [
        ([], "onnx", "onnx"),
        ([], "cpu", "cpu"),
        (["torch"], "onnx", "onnx"),  # no MXNet: nothing to keep an eye on
        (["mxnet"], "onnx", "cpu,onnx"),
        (["mxnet"], "metrics", "cpu,metrics"),
        (["mxnet"], "cpu", "cpu"),
        (["mxnet-cu112"], "pytorch", "cu112,pytorch"),
        (["mxnet", "mxnet-cu112"], "onnx", "cu112,onnx"),
        (["mxnet"], "cu112", "cu112"),  # instead of it
        (["mxnet", "torch", "safetensors"], "onnx", "cpu,onnx"),
        (["onnxruntime", "torch-fidelity"], "cpu", "cpu,onnx,inception"),
    ],
)
def test_a_line_names_mxnets_extra_and_what_stands_beside_it(installed, there, extra, named):
    installed(*there)
    assert extras.install_line(extra) == f"pip install 'mxgan[{named}]'"
    assert str(MissingPackage("why", extra)) == f"why: pip install 'mxgan[{named}]'"


def test_a_checkout_that_is_not_installed_names_itself(monkeypatch):
    monkeypatch.setattr(extras, "_is_here", lambda name: name == "mxnet")
    assert extras.install_line("onnx") == f"pip install -e '{ROOT}[cpu,onnx]'"


def test_every_extra_of_a_user_has_a_mark():
    """So that a line can name it."""
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    names = re.findall(r'^    "([a-z0-9]+)": \[', text, re.M)
    assert {*names} - {"run", "test", "docs"} == {*extras.MARKS}
    assert all(mark in text for mark in extras.MARKS.values())


@pytest.mark.parametrize(
    ("python", "system", "machine", "extra", "reason"),
    [
        ((3, 12, 1), "Linux", "x86_64", "cpu", None),
        ((3, 9, 18), "Linux", "x86_64", "cu112", None),
        (
            (3, 12, 1),
            "Linux",
            "aarch64",
            "cpu",
            "MXNet has no working build for Linux on aarch64: use Linux on x86_64",
        ),
        ((3, 13, 0), "Linux", "x86_64", "cpu", "MXNet has no build for Python 3.13: use Python 3.9 to 3.12"),
        ((3, 14, 0), "Linux", "x86_64", "cu112", "MXNet has no build for Python 3.14: use Python 3.9 to 3.12"),
        (
            (3, 12, 1),
            "Darwin",
            "arm64",
            "cpu",
            NO_MAC,
        ),
        ((3, 12, 1), "Linux", "aarch64", "cu112", "MXNet has no CUDA build for Linux on aarch64: use Linux on x86_64"),
    ],
)
def test_where_mxnet_has_no_build_the_reason_is_said(monkeypatch, python, system, machine, extra, reason):
    monkeypatch.setattr(sys, "version_info", python)
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert extras.no_mxnet(extra) == reason


def test_no_other_file_writes_such_a_line():
    files = [path for path in (ROOT / "mxgan").rglob("*.py") if path != Path(extras.__file__)]
    assert [str(path) for path in files if "mxgan[" in path.read_text(encoding="utf-8")] == []
