"""What TensorBoard reads of a run: the log's numbers and the samples, each step once, however often it was resumed."""

import sys

import numpy as np
import pytest
import tiny_engine
from PIL import Image
from processes import files_below
from tiny_runs import log, outcome, train

import mxgan
from mxgan.errors import MissingPackage
from mxgan.training import board
from mxgan.training.board import TAGS, Board
from mxgan.training.log import read_log


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    pytest.importorskip("tensorboard")
    tiny_engine.install(monkeypatch)


def read(run):
    """TensorBoard's own reader of a run's files."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(run / board.FOLDER), size_guidance={"scalars": 0, "images": 0}).Reload()


def numbers(run) -> dict[tuple[str, int], float]:
    found = read(run)
    pairs = [((tag, event.step), event.value) for tag in found.Tags()["scalars"] for event in found.Scalars(tag)]
    assert len(dict(pairs)) == len(pairs)  # no step twice
    return dict(pairs)


def logged(run) -> dict[tuple[str, int], float]:
    records = read_log(run / "log.jsonl")
    return {(TAGS[name], record["step"]): record[name] for record in records for name in TAGS if name in record}


def test_numbers_and_samples_are_those_of_the_run(faces_folder, tmp_path, capsys):
    run = train(faces_folder, tmp_path / "run", epochs=2, tensorboard=True)
    assert numbers(run) == {key: pytest.approx(value, rel=1e-6) for key, value in logged(run).items()}
    assert ("loss/loss_d", 6) in numbers(run) and ("pictures/variety", 3) in numbers(run)
    images = read(run).Images("samples")
    assert [image.step for image in images] == [3, 6]
    for image in images:
        file = run / "samples" / f"{image.step:06d}.png"
        assert image.encoded_image_string == file.read_bytes()
        assert (image.width, image.height) == Image.open(file).size
    assert f"for TensorBoard: {run}/tensorboard; tensorboard --logdir {run}\n" in capsys.readouterr().err


def test_it_changes_nothing_else(faces_folder, tmp_path):
    with_it = train(faces_folder, tmp_path / "a", epochs=2, tensorboard=True)
    without = train(faces_folder, tmp_path / "b", epochs=2)
    assert outcome(with_it) == outcome(without)
    assert [name for name in files_below(with_it) if name not in files_below(without) and "/" not in name] == [
        "tensorboard"
    ]


def test_a_resume_voids_what_was_lost_and_may_switch_it_on_and_off(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", epochs=1, tensorboard=True)
    lost = Board(run, 3, print)  # a process that was killed after two steps more, which made no checkpoint
    for step in (4, 5):
        lost.add({"step": step, "loss_d": 99.0})
    mxgan.resume(run, epochs=2)
    assert numbers(run) == {key: pytest.approx(value, rel=1e-6) for key, value in logged(run).items()}
    mxgan.resume(run, epochs=3, tensorboard=False)
    assert max(step for _, step in numbers(run)) == 6
    mxgan.resume(run, epochs=4, tensorboard=True)
    assert {step for tag, step in numbers(run) if tag == "loss/loss_d"} == {1, 2, 3, 4, 5, 6, 10, 11, 12}


def test_a_full_disk_ends_the_file_and_not_the_run(faces_folder, tmp_path, monkeypatch, capsys):
    def full(self, step, images):
        if self._writer is not None:
            self._writer._writer.close()
            self._writer._writer = Full()

    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr(Board, "add_samples", full)
    run = train(faces_folder, tmp_path / "run", epochs=2, tensorboard=True)
    said = capsys.readouterr().err
    warning = "warning: TensorBoard's file can't be written (No space left on device); the run goes on without it"
    assert said.count(warning) == 1
    assert log(run)[-1]["step"] == 6
    assert {step for _, step in numbers(run)} == {1, 2, 3}


def test_a_place_that_cannot_be_written_is_said_once(tmp_path):
    told = []
    (tmp_path / board.FOLDER).write_text("in the way")
    shown = Board(tmp_path, 0, told.append)
    shown.add({"step": 1, "loss_d": 1.0})
    shown.add_samples(1, np.zeros((1, 4, 4, 3), np.uint8))
    shown.close()
    assert len(told) == 1 and told[0].startswith("warning: TensorBoard's file can't be written (")


def test_without_the_package_nothing_is_begun(faces_folder, tmp_path, monkeypatch):
    run = train(faces_folder, tmp_path / "there", epochs=1)
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(MissingPackage, match=r"its package isn't installed: pip install .*tensorboard\]'"):
        train(faces_folder, tmp_path / "run", epochs=1, tensorboard=True)
    assert not (tmp_path / "run").exists()
    with pytest.raises(MissingPackage):
        mxgan.resume(run, epochs=2, tensorboard=True)
