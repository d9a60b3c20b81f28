"""Grids and curves, without a display."""

import io
import math

import numpy as np
import pytest
from PIL import Image
from processes import python

from mxgan import plots
from mxgan.errors import MxganError


def images(n: int, height: int = 4, width: int = 4) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 200, (n, height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize(("n", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (3, 2, 2), (5, 2, 3), (64, 8, 8), (65, 8, 9)])
def test_a_grid_is_as_square_as_it_goes(n, rows, columns):
    sheet = plots.grid(images(n))
    assert (sheet.shape, sheet.dtype) == ((rows * 6 + 2, columns * 6 + 2, 3), np.uint8)


def test_a_grid_holds_every_image_in_reading_order_on_white():
    shown = images(5, height=3, width=4)
    sheet = plots.grid(shown, columns=3, gap=1)
    assert sheet.shape == (2 * 4 + 1, 3 * 5 + 1, 3)
    covered = np.zeros(sheet.shape[:2], bool)
    for index, image in enumerate(shown):
        top, left = 1 + index // 3 * 4, 1 + index % 3 * 5
        np.testing.assert_array_equal(sheet[top : top + 3, left : left + 4], image)
        covered[top : top + 3, left : left + 4] = True
    assert (sheet[~covered] == 255).all()


def test_a_png_has_the_same_pixels_and_the_same_bytes_each_time(tmp_path):
    image = images(1, 5, 7)[0]
    for name in ("a.png", "b.png"):
        plots.save_png(tmp_path / name, image)
    data = (tmp_path / "a.png").read_bytes()
    assert data == (tmp_path / "b.png").read_bytes()
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        np.testing.assert_array_equal(np.asarray(picture), image)


def log(steps: int) -> list[dict]:
    return [
        {"step": step, "loss_d": 1 / step, "loss_g": step / 50, "score_real": 0.8, "score_fake": 0.2}
        for step in range(1, steps + 1)
    ]


def test_curves_show_losses_and_scores(tmp_path):
    plots.save_curves(tmp_path / "curves.png", log(300))
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (990, 715)
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    for colour in ((0xC2, 0x41, 0x0C), (0x1D, 0x4E, 0xD8)):  # netD and real faces; netG and generated ones
        assert (abs(pixels - colour).max(axis=1) < 8).sum() > 1000


def test_the_pictures_scores_have_a_panel_of_their_own(tmp_path):
    rated = [{"step": step, "epoch": 1, "score": 90 - step / 4} for step in (100, 200, 300)]
    greens = []
    for best in (None, 200):
        plots.save_curves(tmp_path / "curves.png", [*log(300), *rated], best)
        with Image.open(tmp_path / "curves.png") as picture:
            assert picture.size == (990, 1045)
            pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
        greens.append((abs(pixels - (0x15, 0x80, 0x3D)).max(axis=1) < 8).sum())
    assert greens[1] > greens[0] + 20 > 1000  # a circle around the best, and one in the legend


@pytest.mark.parametrize("loss", [1.0, math.nan, math.inf])
def test_curves_of_a_single_step_or_of_a_diverged_run(tmp_path, loss):
    plots.save_curves(tmp_path / "curves.png", [{**log(1)[0], "loss_d": loss}])
    assert (tmp_path / "curves.png").stat().st_size > 5000


def test_smoothing_is_a_mean_over_a_fortieth():
    values = np.arange(400.0)
    values[200] += 11
    smooth = plots.running_mean(values)  # 5 on either side
    assert smooth[100] == pytest.approx(100)
    assert smooth[200] == pytest.approx(201)
    assert smooth[0] == pytest.approx(np.mean(values[:6]))
    np.testing.assert_array_equal(plots.running_mean(np.array([3.0, 5.0])), [3, 5])


@pytest.mark.parametrize("backend", ["TkAgg", "no-such-backend"])
def test_curves_need_no_display_and_no_backend(tmp_path, backend):
    code = f"import sys; from mxgan import plots; plots.save_curves('curves.png', {log(3)})"
    process = python("-c", code, cwd=tmp_path, env={"MPLBACKEND": backend, "DISPLAY": "nowhere:9"})
    assert (process.returncode, process.stderr, process.stdout) == (0, "", "")
    assert (tmp_path / "curves.png").exists()


def test_places_where_no_picture_can_be_are_refused(tmp_path):
    plots.check_place("nearest", tmp_path / "near.png")
    plots.check_place("nearest", tmp_path / "a new" / "folder" / "near.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("")
    for name, said in (
        ("near.jpg", "near.jpg': pictures are written as .png"),
        ("folder.png", "folder.png': a folder is there"),
        ("file/near.png", "file is not a folder you may write to"),
    ):
        with pytest.raises(MxganError, match=f"nearest .*{said}"):
            plots.check_place("nearest", tmp_path / name)


def test_a_caption_is_the_first_that_has_room_and_leaves_the_rest_alone():
    image = np.full((200, 200, 3), 120, np.uint8)
    long, short = "epoch 1,000,000, step 1,000,000,000", "step 3"
    one, other = plots.captioned(image, [long, short]), plots.captioned(image, [short])
    np.testing.assert_array_equal(one, other)
    assert one.shape == image.shape and (image == 120).all()
    rows, columns = np.nonzero((one != 120).any(axis=2))
    assert rows.min() > 180 and columns.min() == 0 and columns.max() < 100  # below, on the left
    assert one.max() == 255 and one[190, 0].max() < 60  # white on dark
    wide = plots.captioned(np.full((200, 600, 3), 120, np.uint8), [long, short])
    assert np.nonzero((wide != 120).any(axis=(0, 2)))[0].max() > 2 * columns.max()
    tiny = np.full((36, 36, 3), 120, np.uint8)
    np.testing.assert_array_equal(plots.captioned(tiny, [long, short]), tiny)
