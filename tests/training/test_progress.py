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


def test_the_score_is_the_first_number(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with Progress(0, 3, 1) as shown:
        shown.scored(4.066)
        shown.show(record(2))
    assert f" step 2/3 score 4.07 {NUMBERS}, " in capsys.readouterr().err


BAR = """
import sys
from mxgan.training.progress import Progress
steps, warned = int(sys.argv[1]), sys.argv[2:]
with Progress(steps - 4, steps, 25) as shown:
    shown.say("about to begin")
    shown.scored(14.066)
    for kind in warned:
        shown.warn(kind, "something is wrong")
    for step in range(steps - 3, steps + 1):
        shown._bar.mininterval = 0
        shown.show({"step": step, "epoch": 12, "loss_d": 1.25, "loss_g": 12.5, "score_real": 0.75,
                    "score_fake": 0.125, "images_per_s": 123.4, "seconds": 1.0})
    shown.scored(14.055)
    shown.close()
    shown.say("the last line")
print("done")
"""


def bar(columns: int, *arguments: object) -> list[str]:
    """Every state that the bar has on a terminal of so many columns, and the lines above it."""
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    terminal, stderr = pty.openpty()
    fcntl.ioctl(stderr, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))  # 40 lines
    command = [sys.executable, "-c", BAR, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment()) as process:
        os.close(stderr)
        shown = read_all(terminal)
        assert process.stdout.read() == b"done\n"  # results alone
    assert process.returncode == 0
    return [state.strip() for state in shown.replace("\n", "\r").split("\r") if state.strip()]


def test_a_bar_on_a_wide_terminal():
    states = bar(160, 940)
    assert "about to begin" in states  # above the bar
    assert states.pop() == "the last line"  # below it
    assert states[-1].startswith("epoch 12/25 100%|████████████████| 940/940 [00:00<00:00, score 14.05 loss_d 1.250 ")
    assert states[-1].endswith(" loss_g 12.500 score_real 0.75 score_fake 0.12 123 images/s]")


@pytest.mark.parametrize("arguments", [(940,), (39575, "d_wins", "collapse")], ids=["usual", "long, with warnings"])
@pytest.mark.parametrize("columns", [80, 100])
def test_the_bar_fits_a_narrow_terminal_with_every_number(columns, arguments):
    states = [state for state in bar(columns, *arguments) if "%" in state]
    assert max(map(len, states)) < columns
    states = [state for state in states if "loss" in state]  # the first is drawn before there are numbers
    assert len(states) >= 4
    for state in states:
        numbers = ["score 14.0", "1.25", "12.50", "real 0.75", "fake 0.12", "123"]
        places = [state.index(number) for number in numbers]
        assert places == sorted(places)
        assert f"/{arguments[0]} " in state


def test_on_a_very_narrow_terminal_the_score_is_what_stays():
    states = [state for state in bar(45, 940) if "score" in state]
    assert all(len(state) < 45 and "score 14.0" in state for state in states)
    assert states


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
