"""``G.pth`` and ``D.pth`` as the anime-face and CelebA notebooks save them give what the notebook's networks give."""

from pathlib import Path

import needs
import numpy as np
import pytest
from PIL import Image
from processes import mxgan

torch = pytest.importorskip("torch")

from notebooks import notebook_netD, notebook_netG, used  # noqa: E402

import mxgan as library  # noqa: E402
from mxgan import pixels, plots, rng  # noqa: E402
from mxgan.config import TrainConfig, resolve  # noqa: E402
from mxgan.errors import ParamsError  # noqa: E402
from mxgan.pytorch.engine import Engine  # noqa: E402
from mxgan.weights import load_net  # noqa: E402

NGF = 8


@pytest.fixture(scope="module")
def notebook(tmp_path_factory) -> tuple:
    """The folder with the two files, and the networks they came from, in inference mode."""
    folder = tmp_path_factory.mktemp("notebook")
    torch.manual_seed(0)
    netG, netD = used(notebook_netG(128, NGF)), used(notebook_netD(NGF))
    torch.save(netG.state_dict(), folder / "G.pth")
    torch.save(netD.state_dict(), folder / "D.pth")
    return folder, netG, netD


def theirs(netG, n: int, seed: int) -> np.ndarray:
    """Pictures that the notebook's own network makes of mxgan's latents."""
    z = torch.from_numpy(rng.samples(seed, 0, n, 128)).reshape(n, 128, 1, 1)
    with torch.no_grad():
        return pixels.to_uint8(netG(z).numpy())


@pytest.mark.parametrize("engine", ["pytorch", "mxnet", "onnx"])
def test_G_pth_generates_what_the_notebook_does(engine, notebook):
    if engine == "mxnet":
        needs.mxnet()
    elif engine == "onnx":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    folder, netG, _ = notebook
    generator = library.load_generator(folder / "G.pth", engine=engine, ctx="cpu")
    assert (generator.latent, generator.image_size, generator.engine) == (128, 64, engine)
    ours = generator.sample(9, seed=3).astype(int)
    assert np.abs(ours - theirs(netG, 9, 3)).max() <= (0 if engine == "pytorch" else 1)
    assert ours.std() > 1


def test_the_command_line_generates_from_G_pth(notebook, tmp_path):
    folder, netG, _ = notebook
    out = tmp_path / "grid.png"
    arguments = ("--n", "9", "--seed", "3", "--engine", "pytorch", "--ctx", "cpu", "--out", out)
    process = mxgan("generate", "--weights", folder / "G.pth", *arguments)
    assert process.returncode == 0, process.stderr
    ours = np.asarray(Image.open(out)).astype(int)
    assert np.abs(ours - plots.grid(theirs(netG, 9, 3))).max() <= 1


def test_training_goes_on_from_G_pth(notebook, faces_folder, tmp_path):
    folder, _, _ = notebook
    run = tmp_path / "run"
    start = ("--recipe", "pytorch-anime", "--ngf", NGF, "--ndf", "4", "--weights", folder / "G.pth")
    short = ("--data", faces_folder, "--steps", "1", "--batch-size", "8", "--engine", "pytorch", "--ctx", "cpu")
    process = mxgan("train", *start, *short, "--out", run)
    assert process.returncode == 0, process.stderr
    before = torch.load(folder / "G.pth", weights_only=True)["0.weight"].numpy()
    after = library.load_params(run / "netG.params")["0.weight"]
    assert 0 < np.abs(after - before).max() < 1e-3  # one of Adam's steps away

    other = mxgan("train", *start[:2], "--ngf", "4", *start[4:], *short, "--out", Path(tmp_path) / "other")
    assert (other.returncode, other.stdout) == (2, "")
    assert "its netG has ngf 8; take --ngf 8, or leave it out" in other.stderr


def test_D_pth_judges_as_the_notebook_does(notebook):
    folder, _, netD = notebook
    engine = Engine(resolve(TrainConfig(recipe="pytorch-anime", ngf=NGF, ndf=NGF)), "cpu")
    engine.load_weights({"netD": load_net(folder / "D.pth", "discriminator").arrays})
    images = np.random.RandomState(0).randint(0, 256, (5, 64, 64, 3)).astype(np.uint8)
    with torch.no_grad():
        scores = netD(torch.from_numpy(pixels.from_uint8(images))).numpy().reshape(-1)
    np.testing.assert_allclose(1 / (1 + np.exp(-engine.discriminate(images))), scores, rtol=1e-5)


def test_D_pth_is_no_generator(notebook):
    folder, _, _ = notebook
    with pytest.raises(ParamsError, match=r"D\.pth: holds a discriminator; a generator is wanted"):
        library.load_generator(folder / "D.pth")
