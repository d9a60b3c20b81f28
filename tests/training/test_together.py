"""One run by several processes, as torchrun starts them: the same run, resumed, stopped, killed, and misused."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from mxgan.weights.files import load

pytestmark = pytest.mark.slow

NETWORKS = ("--size", "32", "--ngf", "8", "--ndf", "8")
SMALL = ("--data", "painted:64", "--batch-size", "16", "--engine", "pytorch", *NETWORKS)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def started(cwd, *arguments, count=2, others=None):
    """The processes of ``mxgan train``, as torchrun starts them. ``others``: what rank 1 is given besides."""
    several = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(
            [sys.executable, "-m", "mxgan", "train", *SMALL, *arguments, *(others or () if rank else ())],
            cwd=cwd,
            env={**os.environ, **(several if count > 1 else {}), **({"RANK": str(rank)} if count > 1 else {}),
                 **({"LOCAL_RANK": str(rank)} if count > 1 else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]  # fmt: skip


def ended(processes):
    """(status, stdout, what mxgan says of errors and warnings) of each."""
    found = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        found.append((process.returncode, out, [line for line in err.splitlines() if "mxgan: " in line]))
    return found


def trained(cwd, *arguments, count=2):
    found = ended(started(cwd, *arguments, count=count))
    assert [status for status, _, _ in found] == [0] * count, found
    return found


def losses(run):
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return np.array([[record["loss_d"], record["loss_g"]] for record in records if "loss_d" in record])


def test_two_processes_make_the_run_of_one(tmp_path):
    trained(tmp_path, "--steps", "4", "--out", "one", "--sync-batchnorm", count=1)
    found = trained(tmp_path, "--steps", "4", "--out", "two", "--sync-batchnorm")
    assert [out for _, out, _ in found] == ["two\n", ""]  # the first alone speaks
    one, two = tmp_path / "one", tmp_path / "two"
    assert {path.name for path in two.iterdir()} == {path.name for path in one.iterdir()}
    np.testing.assert_allclose(losses(two)[:2], losses(one)[:2], rtol=1e-3)  # float32: rounding grows with the steps
    assert json.loads((two / "config.json").read_text())["ran_on"]["processes"] == 2


def test_it_goes_on_bit_for_bit_and_says_where_the_number_changes(tmp_path):
    trained(tmp_path, "--steps", "4", "--out", "whole")
    trained(tmp_path, "--steps", "2", "--out", "part")
    resumed = ("--resume", "part", "--steps")
    commands = [sys.executable, "-m", "mxgan", "train", *resumed]
    several = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "OMP_NUM_THREADS": "1"}
    again = [
        subprocess.Popen(
            [*commands, "4"],
            cwd=tmp_path,
            env={**os.environ, **several, "RANK": rank, "LOCAL_RANK": rank},
            stderr=subprocess.DEVNULL,
        )
        for rank in "01"
    ]
    assert [process.wait(timeout=120) for process in again] == [0, 0]
    for name in ("netG.params", "netD.params"):
        whole, part = (load(tmp_path / run / name).arrays for run in ("whole", "part"))
        assert whole.keys() == part.keys()
        for array in whole:
            np.testing.assert_array_equal(part[array], whole[array])
    alone = subprocess.run([*commands, "5"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "from step 5 on not bit for bit the run it was (processes: 2 before, 1 now" in alone.stderr


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_run_on_all_and_keeps_its_checkpoint(tmp_path, victim):
    processes = started(tmp_path, "--steps", "100000", "--out", "run", "--checkpoint-minutes", "0.01")
    wait_for(tmp_path / "run", 12)
    processes[victim].send_signal(signal.SIGKILL)
    found = ended(processes)
    assert (found[victim][0], found[1 - victim][0]) == (-signal.SIGKILL, 3), found
    said = [line for _, _, lines in found for line in lines]
    if victim:
        assert len(said) == 1 and "run: another process of this run has ended; the checkpoint of step" in said[0]
    assert list((tmp_path / "run" / "checkpoints").iterdir())


def test_a_signal_to_one_stops_and_saves_all(tmp_path):
    processes = started(tmp_path, "--steps", "100000", "--out", "run")
    wait_for(tmp_path / "run", 5)
    processes[1].send_signal(signal.SIGTERM)
    found = ended(processes)
    assert [status for status, _, _ in found] == [128 + signal.SIGTERM] * 2
    assert json.loads((tmp_path / "run" / "state.json").read_text())["state"] == "stopped"


@pytest.mark.parametrize(
    ("arguments", "others", "said"),
    [
        (("--batch-size", "15"), (), "--batch-size 15: one that 2 processes can share equally, such as 16"),
        (("--engine", "mxnet"), (), "--engine mxnet: torchrun starts processes of PyTorch; use --engine pytorch"),
        ((), ("--seed", "7"), "rank 1 was asked for seed 7, rank 0 for 0: start all processes with the same command"),
        ((), ("--data", "painted:65"), "rank 1 was asked for data 'painted:65', rank 0 for 'painted:64'"),
    ],
)
def test_what_can_not_be_is_refused_on_all_in_one_line(tmp_path, arguments, others, said):
    found = ended(started(tmp_path, "--steps", "2", "--out", "run", *arguments, others=others))
    assert [status for status, _, _ in found] == [2, 2]
    [line] = [line for _, _, lines in found for line in lines]
    assert line.startswith(f"mxgan: error: {said}")
    assert not (tmp_path / "run").exists()


def wait_for(run, step):
    """Until the run's log has come to ``step``."""
    for _ in range(1800):
        log = run / "log.jsonl"
        if log.exists() and f'"step": {step},' in log.read_text():
            return
        time.sleep(0.1)
    pytest.fail(f"no step {step} within three minutes")
