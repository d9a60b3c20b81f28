"""The program as it is typed: exit status, what is on stdout, what is on stderr, and what is left on the disk."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import needs
import numpy as np
import pytest
from networks import discriminator
from PIL import Image
from processes import ROOT, TINY, environment, files_below, mxgan, python

import mxgan as library
from mxgan import cli, rng
from mxgan.config import load

TIMES = ("images_per_s", "seconds")


def records(run) -> list[dict]:
    """The lines of log.jsonl, without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMES} for line in lines]


# What a run leaves behind, read off one real run.


def test_a_run_prints_its_path_and_nothing_else(trained):
    assert trained.process.returncode == 0, trained.process.stderr
    assert trained.process.stdout == f"{trained.path}\n"


def test_a_run_directory_holds_everything(trained):
    files = {"config.json", "log.jsonl", "reals.png", "curves.png", "netG.params", "netD.params"}
    assert files <= {path.name for path in trained.path.iterdir()}
    assert files_below(trained.path / "samples") == ["000003.png", "000006.png"]
    steps = [record for record in records(trained.path) if "loss_d" in record]
    assert [(record["step"], record["epoch"]) for record in steps] == [(s, (s + 2) // 3) for s in range(1, 7)]
    assert all(0 < record["score_real"] < 1 for record in steps)
    for name in ("reals.png", "samples/000006.png"):
        assert Image.open(trained.path / name).size == (5 * 34 + 2, 5 * 34 + 2)  # the 24 faces there are


def test_progress_is_plain_lines_where_stderr_is_no_terminal(trained):
    lines = trained.process.stderr.splitlines()
    assert not re.search(r"[\r\x1b]", trained.process.stderr)
    assert any(line.startswith("epoch 2/2 step 6/6 loss_d ") and line.endswith(" left") for line in lines)
    assert f"mxgan generate --weights {trained.path}" in lines[-1]


def test_the_saved_configuration_says_what_ran(trained, mx):
    config = load(trained.path / "config.json")
    assert (config.seed, config.epochs, config.ngf, config.ndf, config.latent) == (3, 2, 2, 3, 5)
    values = json.loads((trained.path / "config.json").read_text())
    assert values["versions"]["mxnet"] == mx.__version__
    assert values["faces"]["count"] == 24


def test_two_runs_are_bit_identical(trained, faces_folder, tmp_path):
    """The second one is started as the tutorial's reader does: python run_gan.py, which trains."""
    out = tmp_path / "again"
    again = python(
        ROOT / "run_gan.py", "--data", faces_folder, *TINY, "--epochs", 2, "--seed", 3, "--threads", 1, "--out", out,
        cwd=tmp_path, env={"MPLBACKEND": "no-such-backend", "OMP_NUM_THREADS": "7"},
    )  # fmt: skip
    assert (again.returncode, again.stdout) == (0, f"{out}\n"), again.stderr
    assert records(out) == records(trained.path)
    for name in ("netG.params", "netD.params", "reals.png", "samples/000003.png", "samples/000006.png"):
        assert (out / name).read_bytes() == (trained.path / name).read_bytes(), name
    assert files_below(tmp_path) == sorted(["again", *(f"again/{name}" for name in files_below(out))])


def test_mxnet_itself_reads_the_weights_and_makes_the_same_pictures(trained, mx):
    from mxnet.gluon import nn

    netG = nn.HybridSequential()
    for width, stride, pad in ((8, 1, 0), (4, 2, 1), (2, 2, 1)):
        netG.add(nn.Conv2DTranspose(width, 4, stride, pad), nn.BatchNorm(), nn.Activation("relu"))
    netG.add(nn.Conv2DTranspose(3, 4, 2, 1), nn.Activation("tanh"))
    netG.load_parameters(str(trained.path / "netG.params"))
    z = rng.samples(0, 0, 10, 5)
    theirs = netG(mx.nd.array(z).reshape((10, 5, 1, 1))).asnumpy()
    ours = library.load_generator(trained.path / "netG.params", "mxnet")
    np.testing.assert_array_equal(ours.forward(z), theirs)
    np.testing.assert_array_equal(ours.sample(10), np.rint((theirs + 1) * 127.5).transpose(0, 2, 3, 1))


def test_generate_from_a_run(trained, tmp_path):
    made = mxgan("generate", "--weights", trained.path, "--n", 3, "--seed", 8, "--each", "each", cwd=tmp_path)
    assert (made.returncode, made.stdout) == (0, "generated.png\n"), made.stderr
    file = trained.path / "netG-ema.params"  # too few faces for a best
    assert (
        made.stderr.splitlines()[0] == f"numpy on cpu; weights {file}"
    )  # three pictures don't wait for another engine
    each = [f"each/seed0008-{index:06d}.png" for index in range(3)]
    assert files_below(tmp_path) == ["each", *each, "generated.png"]
    images = library.load_generator(trained.path, n=3).sample(3, seed=8)
    for name, image in zip(each, images):
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / name)), image)


def test_every_command_makes_the_folder_it_writes_to_and_says_so_and_what_it_replaced(trained, faces_folder, tmp_path):
    for arguments, name in (
        (["generate", "--weights", trained.path, "--n", 2, "--out"], "new/a/faces.png"),
        (["weights", "convert", trained.path], "new/b/netG.npz"),
        (["faces", "pack", faces_folder, "--size", 32], "new/c/faces.npy"),
    ):
        for again in (False, True):
            done = mxgan(*arguments, name, cwd=tmp_path)
            assert (done.returncode, done.stdout) == (0, f"{name}\n"), done.stderr
            notes = [line for line in done.stderr.splitlines() if line.startswith(("note: made", "note: replaced"))]
            made = f"note: made the folder {name.rpartition('/')[0]}"
            assert notes == [f"note: replaced {name}, which was there" if again else made]
    assert [name for name in files_below(tmp_path) if "." in name] == [
        "new/a/faces.png", "new/b/netG.npz", "new/c/faces.npy",
    ]  # fmt: skip


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_ends_the_run(mx, faces_folder, tmp_path, number, status):
    out = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "mxgan",
        "train",
        "--data",
        faces_folder,
        *TINY,
        "--steps",
        "1000000",
        "--out",
        out,
    ]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if (out / "log.jsonl").exists() and (out / "log.jsonl").read_text().count("\n") > 3:
                break
            time.sleep(0.05)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=120)
    assert (process.returncode, stdout) == (status, f"{out}\n"), stderr
    assert "Traceback" not in stderr
    last = [record["step"] for record in records(out) if "loss_d" in record][-1]
    assert files_below(out / "samples")[-1] == f"{last:06d}.png"
    assert library.load_generator(out / "netG.params", "mxnet").sample(2).shape == (2, 32, 32, 3)
    assert np.isfinite(library.load_params(out / "netD.params")["0.weight"]).all()


# Commands that need no framework, and start in no time.


@pytest.mark.parametrize("how", [["-m", "mxgan"], [ROOT / "run_gan.py"]], ids=["python -m mxgan", "run_gan.py"])
def test_version_names_the_engines(how):
    said = python(*how, "--version")
    assert (said.returncode, said.stderr) == (0, "")
    first, *engines = said.stdout.splitlines()
    assert first == f"mxgan {library.__version__}"
    assert [line.partition(":")[0] for line in engines] == ["mxnet", "pytorch", "onnx", "numpy"]


def run(*arguments: object) -> int:
    """The program in this process: its exit status."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(map(str, arguments)))
    return ended.value.code or 0


@pytest.mark.parametrize("command", [[], ["train"], ["generate"], ["faces"], ["faces", "check"], ["faces", "pack"]])
def test_help(capsys, command):
    assert run(*command, "--help") == 0
    out, err = capsys.readouterr()
    assert out.startswith(" ".join(["Usage: mxgan", *command]))
    assert err == ""
    if not command:
        assert "no command means train" in out
        assert {"train", "generate", "faces"} <= {line.split()[0] for line in out.splitlines() if line.strip()}


@pytest.mark.parametrize("command", [["train"], []], ids=["train", "no command"])
def test_a_dry_run_prints_the_resolved_configuration_and_writes_nothing(mx, capsys, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "cache"))
    asked = ["--recipe", "pytorch-anime", "--steps", 50, "--size", 128, "--engine", "mxnet", "--ctx", "cpu"]
    assert run(*command, "--dry-run", *asked, "--ngf", 2, "--ndf", 2, "--verbose") == 0
    out, err = capsys.readouterr()
    values = json.loads(out)
    assert err.splitlines() == ["mxnet on cpu: as asked", "mxnet on cpu"]
    assert (values["recipe"], values["steps"], values["epochs"], values["size"]) == ("pytorch-anime", 50, 2, 128)
    assert (values["batch_size"], values["latent"], values["step"]) == (128, 128, 0)
    assert (values["engine"], values["ctx"], values["precision"]) == ("mxnet", "cpu", "float32")
    assert values["threads"] >= 1
    assert values["faces"] == {"count": 6000, "skipped": 0}
    assert values["recipe_settings"]["fresh_latents"] is True
    assert files_below(tmp_path) == []


def refused(capsys, *arguments: object) -> str:
    """The one line of error of a program that must end with status 2 and leave nothing behind."""
    before = files_below(".")
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    *progress, line = err.splitlines()
    assert line.startswith("mxgan: error: ")
    assert progress in ([], ["packing 1 face: broken"])
    assert files_below(".") == before
    return line


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with some things that no run can use."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("no picture")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "file").write_text("")
    (tmp_path / "zeros.params").write_bytes(bytes(100))
    library.save_params("netD.params", discriminator())
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipe", "dcgan"], "--recipe dcgan: one of gluon-tutorial"),
        (["--engine", "theano"], "--engine theano: one of auto, mxnet, pytorch"),
        (["--ctx", "tpu"], "--ctx tpu: one of auto, cpu, gpu, gpu:N, mps"),
        (["--size", "48"], "--size 48: one of 32, 64, 128"),
        (["--fit", "pad"], "--fit pad: one of crop, squash"),
        (["--epochs", "0"], "--epochs 0: a whole number"),
        (["--steps", "0"], "--steps 0: a whole number"),
        (["--batch-size", "-3"], "--batch-size -3: a whole number"),
        (["--epochs", "many"], "--epochs"),
        (["--epochs", "1", "--steps", "1"], "--epochs 1: beside steps 1; give one of the two"),
        (["--seed", str(2**63)], "--seed 9223372036854775808"),
        (["--no-such-option"], "--no-such-option"),
        (["--out", "texts"], "--out texts: the folder isn't empty"),
        (["--out", "file"], "--out file: a file is there"),
        (["--out", "file/below"], "--out file/below: can't be written"),
        (["--weights", "missing.params"], "missing.params: there is no such file"),
        (["--weights", "zeros.params"], "zeros.params: the file begins with zeros only"),
        (["--weights", "netD.params"], "netD.params: found a discriminator"),
    ],
)
def test_a_wrong_wish_to_train_is_one_line(here, capsys, arguments, said):
    assert said in refused(capsys, "train", *arguments)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("missing", "missing"),
        ("empty", "empty: no picture in this folder"),
        ("texts", "texts: no picture in this folder"),
        ("broken", "broken: of its 1 picture none can be used; the first, a.png, "),
        ("file", "file: not a set of faces: a folder of pictures"),
        ("painted:0", "painted:0"),
        ("painted:x", "painted:x"),
    ],
)
def test_faces_that_are_none_are_one_line(mx, here, capsys, data, said):
    assert said in refused(capsys, "train", "--data", data)


def test_more_faces_a_step_than_there_are_is_one_line(mx, here, capsys, faces_folder):
    said = refused(capsys, "--data", faces_folder, "--size", 32, "--batch-size", 25)
    assert "--batch-size 25: larger than the data, which has 24 faces" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--weights", "missing.params"], "missing.params: there is no such file"),
        (["--weights", "zeros.params"], "zeros.params"),
        (["--weights", "netD.params"], "netD.params: holds a discriminator; a generator is wanted"),
        (["--weights", "empty"], "empty: no netG.params in this folder"),
        (["--weights", "zeros.params", "--n", "0"], "--n"),
        (["--weights", "zeros.params", "--seed", "-1"], "--seed"),
    ],
)
def test_a_wrong_wish_to_generate_is_one_line(here, capsys, arguments, said):
    assert said in refused(capsys, "generate", *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", str(2**63)], "--seed 9223372036854775808"),
        (["--out", "faces.jpg"], "--out faces.jpg: pictures are written as .png"),
        (["--out", "file/faces.png"], "--out file/faces.png: can't be written, since file is not a folder"),
        (["--each", "file"], "--each file: a file is there"),
        (["--engine", "theano"], "--engine theano"),
        (["--ctx", "tpu"], "--ctx tpu"),
    ],
)
def test_a_place_or_seed_that_cannot_be_is_one_line(trained, here, capsys, arguments, said):
    assert said in refused(capsys, "generate", "--weights", trained.path, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [["train", "--out"], ["train", "--resume"], ["generate", "--weights"], ["runs"], ["faces", "check"]],
)
def test_a_name_that_no_file_can_have_is_one_line(here, capsys, arguments):
    assert "name" * 100 in refused(capsys, *arguments, "name" * 100)


def test_an_unknown_command_is_one_line(here, capsys):
    assert "trian: no such command" in refused(capsys, "trian")


@pytest.mark.parametrize(
    ("room", "has"), [("weights", "inspect, convert"), ("faces", "check, show, pack, crop, download")]
)
def test_half_a_command_is_one_line(here, capsys, room, has):
    assert f"mxgan {room}: give one of {has}, or --help" in refused(capsys, room)


@pytest.mark.parametrize("engine", ["mxnet", "pytorch"])
def test_what_does_not_fit_into_the_memory_is_one_line(faces_folder, tmp_path, engine):
    needs.mxnet() if engine == "mxnet" else pytest.importorskip("torch")
    limited = "import resource as r; r.setrlimit(r.RLIMIT_AS, (12 << 30,) * 2); from mxgan import cli; cli.main()"
    huge = ["--data", faces_folder, *TINY, "--engine", engine, "--latent", 65536, "--ngf", 1024]
    refused = python("-c", limited, "train", *huge, "--out", tmp_path / "run")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[-1].startswith("mxgan: error: out of memory: a smaller --batch-size")
    assert "Traceback" not in refused.stderr


def test_without_a_usable_gpu_one_line_says_why(mx, here, capsys):
    from mxgan.gluon import runtime

    problem = runtime.gpu_problem(0)
    if problem is None:
        pytest.skip("this machine's GPU can be used")
    assert f"--ctx gpu: {problem}" in refused(capsys, "--engine", "mxnet", "--ctx", "gpu")


def test_the_whole_program_refuses_in_one_line_too(tmp_path):
    wrong = mxgan("train", "--size", 48, cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "mxgan: error: --size 48: one of 32, 64, 128\n"
    assert os.listdir(tmp_path) == []


def test_a_recipes_options_can_be_given_otherwise(mx):
    dry = ["--dry-run", "--ngf", 2]
    recipes = json.loads(mxgan("train", "--recipe", "mxgan", *dry).stdout)
    assert (recipes["augment"], recipes["flip"], recipes["ema"]) == ("color,translation", False, 10000)
    given = ["--augment", "none", "--flip", "--ema", 0, "--loss", "hinge", "--spectral-norm", "--lr-d", "4e-4"]
    other = json.loads(mxgan("train", "--recipe", "mxgan", *given, "--ndf", 3, *dry).stdout)
    changed = {name: value for name, value in other.items() if value != recipes[name]}
    assert changed == {
        "augment": "", "flip": True, "ema": 0, "loss": "hinge", "spectral_norm": True, "lr_d": 4e-4, "ndf": 3,
    }  # fmt: skip
    for command in ("train", "compare"):
        wrong = mxgan(command, "--augment", "cutout,colour")
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert wrong.stderr == "mxgan: error: --augment cutout,colour: any of color,translation,cutout, or none\n"
