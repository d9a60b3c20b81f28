"""Weights on their way into a user's own program, as docs/python-api.md has it."""

from pathlib import Path

import numpy as np
import pytest

import mxgan

REAL = Path(__file__).parent / "weights" / "files" / "G-mxnet0.12.0-ngf2-collect_params.params"


def test_a_module_of_ones_own_takes_the_weights_and_makes_the_same_pictures(tmp_path):
    """As the Python page says it: converted, loaded strictly, the latents of a seed, to one grey level."""
    torch = pytest.importorskip("torch")
    nn = torch.nn
    done = mxgan.convert_weights(REAL, tmp_path / "netG.pth")
    assert (done.path, done.arrays) == (tmp_path / "netG.pth", 30)
    assert len(repr(done)) < 3000  # shapes, not numbers
    theirs = mxgan.load_generator(REAL, engine="numpy")
    layers = []
    widths = [theirs.latent, 16, 8, 4, 2]
    for at, (into, out) in enumerate(zip(widths, widths[1:])):
        stride, padding = (2, 1) if at else (1, 0)
        layers += [nn.ConvTranspose2d(into, out, 4, stride, padding), nn.BatchNorm2d(out), nn.ReLU()]
    netG = nn.Sequential(*layers, nn.ConvTranspose2d(2, 3, 4, 2, 1), nn.Tanh()).eval()
    netG.load_state_dict(torch.load(done.path))
    z = mxgan.latents(seed=0, n=8, latent=theirs.latent)
    with torch.inference_mode():
        y = netG(torch.from_numpy(z)[..., None, None])
    pictures = mxgan.pixels.to_uint8(y.numpy())
    ours = theirs.sample(8, seed=0)
    assert (pictures.dtype, pictures.shape) == (np.uint8, ours.shape)
    assert np.abs(pictures.astype(int) - ours).max() <= 1
    assert ours.std() > 1
