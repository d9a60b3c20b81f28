"""Do the ``pip install`` lines that mxgan prints keep what is installed working? In real environments, made for it.

    python benchmarks/install_lines.py                    each extra after cpu, and cpu after each: minutes, and 3 GB
    python benchmarks/install_lines.py onnx safetensors   these alone

For each extra: cpu, then the line that mxgan prints for the extra; and in another environment the extra, then the line
for cpu. Whatever the order, MXNet and the extra's packages must be importable at the end. Exit status 1 if not.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {  # an extra, and what it is for
    "pytorch": ["torch"],
    "onnx": ["onnx", "onnxruntime"],
    "safetensors": ["safetensors.numpy"],
    "metrics": ["torch", "sklearn.neighbors", "efficientnet_lite_pytorch"],
    "examples": ["torch", "sklearn.svm", "nbclient"],
    "inception": ["torch", "sklearn.neighbors"],  # torch_fidelity imports torchvision, which fails beside many a torch
}
LINE = "from mxgan import extras; print(extras.install_line({!r}))"
IMPORTS = """
import importlib, sys, numpy
from mxgan.gluon import runtime
mx = runtime.load()
assert float(mx.nd.ones((2, 3)).sum().asscalar()) == 6
for name in sys.argv[1:]:
    importlib.import_module(name)
print("numpy", numpy.__version__, end=" ")
"""


def ends_well(first: str, then: str, packages: list[str]) -> bool:
    """Install the extra ``first``, then type the line that mxgan prints for ``then``: can all be imported?"""
    with tempfile.TemporaryDirectory(prefix="mxgan-install-") as folder:
        venv.create(folder, with_pip=True)
        python = f"{folder}/bin/python"
        subprocess.run([python, "-m", "pip", "install", "-q", "-e", f"{ROOT}[{first}]"], check=True)
        line = _output(python, "-c", LINE.format(then))
        print(f"{first}, then {line}", end=": ", flush=True)
        subprocess.run([python, "-m", *shlex.split(line), "-q"], check=True)
        tried = subprocess.run([python, "-c", IMPORTS, *packages], capture_output=True, text=True, cwd=folder)
        print(tried.stdout, "works" if tried.returncode == 0 else f"BROKEN\n{tried.stderr}", flush=True)
        return tried.returncode == 0


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tempfile.gettempdir()).stdout.strip()


def main(names: list[str]) -> int:
    """All pairs of cpu and one of ``names``, in both orders; 1 if one is broken."""
    unknown = set(names) - set(PACKAGES)
    if unknown:
        sys.exit(f"{' '.join(unknown)}: not one of {' '.join(PACKAGES)}")
    found = [
        ends_well(*order, PACKAGES[extra]) for extra in names or PACKAGES for order in (("cpu", extra), (extra, "cpu"))
    ]
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
