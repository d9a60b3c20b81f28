"""What a run leaves on the disk when it ends, and what it makes of what was left there."""

import json
import os
import signal

import numpy as np
import pytest
from tiny_runs import log, scores, train

from mxgan import training
from mxgan.errors import MxganError
from mxgan.training import signals

pytestmark = pytest.mark.usefixtures("tiny")


def state(run) -> dict:
    return json.loads((run / "state.json").read_text())


def test_a_finished_run_says_so(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=4)
    assert state(run) == {"state": "finished", "step": 4, "steps": 4, "pid": os.getpid()}


def test_the_score_at_the_end_of_a_finish_is_marked(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=6, finish=0.5, evaluate_every=3)
    marks = [(record["step"], record.get("finish")) for record in log(run) if "score" in record]
    assert marks == [(3, None), (6, True)]


def test_sixteen_faces_are_enough_for_a_score(tmp_path):
    np.save(tmp_path / "faces.npy", np.random.RandomState(0).randint(0, 256, (16, 32, 32, 3)).astype(np.uint8))
    assert list(scores(train(tmp_path / "faces.npy", tmp_path / "run", epochs=1, evaluate_every=1))) == [2]


def test_a_resume_removes_what_a_killed_process_was_writing(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=1)
    leftovers = [run / ".mxgan-1.tmp", run / "samples" / ".mxgan-2.tmp"]
    for leftover in leftovers:
        leftover.write_bytes(b"half a")
    training.resume(run, {"steps": 2})
    assert not any(leftover.exists() for leftover in leftovers)


def test_a_damaged_state_keeps_nobody_from_going_on(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", steps=1)
    (run / "state.json").write_text("{")
    assert training.resume(run, {"steps": 2}).step == 2
    assert state(run)["state"] == "finished"


def test_a_run_that_is_nowhere_cannot_go_on(tmp_path):
    with pytest.raises(MxganError, match="nowhere: there is no such folder"):
        training.resume(tmp_path / "nowhere")


def test_a_second_sigterm_ends_the_process_with_status_143():
    with signals.watch() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.signal == signal.SIGTERM
        with pytest.raises(SystemExit) as ended:
            os.kill(os.getpid(), signal.SIGTERM)
    assert ended.value.code == 143
