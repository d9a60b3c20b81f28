"""Which network a file holds, under every naming scheme; and that what isn't clear is refused."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from networks import block_names, discriminator, generator, renamed

from mxgan.errors import ParamsError
from mxgan.weights import check_finite, load_net, recognise, save_params
from mxgan.weights.names import biases_before_norm
from mxgan.weights.net import recognise_all

FILES = Path(__file__).parent / "files"
NETG = generator()


def assert_same(net, arrays):
    """The net holds exactly these arrays, in canonical order."""
    assert list(net.arrays) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(net.arrays[name], array, err_msg=name)


def torch_names(prefix=""):
    words = {"gamma": "weight", "beta": "bias"}
    return lambda place, word, norm, index: f"{prefix}{index}.{words.get(word, word)}"


SCHEMES = {
    "save_parameters": (lambda place, word, norm, index: f"{index}.{word}", "save_parameters"),
    "one block more": (lambda place, word, norm, index: f"0.{index}.{word}", "save_parameters"),
    "a block's attribute": (lambda place, word, norm, index: f"net.{index}.{word}", "save_parameters"),
    "two blocks more": (lambda place, word, norm, index: f"model.netG.{index}.{word}", "save_parameters"),
    "attributes a layer": (
        lambda place, word, norm, index: f"{'bn' if norm else 'deconv'}{place}.{word}",
        "save_parameters",
    ),
    "a block a stage": (lambda place, word, norm, index: f"{(index + 1) // 3}.{int(norm)}.{word}", "save_parameters"),
    "save_params": (block_names(), "save_params"),
    "no name_scope": (block_names(first_conv=5, first_norm=4), "save_params"),
    "no name_scope, past ten": (block_names(first_conv=8, first_norm=9), "save_params"),
    "collect_params": (block_names("hybridsequential0_"), "collect_params"),
    "collect_params, one block more": (block_names("hybridsequential0_hybridsequential1_"), "collect_params"),
    "user prefix": (block_names("generator_"), "collect_params"),
    "user prefix with digits": (block_names("G_v2_64_"), "collect_params"),
    "export": (block_names("hybridsequential0_", aux=True), "export"),
    "Module API": (
        lambda place, word, norm, index: (
            f"{'aux' if 'running' in word else 'arg'}:g{'bn' if norm else ''}{place + 1}_"
            + word.replace("running", "moving")
        ),
        "export",
    ),
    "PyTorch": (torch_names(), "pytorch"),
    "PyTorch, reference DCGAN": (torch_names("main."), "pytorch"),
    "PyTorch, DataParallel": (torch_names("module.main."), "pytorch"),
    "PyTorch, checkpoint": (torch_names("netG_state_dict."), "pytorch"),
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("kind", "arrays"),
    [
        ("generator", NETG),
        ("generator", generator(bias=False)),
        ("discriminator", discriminator()),
        ("discriminator", discriminator(bias=False, first_norm=True)),
    ],
    ids=["netG", "netG without bias", "netD", "netD of the pytorch recipes"],
)
def test_every_scheme_maps_to_canonical_names(scheme, kind, arrays):
    name_of, wanted = SCHEMES[scheme]
    net = recognise(renamed(arrays, name_of), "a.params")
    assert_same(net, arrays)
    assert net.scheme == wanted
    assert net.kind == (
        "generator" if "1.gamma" in arrays and "12.weight" in arrays and net.latent else "discriminator"
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_order_in_the_file_does_not_matter_where_numbers_tell(scheme):
    """Python 2 wrote dicts in hash order, and safetensors sorts names as text: 10 before 3."""
    stored = renamed(NETG, SCHEMES[scheme][0])
    by_text = dict(sorted(stored.items()))
    by_hash = dict(sorted(stored.items(), key=lambda item: hashlib.md5(item[0].encode()).digest()))
    assert_same(recognise(by_text, "a.params"), NETG)
    assert_same(recognise(by_hash, "a.params"), NETG)


def test_names_without_numbers_go_by_their_order_in_the_file():
    words = ["zero", "first", "second", "fourth", "last"]
    named = renamed(NETG, lambda place, word, norm, index: f"{words[place]}{'_norm' if norm else ''}_{word}")
    assert_same(recognise(named, "a.params"), NETG)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (generator(latent=7, widths=(12, 6, 3)), ("generator", 7, 3, 3, 32, True, True)),
        (generator(latent=150), ("generator", 150, 2, 3, 64, True, True)),
        (generator(widths=(32, 16, 8, 4, 2), channels=1, bias=False), ("generator", 6, 2, 1, 128, False, True)),
        (generator(widths=(9, 9, 5, 7)), ("generator", 6, 7, 3, 64, True, True)),
        (discriminator(), ("discriminator", None, 2, 3, 64, True, False)),
        (discriminator(bias=False, first_norm=True), ("discriminator", None, 2, 3, 64, False, True)),
        (discriminator(widths=(3, 5, 9), channels=1), ("discriminator", None, 3, 1, 32, True, False)),
    ],
)
def test_shapes_tell_what_it_is(arrays, said):
    net = recognise(arrays, "a.params")
    seen = (net.kind, net.latent, net.width, net.channels, net.image_size, net.bias, net.first_norm)
    assert seen == said


def test_a_list_without_names_is_taken_in_gluons_order():
    for arrays in (NETG, generator(bias=False), discriminator(), discriminator(first_norm=True)):
        for name in ("{}", "arr_{}"):
            net = recognise({name.format(i): array for i, array in enumerate(arrays.values())}, "a.params")
            assert_same(net, arrays)
            assert net.scheme == "list"


def test_a_list_in_another_order_is_refused():
    arguments_then_aux = sorted(NETG.items(), key=lambda item: "running" in item[0])
    with pytest.raises(ParamsError, match="can't be placed"):
        recognise({str(i): array for i, (_, array) in enumerate(arguments_then_aux)}, "a.params")


def test_real_files_of_four_releases_hold_the_same_kind_of_net():
    files = sorted(FILES.glob("*.params"))
    assert len(files) == 9
    for file in files:
        net = load_net(file, "generator")
        assert (net.latent, net.width, net.channels, net.image_size, net.bias) == (150, 2, 3, 64, True)
        assert net.scheme == file.stem.split("-")[3]


def damaged(change):
    """The generator under save_params names, after ``change(arrays)``."""
    arrays = renamed(NETG, block_names())
    change(arrays)
    return arrays


def put(name, array):
    return lambda arrays: arrays.__setitem__(name, array)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda arrays: arrays.pop("conv4_bias"), "bias of conv4 is missing"),
        (lambda arrays: arrays.pop("conv2_weight"), "conv2_bias"),
        (lambda arrays: arrays.pop("batchnorm3_running_var"), "running_var of batchnorm3 is missing"),
        (lambda arrays: [arrays.pop(name) for name in list(arrays) if "running" in name], "running_mean"),
        (lambda arrays: [arrays.pop(name) for name in list(arrays) if "norm0" in name], "there are 3"),
        (put("learning_rate", np.ones(1, np.float32)), "learning_rate"),
        (put("conv9_weight", np.ones((2, 2), np.float32)), "conv9_weight"),
        (put("conv5_bias", np.ones(3, np.float32)), "conv5_bias"),
        (put("conv1_gamma", np.ones(8, np.float32)), "conv1_gamma"),
        (put("batchnorm1_gamma", np.ones(9, np.float32)), r"batchnorm1_gamma is \(9,\), \(8,\) wanted"),
        (put("conv1_bias", np.ones((8, 1), np.float32)), r"conv1_bias is \(8, 1\), \(8,\) wanted"),
        (put("conv1_weight", np.ones((16, 8, 5, 5), np.float32)), "4×4 kernel wanted"),
        (put("conv1_weight", np.ones((16, 7, 4, 4), np.float32)), "takes 8 channels and conv1_weight gives 7"),
        (put("conv4_weight", np.ones((2, 4, 4, 4), np.float32)), "images of 4 channels"),
        (put("conv0_weight", np.ones((6, 16), np.float32)), r"conv0_weight \(6, 16\)"),
        (put("conv0_bias", np.ones(16, np.int32)), "int32, floating-point numbers wanted"),
        (lambda arrays: arrays.clear(), "found no arrays"),
    ],
)
def test_there_is_no_partial_load(change, said):
    with pytest.raises(ParamsError, match=said) as error:
        recognise(damaged(change), "a.params")
    message = str(error.value)
    assert message.startswith("a.params: neither a DCGAN generator nor a discriminator")
    assert "expected convolutions 4×4 in a chain" in message
    assert "\n" not in message


def test_every_array_is_needed():
    for scheme, (name_of, _) in SCHEMES.items():
        named = renamed(NETG, name_of)
        for name in named:
            rest = {other: array for other, array in named.items() if other != name}
            with pytest.raises(ParamsError):
                recognise(rest, scheme)


def test_two_names_for_one_array_are_refused():
    twice = {**NETG, "0_weight": NETG["0.weight"]}
    with pytest.raises(ParamsError, match="0_weight can't be placed"):
        recognise(twice, "a.params")


def test_an_order_that_neither_names_nor_shapes_settle_is_refused():
    """Widths all alike, numbers one way, the file another: both fit, so neither is taken."""
    alike = generator(latent=3, widths=(3, 3, 3, 3))
    stored = renamed(alike, lambda place, word, norm, index: f"{'bn' if norm else 'conv'}{9 - place}_{word}")
    with pytest.raises(ParamsError, match="disagree"):
        recognise(stored, "a.params")


def test_layers_that_do_not_alternate_are_refused():
    alike = generator(latent=8, widths=(8, 8, 8, 8))
    before = renamed(alike, lambda place, word, norm, index: f"{index - 1 if norm else index + 1}.{word}")
    with pytest.raises(ParamsError, match="alternate"):
        recognise(before, "a.params")


def test_a_message_stays_one_line_whatever_the_names_hold():
    with pytest.raises(ParamsError) as error:
        recognise({"a\nmxgan: all is well\x1b[2J": np.ones(3)}, "a.params")
    assert str(error.value).isprintable()


BOTH = {
    "collect_params": (block_names("hybridsequential0_"), block_names("hybridsequential1_")),
    "prefixes": (block_names("netG_"), block_names("netD_")),
    "attributes": (torch_names("netG."), torch_names("netD.")),
    "checkpoint": (torch_names("netG_state_dict.main."), torch_names("netD_state_dict.main.")),
    "children": (torch_names("0."), torch_names("1.")),
}


@pytest.mark.parametrize("scheme", BOTH)
def test_of_a_generator_and_a_discriminator_the_one_asked_for(scheme):
    both = {**renamed(NETG, BOTH[scheme][0]), **renamed(discriminator(), BOTH[scheme][1])}
    assert_same(recognise(both, "a.params", "generator"), NETG)
    assert_same(recognise(both, "a.params", "discriminator"), discriminator())
    assert [net.kind for net in recognise_all(both, "a.params")] == ["generator", "discriminator"]
    with pytest.raises(ParamsError, match="found 2 networks: generator: latent 6, ngf 2"):
        recognise(both, "a.params")


def test_of_two_generators_none_is_guessed():
    two = {f"{place}.{name}": array for place in ("netG", "ema") for name, array in NETG.items()}
    with pytest.raises(ParamsError, match="expected one generator"):
        recognise(two, "a.params", "generator")


def test_a_network_beside_something_else_is_refused():
    beside = {**{f"netG.{name}": array for name, array in NETG.items()}, "epoch.bias": np.ones(1, np.float32)}
    with pytest.raises(ParamsError, match=r"epoch\.bias"):
        recognise(beside, "a.params", "generator")


def test_a_discriminator_is_no_generator():
    with pytest.raises(ParamsError, match=r"a\.params: found a discriminator: ndf 2, 64×64×3.*; expected a generator"):
        recognise(discriminator(), "a.params", "generator")


def test_nan_and_infinity_are_named():
    arrays = {name: array.copy() for name, array in NETG.items()}
    arrays["3.bias"][0], arrays["10.running_var"][1] = np.nan, np.inf
    net = recognise(renamed(arrays, block_names()), "a.params")
    with pytest.raises(ParamsError, match=r"a\.params: NaN or infinite values in conv1_bias, batchnorm3_running_var"):
        check_finite(net, "a.params")
    check_finite(recognise(NETG, "a.params"), "a.params")


def test_what_is_odd_about_a_file_is_said(tmp_path):
    save_params(tmp_path / "netG.params", NETG)
    whole = (tmp_path / "netG.params").read_bytes()
    (tmp_path / "netG.params").write_bytes(whole + b"???")
    with pytest.warns(UserWarning, match="3 more bytes"):
        assert_same(load_net(tmp_path / "netG.params"), NETG)
    np.savez(tmp_path / "list.npz", *NETG.values())
    with pytest.warns(UserWarning, match="a list without names"):
        assert_same(load_net(tmp_path / "list.npz"), NETG)


def test_what_is_saved_is_recognised_again(tmp_path):
    save_params(tmp_path / "netG.params", NETG)
    assert_same(load_net(tmp_path / "netG.params", "generator"), NETG)


def test_biases_that_a_batchnorm_cancels():
    netG, netD = generator(), discriminator()
    assert biases_before_norm(netG) == {"0.bias": "1", "3.bias": "4", "6.bias": "7", "9.bias": "10"}
    both = [*(f"netG.{name}" for name in netG), *(f"netD.{name}" for name in netD)]
    assert biases_before_norm(both)["netG.3.bias"] == "netG.4"
    assert "netD.0.bias" not in biases_before_norm(both)  # the tutorial's first layer has no BatchNorm
    assert biases_before_norm(["0.weight", "1.gamma", "conv0_bias", "netG.x.bias"]) == {}
