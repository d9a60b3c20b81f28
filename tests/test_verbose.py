"""One short line says what computes and where; the reasons come with --verbose."""

from __future__ import annotations

import re

import networks
import pytest
from processes import TINY, mxgan

from mxgan import load_generator, save_params

WHERE = r"(mxnet|pytorch|onnx|numpy) on (cpu|gpu)"


def test_generate(tmp_path):
    file = tmp_path / "netG.params"
    save_params(file, networks.generator())
    command = ("generate", "--weights", file, "--n", 1)
    short = mxgan(*command, cwd=tmp_path)
    assert short.returncode == 0 and re.search(rf"{WHERE}; weights {re.escape(str(file))}\n", short.stderr)
    chosen = load_generator(file, n=1)
    long = mxgan(*command, "--verbose", cwd=tmp_path)
    assert f"{chosen.why}; weights {file}\n" in long.stderr
    assert chosen.why.startswith(f"engine {chosen.engine} on {chosen.ctx}: ")


@pytest.mark.slow
def test_train_and_evaluate(tmp_path, faces_folder):
    run = tmp_path / "run"
    command = ("train", "--data", faces_folder, "--steps", 1, *TINY, "--out")
    short = mxgan(*command, run, cwd=tmp_path)
    assert re.search(rf"^{WHERE}$", short.stderr, re.M) and not re.search(rf"^{WHERE}: ", short.stderr, re.M)
    long = mxgan(*command, tmp_path / "another", "--verbose", cwd=tmp_path)
    assert re.match(rf"{WHERE}: .+\n", long.stderr)
    scored = ("evaluate", "--run", run, "--metrics", "swd", "--n", 8)
    assert not re.search(WHERE + ": ", mxgan(*scored, cwd=tmp_path).stderr)
    assert re.match(rf"{WHERE}: .+\n", mxgan(*scored, "--verbose", cwd=tmp_path).stderr)
