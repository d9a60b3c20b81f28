"""Which engine runs here, and why: the choice alone, with what the machine has made up."""

import pytest

from mxgan import engines, extras
from mxgan.config import TrainConfig
from mxgan.engines import LITTLE, Choice, choose, choose_generator, choose_trainer
from mxgan.errors import MissingPackage, MxganError
from mxgan.gluon import runtime as gluon
from mxgan.pytorch import runtime as pytorch

NO_CODE = "GPU 0 has compute capability 9.0 and no MXNet wheel has code for it (5.0 to 8.9 work): use --engine pytorch"
NO_DRIVER = "there is no NVIDIA driver (libcuda.so.1) on this machine: install NVIDIA's driver, or use --ctx cpu"
CPU_BUILD = "this is a CPU build of PyTorch (2.13.0+cpu): install the CUDA build, or use --ctx cpu"


class Machine:
    """What is installed on a machine, and what each engine has against its GPU (None: nothing)."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.installed = {"mxnet", "pytorch", "onnx"}
        self.gpu = {"mxnet": NO_DRIVER, "pytorch": CPU_BUILD}
        self.threads: list = []
        patch.setattr(extras, "_is_here", lambda name: name == "mxgan")
        for name, title, runtime in (("mxnet", "MXNet", gluon), ("pytorch", "PyTorch", pytorch)):
            extra = {"mxnet": "cpu", "pytorch": "pytorch"}[name]
            patch.setattr(runtime, "installed", lambda name=name: name in self.installed)
            patch.setattr(
                runtime, "load", lambda threads=None, *a, n=name, t=title, e=extra: self.load(n, t, e, threads)
            )
            patch.setattr(runtime, "gpu_problem", lambda number=0, n=name, t=title: self.gpu_problem(n, t, number))
        found = engines._installed
        patch.setattr(engines, "_installed", lambda name: "onnx" in self.installed if name == "onnx" else found(name))

    def load(self, name: str, title: str, extra: str, threads) -> None:
        self.threads.append((name, threads))
        if name not in self.installed:
            raise MissingPackage(f"{title} is not installed", extra)

    def gpu_problem(self, name: str, title: str, number: int):
        if name not in self.installed:
            return f"{title} is not installed: pip install it"
        if number > 0 and self.gpu[name] is None:
            return f"there is no GPU {number}: this machine has 1 GPU, numbered from 0"
        return self.gpu[name]


@pytest.fixture
def machine(monkeypatch) -> Machine:
    return Machine(monkeypatch)


def test_without_a_gpu_auto_is_mxnet_on_the_cpu(machine):
    assert choose("auto", "cpu") == Choice("mxnet", "cpu", "MXNet runs on it")
    chosen = choose()
    assert (chosen.engine, chosen.ctx) == ("mxnet", "cpu")
    assert chosen.why == (
        "there is no NVIDIA driver (libcuda.so.1) on this machine; this is a CPU build of PyTorch (2.13.0+cpu)"
    )


def test_why_is_said_on_request_or_where_a_gpu_was_asked_for(machine):
    machine.gpu = {"mxnet": NO_CODE, "pytorch": None}
    chosen = choose("auto", "gpu")
    assert chosen.line() == chosen.line("auto") == "pytorch on gpu"
    assert chosen.line("gpu") == chosen.line(verbose=True) == f"pytorch on gpu: {chosen.why}"
    assert choose("auto", "cpu").line("cpu") == "mxnet on cpu"


def test_without_mxnet_auto_is_pytorch(machine):
    machine.installed = {"pytorch"}
    chosen = choose("auto", "cpu")
    assert chosen == Choice("pytorch", "cpu", "MXNet is not installed")
    assert chosen.line("cpu") == chosen.line() == "pytorch on cpu: MXNet is not installed"
    assert choose("pytorch", "cpu").line() == "pytorch on cpu"
    assert choose().line() == "pytorch on cpu: MXNet is not installed"  # and no word on GPUs, which nobody asked for


def test_a_gpu_that_both_can_use_is_mxnets(machine):
    machine.gpu = {"mxnet": None, "pytorch": None}
    assert choose() == Choice("mxnet", "gpu", "MXNet runs on it")
    assert choose("auto", "gpu:0") == Choice("mxnet", "gpu:0", "MXNet runs on it")
    assert choose("pytorch") == Choice("pytorch", "gpu", "as asked")


@pytest.mark.parametrize("ctx", ["auto", "gpu"])
def test_a_gpu_that_only_pytorch_can_use_is_pytorchs(machine, ctx):
    machine.gpu = {"mxnet": NO_CODE, "pytorch": None}
    why = "GPU 0 has compute capability 9.0 and no MXNet wheel has code for it (5.0 to 8.9 work)"
    assert choose("auto", ctx) == Choice("pytorch", "gpu", why)
    with pytest.raises(MxganError, match=r"ctx 'gpu': GPU 0 has compute capability 9\.0 .* use engine='pytorch'"):
        choose("mxnet", "gpu")
    assert choose("mxnet", "auto") == Choice("mxnet", "cpu", why)


def test_a_gpu_that_is_not_there_is_refused_once(machine):
    machine.gpu = {"mxnet": None, "pytorch": None}
    with pytest.raises(MxganError) as refusal:
        choose("auto", "gpu:3")
    assert str(refusal.value) == "ctx 'gpu:3': there is no GPU 3: this machine has 1 GPU, numbered from 0"


def test_an_engine_that_is_not_installed_is_an_import_error_with_what_to_type(machine):
    machine.installed = {"mxnet"}
    with pytest.raises(ImportError, match=r"PyTorch is not installed: pip install 'mxgan\[pytorch\]'"):
        choose("pytorch", "cpu")
    machine.installed = set()
    for ctx in ("auto", "cpu"):
        with pytest.raises(ImportError) as refusal:
            choose("auto", ctx)
        assert str(refusal.value) == (
            "MXNet is not installed: pip install 'mxgan[cpu]'; PyTorch is not installed: pip install 'mxgan[pytorch]'"
        )
    with pytest.raises(ImportError, match="PyTorch is not installed"):
        choose("pytorch", "gpu")


def test_generating_takes_the_first_engine_that_is_installed(machine):
    machine.installed = {"mxnet", "pytorch", "onnx"}
    assert choose_generator("auto", "cpu") == Choice("onnx", "cpu", "ONNX Runtime runs on it")
    assert choose_generator().engine == "onnx"
    assert choose_generator("onnx", "auto").ctx == "cpu"
    with pytest.raises(MxganError, match="ctx 'gpu': the onnx engine computes on the CPU: use ctx='cpu'"):
        choose_generator("onnx", "gpu")
    machine.installed = {"mxnet", "pytorch"}
    assert choose_generator("auto", "cpu") == Choice("mxnet", "cpu", "ONNX Runtime is not installed")
    machine.installed = {"pytorch"}
    assert choose_generator("auto", "cpu").engine == "pytorch"
    with pytest.raises(ImportError, match=r"ONNX Runtime is not installed: pip install 'mxgan\[onnx\]'"):
        choose_generator("onnx")
    machine.installed = set()
    with pytest.raises(ImportError, match="MXNet is not installed"):
        choose_generator("auto", "gpu")


def test_a_gpu_generates_before_any_engine_on_the_cpu(machine):
    machine.installed = {"mxnet", "pytorch", "onnx"}
    machine.gpu = {"mxnet": None, "pytorch": None}
    assert choose_generator() == Choice("mxnet", "gpu", "MXNet runs on it")
    assert choose_generator("auto", "cpu").engine == "onnx"


def test_little_work_is_numpys_where_the_cpu_will_do_and_nothing_is_asked_for(machine):
    machine.gpu = {"mxnet": None, "pytorch": None}
    for ctx in ("auto", "cpu"):
        assert choose_generator("auto", ctx, work=LITTLE) == Choice(
            "numpy", "cpu", "so little work is done before another engine is loaded"
        )
    assert choose_generator("auto", "auto", work=LITTLE + 1).engine == "mxnet"
    assert choose_generator("auto", "gpu", work=1).engine == "mxnet"
    assert choose_generator("pytorch", "cpu", work=1).engine == "pytorch"
    assert machine.threads == [("mxnet", None), ("mxnet", None), ("pytorch", None)]  # for little, none was imported


def test_onnx_does_not_train(machine):
    with pytest.raises(MxganError, match=r"engine 'onnx': one of auto, mxnet, pytorch$"):
        choose("onnx", "cpu")
    with pytest.raises(MxganError, match=r"engine 'jax': one of auto, onnx, mxnet, pytorch, numpy$"):
        choose_generator("jax")


def test_numpy_makes_pictures_where_nothing_else_is_installed(machine):
    machine.installed = set()
    assert choose_generator("auto", "cpu") == Choice(
        "numpy", "cpu", "ONNX Runtime is not installed; MXNet is not installed; PyTorch is not installed"
    )
    assert choose_generator("numpy", "cpu").why == "as asked"
    with pytest.raises(MxganError, match="the numpy engine computes on the CPU: use ctx='cpu'"):
        choose_generator("numpy", "gpu")
    with pytest.raises(MxganError, match=r"engine 'numpy': one of auto, mxnet, pytorch$"):
        choose("numpy")


def test_threads_reach_the_first_import(machine):
    choose("mxnet", "cpu", threads=3)
    assert machine.threads == [("mxnet", 3)]


def test_what_only_pytorch_computes_is_trained_by_pytorch(machine):
    assert choose_trainer(TrainConfig()).engine == "mxnet"
    assert choose_trainer(TrainConfig(precision="bfloat16", threads=3)).engine == "pytorch"
    assert machine.threads[-1] == ("pytorch", 3)
    assert choose_trainer(TrainConfig(precision="bfloat16", engine="mxnet")).engine == "mxnet"  # `build` refuses
    machine.installed = {"mxnet"}
    with pytest.raises(ImportError, match="PyTorch is not installed"):
        choose_trainer(TrainConfig(precision="bfloat16"))


def test_mxnet_refuses_what_only_pytorch_can(machine):
    for values, ctx, message in (
        ({"precision": "bfloat16"}, "cpu", "precision 'bfloat16': the mxnet engine computes in float32"),
        ({"deterministic": True}, "gpu", "deterministic: the mxnet engine can't promise it on a GPU"),
    ):
        with pytest.raises(MxganError, match=f"{message}.*; use engine='pytorch'"):
            engines.build(Choice("mxnet", ctx, ""), TrainConfig(**values))
    with pytest.raises(MxganError, match="precision 'float16': one of float32, tf32, bfloat16"):
        TrainConfig(precision="float16")


def test_versions_say_where_mxnet_can_not_be(machine, monkeypatch):
    """pip installs the extra cpu there, without MXNet and without a word."""
    machine.installed = {"pytorch"}
    monkeypatch.setattr(extras.sys, "version_info", (3, 13, 0))
    why = "MXNet has no build for Python 3.13: use Python 3.9 to 3.12"
    monkeypatch.setattr(gluon, "installed", lambda: None)
    assert engines.versions()[0] == f"mxnet: not installed ({why})"
    monkeypatch.setattr(extras.sys, "version_info", (3, 12, 1))
    monkeypatch.setattr(extras, "no_mxnet", lambda extra="cpu": None)
    assert engines.versions()[0] == "mxnet: not installed"


def test_compare_without_an_engine_says_that_it_needs_both(machine, tmp_path):
    from mxgan.compare import compare

    machine.installed = {"mxnet"}
    with pytest.raises(ImportError) as refusal:
        compare(TrainConfig(), str(tmp_path / "report"))
    assert str(refusal.value) == ("compare runs both engines: PyTorch is not installed: pip install 'mxgan[pytorch]'")


@pytest.mark.parametrize(
    ("asked", "ctx", "computed"),
    [
        ("tf32", "cpu", "float32"), ("tf32", "mps", "float32"), ("tf32", "gpu", "tf32"), ("tf32", "gpu:1", "tf32"),
        ("float32", "gpu", "float32"), ("bfloat16", "cpu", "bfloat16"),
    ],
)  # fmt: skip
def test_a_run_says_the_precision_that_it_is_computed_in(asked, ctx, computed):
    assert engines.as_computed(TrainConfig(precision=asked), ctx).precision == computed
