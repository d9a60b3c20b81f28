"""What the notebooks share: their first cell, and how they draw faces."""

import numpy as np
import pytest

from mxgan import course, engines
from mxgan.errors import SettingError

FACES = np.arange(3 * 4 * 4 * 3, dtype=np.uint8).reshape(3, 4, 4, 3)


@pytest.fixture(autouse=True)
def style_kept():
    from matplotlib import rc_context

    with rc_context({"backend": "agg"}):
        yield


def test_the_first_cell_says_the_size_and_the_engines(monkeypatch, capsys):
    monkeypatch.setattr(course, "_runs", lambda engine: engine == "pytorch")
    monkeypatch.setattr(engines, "versions", lambda: ["mxnet: not installed", "pytorch: torch 2.9.1"])
    monkeypatch.delenv("MXGAN_EXAMPLES", raising=False)
    here = course.begin("numpy")
    assert capsys.readouterr().out == "size: normal\nengine: PyTorch (torch 2.9.1)\n"
    assert here == course.Course("normal", ("pytorch",)) and here.engine == "pytorch"
    monkeypatch.setenv("MXGAN_EXAMPLES", "quick")
    assert course.begin().pick(1, 20, 300) == 1 and here.pick(1, 20, 300) == 20


def test_engines_that_begin_found_can_be_imported(capsys):
    try:
        here = course.begin()
    except course.Missing:
        pytest.skip("no engine is here")
    for name in here.engines:
        __import__({"mxnet": "mxnet", "pytorch": "torch"}[name])
    assert f"{engines.TITLES[here.engine]} (" in capsys.readouterr().out


def test_what_is_missing_is_one_line_with_the_install(monkeypatch):
    with pytest.raises(course.Missing) as caught:
        course.begin("no_such_package")
    assert "needs no_such_package: pip install" in str(caught.value) and "examples" in str(caught.value)
    assert caught.value._render_traceback_() == [str(caught.value)]
    monkeypatch.setattr(course, "_runs", lambda engine: False)
    with pytest.raises(course.Missing, match="neither MXNet nor PyTorch"):
        course.begin()


def test_an_unknown_size_is_refused(monkeypatch):
    monkeypatch.setenv("MXGAN_EXAMPLES", "huge")
    with pytest.raises(SettingError, match="MXGAN_EXAMPLES 'huge': one of quick, normal, long"):
        course.begin()


def test_a_picture_is_the_grid_enlarged():
    sheet = np.asarray(course.picture(FACES, columns=3, zoom=2))
    assert sheet.shape == (2 * 8, 2 * 20, 3)
    np.testing.assert_array_equal(sheet[4:12:2, 4:12:2], FACES[0])


def test_rows_are_drawn_beside_their_labels():
    from matplotlib import pyplot as plt

    figure = course.rows({"real": FACES, "two of them": FACES[:2]})
    assert [axes.get_ylabel() for axes in figure.axes] == ["real", "two of them"]
    widths = [axes.images[0].get_array().shape[1] for axes in figure.axes]
    assert widths == [16, 11] and len({axes.get_xlim() for axes in figure.axes}) == 1  # one scale for both
    plt.close(figure)


@pytest.mark.parametrize(
    ("cell", "runs"),
    [
        ("%%mxnet\nx = 1\n", "print('left out: MXNet is not installed here')\n"),
        ("%%pytorch\nx = 1\ny = 2\n", "x = 1\ny = 2\n"),
        ("%%timeit\nx = 1\n", "%%timeit\nx = 1\n"),
        ("x = 1\n", "x = 1\n"),
        ("", ""),
    ],
)
def test_cells_of_one_framework(cell, runs):
    lines = cell.splitlines(keepends=True)
    assert "".join(course._OnlyWhere(("pytorch",))(lines)) == runs
