"""Which engine there is a build of: the words of `mxgan.builds` against the markers that pip reads in setup.py."""

import platform
import runpy
import sys
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from processes import ROOT

from mxgan import builds

PYTHONS = [(3, minor, 1) for minor in range(8, 16)]
MACHINES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "x86_64"), ("darwin", "arm64")]


def here(monkeypatch, python, system, processor) -> None:
    monkeypatch.setattr(sys, "version_info", python)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "system", lambda: {"linux": "Linux", "darwin": "Darwin"}[system])
    monkeypatch.setattr(platform, "machine", lambda: processor)


@pytest.fixture
def extras(monkeypatch) -> dict:
    found: dict = {}
    stand_in = SimpleNamespace(setup=lambda **given: found.update(given["extras_require"]))
    monkeypatch.setitem(sys.modules, "setuptools", stand_in)
    runpy.run_path(str(ROOT / "setup.py"))
    return found


def wanted(requirements, python, system, processor) -> dict[str, str]:
    """The packages that pip would install there, each with its versions."""
    there = {
        "python_version": "{}.{}".format(*python), "sys_platform": system, "platform_machine": processor,
    }  # fmt: skip
    parsed = [Requirement(text) for text in requirements]
    chosen = [one for one in parsed if one.marker is None or one.marker.evaluate(there)]
    names = {one.name for one in chosen}
    return {name: ",".join(str(one.specifier) for one in chosen if one.name == name) for name in names}


@pytest.mark.parametrize("python", PYTHONS, ids=str)
@pytest.mark.parametrize(("system", "processor"), MACHINES)
def test_the_words_are_the_markers(monkeypatch, extras, python, system, processor):
    here(monkeypatch, python, system, processor)
    for extra, package, cuda in (("run", "mxnet", False), ("cpu", "mxnet", False), ("cu112", "mxnet-cu112", True)):
        assert (package in wanted(extras[extra], python, system, processor)) == (not builds.no_mxnet(cuda))
    run = wanted(extras["run"], python, system, processor)
    assert ("torch" in run) == ("mxnet" not in run)
    assert ("numpy" in run) == ("mxnet" in run)  # a numpy 1.x
    if builds.no_engine():
        return
    line = builds.line()
    assert line.startswith("engine: MXNet" if "mxnet" in run else "engine: PyTorch, because MXNet has no ")
    assert ("CUDA" in line) == ("torch" in run and (system, processor) == ("linux", "x86_64"))


def test_arm_gets_the_last_pytorch_without_cuda(extras):
    for system, processor, versions in (("linux", "aarch64", ">=2.2,<2.11"), ("darwin", "arm64", ">=2.2")):
        assert wanted(extras["run"], (3, 13), system, processor) == {"torch": versions}


def test_the_last_pytorch_for_intel_macs_gets_its_numpy(extras):
    assert wanted(extras["pytorch"], (3, 12), "darwin", "x86_64") == {"torch": ">=2.2", "numpy": "<2"}
    assert wanted(extras["pytorch"], (3, 12), "linux", "x86_64") == {"torch": ">=2.2"}


@pytest.mark.parametrize(
    ("python", "system", "processor", "line"),
    [
        ((3, 11), "linux", "x86_64", "engine: MXNet, which has a build for Python 3.11 on x86_64; 0.5 GB"),
        (
            (3, 14), "linux", "x86_64",
            "engine: PyTorch, because MXNet has no build for Python 3.14; 6 GB with the CUDA libraries",
        ),
        (
            (3, 12), "darwin", "arm64",
            "engine: PyTorch, because MXNet has no working build for Darwin on arm64; about 1 GB",
        ),
    ],
)  # fmt: skip
def test_the_line(monkeypatch, python, system, processor, line):
    here(monkeypatch, python, system, processor)
    assert builds.line() == line
    assert builds.fits()
    assert builds.fits(mxnet=True) == ("PyTorch" not in line)


@pytest.mark.parametrize(
    ("python", "system", "processor", "message"),
    [
        ((3, 8), "linux", "x86_64", "Python 3.8 is too old for mxgan: install Python 3.9 to 3.14"),
        ((3, 13), "darwin", "x86_64", "neither MXNet nor PyTorch has a build for Python 3.13 on Intel Macs: install"),
    ],
)
def test_without_an_engine_it_ends_in_a_line(monkeypatch, python, system, processor, message):
    here(monkeypatch, python, system, processor)
    assert not builds.fits()
    with pytest.raises(SystemExit, match=f"^mxgan: error: {message}.*$"):
        builds.line()


def test_a_python_that_nobody_tried_is_never_chosen_and_may_be_named(monkeypatch):
    here(monkeypatch, (3, 15), "linux", "x86_64")
    assert not builds.fits()
    assert builds.line().startswith("engine: PyTorch, because MXNet has no build for Python 3.15")
