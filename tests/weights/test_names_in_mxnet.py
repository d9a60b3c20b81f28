"""What MXNet writes is recognised, and what is saved loads into MXNet's own nets."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from mxgan.weights import load_net, save_params

FILES = Path(__file__).parent / "files"


def gluon_generator(mx, scope, prefix=None):
    """The tutorial's generator, with every array different from its neighbours."""
    nn = mx.gluon.nn
    net = nn.HybridSequential(prefix=prefix)

    def fill():
        for place, width in enumerate((16, 8, 4, 2)):
            net.add(nn.Conv2DTranspose(width, 4, 2 if place else 1, 1 if place else 0))
            net.add(nn.BatchNorm())
            net.add(nn.Activation("relu"))
        net.add(nn.Conv2DTranspose(3, 4, 2, 1), nn.Activation("tanh"))

    if scope:
        with net.name_scope():
            fill()
    else:
        fill()
    return net


@pytest.mark.parametrize("scope", [True, False], ids=["name_scope", "no name_scope"])
@pytest.mark.parametrize("prefix", [None, "generator_", "G_v2_64_"])
@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "wrapped"])
def test_whatever_mxnet_writes(mx, tmp_path, scope, prefix, wrapped):
    net = gluon_generator(mx, scope, prefix)
    if wrapped:
        outer = mx.gluon.nn.HybridSequential()
        outer.add(net)
        net = outer
    net.initialize(mx.init.Normal(0.1))
    net.hybridize()
    y = net(mx.nd.random.normal(shape=(2, 6, 1, 1)))
    random = np.random.default_rng(1)
    for parameter in net.collect_params().values():
        parameter.set_data(mx.nd.array(random.uniform(0.5, 1.5, parameter.shape)))
    y.wait_to_read()

    net.save_parameters(str(tmp_path / "save_parameters.params"))
    net.collect_params().save(str(tmp_path / "collect_params.params"))
    net.export(str(tmp_path / "export"))
    mx.nd.save(str(tmp_path / "list.params"), [p.data() for p in net.collect_params().values()])
    if scope and not (wrapped and prefix):  # elsewhere MXNet's own save_params fails
        arrays = {name[len(net.prefix) :]: p.data() for name, p in net.collect_params().items()}
        mx.nd.save(str(tmp_path / "save_params.params"), arrays)

    wanted = [p.data().asnumpy() for p in net.collect_params().values()]
    files = sorted(tmp_path.glob("*.params"))
    assert len(files) >= 4
    for file in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if file.stem == "list" else "error")
            found = load_net(file, "generator")
        assert (found.latent, found.width, found.image_size) == (6, 2, 64), file
        for name, array, expected in zip(found.arrays, found.arrays.values(), wanted):
            np.testing.assert_array_equal(array, expected, err_msg=f"{file.name}: {name}")


@pytest.mark.parametrize("path", sorted(FILES.glob("*.params")), ids=lambda path: path.stem)
def test_mxnet_loads_the_canonical_names_of_every_era(mx, tmp_path, path):
    save_params(tmp_path / "netG.params", load_net(path, "generator").arrays)
    net = gluon_generator(mx, scope=True)
    net.load_parameters(str(tmp_path / "netG.params"))
    with np.load(path.with_name("-".join(path.name.split("-")[:3]) + "-io.npz")) as io:
        y = net(mx.nd.array(io["z"])).asnumpy()
        assert np.abs(y - io["y"]).max() < 1e-5
