"""A log is followed as it grows, is cut and is replaced; whatever stands in it, a page gets numbers."""

import json

import numpy as np
import pytest
from made_runs import line, make

from mxgan.page.server import follow
from mxgan.page.server.follow import POINTS, Curves, Follower
from mxgan.page.server.watch import Runs, clean


def lines(*records) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_only_what_is_new_is_read(tmp_path):
    path = tmp_path / "log.jsonl"
    follower = Follower(path)
    follower.look()  # nothing there yet
    assert follower.curves.rows() == []
    path.write_text(lines(line(1), line(2)) + '{"step": 3, "lo')
    follower.look()
    assert [row[0] for row in follower.curves.rows()] == [1, 2] and follower.numbers["step"] == 2
    with path.open("a") as log:  # the rest of that line is another one's
        log.write(
            'ss_d": 1}\n'
            + lines(line(4), {"step": 4, "score": 5.5}, {"step": 4, "kind": "collapse", "warning": "same"})
        )
    follower.look()
    assert [row[0] for row in follower.curves.rows()] == [1, 2, 4]
    assert [(one.step, one.value) for one in follower.scores] == [(4, 5.5)]
    assert list(follower.warnings) == [{"step": 4, "warning": "same"}]


@pytest.mark.parametrize("again", [lines(line(1), line(2)), lines(line(1), line(7), line(8), line(9), line(10))])
def test_a_log_that_was_cut_is_read_anew(tmp_path, again):
    """As a resume cuts it; also if it is longer again by the next look."""
    path = tmp_path / "log.jsonl"
    path.write_text(lines(*map(line, (1, 2, 3, 4))))
    follower = Follower(path)
    follower.look()
    path.write_text(again)
    follower.look()
    assert [row[0] for row in follower.curves.rows()] == [json.loads(one)["step"] for one in again.splitlines()]


def test_a_log_that_was_replaced_is_read_anew(tmp_path):
    path, other = tmp_path / "log.jsonl", tmp_path / "other"
    path.write_text(lines(line(1)))
    follower = Follower(path)
    follower.look()
    other.write_text(lines(line(1), line(5)))
    other.replace(path)
    follower.look()
    assert [row[0] for row in follower.curves.rows()] == [1, 5]


def test_long_curves_are_means():
    curves, steps = Curves(), 3 * POINTS + 17
    values = np.random.default_rng(0).normal(size=steps)
    for step in range(1, steps + 1):
        curves.add(line(step, loss_d=values[step - 1]))
    rows = curves.rows()
    assert curves.width == 4 and len(rows) == -(-steps // 4)
    for place, (step, loss_d, *_) in enumerate(rows):
        part = values[4 * place : 4 * place + 4]
        assert step == 4 * place + len(part) and loss_d == pytest.approx(part.mean(), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    "text",
    [
        lines(line(10**18)), lines(line(-5)), lines(line(2, loss_d=float("nan"))), lines(line(2, loss_g=10**400)),
        lines({"step": 2, "score": 10**400}, {"step": 2, "score": float("inf")}),
        '{"step": 2, "loss_d": "<b>"}\n', "[" * 5000 + "\n", "null\n\n\0\n", "\xed\xa0\x80\n",
    ],
)  # fmt: skip
def test_what_no_run_wrote(tmp_path, text):
    path = tmp_path / "log.jsonl"
    path.write_text(lines(line(1)) + text + lines(line(3)), encoding="latin-1")
    follower = Follower(path)
    follower.look()
    assert [row[0] for row in follower.curves.rows()] == [1, 3]
    assert not follower.scores
    json.dumps(follower.curves.rows(), allow_nan=False)


def test_the_largest_step_widens_the_curve(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(lines(line(1), line(2**53)))
    follower = Follower(path)
    follower.look()
    assert [row[0] for row in follower.curves.rows()] == [1, 2**53]


def test_a_line_without_end_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(follow, "PIECE", 1000)
    monkeypatch.setattr(follow, "LINE", 500)
    path = tmp_path / "log.jsonl"
    path.write_text(lines(line(1)) + "x" * 3500 + "\n" + lines(line(2), line(3)))
    follower = Follower(path)
    for _ in range(8):
        follower.look()
    assert [row[0] for row in follower.curves.rows()] == [1, 2, 3]


def test_a_large_log_is_read_over_several_looks(tmp_path, monkeypatch):
    monkeypatch.setattr(follow, "PIECE", 1000)
    path = tmp_path / "log.jsonl"
    path.write_text(lines(*map(line, range(1, 31))))
    follower, seen = Follower(path), []
    for _ in range(10):
        follower.look()
        seen.append(len(follower.curves.rows()))
    assert seen[0] < 30 and seen[-1] == 30


def test_watchers_get_what_has_changed(tmp_path, monkeypatch):
    changes = pytest.importorskip("mxgan.page.server.runs").changes
    monkeypatch.setattr("mxgan.page.server.watch.EVERY", -1)
    run = make(tmp_path / "a", 9)
    runs = Runs(tmp_path)
    before = runs.view("a")
    assert changes({}, before)["curves"]["first"] == 0 and len(changes({}, before)["curves"]["rows"]) == 9
    assert changes(before, runs.view("a")) == {}
    with run.log.open("a") as log:
        log.write(lines(line(10)))
    news = changes(before, runs.view("a"))
    assert news["curves"] == {"width": 1, "first": 9, "rows": [[10, 5.0, 1.5, 0.75, 0.25]]}
    assert set(news) == {"run", "numbers", "curves"}


def test_json_without_what_json_lacks():
    value = {"a": [float("nan"), {"b": float("-inf")}], "c": "x" * 5000, "d": 1}
    assert clean(value) == {"a": [None, {"b": None}], "c": "x" * 2000, "d": 1}
