"""A library leaves global state alone: loading a generator and generating change nothing that others rely on."""

from __future__ import annotations

import json
import os

import needs
import networks
import pytest
from processes import python

from mxgan import save_params

TWO_LOADS = """
import gc, json, locale, logging, os, random, signal, subprocess, sys, threading, types, warnings
for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
    os.environ.pop(name, None)  # whoever runs the tests may have set them
import cv2
import matplotlib
import numpy as np

file, engine = sys.argv[1:]

def pytorch(torch):
    cudnn = torch.backends.cudnn
    return {
        "torch's random": torch.get_rng_state().tolist(),
        "torch's dtype": str(torch.get_default_dtype()),
        "torch's device": str(torch.empty(0).device),
        "torch's gradients": [torch.is_grad_enabled(), torch.is_inference_mode_enabled()],
        "torch's threads": [torch.get_num_threads(), torch.get_num_interop_threads()],
        "torch is deterministic": torch.are_deterministic_algorithms_enabled(),
        "torch's precision": torch.get_float32_matmul_precision(),
        "cudnn": [cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32],
    }

def mxnet(mx):
    random = mx.nd.random.normal(shape=5).asnumpy().tolist()  # there is no way to ask for the state
    mx.random.seed(4)
    return {
        "mxnet's random": random,
        "mxnet records": [mx.autograd.is_recording(), mx.autograd.is_training()],
        "mxnet's numpy": [mx.util.is_np_array(), mx.util.is_np_shape()],
        "mxnet's context": str(mx.context.current_context()),
    }

def snapshot():
    names = sorted(name for name, value in vars(np).items() if not isinstance(value, types.ModuleType))
    hooks = sys.excepthook, threading.excepthook, sys.displayhook, sys.stdout, sys.stderr, warnings.showwarning
    found = {
        "random": random.getstate(),
        "numpy's random": str(np.random.get_state()),
        "numpy's options": [np.geterr(), str(np.get_printoptions())],
        "numpy's names": names,
        "OpenCV's threads": cv2.getNumThreads(),
        "matplotlib's backend": str(dict.get(matplotlib.rcParams, "backend")),
        "environment": dict(os.environ),
        "what programs find": subprocess.run("env", capture_output=True).stdout.decode(),
        "process": [os.getcwd(), os.umask(0o22), sorted(os.sched_getaffinity(0))],
        "locale": locale.setlocale(locale.LC_ALL),
        "path": list(sys.path),
        "finders": [str(one) for one in sys.meta_path],
        "signals": {str(number): str(signal.getsignal(number)) for number in signal.valid_signals()},
        "warnings": [str(one) for one in warnings.filters],
        "logging": [logging.root.level, str(logging.root.handlers)],
        "hooks": [str(one) for one in hooks],
        "limits": [sys.getrecursionlimit(), sys.getswitchinterval(), gc.isenabled(), gc.get_threshold()],
        "modules": {name: id(one) for name, one in sys.modules.items()},
    }
    if "torch" in sys.modules:
        found.update(pytorch(sys.modules["torch"]))
    if "mxnet" in sys.modules:
        found.update(mxnet(sys.modules["mxnet"]))
    return json.loads(json.dumps(found))

def changes():
    first = snapshot()
    import mxgan
    mxgan.load_generator(file, engine, "cpu").sample(3)
    second = snapshot()
    old, new = first.pop("modules"), second["modules"]
    found = {f"module {name}": "gone or another" for name in old if new.get(name) != old[name]}
    found.update({name: [first[name], second[name]] for name in first if first[name] != second[name]})
    return found

os.umask(0o22)
random.seed(1)
np.random.seed(2)
at_first = changes()
if engine == "pytorch":
    sys.modules["torch"].manual_seed(3)
    sys.modules["torch"].set_num_threads(99)  # more than the cores there are, which generating goes without
if engine == "mxnet":
    sys.modules["mxnet"].random.seed(4)
    snapshot()  # draws, and seeds again, as the next one will
print(json.dumps([at_first, changes()]))
"""


@pytest.mark.parametrize("engine", ["mxnet", "pytorch", "onnx"])
def test_nothing_changes(tmp_path, engine):
    """Nothing at all in a program that has imported the framework; otherwise no more than what its import leaves.

    PyTorch's import adds two filters for its own warnings; that of setuptools, which MXNet needs, a folder to the path,
    or, in older versions, finders of its own.
    """
    if engine == "mxnet":
        needs.mxnet()
    pytest.importorskip({"mxnet": "mxnet", "pytorch": "torch", "onnx": "onnxruntime"}[engine])
    pytest.importorskip("matplotlib")
    save_params(tmp_path / "netG.params", networks.generator())
    process = python("-c", TWO_LOADS, tmp_path / "netG.params", engine)
    assert process.returncode == 0, process.stderr
    at_first, then = json.loads(process.stdout)
    assert then == {}
    old, new = at_first.pop("warnings", [[], []]) if engine == "pytorch" else ([], [])
    assert new[len(new) - len(old) :] == old
    assert all("torch" in one for one in new[: len(new) - len(old)])
    old, new = at_first.pop("path", [[], []]) if engine == "mxnet" else ([], [])
    assert new[: len(old)] == old
    assert [os.path.basename(one) for one in new[len(old) :]] in ([], ["_vendor"])
    old, new = at_first.pop("finders", [[], []]) if engine == "mxnet" else ([], [])
    assert new[: len(old)] == old
    assert all("VendorImporter" in one for one in new[len(old) :])
    assert at_first == {}
