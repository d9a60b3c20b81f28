"""Every call by which a run's files reach the disk fails once, and the process dies at every one: the run goes on.

The run is of the engine in `tiny_engine`. A process that dies is a real one, a fork that ends without a word.
"""

import builtins
import errno
import os
import shutil

import pytest
import tiny_engine
from tiny_runs import outcome, train

from mxgan import atomic, engines, plots, training
from mxgan.errors import MxganError
from mxgan.training import log as log_file

DIED = 9


class Disk:
    """Stands between a run and the disk, and counts its calls. ``fault`` is called at call number ``at``."""

    def __init__(self, patch) -> None:
        self.calls, self.at, self.fault, self.full = [], None, None, False
        for name in ("fsync", "replace", "rename", "mkdir"):
            patch.setattr(os, name, self._counted(name, getattr(os, name)))
        for module in (atomic, log_file):
            patch.setattr(module, "open", self._open, raising=False)

    def start(self, at=None, fault=None) -> None:
        self.calls, self.at, self.fault = [], at, fault

    def call(self, name: str) -> None:
        self.calls.append(name)
        if self.full:
            fail(errno.ENOSPC)()
        if len(self.calls) - 1 == self.at:
            self.fault()

    def _open(self, *args, **kw):
        return File(self, builtins.open(*args, **kw))

    def _counted(self, name, function):
        def counted(*args, **kw):
            self.call(name)
            return function(*args, **kw)

        return counted


class File:
    """A file whose writes, flushes and truncations the `Disk` counts."""

    def __init__(self, disk: Disk, file) -> None:
        self._disk, self._file = disk, file

    def __getattr__(self, name):
        if name in ("write", "flush", "truncate"):
            self._disk.call(name)
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()


@pytest.fixture
def disk(monkeypatch) -> Disk:
    tiny_engine.install(monkeypatch)
    # drawing makes no call that counts, and takes most of the time
    drawn = "{} records".format
    monkeypatch.setattr(plots, "save_curves", lambda path, log, best: atomic.write(path, drawn(len(log)).encode()))
    return Disk(monkeypatch)


def go(faces, run) -> None:
    """What a user does: start the run, or go on with it where there is one."""
    if (run / "config.json").exists():
        training.resume(run)
    else:
        # two steps an epoch: a checkpoint alone, all files at the epoch's end, and again at the run's
        train(faces, run, batch_size=12, steps=3, checkpoint_minutes=1e-9, evaluate_every=1)


def fail(number):
    def fault():
        raise OSError(number, os.strerror(number))

    return fault


@pytest.fixture
def whole(disk, faces_folder, tmp_path) -> dict:
    """The outcome of the run that nothing befell; ``disk.calls`` are its calls."""
    disk.start()
    go(faces_folder, tmp_path / "whole")
    assert {"write", "flush", "truncate", "fsync", "replace", "rename"} <= set(disk.calls)  # Python 3.9 hides mkdir
    return outcome(tmp_path / "whole")


@pytest.mark.slow
def test_each_call_fails_once(disk, whole, faces_folder, tmp_path):
    calls, run = len(disk.calls), tmp_path / "run"
    ended = {"finished": 0, "one line": 0}
    for at in range(calls):
        disk.start(at, fail(errno.EIO))
        try:
            go(faces_folder, run)
            ended["finished"] += 1
        except MxganError as error:  # the first or the last files of a run
            assert "\n" not in str(error)
            ended["one line"] += 1
        disk.start()
        go(faces_folder, run)
        assert outcome(run) == whole, f"call {at}"
        assert not list(run.rglob(".*.tmp"))
        shutil.rmtree(run)
    assert ended["finished"] > calls / 2


@pytest.mark.slow
def test_the_process_dies_at_each_call(disk, whole, faces_folder, tmp_path):
    calls, run = list(disk.calls), tmp_path / "run"
    for at, name in enumerate(calls):
        child = os.fork()
        if child == 0:
            disk.start(at, lambda: os._exit(DIED))
            try:
                go(faces_folder, run)
            finally:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED, f"call {at}, {name}"
        disk.start()
        go(faces_folder, run)
        assert outcome(run) == whole, f"call {at}, {name}"
        assert not list(run.rglob(".*.tmp")), f"call {at}, {name}"
        shutil.rmtree(run)


def test_a_full_disk_while_it_trains_is_said_and_survived(disk, faces_folder, tmp_path, monkeypatch, capsys):
    class Full(tiny_engine.TinyEngine):
        """The disk is full during the steps 2 and 3 of 5."""

        def train_step(self, batch):
            disk.full = self.counts["adamD"] in (1, 2)
            if self.counts["adamD"] == 3:
                assert [path.name for path in (run / "checkpoints").iterdir()] == ["000001"]
            return super().train_step(batch)

    run = tmp_path / "run"
    monkeypatch.setattr(engines, "build", lambda choice, config, team=None: Full(config))
    disk.start()
    train(faces_folder, run, batch_size=12, steps=5, checkpoint_minutes=1e-9)
    said = capsys.readouterr().err
    assert "log.jsonl can't be written (No space left on device): its lines wait, the run goes on" in said
    assert f"{run / 'log.jsonl'}: can't be written (No space left on device); what was saved before is kept" in said
    assert f"{run / 'netG.params'}: can't be written" in said
    monkeypatch.setattr(engines, "build", lambda choice, config, team=None: tiny_engine.TinyEngine(config))
    assert outcome(run) == outcome(train(faces_folder, tmp_path / "roomy", batch_size=12, steps=5))
