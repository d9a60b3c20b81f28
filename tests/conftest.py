"""What the tests share: a cache folder of their own, small faces made by code, and one short trained run."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import needs
import numpy as np
import pytest
from processes import NOBODY, TINY, mxgan


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory) -> Path:
    """Packed faces go here, in this process and in every one that a test starts; nobody's own cache is touched."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MXGAN_CACHE", str(folder))
        patch.delenv("DISPLAY", raising=False)
        yield folder


@pytest.fixture(scope="session")
def faces_folder(tmp_path_factory) -> Path:
    """A folder of 24 pictures, each a disc of one colour on another, of different sizes."""
    folder = tmp_path_factory.mktemp("faces")
    for index in range(24):
        random = np.random.RandomState(index)
        picture = np.full((40 + index, 44, 3), random.randint(0, 256, 3), np.uint8)
        cv2.circle(picture, (22, 20), 14, tuple(map(int, random.randint(0, 256, 3))), -1)
        assert cv2.imwrite(str(folder / f"{index:02}.png"), picture)
    return folder


@pytest.fixture
def users_folder() -> Iterator[Path]:
    """A folder that `processes.ordinary_user` may look into."""
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        yield Path(name)


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Ctrl-C reaches the processes that tests start, even where a shell in the background ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def mx():
    """MXNet, or the test is skipped."""
    return needs.mxnet()


@dataclass(frozen=True)
class Trained:
    """A run that ``mxgan train`` made in a process of its own, and what the process said."""

    path: Path
    process: subprocess.CompletedProcess


@pytest.fixture(scope="session")
def trained(mx, faces_folder, tmp_path_factory) -> Trained:
    """Two epochs of three steps, seed 3, by ``python -m mxgan train``."""
    path = tmp_path_factory.mktemp("trained") / "run"
    command = ["train", "--data", faces_folder, *TINY, "--epochs", "2", "--seed", "3", "--threads", "1", "--out", path]
    return Trained(path, mxgan(*command))
