"""A run's samples as a video: the same latents after each epoch, one after the other, their step in the corner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import numpy as np

from mxgan import checks, plots, video
from mxgan.errors import MxganError, SettingError
from mxgan.training.log import read_log
from mxgan.training.run_dir import RunDir
from mxgan.video import Video
from mxgan.words import counted

EACH = 0.4  # seconds that a picture is shown, unless that is too long for all
MOST = 20.0  # seconds, by default
HOLD = 2.0  # seconds that the last picture is shown longer


def of_run(
    run: RunDir, out: Path, seconds: Optional[float] = None, fps: float = video.FPS, hold_last: float = HOLD
) -> Video:
    """Write the samples of ``run`` as a video (see `mxgan.video.save_video`), each with its step and epoch.

    ``seconds``: how long they take together; 0.4 each by default, 20 at most. The last is shown for ``hold_last``
    seconds longer. Where there are fewer frames than samples, evenly spaced ones are shown, and its note says so.
    Raises MxganError for a run with fewer than two, and where the file can't be written.
    """
    video.check(out, fps)
    checks.number("hold_last", hold_last, "seconds, from 0 to 3600", lambda x: 0 <= x <= 3600)
    checks.number("seconds", seconds, "a number above 0, at most 3600", lambda x: 0 < x <= 3600)
    samples = _samples(run)
    frames = round((min(EACH * len(samples), MOST) if seconds is None else seconds) * fps)
    if frames < 2:
        raise SettingError("seconds", seconds, f"too short at fps {fps:g}: two frames at least are wanted")
    if frames < len(samples):
        shown = np.linspace(0, len(samples) - 1, frames).round().astype(int)
    else:
        shown = np.arange(frames) * len(samples) // frames  # each as long as the others
    shown = np.append(shown, np.full(round(hold_last * fps), len(samples) - 1))
    made = video.save_video(out, _pictures(run, samples, shown), fps)
    if frames >= len(samples):
        return made
    left_out = counted(len(samples) - frames, "sample") + " left out: more seconds, or a higher fps, shows all"
    return Video(
        made.path, made.pictures, made.seconds, made.width, made.height, "; ".join(filter(None, [made.note, left_out]))
    )


def _samples(run: RunDir) -> dict[int, Path]:
    """The pictures of a run by step, in order. Raises MxganError for fewer than two."""
    found = {int(path.stem): path for path in (run.path / "samples").glob("*.png") if path.stem.isdecimal()}
    if not found:
        raise MxganError(f"{run.path}: no samples yet; they come with the end of its first epoch")
    if len(found) == 1:
        raise MxganError(f"{run.path}: one picture of samples is no video; train another epoch")
    return dict(sorted(found.items()))


def _pictures(run: RunDir, samples: dict[int, Path], shown: np.ndarray) -> Iterator[np.ndarray]:
    """The samples that are ``shown``, by their place, once for each frame."""
    epochs = {record["step"]: record["epoch"] for record in read_log(run.log, key="epoch")}
    steps = list(samples)
    picture, at = np.empty(0), -1
    for place in shown:
        if place != at:
            step, at = steps[place], place
            words = f"step {step:,}"
            fuller = [f"epoch {epochs[step]}, {words}"] if step in epochs else []
            picture = plots.captioned(_read(samples[step]), [*fuller, words, f"{step}"])
        yield picture


def _read(path: Path) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:  # Pillow's for what is no picture, or half of one
        raise MxganError(f"{path}: not a picture that can be read ({error}); move it away") from error
