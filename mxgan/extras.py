"""The optional packages: which are here, and the ``pip install`` line that adds some and keeps the others working.

pip heeds what it installs now, not what was installed before: an extra named alone may bring a NumPy with which MXNet
can't be imported, or leave one that a package beside MXNet can't be imported with. So a line names both.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Optional

from mxgan import builds

MARKS = {  # an extra, and the distribution that shows that it is installed
    "cpu": "mxnet",
    "cu112": "mxnet-cu112",
    "pytorch": "torch",
    "onnx": "onnxruntime",
    "safetensors": "safetensors",
    "metrics": "efficientnet-lite-pytorch",
    "inception": "torch-fidelity",
    "parquet": "pyarrow",
    "download": "huggingface_hub",
    "examples": "jupyterlab",
    "video": "av",
    "tensorboard": "tensorboard",
    "page": "fastapi",
}
MXNETS = ("cpu", "cu112")


def install_line(extra: str) -> str:
    """``pip install 'mxgan[cpu,onnx]'``: installs ``extra`` and leaves what is installed working."""
    if extra in MXNETS:
        names = [extra, *(name for name in MARKS if name not in MXNETS and _is_here(MARKS[name]))]
    else:  # the CUDA build's files lie over the CPU build's where both are
        names = [*[name for name in ("cu112", "cpu") if _is_here(MARKS[name])][:1], extra]
    what = ",".join(names)
    if _is_here("mxgan"):
        return f"pip install 'mxgan[{what}]'"
    return f"pip install -e {shlex.quote(f'{Path(__file__).parents[1]}[{what}]')}"  # a checkout, not installed


def no_mxnet(extra: str = "cpu") -> Optional[str]:
    """Why no line can install MXNet here, and what to do instead; None where one can.

    ``extra``: cpu, or cu112 for the build that uses GPUs.
    """
    why = builds.no_mxnet(cuda=extra == "cu112")
    if not why:
        return None
    return f"{why}: use {'Python 3.9 to 3.12' if sys.version_info >= (3, 13) else 'Linux on x86_64'}"


def _is_here(distribution: str) -> bool:
    import importlib.metadata  # not above: it takes as long as the rest of the program's start

    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
