"""Several processes are one, where BatchNorm counts the faces of all: in float64, to rounding."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from processes import several as processes

from mxgan.compare.proof import LIMIT, NO_GRADIENT, relative
from mxgan.weights.names import biases_before_norm

pytest.importorskip("torch")

WORKER = Path(__file__).parent / "team_worker.py"
EVERYTHING = {"spectral_norm": True, "loss": "hinge", "augment": "color,translation,cutout", "flip": True, "ema": 50}
RUNS = {  # "mxgan" has augmentation and the average
    **{name: {"recipe": name, "sync_batchnorm": True} for name in ("gluon-tutorial", "pytorch-anime", "mxgan")},
    "everything": {"recipe": "pytorch-celeba", "sync_batchnorm": True, **EVERYTHING},
    "local": {"recipe": "gluon-tutorial"},
}


def made_by(folder, count):
    """What each of ``count`` processes came to, by rank."""
    started = processes([[WORKER, folder, json.dumps(RUNS)]] * count)
    told = [process.communicate(timeout=300)[1] for process in started]
    assert [process.returncode for process in started] == [0] * count, told
    return [pickle.loads((folder / f"{rank}.pickle").read_bytes()) for rank in range(count)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return made_by(tmp_path_factory.mktemp("alone"), 1)[0]


@pytest.fixture(scope="module", params=[2, 4])
def several(request, tmp_path_factory):
    return made_by(tmp_path_factory.mktemp("several"), request.param)


@pytest.mark.parametrize("run", [name for name in RUNS if name != "local"])
def test_processes_with_one_batchnorm_are_one_process(alone, several, run):
    losses, gradients, arrays = alone[run]
    for process in several:
        for mine, one in zip(process[run][0], losses):
            assert mine == pytest.approx(one, rel=LIMIT)
        for mine, one in zip(process[run][1], gradients):
            cancelled = biases_before_norm(one)  # the BatchNorm removes such a bias again: its true gradient is 0
            for name in one:
                if name in cancelled:
                    assert np.abs(mine[name]).max() < NO_GRADIENT
                else:
                    assert relative(mine[name], one[name]) < LIMIT, name
        for part in ("netG", "netD", "spectral", *(["netG-ema"] if "netG-ema" in arrays else [])):
            cancelled = biases_before_norm(arrays.get(part, {}))
            absolute = {*cancelled, *(f"{norm}.running_mean" for norm in cancelled.values())}
            for name, one in arrays.get(part, {}).items():
                mine = process[run][2][part][name]
                apart = np.abs(mine - one).max() if name in absolute else relative(mine, one)
                assert apart < LIMIT, (part, name)


def test_processes_with_a_batchnorm_each_are_another_run(alone, several):
    weights = [found["local"][2]["netD"]["5.weight"] for found in (alone, *several)]
    assert relative(weights[1], weights[0]) > 1e-3
    for other in weights[2:]:  # but one run: their weights are the same, bit for bit
        np.testing.assert_array_equal(other, weights[1])


ENDS = """
import atexit
import torch.distributed as dist
atexit.register(lambda: print("still connected:", dist.is_initialized()))  # the last of all to be called
from mxgan import engines
engines.join("pytorch").told("here")
"""


def test_a_process_leaves_before_its_interpreter_ends():
    """The backends' threads would abort it now and then, after everything is saved."""
    started = processes([["-c", ENDS]] * 2)
    assert [process.communicate(timeout=120)[0] for process in started] == ["still connected: False\n"] * 2
    assert [process.returncode for process in started] == [0, 0]
