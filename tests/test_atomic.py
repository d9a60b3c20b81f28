"""A file is whole or not there: what was at its path stays until the new one is complete."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from mxgan import MxganError, atomic


def test_bytes_and_pieces(tmp_path):
    path = tmp_path / "a.bin"
    atomic.write(path, b"one")
    assert path.read_bytes() == b"one"
    atomic.write(str(path), (piece for piece in (b"two", bytearray(b"-"), np.arange(2, dtype=np.uint8).data)))
    assert path.read_bytes() == b"two-\0\1" and os.listdir(tmp_path) == ["a.bin"]


def test_a_writer_with_a_file_of_its_own(tmp_path):
    with atomic.writing(tmp_path / "a.npz") as file:
        np.savez(file, a=np.ones(3))
        assert not (tmp_path / "a.npz").exists()
    assert np.load(tmp_path / "a.npz")["a"].sum() == 3


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_was_there_stays_when_writing_fails(tmp_path, error):
    def pieces():
        yield b"half"
        raise error

    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(error):
        atomic.write(path, pieces())
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.bin"]


def test_a_killed_writer_leaves_what_was_there(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")
    code = (
        "import os, sys; from mxgan import atomic\n"
        "def pieces(): yield b'half'; os._exit(9)\n"
        "atomic.write(sys.argv[1], pieces())"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.bin")]).returncode == 9
    assert (tmp_path / "a.bin").read_bytes() == b"old"


def test_errors_are_one_line_that_names_the_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path, says in (
        (tmp_path / "no" / "a.bin", f"there is no folder {tmp_path / 'no'}; make it first"),
        (tmp_path / "file" / "a.bin", "can't be written in"),
        (tmp_path, "it is a folder; name a file"),
    ):
        with pytest.raises(MxganError) as error:
            atomic.write(path, b"x")
        assert str(error.value).startswith(f"{path}: can't be written") and says in str(error.value)
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_is_one_line_too(tmp_path):
    resource = pytest.importorskip("resource")  # a limit on the size of files, as full disks are hard to come by
    (tmp_path / "a.bin").write_bytes(b"old")
    code = (
        f"import resource, signal, sys; from mxgan import atomic, MxganError\n"
        f"signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit({resource.RLIMIT_FSIZE}, (1000, 1000))\n"
        f"try: atomic.write(sys.argv[1], [bytes(600)] * 100)\n"
        f"except MxganError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.bin")], capture_output=True, text=True)
    assert done.stdout == f"{tmp_path / 'a.bin'}: can't be written: File too large\n", done.stderr
    assert (tmp_path / "a.bin").read_bytes() == b"old" and os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_device_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MxganError, match="it is a device or pipe; name a file"):
        atomic.write(tmp_path / "pipe", b"x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "a.bin")
    atomic.write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "disk" / "a.bin").read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_the_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        atomic.write(tmp_path / "a.bin", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o640
