"""An object in a process of its own: calls, errors, the environment, and the end of the process."""

import collections
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import environment

from mxgan.child import Child, ChildEnded, variables

PARENT = """
import collections, time
from mxgan.child import Child
with Child(collections.UserDict) as child:
    print(child._process.pid, flush=True)
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_methods_are_called_there_and_answered_here():
    with Child(collections.Counter, "abca") as child:
        assert child.call("most_common", 1) == [("a", 2)]
        child.call("update", "bb")
        assert child.call("get", "b") == 3
        pid = child._process.pid
        assert alive(pid)
    assert not alive(pid)


def test_an_error_is_one_line_and_the_traceback_is_kept():
    with Child(collections.UserDict) as child:
        with pytest.raises(ChildEnded, match=r"^KeyError"):
            child.call("popitem")
        assert "Traceback" in child.said()
        with pytest.raises(ChildEnded, match=r"^ended with status 1: KeyError"):
            child.call("get", "a")


def test_an_error_of_several_lines_becomes_one():
    with Child(collections.UserDict) as child, pytest.raises(ChildEnded, match=r"has no attribute 'two lines'$"):
        child.call("two\nlines")


def test_an_error_at_the_start_is_raised_by_the_first_call():
    with Child(int, "seven") as child, pytest.raises(ChildEnded, match=r"^ValueError: invalid literal .*'seven'"):
        child.call("bit_length")


def test_a_process_that_is_killed_says_so():
    with Child(collections.UserDict) as child:
        child.call("get", "a")
        child._process.kill()
        with pytest.raises(ChildEnded, match=r"^ended with status -9$"):
            child.call("get", "a")


def test_a_child_has_the_environment_that_it_is_given():
    with Child(Path, "~/here", environment=variables({"HOME": "/elsewhere"})) as child:
        assert child.call("expanduser") == Path("/elsewhere/here")
    with Child(Path, "~/here") as child:
        assert child.call("expanduser") == Path("~/here").expanduser()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_child_outlives_its_parent(number):
    command = [sys.executable, "-c", PARENT]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True)
    try:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.send_signal(number)
        parent.communicate(timeout=20)
        end = time.monotonic() + 20
        while alive(pid) and time.monotonic() < end:
            time.sleep(0.02)
        assert not alive(pid)
    finally:
        parent.kill()
        parent.wait()
