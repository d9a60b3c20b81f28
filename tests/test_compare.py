"""``mxgan compare`` on tiny nets: what passes, what must not, and what the report holds."""

import base64
import contextlib
import io
import json
import re

import needs
import numpy as np
import pytest

needs.mxnet()
torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402
from small_compare import NAMES, config, faces  # noqa: E402

from mxgan import cli, engines  # noqa: E402
from mxgan.compare import outcome, proof, report, speed, worker  # noqa: E402
from mxgan.config import RECIPES  # noqa: E402
from mxgan.engines import Choice  # noqa: E402
from mxgan.errors import TrainingError  # noqa: E402
from mxgan.training import batches  # noqa: E402

TINY = ["--size", "32", "--ngf", "4", "--ndf", "4", "--latent", "5", "--batch-size", "8", "--threads", "1"]
WORKER = {"about": {"name": "", "ctx": "cpu", "package": "", "version": "1", "threads": "1"}}
PICTURES = ["same-weights-mxnet", "same-weights-pytorch", "same-weights-difference", "samples-mxnet", "samples-pytorch"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_engines_are_one_function_in_float64(recipe):
    deviations = proof.prove(config(recipe), faces(), NAMES)
    assert [str(one) for one in deviations if not one.passed] == []
    kinds = {(one.kind, one.measure) for one in deviations}
    both = [("weight", "relative"), ("gradient", "relative"), ("forward", "relative"), ("loss", "relative")]
    assert kinds >= {*both, ("statistic", "relative")}
    assert (("gradient", "absolute") in kinds) == RECIPES[recipe].bias  # biases that a BatchNorm takes out again
    engine = engines.build(Choice("pytorch", "cpu", ""), config(recipe, ngf=8, ndf=8), "float64")
    names = {f"{net}.{name}" for net, arrays in engine.weights().items() for name in arrays}
    for step in range(1, proof.STEPS + 1):
        here = [one for one in deviations if one.step == step]
        assert {one.name for one in here if one.kind in ("weight", "statistic")} == names
        trained = {name for name in names if "running" not in name and not name.startswith("netG-ema")}
        assert {one.name for one in here if one.kind == "gradient"} == trained
        assert {one.name for one in here if one.kind == "loss"} == {"loss_d", "loss_g", "score_real", "score_fake"}


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        ("mxgan.pytorch.adam", "EPSILON", 1.1e-8),
        ("mxgan.pytorch.nets", "MOMENTUM", 0.1),  # MXNet's 0.9 is a float32: 0.10000002
    ],
)
def test_the_proof_notices_a_difference_in_the_eighth_digit(module, name, value, monkeypatch):
    monkeypatch.setattr(f"{module}.{name}", value)
    failed = [one for one in proof.prove(config(), faces(), NAMES) if not one.passed]
    assert failed


def test_a_step_in_float64_is_the_same_wherever_it_goes_on(monkeypatch):
    """A state moves to the other engine: weights, Adam's moments and counts are all that a step depends on."""
    small = config("pytorch-anime", size=32, ngf=4, ndf=4, batch_size=8)
    one, two = (engines.build(Choice(name, "cpu", ""), small, "float64") for name in NAMES)
    images = faces(8, 32)
    for step in (1, 2):
        one.train_step(batches.inputs(small, step, 3, images)).read()
    two.load_state(one.state())
    for source, target in ((two, one), (one, two)):
        assert target.state().counts == source.state().counts
        for engine in (one, two):
            engine.train_step(batches.inputs(small, 3, 3, images)).read()
        theirs, ours = target.state().arrays, source.state().arrays
        for group, arrays in theirs.items():
            for name, array in arrays.items():
                np.testing.assert_allclose(ours[group][name], array, rtol=1e-8, atol=1e-12, err_msg=f"{group} {name}")
        target.load_state(source.state())


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A whole comparison by the command line, in this process; the report's folder, its JSON, stderr's last lines."""
    folder = tmp_path_factory.mktemp("compared")
    np.save(folder / "faces.npy", faces(24, 32))
    arguments = ["compare", "--data", str(folder / "faces.npy"), *TINY, "--steps", "4", "--out", str(folder / "report")]
    arguments += ["--processes", "2"]
    err = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(err):
        patch.setattr(speed, "ROUNDS", 2)
        patch.setattr(speed, "PICTURES", 64)
        patch.setattr(outcome, "VISIBLE", 0.0)  # what so few steps paint is drawn all the same
        with pytest.raises(SystemExit) as end:
            cli.main(arguments)
    assert end.value.code == 0
    found = json.loads((folder / "report" / "report.json").read_text())
    return folder / "report", found, err.getvalue().splitlines()[-2:]


def test_the_report_is_whole(compared):
    folder, found, _ = compared
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["report.html", "report.json", "losses.png", "drift.png", *(f"{name}.png" for name in PICTURES)]
    )
    html = (folder / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'<(?:img|script|link)[^>]+(?:src|href)="([^"]*)"', html)
    assert len(sources) == 7  # every picture, and nothing to fetch
    for source in sources:
        head, _, data = source.partition(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(data).startswith(b"\x89PNG")
    assert "http" not in html
    assert html.count(">same</span>") >= 8
    assert ">different</span>" not in html
    assert found["passed"] and found["problems"] == []


def test_the_last_lines_are_the_verdicts(compared):
    folder, found, last = compared
    numbers, of_two = (len(found[proof]["deviations"]) for proof in ("float64", "processes"))
    assert numbers > 300 and of_two > 300 and found["processes"]["count"] == 2
    assert last == [
        f"the same model: all {numbers} numbers, and the pictures, are within their limits",
        f"the same run: all {of_two} numbers of 2 processes are within their limits",
    ]
    assert "2 processes and one" in (folder / "report.html").read_text(encoding="utf-8")


def test_the_same_weights_give_the_same_pictures(compared):
    folder, found, _ = compared
    same = found["float32"]["inference"]
    assert same["images"] < same["limit"] == 1e-5
    assert same["grey_levels"] <= 1
    one, two = (np.asarray(Image.open(folder / f"same-weights-{name}.png")).astype(int) for name in NAMES)
    assert np.abs(one - two).max() == same["grey_levels"]
    assert one.std() > 0


def test_training_starts_together_and_drifts(compared):
    _, found, _ = compared
    logs = [found["outcome"][name]["log"] for name in NAMES]
    assert [[record["step"] for record in log] for log in logs] == [[1, 2, 3, 4]] * 2
    for key in ("loss_d", "loss_g", "score_real", "score_fake"):
        assert logs[0][0][key] == pytest.approx(logs[1][0][key], rel=1e-4)
        assert found["outcome"]["mxnet"][f"late_{key}"] == pytest.approx(np.mean([r[key] for r in logs[0]]))
    assert [point["step"] for point in found["float32"]["drift"]] == [1, 2, 3, 4]
    assert [point["step"] for point in found["float32"]["control"]] == [1, 2, 3, 4]
    for point in (*found["float32"]["drift"], *found["float32"]["control"]):
        assert 0 < point["netG"] < 1
        assert point["worst"] > 0
        assert re.fullmatch(r"net[GD]\.\d+\.(weight|bias|gamma|beta)", point["worst_of"])


def test_speed_and_memory_are_of_processes_of_their_own(compared):
    _, found, _ = compared
    for name in NAMES:
        numbers = found["speed"][name]
        for key in ("step_images_per_s", "generate_images_per_s"):
            assert len(numbers[key]["rounds"]) == 2
            assert 0 < numbers[key]["low"] <= numbers[key]["median"] <= numbers[key]["high"]
        assert 50e6 < numbers["peak_memory_bytes"] < 4e9
        assert found["engines"][name]["threads"] == "1"
        assert found["engines"][name]["version"]


def test_a_difference_ends_in_exit_status_1_and_a_report_that_says_so(compared, tmp_path, monkeypatch, capsys):
    _, before, _ = compared  # all but the proof, which the difference is in, is as it was there
    seen = outcome.Outcome(
        **before["float32"], runs=before["outcome"], pictures={name: faces(4, 32) for name in PICTURES}
    )
    monkeypatch.setattr(outcome, "observe", lambda *arguments: seen)
    monkeypatch.setattr(speed, "measure", lambda *arguments: before["speed"])
    monkeypatch.setattr(worker.Worker, "__init__", lambda self, choice, config: vars(self).update(WORKER))
    monkeypatch.setattr(worker.Worker, "__exit__", lambda *error: None)
    monkeypatch.setattr("mxgan.pytorch.adam.EPSILON", 1e-7)
    np.save(tmp_path / "faces.npy", faces(24, 32))
    out = tmp_path / "report"
    with pytest.raises(SystemExit) as end:
        cli.main(["compare", "--data", str(tmp_path / "faces.npy"), *TINY, "--steps", "4", "--out", str(out)])
    assert end.value.code == 1
    said = capsys.readouterr()
    assert said.out.strip() == str(out / "report.html")
    assert "float64: weight net" in said.err and "the same model" not in said.err
    assert json.loads((out / "report.json").read_text())["passed"] is False
    assert ">different</span>" in (out / "report.html").read_text(encoding="utf-8")


def test_pictures_without_anything_to_see_are_not_drawn_and_the_report_says_why(compared, tmp_path):
    _, before, _ = compared
    same = {**before["float32"]["inference"], "contrast": 0.66, "contrast_wanted": outcome.VISIBLE}
    found = {**before, "float32": {**before["float32"], "inference": same}}
    html = report.write(tmp_path / "report", found, {}).read_text(encoding="utf-8")
    assert len(re.findall("<img ", html)) == 2  # the curves
    assert "after 4 steps netG paints grey" in html
    assert "by 0.7 of 255 levels; from 8 on they are drawn" in html
    assert sorted(path.name for path in (tmp_path / "report").glob("*.png")) == ["drift.png", "losses.png"]


def test_contrast_is_within_a_picture():
    flat = np.arange(0, 250, 10, dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(4, 1).repeat(4, 2).repeat(3, 3)
    assert outcome.contrast(flat) == 0  # pictures of different greys
    halves = np.full((2, 4, 4, 3), 100, np.uint8)
    halves[:, :2] = 120
    assert outcome.contrast(halves) == 10
    assert outcome.contrast(faces(8)) > 2 * outcome.VISIBLE


def test_wrong_input_is_refused_before_anything_is_written(tmp_path, capsys):
    for arguments, message in (
        (["--data", "painted:64", "--batch-size", "65"], "--batch-size 65: larger than the data, which has 64 faces"),
        (["--ctx", "gpu"], "--ctx gpu: "),
        (["--recipe", "wgan"], "--recipe wgan: one of"),
        (["--data", "nowhere"], "nowhere"),
    ):
        with pytest.raises(SystemExit) as end:
            cli.main(["compare", *arguments, "--out", str(tmp_path / "report")])
        assert end.value.code == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "report").exists()


def test_a_worker_that_fails_says_why():
    small = config(size=32, ngf=4, ndf=4, latent=5, batch_size=8)
    with worker.Worker(Choice("pytorch", "cpu", ""), small) as one:
        assert one.about["name"] == "pytorch"
        with pytest.raises(TrainingError, match=r"the pytorch process failed: .*latents"):
            one.engine("no latents to be had")
        with pytest.raises(TrainingError, match=r"the pytorch process failed: ended with status 1: .*latents"):
            one.peak_memory()


def test_numbers_for_people():
    assert [report._power(x) for x in (5.9e-13, 1e-9, 0.0, 0.0254, 3.0, float("nan"))] == [
        "5.9·10⁻¹³", "10⁻⁹", "0", "0.0254", "3", "nan",
    ]  # fmt: skip


def test_the_distance_is_a_share_of_the_way():
    start = {"netG": {"0.weight": np.zeros(4), "1.running_mean": np.zeros(1)}}
    theirs = {"netG": {"0.weight": np.full(4, 2.0), "1.running_mean": np.ones(1)}}
    ours = {"netG": {"0.weight": np.array([2.0, 2, 2, 1]), "1.running_mean": np.zeros(1)}}
    assert outcome._distance(ours, theirs, start) == {"netG": 0.25, "worst": 0.5, "worst_of": "netG.0.weight"}
