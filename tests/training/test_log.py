"""log.jsonl holds whole lines, in order, whatever the disk does."""

import hashlib
import json
import os

import pytest

from mxgan.errors import MxganError
from mxgan.training.log import LogFile, Mark, begins_as, last_record, read_log


class Short:
    """A file of which one write puts only a part of its bytes onto the disk."""

    def __init__(self, file, most: int) -> None:
        self._file, self._most = file, most

    def write(self, data):
        most, self._most = self._most, None
        return self._file.write(data[:most])

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_lines_in_order(tmp_path):
    log = LogFile(tmp_path / "log.jsonl")
    for step in (1, 2, 3):
        assert log.append({"step": step}) is None
    assert (tmp_path / "log.jsonl").read_bytes() == b'{"step": 1}\n{"step": 2}\n{"step": 3}\n'
    data = (tmp_path / "log.jsonl").read_bytes()
    assert log.mark() == Mark(36, hashlib.sha256(data).hexdigest())
    log.close()


@pytest.mark.parametrize("most", [0, 1, 11, 12, 13])
def test_a_line_written_in_part_is_written_again_whole(tmp_path, most):
    log = LogFile(tmp_path / "log.jsonl")
    log.append({"step": 1})
    log._file = Short(log._file, most)
    assert "bytes written" in str(log.append({"step": 2, "much": "x" * 9}))
    assert read_log(tmp_path / "log.jsonl") == [{"step": 1}]
    assert log.append({"step": 3}) is None
    assert [record["step"] for record in read_log(tmp_path / "log.jsonl")] == [1, 2, 3]
    log.close()


@pytest.mark.parametrize(
    "line",
    [
        '{"step": 1, "loss_d": 0.5}',
        '{"step": 1, "loss_d": 0.5, "loss_g": 1, "score_real": 0.5, "score_fake": "?", "seconds": 1}',
        '{"step": 1, "score": "good"}',
        '{"step": 1, "score": true}',
        '{"step": 1, "variety": null}',
        '{"step": 1, "warning": "netD has won"}',
        '{"step": 1, "kind": [], "warning": "netD has won"}',
        '{"step": "1"}',
        "[1]",
    ],
)
def test_a_line_that_no_run_writes_is_left_out(tmp_path, line):
    (tmp_path / "log.jsonl").write_text(f'{line}\n{{"step": 2, "score": 1.5}}\n')
    assert read_log(tmp_path / "log.jsonl") == [{"step": 2, "score": 1.5}]
    (tmp_path / "log.jsonl").write_text(line)
    assert last_record(tmp_path / "log.jsonl") is None


def test_a_mark_counts_the_lines_that_waited(tmp_path):
    log = LogFile(tmp_path / "log.jsonl")
    log._file = Short(log._file, 5)
    assert log.append({"step": 1}) is not None
    mark = log.mark()
    assert mark.bytes == 12 and begins_as(tmp_path / "log.jsonl", mark)
    log._file = Short(log._file, 5)
    log.append({"step": 2})
    log._file = Short(log._file, 5)
    with pytest.raises(OSError, match="5 of 12 bytes written"):
        log.mark()
    log.close()


def test_opened_again_it_is_cut_back_and_goes_on(tmp_path):
    path = tmp_path / "log.jsonl"
    log = LogFile(path)
    log.append({"step": 1})
    mark = log.mark()
    log.append({"step": 2})
    log.close()
    again = LogFile(path, mark.bytes)
    again.append({"step": 2, "again": True})
    assert read_log(path) == [{"step": 1}, {"step": 2, "again": True}]
    assert again.mark().sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    again.close()


@pytest.mark.parametrize("size", [0, 5, 13, 20, 24, 10**6, 2**62])
def test_only_whole_lines_stay_and_none_is_made_up(tmp_path, size):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"step": 1}\n{"step": 2}\n{"ste')
    LogFile(path, size).close()
    assert path.read_bytes() == b'{"step": 1}\n{"step": 2}\n'[: 0 if size < 12 else 12 if size < 24 else 24]


def test_what_is_no_record_is_left_out(tmp_path):
    path = tmp_path / "log.jsonl"
    lines = [b'{"step": 1}', b"", b"\xff\xfe", b"[1]", b'{"loss_d": 1}', b'{"step": "2"}', b"[" * 9_000, b'{"step": 3']
    path.write_bytes(b"\n".join(lines))
    assert read_log(path) == [{"step": 1}]
    assert last_record(path) == {"step": 1}


def test_the_last_record_of_a_long_log(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps({"step": step}) + "\n" for step in range(20_000)))
    assert last_record(path) == {"step": 19_999}


def test_no_log(tmp_path):
    assert read_log(tmp_path / "log.jsonl") == []
    assert last_record(tmp_path / "log.jsonl") is None
    assert begins_as(tmp_path / "log.jsonl", Mark())
    assert not begins_as(tmp_path / "log.jsonl", Mark(1, "0"))


def test_a_log_that_cannot_be_opened_is_one_line(tmp_path):
    os.mkdir(tmp_path / "log.jsonl")
    with pytest.raises(MxganError, match=r"log.jsonl: can't be written"):
        LogFile(tmp_path / "log.jsonl")
