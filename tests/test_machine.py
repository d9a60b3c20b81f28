"""Cores this process may use (its affinity, within a container's quota), idle threads, and facts for reports."""

import json
import os

import pytest

from mxgan import machine

needs_affinity = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no CPU affinity on this system")


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("line", "cores"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),  # a core and a half: two threads
        ("50000 100000\n", 1),
        ("1600000 100000\n", 8),  # more than there are
        ("max 100000\n", 8),
        ("", 8),
        ("what\n", 8),
        ("1 0\n", 8),
    ],
)
def test_the_quota_of_a_container(eight_cores, tmp_path, line, cores):
    (tmp_path / "cpu.max").write_text(line)
    assert machine.usable_cores(tmp_path) == cores


@pytest.mark.parametrize(("quota", "cores"), [("300000", 3), ("250000", 3), ("-1", 8), ("", 8)])
def test_the_quota_of_an_older_container(eight_cores, tmp_path, quota, cores):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert machine.usable_cores(tmp_path) == cores


def test_no_quota_at_all(eight_cores, tmp_path):
    assert machine.usable_cores(tmp_path) == 8


@needs_affinity
def test_the_affinity_of_this_process(tmp_path):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert machine.usable_cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, before)
    assert machine.usable_cores(tmp_path) == len(before)


@pytest.mark.parametrize("said", [{}, {"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "7"}])
def test_idle_threads_sleep_after_a_moment_unless_the_user_says_otherwise(monkeypatch, said):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.setenv(name, "")  # so that it's put back afterwards
        monkeypatch.delenv(name)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    machine.spare_others()
    found = {name: os.environ.get(name) for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    ours = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "50000"}
    assert found == (ours if not said else {**dict.fromkeys(ours), **said})


def test_the_environment_is_kept(monkeypatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    before = dict(os.environ)
    with machine.environment_kept():
        os.environ["GOMP_SPINCOUNT"] = "8"
        os.environ["LEFT_BY_AN_IMPORT"] = "yes"
        del os.environ["PATH"]
    assert dict(os.environ) == before


def test_the_machine_is_described_in_json():
    described = machine.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["processor"]
    assert 1 <= described["cores_usable"] <= described["cores"]
    assert described["memory_gb"] is None or described["memory_gb"] > 0.1


def test_the_peak_of_memory_is_in_bytes_and_stays():
    held = bytearray(100 * 2**20)
    held[::4096] = b"x" * len(held[::4096])
    peak = machine.peak_memory()
    assert 100 * 2**20 < peak < 2**40
    del held
    assert machine.peak_memory() > peak - 10 * 2**20  # the kernel's counters are a little late
