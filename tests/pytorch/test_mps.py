"""``--ctx mps`` without an Apple GPU: in its stead PyTorch's device of shapes without numbers, ``meta``.

It refuses tensors on two devices, and here float64, which Apple's GPUs don't have. Whether the numbers come out right
it can't tell.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from mxgan import engines  # noqa: E402
from mxgan.config import TrainConfig, resolve  # noqa: E402
from mxgan.errors import MxganError  # noqa: E402
from mxgan.gluon import runtime as gluon  # noqa: E402
from mxgan.pytorch import runtime  # noqa: E402
from mxgan.pytorch.engine import Engine  # noqa: E402
from mxgan.training import batches  # noqa: E402

TINY = {"ngf": 4, "ndf": 4, "latent": 6, "batch_size": 4, "size": 32}


class NoFloat64(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        for value in found if isinstance(found, (list, tuple)) else (found,):
            if isinstance(value, torch.Tensor) and value.device.type == "meta":
                assert value.dtype is not torch.float64, f"{func} makes float64"
        return found


if tuple(map(int, torch.__version__.split(".")[:2])) < runtime.MPS_SINCE:
    pytest.skip("this PyTorch is older than --ctx mps takes", allow_module_level=True)


@pytest.fixture
def apple(monkeypatch) -> None:
    """PyTorch as it is on a Mac with Apple silicon."""
    monkeypatch.setattr(runtime, "installed", lambda: True)
    monkeypatch.setattr(torch, "__version__", "2.11.0")
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)


@pytest.fixture
def stand_in(monkeypatch) -> Iterator[None]:
    autocast = torch.autocast
    monkeypatch.setattr(runtime, "device", lambda ctx: torch.device({"mps": "meta"}[ctx]))
    monkeypatch.setattr(torch, "autocast", lambda kind, *a, **k: autocast(kind.replace("meta", "mps"), *a, **k))
    with NoFloat64():
        yield


@pytest.mark.parametrize(
    "options",
    [
        {"recipe": "gluon-tutorial"},
        {"recipe": "mxgan", "augment": "color,translation,cutout"},
        {"recipe": "pytorch-anime", "loss": "hinge", "spectral_norm": True},
        {"recipe": "mxgan", "plain": True},
    ],
)
def test_a_step_stays_on_the_gpu(stand_in, options):
    config = resolve(TrainConfig(**{**TINY, **options}))
    engine = Engine(config, "mps")
    stats = engine.train_step(batches.inputs(config, 1, 10, np.zeros((4, 32, 32, 3), np.uint8)))
    assert stats._values.device.type == "meta"
    model = engine.model
    numbers = [*model.netG.state_dict().values(), *model.netD.state_dict().values(), *model.trainerG.v.values()]
    assert {tensor.device.type for tensor in numbers if tensor.is_floating_point()} == {"meta"}


def test_waiting_waits_for_that_gpu(monkeypatch):
    waited: list[str] = []
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    engine = Engine(resolve(TrainConfig(**TINY)), "cpu")
    engine.wait()
    assert waited == []
    engine.model.device = torch.device("mps")
    engine.wait()
    assert waited == ["mps"]


def test_pytorch_takes_it_and_mxnet_cannot(apple, monkeypatch):
    monkeypatch.setattr(gluon, "installed", lambda: "mxnet")
    chosen = engines.choose("auto", "mps")
    assert (chosen.engine, chosen.ctx) == ("pytorch", "mps")
    assert chosen.line("mps") == "pytorch on mps: MXNet can't compute on Apple's GPUs"
    assert engines.choose_generator("auto", "mps").engine == "pytorch"
    assert runtime.device("mps") == torch.device("mps")
    with pytest.raises(MxganError, match="ctx 'mps': MXNet can't compute on Apple's GPUs: use engine='pytorch'"):
        engines.choose("mxnet", "mps")
    for engine in ("onnx", "numpy"):
        with pytest.raises((MxganError, ImportError), match=f"the {engine} engine computes on the CPU"):
            engines.choose_generator(engine, "mps")


def test_auto_never_takes_it(apple, monkeypatch):
    monkeypatch.setattr(gluon, "installed", lambda: None)
    assert engines.choose().ctx == "cpu"


def test_where_it_is_not_the_reason_is_said(apple, monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.4.1")
    assert runtime.mps_problem() == (
        "PyTorch 2.4.1 is too old for --ctx mps: pip install --upgrade 'torch>=2.5', or use --ctx cpu"
    )
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert "finds no Apple GPU that it can use: update macOS, or use --ctx cpu" in runtime.mps_problem()
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: False)
    with pytest.raises(MxganError, match=r"ctx 'mps': this PyTorch \(2.4.1\) has no code for Apple's GPUs"):
        runtime.device("mps")


def test_on_a_mac_gpu_names_mps(apple, monkeypatch):
    monkeypatch.setattr(runtime, "_version", lambda: "2.11.0")
    monkeypatch.setattr(runtime.sys, "platform", "darwin")
    assert runtime.gpu_problem() == "PyTorch has no CUDA on a Mac: use --ctx mps for an Apple GPU, or --ctx cpu"
