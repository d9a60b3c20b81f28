"""PyTorch's .pth files: read without PyTorch and without running anything, written so that a strict load works."""

import argparse
import zipfile
from pathlib import Path

import numpy as np
import pytest
from processes import python

from mxgan.convert import convert_weights
from mxgan.errors import ParamsError
from mxgan.weights import load_net, load_params, save_params
from mxgan.weights.files import load

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

FILES = Path(__file__).parents[1] / "weights" / "files"
REAL = FILES / "G-mxnet1.9.1-ngf2-save_params.params"


def sequential_g(latent=6, widths=(16, 8, 4, 2), bias=False):
    """The generator of the PyTorch recipes: activations count as children."""
    layers, into = [], latent
    for place, width in enumerate(widths):
        layers += [nn.ConvTranspose2d(into, width, 4, 2 if place else 1, 1 if place else 0, bias=bias)]
        layers += [nn.BatchNorm2d(width), nn.ReLU(True)]
        into = width
    return filled(nn.Sequential(*layers, nn.ConvTranspose2d(into, 3, 4, 2, 1, bias=bias), nn.Tanh()))


def sequential_d(widths=(2, 4, 8, 16), first_norm=True):
    """The discriminator of the PyTorch recipes, or without its first BatchNorm the reference DCGAN's."""
    layers, into = [], 3
    for place, width in enumerate(widths):
        layers.append(nn.Conv2d(into, width, 4, 2, 1, bias=False))
        if place or first_norm:
            layers.append(nn.BatchNorm2d(width))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        into = width
    return filled(nn.Sequential(*layers, nn.Conv2d(into, 1, 4, 1, 0, bias=False), nn.Sigmoid()))


class Reference(nn.Module):
    """The reference DCGAN's classes hold their Sequential as ``main``."""

    def __init__(self, main):
        super().__init__()
        self.main = main

    def forward(self, x):
        return self.main(x)


def filled(net):
    """Every number different, in inference mode."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if name.endswith("num_batches_tracked"):
                tensor.fill_(7)
            elif name.endswith("running_var") or tensor.ndim == 1:
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            else:
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.1)
    return net.eval()


def assert_states_equal(one, two):
    assert list(one) == list(two)
    for name in one:
        assert one[name].dtype == two[name].dtype and torch.equal(one[name], two[name]), name


WRAPPED = {
    "state dict": lambda state: state,
    "DataParallel": lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
    "netG_state_dict": lambda state: {"netG_state_dict": state, "epoch": 3, "loss": 0.5},
    "state_dict": lambda state: {"state_dict": state, "arch": "dcgan", "fixed_noise": torch.zeros(64, 6, 1, 1)},
    "generator": lambda state: {"generator": state},
    "with both and optimizers": lambda state: {
        "netG_state_dict": state,
        "netD_state_dict": sequential_d().state_dict(),
        "optimizerG_state_dict": torch.optim.Adam(sequential_g().parameters()).state_dict(),
    },
    "nested": lambda state: {"model": {"netG": state, "netD": sequential_d().state_dict()}, "step": 1},
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("layout", ["plain", "main"])
@pytest.mark.parametrize("wrapped", WRAPPED)
def test_whatever_pytorch_users_save(tmp_path, wrapped, layout, legacy):
    net = sequential_g()
    state = (Reference(net) if layout == "main" else net).state_dict()
    path = tmp_path / "netG.pth"
    torch.save(WRAPPED[wrapped](state), path, _use_new_zipfile_serialization=not legacy)
    assert load(path).era == ("PyTorch before 1.6" if legacy else "PyTorch 1.6 and newer")
    found = load_net(path, "generator")
    assert (found.latent, found.width, found.image_size, found.bias, found.scheme) == (6, 2, 64, False, "pytorch")
    for name, array in found.arrays.items():
        name = name.replace("gamma", "weight").replace("beta", "bias")
        np.testing.assert_array_equal(array, net.state_dict()[name].numpy())
    assert found.batches == {"1": 7, "4": 7, "7": 7, "10": 7}


def test_what_is_left_out_of_a_checkpoint_is_told(tmp_path):
    torch.save(WRAPPED["state_dict"](sequential_g().state_dict()), tmp_path / "a.pth")
    assert load(tmp_path / "a.pth").notes == ["left out, as no weights: arch, fixed_noise"]


@pytest.mark.parametrize("layout", ["plain", "main"])
@pytest.mark.parametrize(
    "net", [sequential_g(), sequential_g(bias=True), sequential_d(), sequential_d(first_norm=False)],
    ids=["netG", "netG with bias", "netD", "reference netD"],
)  # fmt: skip
def test_there_and_back_loads_strictly_and_is_bit_equal(tmp_path, net, layout):
    module = Reference(net) if layout == "main" else net
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    torch.save(state, tmp_path / "a.pth")
    convert_weights(tmp_path / "a.pth", tmp_path / "b.pth", layout=layout)
    assert_states_equal(torch.load(tmp_path / "b.pth", weights_only=True), state)

    convert_weights(tmp_path / "a.pth", tmp_path / "b.params")
    convert_weights(tmp_path / "b.params", tmp_path / "c.pth", layout=layout)
    back = torch.load(tmp_path / "c.pth", weights_only=True)
    module.load_state_dict(back, strict=True)
    for name in state:  # the counter alone, which inference doesn't read, begins again
        wanted = torch.tensor(0) if name.endswith("num_batches_tracked") else state[name]
        assert back[name].dtype == state[name].dtype and torch.equal(back[name], wanted)


@pytest.mark.parametrize("layout", ["plain", "main"])
def test_mxnets_weights_make_mxnets_pictures_in_pytorch(tmp_path, layout):
    convert_weights(REAL, tmp_path / "netG.pth", layout=layout)
    net = sequential_g(150, bias=True)
    (Reference(net) if layout == "main" else net).load_state_dict(torch.load(tmp_path / "netG.pth", weights_only=True))
    with np.load(FILES / "G-mxnet1.9.1-ngf2-io.npz") as io, torch.no_grad():
        y = net(torch.from_numpy(io["z"].reshape(4, 150, 1, 1))).numpy()
        assert np.abs(y - io["y"]).max() < 1e-5


def test_pytorchs_weights_make_pytorchs_pictures_in_onnxruntime(tmp_path):
    pytest.importorskip("onnxruntime")
    from mxgan.onnx.engine import Engine
    from mxgan.weights.dcgan import graph_of

    net = sequential_g()
    torch.save(net.state_dict(), tmp_path / "netG.pth")
    z = torch.randn(3, 6)
    with torch.no_grad():
        y = net(z[:, :, None, None]).numpy()
    images = Engine(graph_of(load_net(tmp_path / "netG.pth", "generator"))).forward(z.numpy())
    assert np.abs(images - y).max() < 1e-5


def test_small_floats_widen_exactly_and_float16_stays(tmp_path):
    values = torch.tensor([1.0, -0.3, 65280.0, 1e-30])
    torch.save({"b": values.bfloat16(), "h": values.half(), "s": torch.tensor(3)}, tmp_path / "a.pth")
    arrays = load(tmp_path / "a.pth").arrays
    np.testing.assert_array_equal(arrays["b"], values.bfloat16().float().numpy())
    assert (arrays["b"].dtype, arrays["h"].dtype, arrays["s"].shape) == (np.float32, np.float16, ())
    done = convert_weights(tmp_path / "a.pth", tmp_path / "a.npz")
    assert "bfloat16 is widened to float32" in done.notes


def test_the_counter_is_no_array_of_params_when_names_are_kept(tmp_path):
    torch.save(sequential_g().state_dict(), tmp_path / "a.pth")
    with pytest.raises(ParamsError, match=r"num_batches_tracked.*can't hold a 0-d array"):
        convert_weights(tmp_path / "a.pth", tmp_path / "a.params", names="keep")


def test_a_list_of_tensors_has_no_names(tmp_path):
    tensors = [tensor for name, tensor in sequential_g().state_dict().items() if "num_batches" not in name]
    torch.save(tensors, tmp_path / "a.pth")
    with pytest.warns(UserWarning, match="a list without names"):
        assert load_net(tmp_path / "a.pth").scheme == "list"


def test_reading_needs_no_pytorch(tmp_path):
    torch.save(sequential_g().state_dict(), tmp_path / "a.pth")
    code = "import sys; sys.modules['torch'] = None; from mxgan.weights.files import load"
    process = python("-c", f"{code}; print(len(load('a.pth').arrays))", cwd=tmp_path)
    assert (process.stdout.strip(), process.stderr) == ("25", "")


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_other_objects_beside_a_state_dict_are_left_out(tmp_path, legacy):
    options = argparse.Namespace(lr=2e-4, betas=(0.5, 0.999), device=torch.device("cpu"))
    optimizer = torch.optim.Adam(sequential_g().parameters())
    rest = {"opt": options, "optimizer": optimizer, "path": Path("a"), "loss": np.float64(0.5), "log": np.arange(3.0)}
    saved = {"netG": sequential_g().state_dict(), **rest, 7: 8}
    torch.save(saved, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    file = load(tmp_path / "a.pth")
    assert (len(file.arrays), file.left_out) == (25, ("opt", "optimizer", "path", "loss", "log", "7"))


def test_a_checkpoint_that_holds_whole_modules(tmp_path):
    netG = Reference(sequential_g())
    torch.save({"netG": nn.DataParallel(netG), "epoch": 3}, tmp_path / "a.pth")
    file = load(tmp_path / "a.pth")
    (tree,) = file.modules
    assert list(file.arrays) == [f"netG.module.{name}" for name in netG.state_dict()]
    assert (tree.name, tree.kind) == ("netG", "torch.nn.parallel.data_parallel.DataParallel")
    main = tree.children[0].children[0]
    assert (tree.children[0].bare, main.name, len(main.children)) == ("Reference", "netG.module.main", 14)
    assert main.children[3].settings["stride"] == (2, 2) and main.children[1].settings["eps"] == 1e-5
    assert load_net(tmp_path / "a.pth").names["1.gamma"] == "netG.module.main.1.weight"


def test_a_bomb_does_not_go_off(tmp_path):
    torch.save({"0.weight": torch.zeros(1).expand(2**40)}, tmp_path / "a.pth")
    with pytest.raises(ParamsError, match=r"0.weight: shape \(1099511627776,\) is larger than its data"):
        load(tmp_path / "a.pth")
    torch.save({"0.weight": torch.zeros(2**20)}, tmp_path / "plain.pth")
    with zipfile.ZipFile(tmp_path / "plain.pth") as plain, zipfile.ZipFile(tmp_path / "b.pth", "w", 8) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(ParamsError, match=r"is compressed, which torch\.save never does"):
        load(tmp_path / "b.pth")


def test_a_dict_inside_itself_comes_to_an_end(tmp_path):
    state = {"0.weight": torch.ones(2)}
    state["self"] = state
    torch.save(state, tmp_path / "a.pth")
    assert list(load(tmp_path / "a.pth").arrays) == ["0.weight"]


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_every_cut_and_changed_file_is_arrays_or_an_error(tmp_path, legacy):
    torch.save({"0.weight": torch.arange(4.0)}, tmp_path / "good.pth", _use_new_zipfile_serialization=not legacy)
    good = (tmp_path / "good.pth").read_bytes()
    random = np.random.default_rng(0)
    cases = [good[:length] for length in range(0, len(good), 7)]
    for _ in range(150):
        changed = bytearray(good)
        changed[random.integers(len(good))] = random.integers(256)
        cases.append(bytes(changed))
    for case in cases:
        (tmp_path / "bad.pth").write_bytes(case)
        try:
            load(tmp_path / "bad.pth")
        except ParamsError as error:
            assert "\n" not in str(error)


def test_sparse_tensors_and_other_objects_are_refused_by_name(tmp_path):
    torch.save({"0.weight": torch.eye(3).to_sparse()}, tmp_path / "a.pth")
    with pytest.raises(ParamsError, match=r"0\.weight: a sparse"):
        load(tmp_path / "a.pth")
    torch.save(3, tmp_path / "b.pth")
    with pytest.raises(ParamsError, match="holds a int; expected a state dict"):
        load(tmp_path / "b.pth")
    torch.save(argparse.Namespace(), tmp_path / "c.pth")
    with pytest.raises(ParamsError, match=r"holds a argparse\.Namespace; expected a state dict"):
        load(tmp_path / "c.pth")


def test_a_program_has_arrays_like_any_other(tmp_path):
    net = sequential_g()
    torch.jit.save(torch.jit.script(net), tmp_path / "a.pt")
    file = load(tmp_path / "a.pt")
    assert (file.script, file.era, list(file.arrays)) == (True, "TorchScript", list(net.state_dict()))
    assert file.modules[0].children[0].kind == "__torch__.torch.nn.modules.conv.ConvTranspose2d"


def test_the_way_to_params_and_mxnets_names(tmp_path):
    torch.save(sequential_g().state_dict(), tmp_path / "a.pth")
    convert_weights(tmp_path / "a.pth", tmp_path / "a.params")
    names = list(load_params(tmp_path / "a.params"))
    assert names[:6] == ["0.weight", "1.gamma", "1.beta", "1.running_mean", "1.running_var", "3.weight"]


def test_a_dtype_of_numpys_alone(tmp_path):
    save_params(tmp_path / "a.params", {"x": np.ones(2, np.uint8)})
    convert_weights(tmp_path / "a.params", tmp_path / "a.pth")
    assert torch.load(tmp_path / "a.pth", weights_only=True)["x"].dtype == torch.uint8
