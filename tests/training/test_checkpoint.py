"""A checkpoint is whole and as it was written, or it is named and the one before is used."""

import hashlib
import json
import os
import re
import shutil

import numpy as np
import pytest
import tiny_engine
from tiny_runs import outcome, train

from mxgan import training
from mxgan.engines.protocol import State
from mxgan.errors import MxganError
from mxgan.training import checkpoint
from mxgan.training.checkpoint import Checkpoint
from mxgan.training.log import Mark

FILES = ("manifest.json", "netG.params", "netD.params", "adamG.params", "adamD.params")
LOG = Mark(120, hashlib.sha256(b"lines").hexdigest())


def made(step: int) -> Checkpoint:
    """A checkpoint whose arrays tell its step."""
    arrays = {name: {"0.weight": np.full((2, 3), step, np.float32)} for name in ("netG", "netD")}
    arrays |= {name: {"0.weight.m": np.full((2, 3), -step, np.float32)} for name in ("adamG", "adamD")}
    return Checkpoint(step, State(arrays, {"adamG": step, "adamD": step}), LOG, {"seed": 3, "faces": {"count": 24}})


@pytest.fixture
def folder(tmp_path):
    """The checkpoints of the steps 10 and 20."""
    for step in (10, 20):
        checkpoint.save(tmp_path / "checkpoints", made(step))
    return tmp_path / "checkpoints"


def newest(folder) -> tuple[int, str]:
    """The step that a resume goes on from, and what is said of damaged ones."""
    said = []
    found = checkpoint.newest(folder, said.append)
    assert all("\n" not in line for line in said)
    np.testing.assert_array_equal(found.state.arrays["netD"]["0.weight"], np.full((2, 3), found.step))
    return found.step, "".join(said)


def test_it_comes_back_as_it_was(folder):
    back = checkpoint.load(folder / "000020")
    assert (back.step, back.log, back.config, back.state.counts) == (20, LOG, made(20).config, made(20).state.counts)
    for name, arrays in made(20).state.arrays.items():
        assert back.state.arrays[name].keys() == arrays.keys()
        for key, array in arrays.items():
            np.testing.assert_array_equal(back.state.arrays[name][key], array)
    assert sorted(path.name for path in (folder / "000020").iterdir()) == sorted(FILES)
    assert newest(folder) == (20, "")


def test_what_only_some_runs_have_comes_back_too(folder):
    more = {"netG-ema": {"0.weight": np.ones((2, 3), np.float32)}, "spectral": {"0.u": np.ones(2, np.float32)}}
    sparse = made(30)
    checkpoint.save(folder, Checkpoint(30, State({**sparse.state.arrays, **more}, sparse.state.counts), LOG, {}))
    back = checkpoint.load(folder / "000030").state.arrays
    assert list(back) == ["netG", "netD", "adamG", "adamD", "netG-ema", "spectral"]
    np.testing.assert_array_equal(back["spectral"]["0.u"], more["spectral"]["0.u"])
    (folder / "000030" / "emaG.params").unlink()
    step, said = newest(folder)
    assert step == 20 and "emaG.params: damaged checkpoint" in said


def test_none_yet(tmp_path):
    assert checkpoint.newest(tmp_path / "checkpoints", pytest.fail) is None
    (tmp_path / "checkpoints").mkdir()
    assert checkpoint.newest(tmp_path / "checkpoints", pytest.fail) is None


@pytest.mark.parametrize("name", FILES)
def test_every_byte_of_it_counts(folder, name):
    """Each byte changed once, in each bit in turn: named, and the checkpoint before is used."""
    file = folder / "000020" / name
    sound = file.read_bytes()
    for at in range(len(sound)):
        damaged = bytearray(sound)
        damaged[at] ^= 1 << at % 8
        file.write_bytes(damaged)
        step, said = newest(folder)
        assert step == 10, f"byte {at}"
        assert str(file) in said and "using the one before" in said
    file.write_bytes(sound)
    assert newest(folder) == (20, "")


@pytest.mark.parametrize("name", FILES)
def test_cut_short_longer_empty_missing_or_another_kind_of_thing(folder, name):
    file = folder / "000020" / name
    sound = file.read_bytes()
    for damaged in (sound[:-1], sound[: len(sound) // 2], sound[:1], b"", sound + b"\0", b"\0" * len(sound)):
        file.write_bytes(damaged)
        step, said = newest(folder)
        assert step == 10 and str(file) in said
    file.unlink()
    assert newest(folder) == (
        10,
        f"warning: {file}: damaged checkpoint (No such file or directory): using the one before",
    )
    file.mkdir()
    assert newest(folder)[0] == 10


def test_all_of_them_damaged_is_one_line(folder):
    for step in ("000010", "000020"):
        (folder / step / "netG.params").unlink()
    with pytest.raises(
        MxganError, match=r"every checkpoint is damaged \(2 of them\); to begin again .* move this folder"
    ):
        checkpoint.newest(folder, lambda line: None)


HOSTILE = {
    "a list": lambda manifest: [1],
    "no step": lambda manifest: {**manifest, "step": None},
    "another step": lambda manifest: {**manifest, "step": 21},
    "a truth for a step": lambda manifest: {**manifest, "step": True},
    "a huge step": lambda manifest: {**manifest, "step": 10**400},
    "no counts": lambda manifest: {**manifest, "counts": {}},
    "counts of steps to come": lambda manifest: {**manifest, "counts": {"adamG": 21, "adamD": 20}},
    "counts below zero": lambda manifest: {**manifest, "counts": {"adamG": -1, "adamD": 20}},
    "counts as text": lambda manifest: {**manifest, "counts": {"adamG": "20", "adamD": "20"}},
    "a path among the files": lambda manifest: {**manifest, "files": {"../../etc/passwd": {"bytes": 1, "sha256": ""}}},
    "files without sums": lambda manifest: {**manifest, "files": dict.fromkeys(manifest["files"])},
    "another sum": lambda manifest: {
        **manifest, "files": {name: {**file, "sha256": "0" * 64} for name, file in manifest["files"].items()}
    },
    "a huge size": lambda manifest: {
        **manifest, "files": {name: {**file, "bytes": 10**300} for name, file in manifest["files"].items()}
    },
    "no log": lambda manifest: {**manifest, "log": 5},
    "a log below zero": lambda manifest: {**manifest, "log": {"bytes": -1, "sha256": ""}},
    "a huge log": lambda manifest: {**manifest, "log": {"bytes": 10**30, "sha256": ""}},
    "no configuration": lambda manifest: {**manifest, "config": "x"},
    "a file too many": lambda manifest: {
        **manifest, "files": {**manifest["files"], "../x.params": {"bytes": 0, "sha256": ""}}
    },
    "a newer format": lambda manifest: {**manifest, "format": 2},
    "a format that is none": lambda manifest: {**manifest, "format": ["x" * 1000]},
}  # fmt: skip


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_manifest_that_adds_up_but_makes_no_sense(folder, change):
    file = folder / "000020" / "manifest.json"
    manifest = json.loads(file.read_bytes())
    manifest.pop("checksum")
    manifest = change(manifest)
    if isinstance(manifest, dict):
        manifest["checksum"] = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    file.write_text(json.dumps(manifest))
    step, said = newest(folder)
    assert step == 10 and len(said) < 300 + len(str(folder))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 50_000, "1" * 10_000, "NaN", '"\\ud800"', '{"checksum": {}}']
)
def test_a_manifest_that_breaks_readers(folder, text):
    (folder / "000020" / "manifest.json").write_text(text)
    assert newest(folder)[0] == 10


def test_the_last_three_are_kept_and_nothing_else_is_touched(folder):
    (folder / "notes").mkdir()
    (folder / "20").mkdir()
    (folder / "000005.damaged-ab").mkdir()
    (folder / ".000007.0123.tmp").mkdir()
    for step in (30, 40, 1_000_000):
        checkpoint.save(folder, made(step))
        checkpoint.prune(folder, step)
    assert checkpoint.steps(folder) == [30, 40, 1_000_000]
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["000005.damaged-ab", "000030", "000040", "1000000", "20", "notes"]


def test_damaged_ones_ahead_push_no_sound_one_out(folder):
    for step in (30, 40, 50):
        checkpoint.save(folder, made(step))
        (folder / f"{step:06d}" / "netG.params").unlink()
    assert newest(folder)[0] == 20
    checkpoint.save(folder, made(25))
    checkpoint.prune(folder, 25)
    assert checkpoint.steps(folder) == [10, 20, 25, 30, 40, 50]
    checkpoint.save(folder, made(30))  # where a damaged one was, which isn't deleted
    assert newest(folder)[0] == 30
    assert [path.name[:15] for path in folder.iterdir() if "damaged" in path.name] == ["000030.damaged-"]


def test_what_cannot_be_saved_leaves_no_trace(folder, monkeypatch):
    before = sorted(folder.rglob("*"))

    def full(source, target):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(MxganError, match=r"000030: the checkpoint can't be saved: No space left on device$"):
        checkpoint.save(folder, made(30))
    assert sorted(folder.rglob("*")) == before


def test_a_run_goes_on_from_the_one_before_to_the_same_bytes(faces_folder, tmp_path, monkeypatch, capsys):
    tiny_engine.install(monkeypatch)
    whole = outcome(train(faces_folder, tmp_path / "whole", steps=8))
    for name in FILES:
        run = train(faces_folder, tmp_path / "run", steps=5)  # checkpoints 3 and 5
        file = run / "checkpoints" / "000005" / name
        file.write_bytes(file.read_bytes()[:-1])
        training.resume(run, {"steps": 8})
        said = capsys.readouterr().err
        assert re.search(f"warning: {file}: damaged checkpoint .*: using the one before", said)
        assert "going on after step 3" in said
        assert outcome(run) == whole
        shutil.rmtree(run)
    run = train(faces_folder, tmp_path / "run", steps=5)
    for step in ("000003", "000005"):
        (run / "checkpoints" / step / "manifest.json").unlink()
    with pytest.raises(MxganError, match="every checkpoint is damaged"):
        training.resume(run)
    (run / "checkpoints").rename(run / "damaged")  # as the message says
    training.resume(run, {"steps": 8})
    assert outcome(run) == whole


def test_a_checkpoint_of_other_networks_is_one_line(faces_folder, tmp_path, mx):
    run = train(faces_folder, tmp_path / "run", steps=1, engine="mxnet", ngf=2, ndf=2)
    kept = checkpoint.load(run / "checkpoints" / "000001")
    state = State({**kept.state.arrays, "netG": {"0.weight": np.zeros((1, 1), np.float32)}}, kept.state.counts)
    checkpoint.save(run / "checkpoints", Checkpoint(1, state, kept.log, kept.config))
    with pytest.raises(MxganError, match="netG: these weights are another network's"):
        training.resume(run)
