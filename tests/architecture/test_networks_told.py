"""Files that say their own graph: MXNet's symbol beside the arrays, whole modules, TorchScript, .onnx."""

import numpy as np
import pytest
import symbol_makers as make

from mxgan import pixels, sampling
from mxgan.architecture import networks
from mxgan.architecture.wishes import Wishes
from mxgan.errors import MxganError


def module_net(s, act="relu", end="tanh", **norm):
    """A generator as the Module API's examples build it: deconvolution, BatchNorm with MXNet's defaults, activation."""
    x = s.Deconvolution(s.Variable("rand"), name="g1", kernel=(4, 4), num_filter=12, no_bias=True)
    for number, filters in ((2, 8), (3, 3)):
        x = s.BatchNorm(x, name=f"gbn{number}", **norm)
        kind = {"act_type": "leaky", "slope": 0.2} if act == "leaky" else {"act_type": act}
        x = (s.LeakyReLU if act == "leaky" else s.Activation)(x, name=f"gact{number}", **kind)
        x = s.Deconvolution(
            x, name=f"g{number}", kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=filters, no_bias=number == 2
        )
    return s.Activation(x, name="gout", act_type=end)


CASES = {
    "all of MXNet's defaults: eps 1e-3, gammas that it ignores": {},
    "eps 1e-3, gammas learned": {"fix_gamma": False},
    "LeakyReLU": {"act": "leaky", "fix_gamma": False},
    "Sigmoid": {"end": "sigmoid"},
    "LeakyReLU, Sigmoid, eps 0.8, gammas ignored": {"act": "leaky", "end": "sigmoid", "eps": 0.8},
}


def checkpoint(mx, folder, **how):
    """(file, latents, MXNet's pictures) of a Module checkpoint; gammas are other than 1, and variances small."""
    net, z = module_net(mx.sym, **how), make.latents(6, 10)
    arrays = make.filled(net, rand=(6, 10, 1, 1))
    for name in arrays:
        if name.endswith("_weight"):
            arrays[name] *= 3
    params = make.save(mx, folder, net, arrays)
    images = make.in_mxnet(mx, params, {"rand": z.reshape(6, 10, 1, 1)})
    return params, z, pixels.to_uint8(images * 2 - 1 if how.get("end") == "sigmoid" else images)


def same(found, wanted):
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("engine", ["mxnet", "pytorch", "onnx"])
@pytest.mark.parametrize("case", CASES)
def test_a_symbol_beside_the_arrays_decides(mx, tmp_path, recwarn, case, engine):
    params, z, wanted = checkpoint(mx, tmp_path, **CASES[case])
    try:
        generator = sampling.load_generator(params, engine, "cpu")
    except ImportError as error:
        pytest.skip(str(error))
    same(generator.generate(z), wanted)
    assert generator.read.told == ["the network: net-symbol.json"]
    assert not [one for one in recwarn if issubclass(one.category, UserWarning)]


def test_a_symbol_that_lies_elsewhere_is_named(mx, tmp_path):
    params, z, wanted = checkpoint(mx, tmp_path, act="leaky")
    symbol = (tmp_path / "net-symbol.json").rename(tmp_path / "elsewhere.json")
    same(sampling.load_generator(params, "mxnet", wishes=Wishes(symbol=symbol)).generate(z), wanted)
    with pytest.raises(MxganError, match="nowhere"):
        sampling.load_generator(params, "mxnet", wishes=Wishes(symbol=tmp_path / "nowhere.json"))


def test_without_its_symbol_what_was_assumed_is_said(mx, tmp_path):
    params, _, _ = checkpoint(mx, tmp_path)
    (tmp_path / "net-symbol.json").unlink()
    reading = networks.generator(params)
    assert reading.assumed or reading.warnings


@pytest.mark.parametrize(
    "wish",
    [{"activation": "leaky:0.2"}, {"output": "sigmoid"}, {"eps": 1e-5}, {"size": 64}],
    ids=lambda wish: next(iter(wish)),
)
def test_options_that_contradict_a_symbol_are_refused_in_a_line(mx, tmp_path, wish):
    params, _, _ = checkpoint(mx, tmp_path)
    with pytest.raises(MxganError) as error:
        networks.generator(params, Wishes(**wish))
    assert str(error.value).startswith(f"{next(iter(wish))}: net-symbol.json says it")
    assert "\n" not in str(error.value)


def test_a_symbol_of_another_network_is_refused(mx, tmp_path):
    params, _, _ = checkpoint(mx, tmp_path)
    other = module_net(mx.sym).get_internals()["g2_output"]
    other.save(str(tmp_path / "net-symbol.json"))
    with pytest.raises(MxganError, match="net-"):
        sampling.load_generator(params, "mxnet")
