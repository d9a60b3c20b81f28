"""One run by several processes, as torchrun starts them: the same run, resumed, stopped, killed, and misused."""

import json
import signal
import time

import numpy as np
import processes
import pytest

from mxgan.weights.files import load

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

NETWORKS = ("--size", "32", "--ngf", "8", "--ndf", "8")
SMALL = ("--data", "painted:64", "--batch-size", "16", "--engine", "pytorch", *NETWORKS)


def started(cwd, *arguments, count=2, others=()):
    """The processes of ``mxgan train``. ``others``: what rank 1 is given besides."""
    command = ("-m", "mxgan", "train", *arguments)
    return processes.several([(*command, *(others if rank else ())) for rank in range(count)], cwd)


def ended(running):
    """(status, stdout, what mxgan says of errors and warnings) of each."""
    found = []
    for process in running:
        out, err = process.communicate(timeout=120)
        found.append((process.returncode, out, [line for line in err.splitlines() if "mxgan: " in line]))
    return found


def trained(cwd, *arguments, count=2):
    found = ended(started(cwd, *SMALL, *arguments, count=count))
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
    assert [status for status, _, _ in ended(started(tmp_path, "--resume", "part", "--steps", "4"))] == [0, 0]
    for name in ("netG.params", "netD.params"):
        whole, part = (load(tmp_path / run / name).arrays for run in ("whole", "part"))
        assert whole.keys() == part.keys()
        for array in whole:
            np.testing.assert_array_equal(part[array], whole[array])
    alone = processes.mxgan("train", "--resume", "part", "--steps", "5", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    assert "from step 5 on not bit for bit the run it was (processes: 2 before, 1 now" in alone.stderr


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_run_on_all_and_keeps_its_checkpoint(tmp_path, victim):
    running = started(tmp_path, *SMALL, "--steps", "100000", "--out", "run", "--checkpoint-minutes", "0.01")
    wait_for(tmp_path / "run", 12)
    running[victim].send_signal(signal.SIGKILL)
    found = ended(running)
    assert (found[victim][0], found[1 - victim][0]) == (-signal.SIGKILL, 3), found
    said = [line for _, _, lines in found for line in lines]
    if victim:
        assert len(said) == 1 and "run: another process of this run has ended; the checkpoint of step" in said[0]
    assert list((tmp_path / "run" / "checkpoints").iterdir())


def test_a_signal_to_one_stops_and_saves_all(tmp_path):
    running = started(tmp_path, *SMALL, "--steps", "100000", "--out", "run")
    wait_for(tmp_path / "run", 5)
    running[1].send_signal(signal.SIGTERM)
    found = ended(running)
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
    found = ended(started(tmp_path, *SMALL, "--steps", "2", "--out", "run", *arguments, others=others))
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
