"""`mxgan evaluate` with generators of other kinds: conditional, uniform, transparent, grey, of other sizes."""

import json

import numpy as np
import pytest

import mxgan
from mxgan import cli, sampling
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.errors import MxganError
from mxgan.faces import open_faces
from mxgan.metrics import msssim, scoring
from mxgan.pixels import on_white
from mxgan.weights import files

pytestmark = pytest.mark.filterwarnings("ignore:fewer than")


def numbers(*shape):
    return np.random.default_rng(sum(shape)).normal(0, 0.3, shape).astype(np.float32)


def write(path, side=8, channels=3, classes=None):
    """A generator: Linear to side x side, a convolution, upsampling by 2, a convolution. Returns its file."""
    arrays = {"label_emb.weight": numbers(classes, 5) * 5} if classes else {}
    arrays.update({
        "l1.0.weight": numbers(4 * side * side, 5), "l1.0.bias": numbers(4 * side * side),
        "blocks.0.weight": numbers(4, 4, 3, 3), "blocks.0.bias": numbers(4),
        "blocks.3.weight": numbers(channels, 4, 3, 3), "blocks.3.bias": numbers(channels),
    })  # fmt: skip
    files.save(path, arrays)
    return path


def evaluate(weights, data, *metrics, **more):
    return scoring.evaluate(weights, scoring.EvalConfig(str(data), 8, metrics, **more), progress=False)


def scored(weights, images, wishes=NONE, **more):
    """(msssim as evaluate finds it, msssim of these pictures)."""
    report = evaluate(weights, more.pop("data"), "msssim", wishes=wishes, **more)
    return report.scores["msssim"].value, pytest.approx(msssim.diversity(images))


@pytest.fixture
def photos(mx, faces_folder):
    return faces_folder


def test_all_labels_of_a_conditional_generator_are_shown_in_turn(photos, tmp_path):
    weights = write(tmp_path / "netG.npz", classes=3)
    images = mxgan.load_generator(weights).sample(8, labels=np.arange(8) % 3)
    found, wanted = scored(weights, images, data=photos)
    assert found == wanted


def test_latents_and_options_are_generates_own(photos, tmp_path):
    weights = write(tmp_path / "netG.npz")
    wishes = Wishes(output="sigmoid", activation="elu", uniform=True)
    generator = sampling.load_generator(weights, wishes=wishes)
    assert generator.uniform
    found, wanted = scored(weights, generator.sample(8), wishes, data=photos)
    assert found == wanted
    assert found != scored(weights, generator.sample(8), data=photos)[0]


def test_what_is_transparent_is_shown_on_white(photos, tmp_path):
    weights = write(tmp_path / "netG.npz", channels=4)
    images = mxgan.load_generator(weights).sample(8)
    assert images.shape[-1] == 4
    found, wanted = scored(weights, on_white(images), data=photos)
    assert found == wanted


def test_white_shows_through():
    pixels = np.array([[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 255, 51]], np.uint8).reshape(1, 1, 3, 4)
    assert on_white(pixels).reshape(3, 3).tolist() == [[10, 20, 30], [255] * 3, [204, 224, 255]]
    np.testing.assert_array_equal(on_white(pixels[..., :3]), pixels[..., :3])


def test_a_grey_generator_is_told_of_coloured_faces(photos, tmp_path):
    weights = write(tmp_path / "netG.npz", channels=1)
    with pytest.warns(UserWarning, match=r"the generator is grey and .* is in colour, which every number counts"):
        evaluate(weights, photos, "msssim")
    side = mxgan.load_generator(weights).image_size
    grey = open_faces(photos, side, progress=False).images[..., :1].repeat(3, axis=-1)
    np.save(tmp_path / "grey.npy", grey)
    warned = evaluate(weights, tmp_path / "grey.npy", "swd").warnings
    assert not any(line.startswith("the generator is grey") for line in warned)


def test_another_size_is_compared_at_that_size(photos, tmp_path):
    report = evaluate(write(tmp_path / "netG.npz", side=16), photos, "swd", "msssim", wishes=Wishes(size=32))
    assert (report.protocol.size, set(report.scores)) == (32, {"swd", "swd_32", "swd_16", "msssim"})


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (("swd", "msssim"), r"28 pixels: swd and msssim can't halve them often enough; use metrics='fd,kid,prdc'$"),
        (("fd", "kid", "swd", "prdc", "msssim"), r"28 pixels: swd and msssim .* use metrics='fd,kid,prdc'$"),
        (("fd", "swd"), r"28 pixels: swd .* use metrics='fd'$"),
    ],
)
def test_pictures_that_cannot_be_halved_are_refused_for_metrics_that_halve(photos, tmp_path, metrics, said):
    if "prdc" in metrics:
        pytest.importorskip("sklearn")
    with pytest.raises(MxganError, match=said):
        evaluate(write(tmp_path / "netG.npz", side=14), photos, *metrics, wishes=Wishes(size=28))


def test_pictures_that_are_not_square_are_refused(photos, tmp_path):
    weights = write(tmp_path / "netG.npz", side=4)
    layers = [
        {"name": "l1.0", "kind": "Linear", "arrays": {"weight": "l1.0.weight"}},
        {"name": "tall", "kind": "Reshape", "shape": [1, 16, 4]},
        {"name": "end", "kind": "Tanh"},
    ]
    (tmp_path / "net.json").write_text(json.dumps({"mxgan-layout": 1, "latent": 5, "layers": layers}))
    with pytest.raises(MxganError, match=r"its pictures are 16×4; evaluate compares square ones"):
        evaluate(weights, photos, "msssim", wishes=Wishes(layout=tmp_path / "net.json"))


def test_options_are_taken_as_typed(photos, tmp_path, capsys):
    weights = write(tmp_path / "netG.npz")
    arguments = ["--weights", weights, "--data", photos, "--n", 8, "--metrics", "msssim", "--json"]
    with pytest.raises(SystemExit, match="0"):
        cli.main([str(word) for word in ("evaluate", *arguments, "--output", "sigmoid", "--latent-uniform")])
    report = json.loads(capsys.readouterr().out)
    wishes = Wishes(output="sigmoid", uniform=True)
    images = sampling.load_generator(weights, wishes=wishes).sample(8)
    assert report["scores"]["msssim"]["value"] == pytest.approx(msssim.diversity(images))
