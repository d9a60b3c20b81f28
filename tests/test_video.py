"""Videos: they play in a browser to their end with the right pixels, and appear whole or not at all."""

import resource
import sys
from pathlib import Path

import needs
import numpy as np
import pytest
import yuv
from PIL import Image
from processes import files_below, ordinary_user, python

import mxgan
from mxgan import video
from mxgan.errors import MissingPackage, MxganError, SettingError, in_shell

COLOURS = np.array([[200, 30, 40], [20, 180, 60], [30, 60, 220], [250, 250, 250], [5, 5, 5], [240, 200, 20]], np.uint8)


def pictures(height=64, width=96, n=6) -> np.ndarray:
    """Picture i: its left half is colour i, the right half colour i + 1."""
    images = np.empty((n, height, width, 3), np.uint8)
    for index, image in enumerate(images):
        image[:, : width // 2], image[:, width // 2 :] = COLOURS[index % 6], COLOURS[(index + 1) % 6]
    return images


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium."""
    program = needs.chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


PLAYED = """async () => {
    const video = document.querySelector("video");
    const once = name => new Promise((done, failed) => {
        video.addEventListener(name, done, {once: true});
        video.addEventListener("error", () => failed(new Error(video.error.message)), {once: true});
    });
    video.loop = false;
    const ended = once("ended");
    await video.play();
    await ended;
    return [video.videoWidth, video.videoHeight, video.duration, video.currentTime];
}"""
PIXELS = """async time => {
    const video = document.querySelector("video");
    const seeked = new Promise(done => video.addEventListener("seeked", done, {once: true}));
    video.currentTime = time;
    await seeked;
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const pen = canvas.getContext("2d");
    pen.drawImage(video, 0, 0);
    return Array.from(pen.getImageData(0, 0, canvas.width, canvas.height).data);
}"""


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize(("height", "width"), [(64, 96), (33, 47)], ids=["even", "odd"])
def test_it_plays_in_a_browser_to_its_end_with_the_right_pixels(browser, tmp_path, suffix, height, width):
    pytest.importorskip("av")
    images = pictures(height, width)
    made = mxgan.save_video(tmp_path / f"film{suffix}", images, fps=5)
    page = browser.new_page()
    page.set_content(made._repr_html_())  # what a notebook shows
    sides = width + width % 2, height + height % 2
    assert page.evaluate(PLAYED) == [*sides, pytest.approx(1.2, abs=0.05), pytest.approx(1.2, abs=0.05)]
    for index, image in enumerate(images):
        shown = page.evaluate(PIXELS, (index + 0.5) / 5)
        shown = np.array(shown, np.uint8).reshape(sides[1], sides[0], 4)[:height, :width, :3]
        difference = np.abs(shown.astype(int) - image)
        away = np.abs(np.arange(width) - width // 2) > 6  # from the edge, where colours have half the pixels
        assert difference[:, away].max() <= 24 and difference[:, away].mean() <= 3
    page.close()
    assert (made.width, made.height, made.pictures, made.seconds) == (*sides, 6, pytest.approx(1.2))
    assert made.note == (
        "" if (width, height) == sides else "47×33 pictures are 48×34 in the video, which wants even sides"
    )


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi"])
def test_every_picture_is_a_frame_of_its_own(tmp_path, suffix):
    av = pytest.importorskip("av")
    images = pictures()
    mxgan.save_video(tmp_path / f"film{suffix}", iter(images), fps=2.5)
    with av.open(tmp_path / f"film{suffix}") as file:
        assert float(file.streams.video[0].average_rate) == 2.5
        assert file.streams.video[0].codec_context.pix_fmt == "yuv420p"
        frames = np.stack([yuv.rgb(frame, video.CODECS[suffix].colours) for frame in file.decode(video=0)])
    assert frames.shape == images.shape
    assert np.abs(frames[:, :, [20, 75]].astype(int) - images[:, :, [20, 75]]).max() <= 20


def test_a_gif_has_every_picture_for_its_time_and_needs_pillow_alone(tmp_path):
    images = pictures()[[0, 1, 1, 2, 3]]
    code = (
        "import sys; sys.modules['av'] = None; import numpy as np; from mxgan.video import save_video\n"
        "print(save_video('film.gif', np.load('images.npy'), 30).pictures)"
    )
    np.save(tmp_path / "images.npy", images)
    assert python("-c", code, cwd=tmp_path).stdout == "5\n"
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.info["loop"] == 0
        shown, times = [], []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            shown.append(np.asarray(gif.convert("RGB")))
            times.append(gif.info["duration"])
    np.testing.assert_array_equal(shown, images[[0, 1, 3, 4]])  # so few colours fit into the palette
    assert times == [30, 70, 30, 40]  # milliseconds: hundredths that add up to 5/30 s


def test_a_gif_of_many_colours_is_near_its_pictures(tmp_path):
    ramp = np.stack(np.meshgrid(np.arange(0, 256, 4), np.arange(0, 256, 4), [60]), axis=-1)[:, :, 0].astype(np.uint8)
    made = mxgan.save_video(tmp_path / "film.gif", [ramp, ramp[::-1]], fps=10)
    with Image.open(made.path) as gif:
        gif.seek(1)
        difference = np.abs(np.asarray(gif.convert("RGB")).astype(int) - ramp[::-1])
    assert 0 < difference.mean() < 6


def test_transparency_becomes_white(tmp_path):
    clear = np.zeros((2, 8, 8, 4), np.uint8)
    clear[1, ..., 3] = 255
    with Image.open(mxgan.save_video(tmp_path / "film.gif", clear).path) as gif:
        assert np.asarray(gif.convert("RGB")).tolist() == np.full((8, 8, 3), 255).tolist()
        gif.seek(1)
        assert not np.asarray(gif.convert("RGB")).any()


@pytest.mark.parametrize(
    ("name", "fps", "message"),
    [
        ("film.mov", 25, r"path '.*film.mov': give a name that ends in .mp4, .webm, .avi or .gif"),
        ("film", 25, "give a name that ends in"),
        ("film.gif", 0, "fps 0: pictures a second: a number above 0, at most 240"),
        ("film.gif", float("nan"), "fps nan: pictures a second"),
        ("film.gif", 51, "fps 51: a GIF shows at most 50 pictures a second; an .mp4 more"),
        ("there.gif", 25, "a folder is there; give a file's name"),
        ("file/film.gif", 25, "can't be written, since .*file is not a folder you may write to"),
    ],
)
def test_what_can_not_be_written_is_refused_before_a_picture_is_made(tmp_path, name, fps, message):
    (tmp_path / "there.gif").mkdir()
    (tmp_path / "file").write_text("x")
    before = files_below(tmp_path)

    def made():
        raise AssertionError("a picture was asked for")
        yield

    with pytest.raises(SettingError, match=message):
        mxgan.save_video(tmp_path / name, made(), fps)
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "no pictures; give one or more"),
        ([np.zeros((8, 8, 3))], r"a picture of shape \(8, 8, 3\), float64: uint8 \(H, W, 3\) is wanted"),
        ([np.zeros((8, 8), np.uint8)], r"a picture of shape \(8, 8\), uint8"),
        (
            [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)],
            r"picture 1 is of shape \(8, 9, 3\), the first",
        ),
    ],
)
def test_what_is_no_film_leaves_nothing_and_what_was_there(tmp_path, suffix, images, message):
    pytest.importorskip("av")
    (tmp_path / f"film{suffix}").write_bytes(b"old")
    with pytest.raises(MxganError, match=message):
        mxgan.save_video(tmp_path / f"film{suffix}", images)
    assert files_below(tmp_path) == [f"film{suffix}"]
    assert (tmp_path / f"film{suffix}").read_bytes() == b"old"


def test_a_gif_that_memory_has_no_room_for_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "GIF_BYTES", 3 * 64 * 96 * 3)
    with pytest.raises(MxganError, match="4 pictures of 96×64 and more are too many for a GIF; give an"):
        mxgan.save_video(tmp_path / "film.gif", pictures())
    assert files_below(tmp_path) == []


def test_without_pyav_the_line_to_type_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingPackage, match=r"\.mp4 files need PyAV, a \.gif nothing more: pip install .*video\]'"):
        mxgan.save_video(tmp_path / "film.mp4", pictures())
    with pytest.raises(MissingPackage, match=r"\.mp4 files need PyAV, out walk\.gif nothing more: pip ") as error:
        video.check(Path("walk.mp4"), 25)
    assert in_shell(error.value).startswith(".mp4 files need PyAV, --out walk.gif nothing more: pip install ")


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, suffix):
    pytest.importorskip("av")
    random = np.random.RandomState(0).randint(0, 256, (30, 128, 128, 3)).astype(np.uint8)

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        yield from random

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(MxganError, match=rf"film{suffix}: can't be written: File too large"):
            mxgan.save_video(tmp_path / f"film{suffix}", full())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files_below(tmp_path) == []


def test_a_folder_that_may_not_be_written_to_is_said(users_folder):
    users_folder.chmod(0o500)
    with ordinary_user(), pytest.raises(SettingError, match="is not a folder you may write to"):
        mxgan.save_video(users_folder / "film.gif", pictures())
    users_folder.chmod(0o700)
