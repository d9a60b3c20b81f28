"""The speed table: the arithmetic of a step, jobs in turns, the rows, and what they say if a job can't be measured."""

import ast
import os
from pathlib import Path

import numpy as np
import pytest

from mxgan.bench import children, jobs, peers, quiet, table
from mxgan.bench.children import Measured
from mxgan.bench.jobs import Job, Row
from mxgan.errors import MxganError
from mxgan.weights import recognise

PEERS = Path(peers.__file__).parent
PEER = """
import time
def train(faces, batch_size): raise SystemExit("no such luck")
def quick():
    while True:
        yield
def slow():
    while True:
        time.sleep(0.02)
        yield
def wait():
    pass
"""


def test_the_arithmetic_of_a_step_layer_by_layer():
    # netG: 150·512·16, 16·512·256·16, 64·256·128·16, 256·128·64·16, 1024·64·3·16 multiply-adds an image; netD alike
    netG = 1_228_800 + 3 * 33_554_432 + 3_145_728
    netD = 3_145_728 + 3 * 33_554_432 + 8_192
    step = 3 * netG - 1_228_800 + 8 * netD - 2 * 3_145_728
    assert jobs.gflop_of_step(64) == pytest.approx(2 * 64 * step / 1e9)
    assert jobs.gflop_of_step(64) == pytest.approx(145.7, abs=0.1)
    assert jobs.gflop_of_step(128) == 2 * jobs.gflop_of_step(64)


def test_the_generator_that_is_timed_is_the_tutorials():
    net = recognise({name: np.zeros(shape, np.float32) for name, shape in jobs.generator_shapes(150).items()}, "netG")
    assert str(net) == "generator: latent 150, ngf 64, 64×64×3, with convolution bias"
    nets = pytest.importorskip("mxgan.pytorch.nets")
    theirs = [tuple(array.shape) for array in nets.generator(150, bias=True).state_dict().values() if array.ndim]
    assert list(net.shapes.values()) == theirs


def test_every_row_compares_jobs_of_its_own_group():
    for group in jobs.groups(64, 2):
        for row in group.rows:
            assert {*row.ours, row.theirs} <= group.jobs.keys()


def test_jobs_take_turns_in_processes_of_their_own(tmp_path, monkeypatch):
    (tmp_path / "peer.py").write_text(PEER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    wanted = {
        name: Job("peer", {"module": "peer", "call": name, "batch_size": None, "threads": 1}, 2)
        for name in ("quick", "slow", "missing")
    }
    said = []
    found = children.measure(wanted, 3, 1, said.append)
    assert [len(found[name].seconds) for name in wanted] == [3, 3, 0]
    assert min(found["slow"].seconds) >= 0.02
    assert found["quick"].median < 0.02
    assert "missing" in found["missing"].problem
    turns = [line for line in said if line.startswith("round")]
    assert turns == [f"round {number} of 3: {name}" for number in (1, 2, 3) for name in ("quick", "slow")]


def test_threads_are_as_asked_or_left_to_the_framework(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    assert children.environment(3)["OMP_NUM_THREADS"] == "3"
    assert not any(name.startswith(("OMP_", "MKL_")) for name in children.environment(None))


def test_a_number_that_makes_no_sense_is_refused():
    with pytest.raises(MxganError, match="rounds 0"):
        table.run(0)


@pytest.mark.parametrize("file", sorted(PEERS.glob("*.py")), ids=lambda file: file.stem)
def test_the_peers_import_nothing_of_ours(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert not [name for name in names if name.startswith("mxgan") and not name.startswith("mxgan.bench.peers")]


ROW = Row("a step", "the loop", ("a", "b"), "them", 1.5)


def test_the_fastest_of_ours_counts_and_the_medians_decide():
    found = {"a": Measured([2, 2, 9], [1]), "b": Measured([1, 1, 2], [2]), "them": Measured([2, 4, 2], [3])}
    row = table._row(ROW, found)
    assert (row["by"], row["value"], row["met"]) == ("b", 2.0, True)
    assert (row["low"], row["high"], row["ours_s"], row["theirs_s"]) == (1.0, 4.0, 1, 2)
    assert row["by_processor_time"] == 3.0


def test_the_note_says_what_cannot_be_measured():
    found = {"a": Measured(problem="no MXNet"), "b": Measured([1.0], [1.0]), "them": Measured([1.0], [1.0])}
    row = table._row(ROW, found)
    assert (row["value"], row["met"], row["note"]) == (1.0, False, "no MXNet")
    row = table._row(ROW, {**found, "b": Measured(problem="no PyTorch")})
    assert (row["value"], row["met"], row["note"]) == (None, None, "not measured: no MXNet; no PyTorch")
    assert "not measured" in table._line(row)


def test_the_line_begins_with_how_busy_the_machine_was():
    quiet = {"load_before": 0.1, "others_before": 0.0, "others": 0.01, "stolen": 0.0, "busy": False}
    assert table._load_line(quiet).startswith("a quiet machine")
    assert table._load_line({**quiet, "others": 0.4, "busy": True}).startswith("THE MACHINE WAS BUSY")
    assert "doesn't tell" in table._load_line({**quiet, "others": None})


def test_the_watch_gives_shares_of_the_machine():
    report = quiet.Watch().report()
    assert report["others"] is None or 0 <= report["others"] <= 1
