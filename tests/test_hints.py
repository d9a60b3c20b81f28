"""A command that there isn't, and a word where only options may stand, are answered with what was meant."""

from pathlib import Path

import numpy as np
import pytest
from networks import generator

from mxgan import cli, save_params


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with photos, weights, a packed file, a run, and a folder whose name has a space."""
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "My Photos", "runs/faces"):
        Path(folder).mkdir(parents=True)
    Path("runs/faces/config.json").write_text("{}")
    save_params("netG.params", generator())
    np.save("faces.npy", np.zeros((2, 64, 64, 3), np.uint8))
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("train photos", "did you mean --data photos?"),
        ("train painted:50 --steps 1", "did you mean --data painted:50?"),
        ("train faces.npy", "did you mean --data faces.npy?"),
        ("train netG.params", "did you mean --weights netG.params?"),
        ("train runs/faces", "did you mean --resume runs/faces?"),
        ("train faces", "did you mean --resume faces?"),
        ("--steps 3 photos", "did you mean --data photos?"),
        ("train --data photos more", "train takes options alone; `mxgan train --help` lists them"),
        ("train --data My Photos", "did you mean --data 'My Photos'?"),
        ("compare photos", "did you mean --data photos?"),
        (
            "compare runs/faces other",
            "it compares the two engines, not runs; `mxgan runs show RUN` and `mxgan evaluate --run RUN` are of runs",
        ),
        ("walk nosuch.mp4", "did you mean --out nosuch.mp4?"),
        ("walk nosuch.GIF", "did you mean --out nosuch.GIF?"),
        ("walk netG.params", "did you mean --weights netG.params?"),
        ("generate new.png", "did you mean --out new.png?"),
        ("generate netG.params", "did you mean --weights netG.params?"),
        ("generate faces --n 3", "did you mean --weights faces?"),
        ("evaluate runs/faces", "did you mean --run runs/faces?"),
        ("evaluate runs/gone", "did you mean --run runs/gone?"),
        ("evaluate gone.pth", "did you mean --weights gone.pth?"),
        ("evaluate last", "did you mean --run last?"),
        ("evaluate netG.params", "did you mean --weights netG.params?"),
        ("bench photos", "bench takes options alone; `mxgan bench --help` lists them"),
    ],
)
def test_a_word_that_no_option_stands_before(here, capsys, typed, meant):
    assert refused(capsys, *typed.split()).endswith(f": {meant}")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gen", "did you mean generate?"),
        ("gen --weights netG.params", "did you mean generate?"),
        ("trian", "did you mean train?"),
        ("Train", "did you mean train?"),
        ("training", "did you mean train?"),
        ("eval", "did you mean evaluate?"),
        ("inspect netG.params", "did you mean weights inspect?"),
        ("convert netG.params x.npz", "did you mean weights convert?"),
        ("check photos", "did you mean faces check?"),
        ("resume last", "did you mean train --resume?"),
        ("show faces", "did you mean runs show?"),
        ("version", "did you mean --version?"),
        ("help train", "did you mean --help?"),
        ("photos", "did you mean train --data photos?"),
        ("faces.npy", "did you mean train --data faces.npy?"),
        ("netG.params", "did you mean weights inspect netG.params, or generate --weights netG.params?"),
        ("runs/faces", "did you mean generate --weights runs/faces?"),
        ("last", "did you mean generate --weights last?"),
        ("weights netG.params", "did you mean inspect netG.params?"),
        ("weights conv netG.params", "did you mean convert?"),
        ("weights nothing", "one of inspect, convert"),
        ("faces photos", "did you mean check photos?"),
        ("qqq", "one of train, runs, compare, bench, generate, walk, video, evaluate, weights, faces, serve, page"),
    ],
)
def test_a_command_that_there_is_not(here, capsys, typed, meant):
    line = refused(capsys, *typed.split())
    assert ": no such command; " in line
    known = set(meant.removeprefix("one of ").split(", "))
    assert line.endswith(f"; {meant}") or known == set(line.rpartition("one of ")[2].split(", "))


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("generate --n many", "--n many: a whole number is wanted"),
        ("generate --n 0", "--n 0: a whole number from 1"),
        ("generate --seed -1", "--seed -1: a whole number from 0"),
        ("walk --walks 2000", "--walks 2000: a whole number from 1 to 1,024"),
        ("serve --port 99999", "--port 99999: a whole number from 0 to 65,535"),
        ("generate --interpolate 3", "--interpolate: 2 values are wanted"),
        ("generate --interpolate a b", "--interpolate a: a whole number is wanted"),
        ("train --steps 1.5", "--steps 1.5: a whole number is wanted"),
        ("train --lr-g fast", "--lr-g fast: a number is wanted"),
        ("train --steps", "--steps: its value is missing"),
        ("train --dat photos", "--dat: no such option; did you mean --data?"),
        ("generate --count 4", "--count: no such option; did you mean --n?"),
        ("evaluate --number 4", "--number: no such option; did you mean --n?"),
        (
            "generate --output faces.png",
            "--output faces.png: one of tanh, sigmoid, none; did you mean --out faces.png, the file to write?",
        ),
        ("weights inspect netG.params --output x.png", "--output x.png: one of tanh, sigmoid, none"),
        ("generate --output tan", "--output tan: one of tanh, sigmoid, none"),
        ("video faces more", "mxgan video: more is too much; see `mxgan video --help`"),
        ("faces check photos a b", "mxgan faces check: a b is too much; see `mxgan faces check --help`"),
        ("-v", "-v: no such option; did you mean --version?"),
        ("-V", "-V: no such option; did you mean --version?"),
        ("train -v", "-v: no such option; did you mean --verbose?"),
        ("generate -q", "-q: no such option; see `mxgan generate --help`"),
        ("weights inspect", "mxgan weights inspect: FILE is missing; see `mxgan weights inspect --help`"),
    ],
)
def test_what_click_says_is_said_as_everything_else(here, capsys, typed, line):
    assert refused(capsys, *typed.split()) == f"mxgan: error: {line}"


def test_a_blank_value_is_shown_as_it_is_typed(capsys):
    assert refused(capsys, "generate", "--n= ") == "mxgan: error: --n ' ': a whole number is wanted"


@pytest.mark.parametrize(
    "typed",
    [
        "generate --weights", "generate --out", "generate --symbol", "walk --layout", "train --data", "train --out",
        "train --weights", "train --resume", "compare --out", "compare --data", "evaluate --run", "evaluate --data",
        "page --out",
    ],
)  # fmt: skip
def test_an_empty_path_is_not_the_current_folder(here, capsys, typed):
    option = typed.rpartition(" ")[2]
    line = refused(capsys, *typed.split(), "")
    assert line == f"mxgan: error: {option} '': the path is empty; name a file or a folder"


def test_an_empty_argument_is_not_the_current_folder(here, capsys):
    line = refused(capsys, "faces", "check", "")
    assert line == "mxgan: error: SOURCE '': the path is empty; name a file or a folder"


def test_a_symbol_that_is_not_there(here, capsys):
    line = refused(capsys, "generate", "--weights", "netG.params", "--symbol", "nope.json")
    assert line == "mxgan: error: nope.json: there is no such file"


def test_a_run_is_looked_for_by_a_name_that_is_nearly_its(here, capsys):
    assert refused(capsys, "runs", "fases") == "mxgan: error: fases: no such folder; did you mean faces?"


@pytest.mark.parametrize("command", ["train", "generate", "evaluate", "compare", "bench"])
def test_help_is_shown_whatever_stands_beside_it(capsys, command):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "photos", "--help"])
    assert ended.value.code in (0, None)
    assert capsys.readouterr().out.startswith(f"Usage: mxgan {command}")


def refused(capsys, *arguments: str) -> str:
    """The one line of a program that must end with status 2."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return line


def test_ctrl_c_is_no_error(monkeypatch, capsys):
    monkeypatch.setattr("mxgan.cli.program.main", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.main(["generate"])
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "mxgan: stopped\n")


def interrupted(*arguments, **settings) -> None:
    raise KeyboardInterrupt
