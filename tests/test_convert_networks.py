"""Generators of any kind to .onnx, and every kind of file as a source."""

import json

import numpy as np
import pytest
from networks import block_names, discriminator, generator, renamed

import mxgan
from mxgan.architecture import networks
from mxgan.architecture.draft import describe
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.convert import convert_weights
from mxgan.errors import MxganError, ParamsError
from mxgan.graph import forward
from mxgan.weights import files, load_net, load_params, save_params


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.3, shape).astype(np.float32)


def upsampling():
    """A generator of 16 pixels that is no DCGAN: Linear, 4x4, twice upsampled and convolved, grey."""
    return {
        "l1.0.weight": numbers(8 * 16, 6),
        "l1.0.bias": numbers(8 * 16),
        "blocks.1.weight": numbers(4, 8, 3, 3),
        "blocks.1.bias": numbers(4),
        "blocks.4.weight": numbers(1, 4, 3, 3),
        "blocks.4.bias": numbers(1),
    }


def conditional():
    """Of 3 labels, whose vectors are multiplied into 6 latents."""
    return {"label_emb.weight": numbers(3, 6), **upsampling()}


def pictures(path, wish=NONE, n=3):
    """A file's pictures in NumPy, of the same latents for every file."""
    graph = networks.generator(path, wish).graph
    labels = None if graph.classes is None else np.arange(n) % graph.classes
    return forward.generate(graph, numbers(n, graph.latent, seed=1), labels)


@pytest.fixture
def onnx():
    pytest.importorskip("onnxruntime")
    return pytest.importorskip("onnx")


@pytest.mark.parametrize("arrays", [generator(), upsampling(), conditional()], ids=["DCGAN", "upsampling", "labels"])
def test_any_generator_becomes_a_model_that_makes_its_pictures(onnx, tmp_path, arrays):
    source, model = tmp_path / "netG.npz", tmp_path / "netG.onnx"
    files.save(source, arrays)
    done = convert_weights(source, model)
    assert any(note.startswith("the network: its arrays; assumed: ReLU, tanh at the end") for note in done.notes)
    assert [value.name for value in onnx.load(model).graph.input] == ["z", "label"][
        : 1 + ("label_emb.weight" in arrays)
    ]
    np.testing.assert_allclose(pictures(model), pictures(source), atol=1e-6)


def test_of_a_network_that_mxgan_made_nothing_is_assumed(onnx, tmp_path):
    (tmp_path / "run").mkdir()
    files.save(tmp_path / "run" / "netG.params", generator())
    for source in (tmp_path / "run", "painted"):
        notes = convert_weights(source, tmp_path / "netG.onnx").notes
        assert not any(note.startswith("the network:") for note in notes)


def test_what_the_user_says_goes_into_the_model(onnx, tmp_path):
    files.save(tmp_path / "netG.npz", upsampling())
    wish = Wishes(activation="leaky:0.3", output="sigmoid", uniform=True)
    done = convert_weights(tmp_path / "netG.npz", tmp_path / "netG.onnx", wishes=wish)
    np.testing.assert_allclose(pictures(tmp_path / "netG.onnx"), pictures(tmp_path / "netG.npz", wish), atol=1e-6)
    assert "its latents are uniform in [-1, 1)" in done.notes
    assert not np.allclose(pictures(tmp_path / "netG.onnx"), pictures(tmp_path / "netG.npz"), atol=0.1)


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("arrays", [generator(), conditional()], ids=["DCGAN", "labels"])
def test_a_model_says_how_it_is_called(onnx, tmp_path, arrays, uniform):
    """Nothing but the file is needed to get the pictures out of it."""
    import onnxruntime

    source, model = tmp_path / "netG.npz", tmp_path / "netG.onnx"
    files.save(source, arrays)
    convert_weights(source, model, wishes=Wishes(uniform=uniform))
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    said = session.get_modelmeta().custom_metadata_map
    assert (said["mxgan"], said["range"]) == (mxgan.__version__, "-1 to 1")
    assert said["latents"] == ("uniform" if uniform else "normal")
    z = mxgan.latents(seed=3, n=4, latent=int(said["latent"]), uniform=uniform)
    given = {said["input"]: z}
    if "label" in said:
        given[said["label"]] = np.full(4, int(said["classes"]) - 1)
    (images,) = session.run([said["output"]], given)
    assert images.shape == (4, *(int(said[side]) for side in ("channels", "height", "width")))
    netG = mxgan.load_generator(model, engine="onnx")
    assert netG.uniform is uniform  # read back from there
    sampled = netG.sample(4, seed=3, labels=None if netG.classes is None else netG.classes - 1)
    theirs = np.rint((images + 1) * 127.5).transpose(0, 2, 3, 1).clip(0, 255).astype(np.uint8)
    assert np.abs(sampled[..., : theirs.shape[3]].astype(int) - theirs).max() <= 1
    proto = onnx.load(model)
    assert proto.graph.input[0].doc_string.endswith("U(-1, 1)" if uniform else "N(0, 1)")
    assert "-1 (black) to 1 (white)" in proto.graph.output[0].doc_string
    assert proto.doc_string.startswith("A generator. In: z, latents, 6 numbers a picture")


def test_metadata_of_others_say_nothing_of_latents(onnx, tmp_path):
    files.save(tmp_path / "netG.npz", upsampling())
    convert_weights(tmp_path / "netG.npz", tmp_path / "netG.onnx", wishes=Wishes(uniform=True))
    proto = onnx.load(tmp_path / "netG.onnx")
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, {"latents": "uniform"})
    onnx.save(proto, tmp_path / "other.onnx")
    assert networks.generator(tmp_path / "netG.onnx").uniform
    assert not networks.generator(tmp_path / "other.onnx").uniform
    assert not networks.generator(tmp_path / "netG.onnx", Wishes(uniform=False)).uniform  # the user knows better


def test_a_layout_describes_the_network(onnx, tmp_path):
    source = tmp_path / "netG.npz"
    files.save(source, upsampling())
    said = json.loads(describe(networks.load(source), Wishes(activation="elu"))[0])
    (tmp_path / "net.json").write_text(json.dumps(said))
    wish = Wishes(layout=tmp_path / "net.json")
    convert_weights(source, tmp_path / "netG.onnx", wishes=wish)
    np.testing.assert_allclose(pictures(tmp_path / "netG.onnx"), pictures(source, wish), atol=1e-6)
    done = convert_weights(source, tmp_path / "netG.params", wishes=wish)
    assert "netG.params holds arrays alone, and " in done.notes[-1]
    np.testing.assert_allclose(pictures(tmp_path / "netG.params", wish), pictures(source, wish), atol=1e-6)


@pytest.mark.parametrize("suffix", [".params", ".npz", ".safetensors", ".pth"])
def test_a_model_is_a_source(onnx, tmp_path, suffix):
    pytest.importorskip({".pth": "torch", ".safetensors": "safetensors"}.get(suffix, "numpy"))
    files.save(tmp_path / "netG.npz", generator())
    convert_weights(tmp_path / "netG.npz", tmp_path / "netG.onnx")
    done = convert_weights(tmp_path / "netG.onnx", tmp_path / f"back{suffix}")
    assert (done.net.kind, done.notes) == ("generator", ())
    back = load_net(tmp_path / f"back{suffix}").arrays
    assert {name: array.tobytes() for name, array in back.items()} == {
        name: array.tobytes() for name, array in generator().items()
    }


def test_a_model_is_written_anew(onnx, tmp_path):
    files.save(tmp_path / "netG.npz", upsampling())
    convert_weights(tmp_path / "netG.npz", tmp_path / "a.onnx")
    done = convert_weights(tmp_path / "a.onnx", tmp_path / "b.onnx")
    assert done.notes[0].startswith("an .onnx already: its graph is written anew")
    np.testing.assert_array_equal(pictures(tmp_path / "b.onnx"), pictures(tmp_path / "a.onnx"))


def test_a_run_is_a_source(tmp_path):
    save_params(tmp_path / "netG.params", generator())
    save_params(tmp_path / "netG-ema.params", generator(latent=5))
    convert_weights(tmp_path, tmp_path / "out.npz")
    assert files.load(tmp_path / "out.npz").arrays["0.weight"].shape[0] == 5
    (tmp_path / "empty").mkdir()
    with pytest.raises(MxganError, match=r"no netG\.params in this folder"):
        convert_weights(tmp_path / "empty", tmp_path / "out.npz")


@pytest.mark.parametrize("script", [False, True])
def test_whole_modules_and_programs_are_sources(tmp_path, script):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(0)
    for slope, known in ((None, True), (0.3, False)):
        act = nn.ReLU() if slope is None else nn.LeakyReLU(slope)
        chain = [nn.ConvTranspose2d(6, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8), act]
        chain += [nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False), nn.BatchNorm2d(4), act]
        net = nn.Sequential(*chain, nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False), nn.Tanh()).eval()
        source = tmp_path / "net.pt"
        torch.jit.script(net).save(str(source)) if script else torch.save(net, source)
        done = convert_weights(source, tmp_path / "netG.params")
        assert list(load_params(tmp_path / "netG.params"))[:2] == ["0.weight", "1.gamma"]
        assert any("says more of the network" in note for note in done.notes) == (not known)


def test_a_state_dict_that_is_no_dcgan_keeps_its_names_and_loads_in_mxnet(mx, tmp_path):
    torch = pytest.importorskip("torch")
    arrays = {**upsampling(), "blocks.2.num_batches_tracked": np.array(7)}
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, tmp_path / "G.pth")
    done = convert_weights(tmp_path / "G.pth", tmp_path / "G.params")
    assert done.net is None
    assert done.notes == (
        "no DCGAN was recognised: every array is kept under its own name",
        "num_batches_tracked is left out: only PyTorch's training reads it",
    )
    loaded = mx.nd.load(str(tmp_path / "G.params"))
    assert {name: array.asnumpy().tobytes() for name, array in loaded.items()} == {
        name: array.tobytes() for name, array in upsampling().items()
    }


def test_what_a_symbol_says_beyond_the_arrays_is_told(mx, tmp_path):
    """Gammas that MXNet ignores are written as 1; a slope has no place among arrays."""
    arrays = generator(widths=(8, 4), bias=False)
    save_params(tmp_path / "net-0001.params", renamed(arrays, block_names(aux=True)))
    y = mx.sym.Variable("data")
    for place, (width, stride, pad) in enumerate(((8, 1, 0), (4, 2, 1))):
        y = mx.sym.Deconvolution(
            y, kernel=(4, 4), num_filter=width, stride=(stride,) * 2, pad=(pad,) * 2, name=f"conv{place}"
        )
        y = mx.sym.BatchNorm(y, fix_gamma=True, eps=1e-5, name=f"batchnorm{place}")
        y = mx.sym.Activation(y, act_type="relu")
    y = mx.sym.Deconvolution(y, kernel=(4, 4), num_filter=3, stride=(2, 2), pad=(1, 1), name="conv2")
    mx.sym.Activation(y, act_type="tanh").save(str(tmp_path / "net-symbol.json"))
    stored = load_params(tmp_path / "net-0001.params")
    save_params(
        tmp_path / "net-0001.params",
        {name.replace("running", "moving"): array for name, array in stored.items()},
    )
    done = convert_weights(tmp_path / "net-0001.params", tmp_path / "netG.npz")
    assert "gammas that the network ignores (fix_gamma) are written as 1" in done.notes
    assert (files.load(tmp_path / "netG.npz").arrays["1.gamma"] == 1).all()
    np.testing.assert_allclose(pictures(tmp_path / "netG.npz"), pictures(tmp_path / "net-0001.params"), atol=1e-6)


def test_of_two_generators_the_average_is_taken_and_said(onnx, tmp_path):
    arrays = {f"netG.{name}": array for name, array in generator().items()}
    arrays.update({f"ema.{name}": array for name, array in generator(latent=5).items()})
    save_params(tmp_path / "gan.params", arrays)
    for out in ("out.onnx", "out.npz"):
        done = convert_weights(tmp_path / "gan.params", tmp_path / out, kind="generator")
        assert "ema is used, a moving average; the file holds 2 generators" in done.notes
        assert networks.generator(tmp_path / out).graph.latent == 5


def test_a_network_beside_an_unknown_one_is_picked(tmp_path):
    arrays = {f"G.{name}": array for name, array in upsampling().items()}
    arrays.update({f"D.{name}": array for name, array in discriminator().items()})
    save_params(tmp_path / "gan.params", arrays)
    convert_weights(tmp_path / "gan.params", tmp_path / "D.npz", kind="discriminator")
    assert set(files.load(tmp_path / "D.npz").arrays) == set(discriminator())
    convert_weights(tmp_path / "gan.params", tmp_path / "G.npz", kind="generator")
    assert set(files.load(tmp_path / "G.npz").arrays) == {f"G.{name}" for name in upsampling()}


def test_a_discriminator_is_no_model(onnx, tmp_path):
    save_params(tmp_path / "netD.params", discriminator())
    with pytest.raises(ParamsError, match="discriminator"):
        convert_weights(tmp_path / "netD.params", tmp_path / "netD.onnx")
    assert not (tmp_path / "netD.onnx").exists()
