"""How an error is worded: in Python's names where Python called, in the command line's where it did."""

import pickle

import pytest

import mxgan
from mxgan import cli
from mxgan.errors import Caution, MxganError, SettingError, in_shell


def test_a_setting_is_spelled_as_its_reader_would_type_it():
    error = SettingError("batch_size", 65, "larger than the data")
    assert str(error) == "batch_size 65: larger than the data"
    assert in_shell(error) == "--batch-size 65: larger than the data"
    error = SettingError("out", "my run", "a run is there; mxgan.resume('my run')", "a run is there; --resume 'my run'")
    assert str(error) == "out 'my run': a run is there; mxgan.resume('my run')"
    assert in_shell(error) == "--out 'my run': a run is there; --resume 'my run'"
    error = SettingError("deterministic", ..., "use another engine")
    assert (str(error), in_shell(error)) == ("deterministic: use another engine", "--deterministic: use another engine")


def test_other_errors_have_one_wording():
    assert in_shell(MxganError("a.params: no sound file")) == "a.params: no sound file"


@pytest.mark.parametrize(
    ("shell", "python"),
    [
        ("no GPU: use --engine pytorch, or --ctx cpu", "no GPU: use engine='pytorch', or ctx='cpu'"),
        ("too small; train with --size 32", "too small; train with size=32"),
        ("describe it with --layout", "describe it with mxgan.Wishes(layout=...)"),
        (
            "say it with --activation, --eps or --layout",
            "say it with mxgan.Wishes(activation=..., eps=..., layout=...)",
        ),
        ("name some with --data (or --batch-size)", "name some with data (or batch_size)"),
        ("`mxgan weights convert` makes one", "`mxgan.convert_weights` makes one"),
        ("`mxgan runs` lists them; `gunzip` it", "`mxgan runs` (in a shell) lists them; `gunzip` it"),
        ("`mxgan weights inspect x --layout` writes", "`mxgan weights inspect x --layout` (in a shell) writes"),
        ("an `odd one", "an `odd one"),
        ("my--file.params: gone", "my--file.params: gone"),
    ],
)
def test_options_are_python_s_where_python_reads(shell, python):
    for kind in (MxganError, Caution):
        assert (str(kind(shell)), in_shell(kind(shell))) == (python, shell)
        assert str(kind(python)) == python  # said again inside another message


def test_an_error_survives_the_way_from_another_process():
    error = SettingError("out", "a", "taken", "taken too")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), in_shell(again)) == (str(error), in_shell(error))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("batch_size", -3), ("lr_g", 2.0), ("label_smoothing", 0.7), ("checkpoint_minutes", 0.0),
        ("evaluate_every", -1), ("ema_rampup", 0.0), ("precision", "half"), ("ctx", "tpu"), ("recipe", "dcgan"),
    ],
)  # fmt: skip
def test_the_same_mistake_in_python_and_in_the_shell(setting, value, capsys):
    with pytest.raises(MxganError) as error:
        mxgan.TrainConfig(**{setting: value})
    assert str(error.value).startswith(f"{setting} {value!r}: ")
    option = f"--{setting.replace('_', '-')}"
    with pytest.raises(SystemExit):
        cli.main(["train", option, str(value)])
    typed = f"{value:g}" if isinstance(value, float) else value
    said = capsys.readouterr().err
    assert said.startswith(f"mxgan: error: {option} {typed}: ")
    assert said.partition(f"{typed}: ")[2].strip() == str(error.value).partition(f"{value!r}: ")[2]
