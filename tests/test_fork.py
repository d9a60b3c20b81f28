"""A generator works in a child made by fork, as a web server's workers are: the child's pictures are its parent's."""

from __future__ import annotations

import os

import needs
import networks
import numpy as np
import pytest
from processes import python

from mxgan import engines, save_params
from mxgan.errors import MxganError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

CHILDREN = """
import multiprocessing, os, signal, sys
import mxgan

file, engine = sys.argv[1:]
netG = mxgan.load_generator(file, engine, "cpu")
ours = netG.sample(8)

def again(net):
    signal.alarm(50)  # a child that waits for ever ends here
    for _ in range(3):
        assert (net.sample(8) == ours).all()

def inherits():
    again(netG)

def loads_its_own():
    again(mxgan.load_generator(file, engine, "cpu"))

for child in (inherits, loads_its_own):
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == 0, (child, process.exitcode)
pid = os.fork()
if pid == 0:
    inherits()
    del netG
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert (netG.sample(8) == ours).all()
print("the same")
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    """A netG wide enough that every engine computes with all its threads."""
    path = tmp_path_factory.mktemp("fork") / "netG.params"
    save_params(path, networks.generator(100, (256, 128, 64, 32)))
    return str(path)


@pytest.mark.parametrize("engine", ["mxnet", "pytorch", "onnx"])
def test_children_make_their_parents_pictures(weights, engine):
    if engine == "mxnet":
        needs.mxnet()
    pytest.importorskip({"mxnet": "mxnet", "pytorch": "torch", "onnx": "onnxruntime"}[engine])
    process = python("-c", CHILDREN, weights, engine, timeout=180)
    assert (process.returncode, process.stdout) == (0, "the same\n"), process.stderr


def test_threads_are_one_in_the_child_and_as_before_afterwards(monkeypatch):
    torch = pytest.importorskip("torch")
    from mxgan.pytorch import contexts, runtime

    before = torch.get_num_threads()
    with contexts.threads_kept():
        assert torch.get_num_threads() == runtime.usable_threads()
    monkeypatch.setattr(runtime, "home", lambda: os.getpid() - 1)
    torch.set_num_threads(2)
    try:
        with contexts.threads_kept():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        runtime.load(2)
        assert torch.get_num_threads() == 1  # even where more were asked for: they would wait for ever
    finally:
        torch.set_num_threads(before)


def test_on_a_gpu_it_is_refused_with_the_cure(monkeypatch):
    forward = engines._in_this_process(lambda z, labels=None: z, "gpu:1")
    assert forward(np.ones(2)).tolist() == [1, 1]
    monkeypatch.setattr(os, "getpid", lambda: 0)
    with pytest.raises(MxganError, match=r"ctx 'gpu:1': a GPU can't be used .*\.get_context\(\"spawn\"\) and load"):
        forward(np.ones(2))
    assert engines._in_this_process(max, "cpu") is max
