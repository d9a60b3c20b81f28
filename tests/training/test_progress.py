"""What a run shows: plain lines where stderr is no terminal, a bar where it is one."""

import os
import struct
import subprocess
import sys

import pytest
from processes import environment

from mxgan.training import progress
from mxgan.training.progress import Progress


def record(step: int, epoch: int = 1) -> dict:
    numbers = {"loss_d": 1.25, "loss_g": 2.5, "score_real": 0.75, "score_fake": 0.125}
    return {"step": step, "epoch": epoch, **numbers, "images_per_s": 123.4, "seconds": 0.1 * step}


NUMBERS = "loss_d 1.250 loss_g 2.500 score_real 0.75 score_fake 0.12 123 images/s"


def test_plain_lines_at_the_first_and_the_last_step(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 1e9)
    with Progress(0, 6, 2) as shown:
        shown._shown = -2e9
        for step in range(1, 7):
            shown.show(record(step, epoch=1 + (step > 3)))
    out, err = capsys.readouterr()
    assert out == ""
    first, last = err.splitlines()
    assert first.startswith(f"epoch 1/2 step 1/6 {NUMBERS}, ")
    assert first.endswith(" left")
    assert last == f"epoch 2/2 step 6/6 {NUMBERS}, 00:00 left"


def test_plain_lines_come_as_often_as_they_should(capsys, monkeypatch):
    clock = iter(range(0, 1000, 4))  # seconds: four a step
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with Progress(0, 100, 1) as shown:
        shown._shown = -100.0
        for step in range(1, 8):
            shown.show(record(step))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" step ")[1].split("/")[0] for line in lines] == ["1", "4", "7"]
    assert lines[0].endswith("06:36 left")  # 99 steps of four seconds
    assert lines[1].endswith("06:24 left")


def test_time_left_counts_from_where_this_process_began(capsys, monkeypatch):
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with Progress(50, 100, 1) as shown:
        shown._shown = -100.0
        shown.show(record(60))
    assert capsys.readouterr().err.endswith(", 00:40 left\n")


def test_a_warning_is_a_line_now_and_a_mark_from_then_on(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with Progress(0, 3, 1) as shown:
        shown.warn("d_wins", "step 1: netD has won")
        shown.show(record(2))
    warning, line = capsys.readouterr().err.splitlines()
    assert warning == "warning: step 1: netD has won"
    assert line.startswith("[d_wins] epoch 1/1 step 2/3 ")


BAR = """
from mxgan.training.progress import Progress
with Progress(0, 4, 2) as shown:
    shown.say("about to begin")
    for step in range(1, 5):
        shown._bar.mininterval = 0
        shown.show({"step": step, "epoch": (step + 1) // 2, "loss_d": 1.25, "loss_g": 2.5, "score_real": 0.75,
                    "score_fake": 0.125, "images_per_s": 123.4, "seconds": 1.0})
print("done")
"""


def test_a_bar_on_a_terminal():
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    terminal, stderr = pty.openpty()
    fcntl.ioctl(stderr, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))  # 40 lines of 140 columns
    command = [sys.executable, "-c", BAR]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment()) as process:
        os.close(stderr)
        shown = read_all(terminal)
        assert process.stdout.read() == b"done\n"  # results alone
    assert process.returncode == 0
    states = [state.strip() for state in shown.split("\r")]
    assert "about to begin" in states  # above the bar
    assert states[-2].startswith("epoch 2/2 100%|████████████████| 4/4 [00:00<00:00")
    assert states[-2].endswith(NUMBERS)


def read_all(terminal: int) -> str:
    """Everything that arrives at a terminal until the last process has left it."""
    data = b""
    while True:
        try:
            some = os.read(terminal, 4096)
        except OSError:  # on Linux, the end
            some = b""
        if not some:
            os.close(terminal)
            return data.decode()
        data += some
