"""MXNet is imported safely, and each cause that keeps it from a GPU has a line of its own."""

import ctypes
import os
import platform
import sys

import numpy as np
import pytest
from processes import python

from mxgan import builds, extras
from mxgan.errors import MissingPackage, MxganError
from mxgan.gluon import runtime
from mxgan.machine import usable_cores


@pytest.fixture
def machine(monkeypatch):
    """A machine to order: which MXNet is installed, which GPUs the driver sees, which CUDA libraries are missing."""

    monkeypatch.setattr(builds, "no_mxnet", lambda cuda=False: "")

    def order(package, gpus=(), missing=()):
        monkeypatch.setattr(extras, "_is_here", lambda name: name in ("mxgan", package))
        monkeypatch.setattr(runtime, "installed", lambda: package)
        monkeypatch.setattr(runtime, "driver_gpus", lambda: gpus if isinstance(gpus, str) else list(gpus))
        monkeypatch.setattr(runtime, "missing_cuda_libraries", lambda: list(missing))

    return order


NO_DRIVER = "there is no NVIDIA driver (libcuda.so.1) on this machine"


@pytest.mark.parametrize(
    ("package", "gpus", "missing", "number", "cause", "fix"),
    [
        (None, NO_DRIVER, [], 0, "MXNet is not installed", "pip install 'mxgan[cu112]'"),
        ("mxnet", NO_DRIVER, [], 0, "CPU build of MXNet (mxnet)", "pip install 'mxgan[cu112]'"),
        ("mxnet", [(8, 0)], [], 0, "CPU build of MXNet (mxnet)", "pip uninstall mxnet, then pip install"),
        ("mxnet-cu112", NO_DRIVER, [], 0, NO_DRIVER, "pip uninstall mxnet-cu112, then pip install 'mxgan[cpu]'"),
        ("mxnet-cu112", [(9, 0)], [], 0, "GPU 0 has compute capability 9.0", "use --engine pytorch"),
        ("mxnet-cu112", [(8, 0), (12, 0)], [], 1, "GPU 1 has compute capability 12.0", "--ctx cpu"),
        ("mxnet-cu112", [(3, 7)], [], 0, "GPU 0 has compute capability 3.7", "--ctx cpu"),
        ("mxnet", [(9, 0)], [], 0, "GPU 0 has compute capability 9.0", "pytorch (pip install 'mxgan[cpu,pytorch]')"),
        ("mxnet-cu112", [(8, 0)], [], 1, "there is no GPU 1: this machine has 1 GPU, numbered from 0", "GPU"),
        ("mxnet-cu112", [(7, 5), (8, 6)], [], 2, "there is no GPU 2: this machine has 2 GPUs", "numbered from 0"),
        ("mxnet-cu112", [(8, 9)], ["libcudnn.so.8"], 0, "CUDA libraries that are missing here (libcudnn.so.8)", "[cu"),
    ],
)  # fmt: skip
def test_why_a_gpu_cannot_be_used_and_what_to_type(machine, package, gpus, missing, number, cause, fix):
    machine(package, gpus, missing)
    problem = runtime.gpu_problem(number)
    assert cause in problem
    assert fix in problem
    assert "\n" not in problem


@pytest.mark.parametrize("capability", [(5, 0), (6, 1), (7, 5), (8, 0), (8, 9)])
def test_a_gpu_that_can_be_used(machine, capability):
    machine("mxnet-cu112", [capability])
    assert runtime.gpu_problem(0) is None


def test_a_context_is_refused_with_the_cause(machine):
    machine("mxnet", NO_DRIVER)
    with pytest.raises(MxganError, match="ctx 'gpu:1': this is the CPU build of MXNet"):
        runtime.context("gpu:1")


def test_the_driver_here_answers_in_one_way_or_the_other():
    gpus = runtime.driver_gpus()
    if isinstance(gpus, str):
        assert "NVIDIA" in gpus
        assert "\n" not in gpus
    else:
        assert all(len(capability) == 2 and capability[0] >= 3 for capability in gpus)


def test_libraries_that_are_not_there_are_named(monkeypatch):
    monkeypatch.setattr(runtime, "CUDA_LIBRARIES", ("libc.so.6", "libno-such-library.so.1"))
    assert runtime.missing_cuda_libraries() == ["libno-such-library.so.1"]


def test_without_mxnet_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "mxnet", raising=False)
    monkeypatch.setattr(runtime, "installed", lambda: None)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(extras, "_is_here", lambda name: name == "mxgan")
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    with pytest.raises(MissingPackage, match=r"MXNet is not installed: pip install 'mxgan\[cpu\]'"):
        runtime.load()
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    why = "MXNet has no build for Python 3.13: use Python 3.9 to 3.12"
    with pytest.raises(ImportError) as refusal:
        runtime.load()
    assert str(refusal.value) == runtime.gpu_problem() == why
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(ImportError, match="MXNet has no working build for Linux on aarch64: use Linux on x86_64"):
        runtime.load()


def test_libraries_of_the_system_that_are_missing_are_named_with_their_packages(monkeypatch):
    def missing(name):
        raise OSError("libquadmath.so.0: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(runtime.importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"imported here: libquadmath\.so\.0: .*: apt install libgomp1 libquadmath0"):
        runtime._import_quietly("mxnet")
    monkeypatch.setattr(runtime.importlib, "import_module", lambda name: ctypes.CDLL("libno-such-library.so.1"))
    with pytest.raises(ImportError, match="libno-such-library") as refusal:
        runtime._import_quietly("mxnet")
    assert "apt" not in str(refusal.value)


def test_a_numpy_too_new_is_named_and_the_cure_keeps_what_wants_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "mxnet", raising=False)
    monkeypatch.setattr(extras, "_is_here", lambda name: name in ("mxgan", "mxnet", "onnxruntime"))
    monkeypatch.setattr(runtime, "installed", lambda: "mxnet")
    monkeypatch.setattr(runtime.importlib.metadata, "version", lambda package: "2.1.0")
    with pytest.raises(ImportError, match=r"needs numpy<2 and 2\.1\.0 is installed: pip install 'mxgan\[cpu,onnx\]'"):
        runtime.load()


def test_numpys_aliases_are_there_for_the_import_alone(mx):
    before = dict(vars(np))
    with runtime._removed_numpy_aliases():
        assert (np.bool, np.object) == (bool, object)
    assert dict(vars(np)) == before
    assert "object" not in vars(np)  # and the import of MXNet, long ago, left none either


def test_arrays_become_mxnets_own(mx):
    from mxgan.gluon.tensors import to_tensor

    values = np.arange(6, dtype=np.float64).reshape(2, 3)
    array = to_tensor(values, mx.cpu(), "float32")
    assert (array.dtype, array.shape, array.context) == (np.float32, (2, 3), mx.cpu())
    np.testing.assert_array_equal(array.asnumpy(), values)


@pytest.mark.parametrize(("variable", "asked", "used"), [("3", None, "3"), ("3", 1, "1"), (None, 2, "2")])
def test_the_users_threads_count_before_ours_and_what_is_asked_before_both(monkeypatch, variable, asked, used):
    monkeypatch.delitem(sys.modules, "mxnet", raising=False)
    monkeypatch.setattr(runtime, "installed", lambda: "mxnet")
    monkeypatch.setattr(runtime.importlib.metadata, "version", lambda package: "1.26.4")
    monkeypatch.setattr(runtime, "_import_quietly", lambda name: os.environ["OMP_NUM_THREADS"])
    monkeypatch.setenv("OMP_NUM_THREADS", variable or "")
    if variable is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(runtime, "_computes_with", [])
    assert runtime.load(asked) == used == runtime.threads()
    assert os.environ.get("OMP_NUM_THREADS") == variable


def test_a_first_import_warns_of_nothing_and_uses_the_cores_there_are(mx, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    process = python("-W", "error", "-c", CODE)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.split() == [str(usable_cores()), "False", "False", "6.0", "True"]


CODE = """
import os, sys
from mxgan.gluon import runtime
mx = runtime.load()
import numpy as np
print(runtime.threads(), "OMP_NUM_THREADS" in os.environ, "object" in vars(np))
print(mx.nd.ones((2, 3)).sum().asscalar(), runtime.load() is mx)
"""
