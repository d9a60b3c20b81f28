"""Pictures on onnxruntime: the same that each MXNet release computed from its own files."""

from pathlib import Path

import numpy as np
import pytest

from mxgan import pixels
from mxgan.convert import convert_weights
from mxgan.errors import MxganError, ParamsError
from mxgan.graph.forward import generate
from mxgan.weights import load_net, load_params, save_params
from mxgan.weights.dcgan import graph_of

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from mxgan.onnx.engine import Engine, forward_of  # noqa: E402
from mxgan.onnx.model import serialise  # noqa: E402

FILES = Path(__file__).parents[1] / "weights" / "files"
REAL = FILES / "G-mxnet1.9.1-ngf2-save_params.params"


def release_io(path):
    """Latents (n, latent) and the images that the file's own release computed from them."""
    with np.load(path.with_name("-".join(path.name.split("-")[:3]) + "-io.npz")) as io:
        return io["z"].reshape(len(io["z"]), -1), io["y"]


@pytest.mark.parametrize("path", sorted(FILES.glob("*.params")), ids=lambda path: path.stem)
def test_files_of_every_era_give_that_eras_pictures(path):
    z, y = release_io(path)
    engine = Engine(graph_of(load_net(path, "generator")))
    assert (engine.name, engine.latent, engine.shape) == ("onnx", 150, (3, 64, 64))
    images = engine.forward(z)
    assert (images.shape, images.dtype) == ((4, 3, 64, 64), np.float32)
    assert np.abs(images - y).max() < 1e-5
    levels = engine.generate(z).astype(int) - pixels.to_uint8(y)
    assert np.abs(levels).max() <= 1


def variant(tmp_path, latent=5, widths=(6, 5, 4, 3), channels=3, bias=True):
    """A generator's file of other sizes than the published ones."""
    random = np.random.default_rng(3)
    arrays, sizes = {}, [latent, *widths, channels]
    for place, (into, out) in enumerate(zip(sizes, sizes[1:])):
        arrays[f"{3 * place}.weight"] = random.normal(0, 0.3, (into, out, 4, 4)).astype(np.float32)
        if bias:
            arrays[f"{3 * place}.bias"] = random.normal(0, 0.3, out).astype(np.float32)
        if place < len(widths):
            for word in ("gamma", "beta", "running_mean", "running_var"):
                arrays[f"{3 * place + 1}.{word}"] = random.uniform(0.5, 1.5, out).astype(np.float32)
    save_params(tmp_path / "netG.params", arrays)
    return tmp_path / "netG.params"


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("widths", "size"), [((8, 4, 2), 32), ((6, 5, 4, 3), 64), ((8, 6, 4, 3, 2), 128)])
@pytest.mark.parametrize("channels", [1, 3])
def test_sizes_biases_and_channels(tmp_path, widths, size, bias, channels):
    graph = graph_of(load_net(variant(tmp_path, widths=widths, channels=channels, bias=bias)))
    z = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    images = Engine(graph).forward(z)
    assert images.shape == (3, channels, size, size)
    assert np.abs(images - generate(graph, z)).max() < 1e-5
    assert Engine(graph).generate(z).shape == (3, size, size, channels)


def test_the_converted_file_runs_by_itself(tmp_path):
    convert_weights(REAL, tmp_path / "netG.onnx")
    onnx.checker.check_model(str(tmp_path / "netG.onnx"), full_check=True)
    session = ort.InferenceSession(str(tmp_path / "netG.onnx"), providers=["CPUExecutionProvider"])
    (z_input,), (images_output,) = session.get_inputs(), session.get_outputs()
    assert (z_input.name, z_input.shape, z_input.type) == ("z", ["N", 150], "tensor(float)")
    assert (images_output.name, images_output.shape) == ("images", ["N", 3, 64, 64])
    z, y = release_io(REAL)
    for n in (1, 4):
        assert np.abs(session.run(None, {"z": z[:n]})[0] - y[:n]).max() < 1e-5
    model = onnx.load(str(tmp_path / "netG.onnx"))
    assert (model.opset_import[0].version, model.ir_version) == (17, 8)
    weights = {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
    np.testing.assert_array_equal(weights["0.weight"], load_params(REAL)["conv0_weight"])


def test_float16_halves_the_file_and_still_runs(tmp_path):
    convert_weights(REAL, tmp_path / "half.onnx", dtype="float16")
    convert_weights(REAL, tmp_path / "full.onnx")
    half, full = ((tmp_path / name).stat().st_size for name in ("half.onnx", "full.onnx"))
    assert half < 0.6 * full
    session = ort.InferenceSession(str(tmp_path / "half.onnx"), providers=["CPUExecutionProvider"])
    z, y = release_io(REAL)
    assert np.abs(session.run(None, {"z": z})[0] - y).max() < 0.02


def test_the_same_weights_make_the_same_bytes():
    assert serialise(graph_of(load_net(REAL))) == serialise(graph_of(load_net(REAL)))


def test_a_latent_gives_its_picture_whatever_stands_beside_it():
    engine = Engine(graph_of(load_net(REAL)))
    z = np.random.default_rng(0).normal(size=(130, 150)).astype(np.float32)
    together = engine.forward(z)
    assert together.shape[0] == 130
    for index in (0, 63, 64, 129):
        np.testing.assert_allclose(engine.forward(z[index : index + 1])[0], together[index], atol=1e-6)
    assert engine.forward(z[:0]).shape == (0, 3, 64, 64)


def test_wrong_latents_are_refused():
    engine = Engine(graph_of(load_net(REAL)))
    for shape in ((4, 100), (150,), (4, 150, 1, 1)):
        with pytest.raises(MxganError, match=r"this generator takes \(n, 150\)"):
            engine.forward(np.zeros(shape, np.float32))


def test_it_computes_on_the_cpu_alone():
    graph = graph_of(load_net(REAL))
    with pytest.raises(MxganError, match="ctx 'gpu:0': the onnx engine computes on the CPU"):
        forward_of(graph, "gpu:0")
    z, y = release_io(REAL)
    assert np.abs(forward_of(graph, "auto")(z) - y).max() < 1e-5


def test_nan_weights_make_no_model(tmp_path):
    arrays = {name: array.copy() for name, array in load_params(REAL).items()}
    arrays["batchnorm1_beta"][0] = np.nan
    save_params(tmp_path / "nan.params", arrays)
    with pytest.raises(ParamsError, match="NaN or infinite values in batchnorm1_beta"):
        convert_weights(tmp_path / "nan.params", tmp_path / "nan.onnx")
    assert not (tmp_path / "nan.onnx").exists()


def test_a_discriminator_makes_no_model(tmp_path):
    random = np.random.default_rng(0)
    arrays = {"0.weight": random.normal(size=(2, 3, 4, 4)), "2.weight": random.normal(size=(4, 2, 4, 4))}
    arrays.update({f"3.{word}": np.ones(4) for word in ("gamma", "beta", "running_mean", "running_var")})
    arrays["5.weight"] = random.normal(size=(1, 4, 4, 4))
    save_params(tmp_path / "netD.params", arrays)
    with pytest.raises(ParamsError, match="discriminator"):
        convert_weights(tmp_path / "netD.params", tmp_path / "netD.onnx")
