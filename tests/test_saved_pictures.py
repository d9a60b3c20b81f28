"""Which pictures are made and written, and that a folder never holds those of two networks."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import numpy as np
import pytest
from networks import generator as weights_of
from PIL import Image
from processes import environment, files_below, mxgan

from mxgan import load_generator, plots, sampling, save_params, saving
from mxgan.errors import SettingError, in_shell


def counting(made, size=32):
    """A generator that adds how many pictures it makes to ``made``."""

    def forward(z, labels):
        made.append(len(z))
        return np.zeros((len(z), 3, size, size), np.float32)

    return sampling.Generator(forward, 7, (size, size, 3), "mxnet")


def test_no_more_pictures_are_made_than_are_written(tmp_path):
    made = []
    saving.save(counting(made, 4), 5000, 0, tmp_path / "grid.png")
    assert sum(made) == 1024
    made.clear()
    saving.save(counting(made, 4), 1100, 0, tmp_path / "grid.png", tmp_path / "each")
    assert sum(made) == 1100 == len(files_below(tmp_path / "each"))


def test_labels_go_on_as_they_would_in_a_larger_grid(tmp_path):
    labels = np.arange(1500) % 4

    def forward(z, labels):
        return np.broadcast_to((labels / 127.5 - 1)[:, None, None, None], (len(z), 3, 4, 4)).astype(np.float32)

    generator = sampling.Generator(forward, 7, (4, 4, 3), "mxnet", classes=4)
    saving.save(generator, 1500, 0, tmp_path / "grid.png", labels=labels)
    shown = np.asarray(Image.open(tmp_path / "grid.png"))[2::6, 2::6, 0]
    np.testing.assert_array_equal(shown.ravel()[:1024], labels[:1024])


def test_two_networks_pictures_never_lie_in_one_folder(tmp_path):
    each = tmp_path / "each"
    saving.save(counting([], 4), 5, 0, tmp_path / "grid.png", each)
    before = {path: path.stat().st_mtime_ns for path in each.iterdir()}
    made = []
    for n, seed in ((3, 0), (5, 1)):
        with pytest.raises(SettingError) as refusal:
            saving.save(counting(made, 4), n, seed, tmp_path / "grid.png", each)
        count, first = (2, 3) if n == 3 else (5, 0)
        said = f"has {count} other pictures, such as seed0000-00000{first}.png; give another folder, or "
        assert said + "overwrite=True to replace those" in str(refusal.value)
        assert said + "--overwrite to replace those that generate made" in in_shell(refusal.value)
    assert made == [] and {path: path.stat().st_mtime_ns for path in each.iterdir()} == before
    saving.save(counting([], 4), 5, 0, tmp_path / "grid.png", each)  # every one of them is replaced
    saving.save(counting([], 4), 7, 0, tmp_path / "grid.png", each)
    saving.save(counting([], 4), 2, 3, tmp_path / "grid.png", each, overwrite=True)
    assert files_below(each) == ["seed0003-000000.png", "seed0003-000001.png"]


def test_what_generate_did_not_make_is_never_removed(tmp_path):
    each = tmp_path / "each"
    each.mkdir()
    for name in ("notes.txt", "me.JPG", "seed0000-000009.png", "seed-of-doubt.png"):
        (each / name).write_bytes(b"")
    saving.save(counting([], 4), 1, 0, tmp_path / "grid.png", each, overwrite=True)
    assert files_below(each) == ["me.JPG", "notes.txt", "seed-of-doubt.png", "seed0000-000000.png"]
    (each / "seed-of-doubt.png").unlink()
    with pytest.raises(SettingError, match=r"such as me\.JPG; .* overwrite=True to write beside them, which stay"):
        saving.save(counting([], 4), 1, 0, tmp_path / "grid.png", each)


def test_the_grid_may_lie_in_the_folder_of_the_pictures(tmp_path):
    (tmp_path / "each").mkdir()
    for _ in range(2):
        saving.save(counting([], 4), 2, 0, tmp_path / "each" / "grid.png", tmp_path / "each")
    assert files_below(tmp_path / "each") == ["grid.png", "seed0000-000000.png", "seed0000-000001.png"]


@pytest.fixture
def netG(tmp_path):
    """A weights file, which any engine opens."""
    save_params(tmp_path / "netG.params", weights_of(6, (12, 6, 3)))
    return tmp_path / "netG.params"


def test_a_sheet_says_how_many_it_shows(mx, netG, tmp_path):
    command = ["generate", "--weights", netG, "--engine", "mxnet", "--n"]
    for more, said in (
        ([1025], "big.png shows the first 1,024 of 1,025 pictures; --each FOLDER writes them all"),
        ([1025, "--each", "all"], "big.png shows the first 1,024 of 1,025 pictures; all are in all"),
        ([1024], None),
    ):
        made = mxgan(*command, *more, "--out", "big.png", cwd=tmp_path)
        assert (made.returncode, made.stdout) == (0, "big.png\n"), made.stderr
        told = [line for line in made.stderr.splitlines() if "shows the first" in line]
        assert told == ([said] if said else [])
    again = mxgan(*command, 8, "--each", "all", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.splitlines()[-1] == (
        "mxgan: error: --each all: has 1,017 other pictures, such as seed0000-000008.png; give another folder, or "
        "--overwrite to replace those that generate made"
    )
    assert mxgan(*command, 8, "--each", "all", "--overwrite", cwd=tmp_path).returncode == 0
    assert len(files_below(tmp_path / "all")) == 8


def test_a_bar_goes_along_on_a_terminal(mx, netG, tmp_path):
    command = [sys.executable, "-m", "mxgan", "generate", "--weights", netG, "--engine", "mxnet", "--n", "640"]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    said = b""
    with subprocess.Popen(list(map(str, command)), cwd=tmp_path, stderr=theirs, env=environment()) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # the other end is closed
            while part := os.read(ours, 4096):
                said += part
    os.close(ours)
    assert process.returncode == 0
    assert re.search(rb"generating: .*\| \d+/640 \[", said)


@pytest.mark.filterwarnings("ignore:.*running statistics")
def test_a_row_between_two_seeds_and_its_single_files(tmp_path, mx):
    save_params(tmp_path / "netG.params", weights_of())
    done = mxgan(
        "generate", "--weights", "netG.params", "--interpolate", 2, 7, "--n", 5, "--each", "each", cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "generated.png\n")
    generator = load_generator(tmp_path / "netG.params")
    walk = generator.walk([2, 7], 5)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "generated.png")), plots.grid(walk, columns=5))
    names = [f"seed0002-seed0007-{index:06d}.png" for index in range(5)]
    assert files_below(tmp_path / "each") == names
    for name, image in zip(names, walk):
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "each" / name)), image)
    again = mxgan("generate", "--weights", "netG.params", "--each", "each", "--overwrite", "--n", 2, cwd=tmp_path)
    assert again.returncode == 0
    assert files_below(tmp_path / "each") == ["seed0000-000000.png", "seed0000-000001.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--truncation", "0"], "--truncation 0: a number above 0, at most 1"),
        (["--truncation", "nan"], "--truncation nan: a number above 0, at most 1"),
        (["--interpolate", "0", "1", "--seed", "3"], "--interpolate: --seed beside it; give one of the two"),
        (["--interpolate", "0", "1", "--labels"], "--interpolate: --labels beside it; give one of the two"),
        (["--interpolate", "0", "1", "--n", "1"], "--n 1: a whole number from 2 to 1024"),
        (["--interpolate", "0", "1", "--label", "1"], "--label and --labels: this generator isn't conditional"),
    ],
)
def test_what_can_not_be_generated_leaves_nothing(tmp_path, arguments, message):
    done = mxgan("generate", "--each", "each", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith(f"mxgan: error: {message}")
    assert len(done.stderr.splitlines()) == 1 and files_below(tmp_path) == []
