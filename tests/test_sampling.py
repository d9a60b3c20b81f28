"""From latents to pictures: the same seed is the same bytes, however many are asked for and however it is done."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from processes import files_below

import mxgan
from mxgan import pixels, plots, rng, sampling, saving, walks
from mxgan.convert import convert_weights
from mxgan.errors import MxganError, ParamsError, SettingError
from mxgan.graph import Graph, Node
from mxgan.graph.layers import Reshape, Upsample
from mxgan.graph.reading import Reading


def weights_of(latent: int, ngf: int, size: int, channels: int = 3) -> dict[str, np.ndarray]:
    """A generator's arrays under canonical names, lively enough that two latents are two pictures."""
    widths = [ngf * 2**power for power in range({32: 2, 64: 3, 128: 4}[size], -1, -1)]
    chain = [latent, *widths, channels]
    random = np.random.RandomState(0)
    arrays = {}
    for layer, (before, after) in enumerate(zip(chain, chain[1:])):
        arrays[f"{3 * layer}.weight"] = random.normal(0, 0.3, (before, after, 4, 4))
        arrays[f"{3 * layer}.bias"] = random.normal(0, 0.1, after)
        if after != channels or layer < len(widths):
            for word, value in (("gamma", 1), ("beta", 0), ("running_mean", 0), ("running_var", 1)):
                arrays[f"{3 * layer + 1}.{word}"] = np.full(after, value)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture(scope="module")
def params(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "netG.params"
    mxgan.save_params(path, weights_of(latent=7, ngf=2, size=32))
    return path


@pytest.fixture(scope="module")
def generator(mx, params):
    return mxgan.load_generator(params, engine="mxnet", ctx="cpu")


@pytest.mark.parametrize(("latent", "ngf", "size"), [(5, 3, 32), (9, 2, 64), (4, 1, 128)])
def test_sizes_are_read_off_the_file(mx, tmp_path, latent, ngf, size):
    mxgan.save_params(tmp_path / "any-name.params", weights_of(latent, ngf, size))
    netG = mxgan.load_generator(tmp_path / "any-name.params", "mxnet")
    assert (netG.latent, netG.image_size, netG.shape, netG.engine) == (latent, size, (size, size, 3), "mxnet")
    images = netG.sample(3)
    assert (images.shape, images.dtype) == ((3, size, size, 3), np.uint8)


def test_a_grey_generators_pictures_have_three_channels(mx, tmp_path):
    mxgan.save_params(tmp_path / "grey.params", weights_of(5, 2, 32, channels=1))
    images = mxgan.load_generator(tmp_path / "grey.params", "mxnet").sample(2)
    assert images.shape == (2, 32, 32, 3)
    assert (images[..., 0] == images[..., 1]).all()
    assert (images[..., 0] == images[..., 2]).all()


def test_pictures_are_those_of_the_latents_of_the_seed(generator):
    z = rng.samples(seed=4, first=0, n=3, latent=7)
    np.testing.assert_array_equal(generator.sample(3, seed=4), generator.generate(z))
    np.testing.assert_array_equal(generator.generate(z), pixels.to_uint8(generator.forward(z)))
    assert len({image.tobytes() for image in generator.sample(64)}) == 64


def test_latents_are_those_of_generate_for_a_network_of_ones_own(generator, params, tmp_path):
    z = mxgan.latents(seed=4, n=70, latent=7)
    assert (z.shape, z.dtype) == ((70, 7), np.float32)
    np.testing.assert_array_equal(mxgan.latents(4, 3, 7), z[:3])
    np.testing.assert_array_equal(generator.generate(z), generator.sample(70, seed=4))
    uniform = mxgan.latents(4, 1000, 7, uniform=True)
    assert -1 <= uniform.min() < -0.99 and 0.99 < uniform.max() < 1
    assert mxgan.latents(4, 0, 7).shape == (0, 7)


def test_a_seed_is_repeated_from_ones_own_state_dict(params, tmp_path):
    """Somebody converts to .pth, loads it into a network of their own, and wants the pictures of a seed."""
    torch = pytest.importorskip("torch")
    convert_weights(params, tmp_path / "netG.pth")
    layers = []
    for before, after, stride, pad in ((7, 8, 1, 0), (8, 4, 2, 1), (4, 2, 2, 1)):
        layers += [torch.nn.ConvTranspose2d(before, after, 4, stride, pad), torch.nn.BatchNorm2d(after)]
        layers.append(torch.nn.ReLU())
    netG = torch.nn.Sequential(*layers, torch.nn.ConvTranspose2d(2, 3, 4, 2, 1), torch.nn.Tanh()).eval()
    netG.load_state_dict(torch.load(tmp_path / "netG.pth", weights_only=True))
    with torch.no_grad():
        images = netG(torch.from_numpy(mxgan.latents(0, 9, 7)).reshape(9, 7, 1, 1)).numpy()
    ours = mxgan.load_generator(params, ctx="cpu").sample(9, seed=0)
    assert np.abs(pixels.to_uint8(images).astype(int) - ours).max() <= 1


@pytest.mark.parametrize(
    ("seed", "n", "latent", "message"),
    [
        (-1, 1, 5, "seed -1"),
        ("0", 1, 5, "seed '0': a whole number from 0 to 9223372036854775807"),
        (0.5, 1, 5, "seed 0.5: a whole number from 0 to 9223372036854775807"),
        (True, 1, 5, "seed True: a whole number from 0"),
        (0, -1, 5, "n -1: a whole number from 0"),
        (0, 1.5, 5, "n 1.5: a whole number from 0"),
        (0, 1, 0, "latent 0: a whole number from 1"),
    ],
)
def test_latents_that_can_not_be_are_refused(seed, n, latent, message):
    with pytest.raises(MxganError, match=message):
        mxgan.latents(seed, n, latent)


def test_a_sample_that_can_not_be_is_refused(generator, params):
    for n, seed, message in (("64", 0, "n '64': a whole number from 0"), (-1, 0, "n -1"), (2, "a", "seed 'a'")):
        with pytest.raises(MxganError, match=message):
            generator.sample(n, seed)
    with pytest.raises(MxganError, match=r"wishes .*: mxgan\.Wishes is wanted"):
        mxgan.load_generator(params, wishes={"eps": 0.8})


def test_the_first_64_of_100_are_the_64(generator):
    hundred = generator.sample(100, seed=1)
    assert hundred.shape == (100, 32, 32, 3)
    np.testing.assert_array_equal(generator.sample(64, seed=1), hundred[:64])
    np.testing.assert_array_equal(generator.sample(1, seed=1), hundred[:1])
    assert not np.array_equal(generator.sample(64, seed=2), hundred[:64])


def test_a_picture_alone_equals_the_one_in_a_batch(generator):
    z = rng.samples(0, 0, 70, 7)
    together = generator.generate(z)
    for index in (0, 63, 64, 69):
        np.testing.assert_array_equal(generator.generate(z[index : index + 1])[0], together[index])
    np.testing.assert_array_equal(generator.generate(z[::-1])[::-1], together)


def test_memory_is_bounded_by_a_batch(generator):
    sizes = []

    def forward(z, labels=None):
        sizes.append(len(z))
        return np.zeros((len(z), 3, 32, 32), np.float32)

    counted = sampling.Generator(forward, 7, (32, 32, 3), "mxnet")
    assert len(counted.generate(np.zeros((150, 7)))) == 150
    assert sizes == [64, 64, 22]
    assert [len(images) for images in counted.batches(130, 0)] == [64, 64, 2]
    assert counted.sample(0).shape == (0, 32, 32, 3)


def labelled(height=2, width=3, channels=3, classes=4):
    """A generator that paints its label: every number of picture i is that of label i."""

    def forward(z, labels):
        grey = (np.zeros(len(z)) if labels is None else labels / 127.5) - 1
        return np.broadcast_to(grey[:, None, None, None], (len(z), channels, height, width)).astype(np.float32)

    return sampling.Generator(forward, 7, (height, width, max(3, channels)), "mxnet", classes=classes, batch=2)


def test_a_conditional_generator_is_told_what_to_show():
    generator = labelled()
    assert generator.generate(np.zeros((3, 7)), np.array([0, 3, 2]))[:, 1, 2, 0].tolist() == [0, 3, 2]
    assert generator.sample(5, labels=3)[:, 0, 0, 0].tolist() == [3] * 5
    picks = np.arange(130) % 4
    assert [len(images) for images in generator.batches(130, 0, picks)] == [64, 64, 2]
    np.testing.assert_array_equal(generator.sample(130, labels=picks)[:, 0, 0, 0], picks)


@pytest.mark.parametrize(
    ("classes", "labels", "message"),
    [
        (4, None, "this generator is conditional: give labels, each from 0 to 3"),
        (4, 4, "label 4: this generator knows 0 to 3"),
        (4, [0, 1, -1], "label -1: this generator knows 0 to 3"),
        (4, [0, 1], r"labels of shape \(2,\), int64: whole numbers \(3,\) wanted, or one"),
        (4, 1.5, r"labels of shape \(\), float64: whole numbers"),
        (None, 1, "labels: this generator takes none; leave them out"),
    ],
)
def test_labels_that_are_missing_unknown_or_not_wanted_are_refused(classes, labels, message):
    with pytest.raises(MxganError, match=message):
        labelled(classes=classes).generate(np.zeros((3, 7)), labels)


def test_pictures_may_be_tall_and_transparent(tmp_path):
    generator = labelled(height=5, width=3, channels=4)
    assert (generator.image_size, generator.sample(2, labels=0).shape) == (5, (2, 5, 3, 4))
    saving.save(generator, 2, 0, tmp_path / "grid.png", tmp_path / "each", labels=3)
    picture, grid = Image.open(tmp_path / "each" / "seed0000-000001.png"), Image.open(tmp_path / "grid.png")
    assert (picture.mode, picture.size, picture.getpixel((2, 4))) == ("RGBA", (3, 5), (3, 3, 3, 3))
    assert (grid.mode, grid.getpixel((0, 0))) == ("RGBA", (255, 255, 255, 255))


def one_layer(layer, latent):
    nodes = Node("0", Reshape((latent, 1, 1)), ("z",)), Node("1", layer, ("0",))
    return Reading(Graph(nodes, {}, {"z": (latent,)}), "its arrays")


def test_a_large_network_makes_fewer_pictures_at_once(mx):
    large = one_layer(Upsample((2048, 2048)), 3)
    assert sampling._generator(large, "mxnet", "cpu", None, Path("large")).batch == 5
    assert sampling._generator(one_layer(Upsample(), 3), "mxnet", "cpu", None, Path("small")).batch == 64


def test_images_that_are_no_pictures_are_refused():
    with pytest.raises(ParamsError, match=r"two\.params: its images have 2 channels; 1 \(grey\), 3 \(RGB\) or 4"):
        sampling._generator(one_layer(Upsample(), 2), "auto", "cpu", None, Path("two.params"))
    with pytest.raises(ParamsError, match=r"five\.params: 1 gives \(5, 2, 2\); images of 1 to 4 channels wanted"):
        sampling._generator(one_layer(Upsample(), 5), "auto", "cpu", None, Path("five.params"))


@pytest.mark.parametrize("shape", [(3, 8), (7,), (1, 7, 1, 1)])
def test_latents_of_another_shape_are_refused(generator, shape):
    with pytest.raises(MxganError, match=r"this generator takes \(n, 7\)"):
        generator.generate(np.zeros(shape))


def test_a_run_directory_stands_for_its_best_weights(tmp_path):
    for name in ("netG.params", "netG-ema.params", "netG-best.params"):
        (tmp_path / name).write_bytes(b"")
        assert sampling.weights_file(tmp_path) == tmp_path / name
    assert sampling.weights_file(tmp_path / "netG.params") == tmp_path / "netG.params"


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(MxganError, match=r"no netG\.params in this folder"):
        mxgan.load_generator(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MxganError, match=r"this run has no weights yet; they come with the end of its first epoch"):
        mxgan.load_generator(tmp_path)


def test_saved_pictures_are_the_samples(generator, tmp_path):
    saving.save(generator, 5, 42, tmp_path / "grid.png", tmp_path / "new" / "each")
    each = [f"seed0042-{index:06d}.png" for index in range(5)]
    assert files_below(tmp_path) == ["grid.png", "new", "new/each", *(f"new/each/{name}" for name in each)]
    images = generator.sample(5, seed=42)
    for name, image in zip(each, images):
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "new" / "each" / name)), image)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "grid.png")), plots.grid(images))


def test_the_same_seed_gives_the_same_bytes(generator, params, tmp_path):
    saving.save(generator, 66, 0, tmp_path / "one.png", tmp_path / "one")
    saving.save(mxgan.load_generator(params, "mxnet"), 66, 0, tmp_path / "two.png", tmp_path / "two")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert files_below(tmp_path / "one") == files_below(tmp_path / "two") != []
    for name in files_below(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_wide_count_keeps_its_grid_small(tmp_path):
    blank = sampling.Generator(lambda z, labels: np.zeros((len(z), 3, 32, 32), np.float32), 7, (32, 32, 3), "mxnet")
    saving.save(blank, 1100, 0, tmp_path / "grid.png")
    assert Image.open(tmp_path / "grid.png").size == (32 * 34 + 2, 32 * 34 + 2)  # the first 1,024


@pytest.mark.parametrize(
    ("out", "each", "message"),
    [
        ("faces.gif", None, r"out .*faces\.gif': pictures are written as \.png"),
        ("folder.png", None, r"out .*folder\.png': a folder is there"),
        (
            "file/faces.png",
            None,
            r"out .*file/faces\.png': can't be written, since .*file is not a folder ",
        ),
        ("faces.png", "file", r"each .*file': a file is there; give another folder"),
    ],
)
def test_places_that_cannot_be_written_are_refused_before_anything_is_made(tmp_path, out, each, message):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("")

    def forward(z, labels):
        raise AssertionError("a picture was made")

    before = files_below(tmp_path)
    generator = sampling.Generator(forward, 7, (32, 32, 3), "mxnet")
    with pytest.raises(MxganError, match=message):
        saving.save(generator, 3, 0, tmp_path / out, each and tmp_path / each)
    assert files_below(tmp_path) == before


def test_weights_that_diverged_are_refused_unless_allowed(mx, tmp_path):
    arrays = weights_of(5, 2, 32)
    arrays["3.weight"][0, 0, 0, 0] = np.nan
    mxgan.save_params(tmp_path / "netG.params", arrays)
    with pytest.raises(ParamsError, match=r"netG\.params: NaN or infinite values in 3\.weight"):
        mxgan.load_generator(tmp_path / "netG.params", "mxnet")
    assert mxgan.load_generator(tmp_path / "netG.params", "mxnet", allow_nonfinite=True).latent == 5


def test_what_is_no_generator_is_refused(tmp_path):
    mxgan.save_params(tmp_path / "other.params", {"weight": np.zeros((3, 4), np.float32)})
    with pytest.raises(ParamsError, match=r"other\.params: no network's weights: it holds weight \(3, 4\); "):
        mxgan.load_generator(tmp_path / "other.params")
    with pytest.raises(ParamsError, match="there is no such file"):
        mxgan.load_generator(tmp_path / "missing.params")


@pytest.mark.parametrize(("engine", "ctx"), [("tensorflow", "auto"), ("auto", "cuda")])
def test_an_unknown_engine_or_ctx_is_refused(params, engine, ctx):
    with pytest.raises(MxganError, match=f"{ctx if engine == 'auto' else engine}'"):
        mxgan.load_generator(params, engine, ctx)


def test_a_generator_is_a_line_of_text(tmp_path):
    mxgan.save_params(tmp_path / "netG.params", weights_of(6, 2, 32))
    made = sampling.load_generator(tmp_path / "netG.params", "numpy")
    assert repr(made) == f"Generator({tmp_path / 'netG.params'}: latent 6, images 32×32×3, numpy on cpu)"


def test_truncation_draws_the_latents_of_a_seed_to_the_middle(generator):
    z = rng.samples(seed=4, first=0, n=70, latent=7)
    np.testing.assert_array_equal(generator.sample(70, 4, truncation=0.5), generator.generate(z * np.float32(0.5)))
    np.testing.assert_array_equal(generator.sample(3, 4, truncation=1), generator.sample(3, 4))
    spread = [generator.sample(64, truncation=t).astype(float).std(axis=0).mean() for t in (0.25, 0.5, 1)]
    assert spread[0] < spread[1] < spread[2]  # they differ less
    with pytest.raises(SettingError, match=r"truncation 0: a number above 0, at most 1"):
        generator.sample(1, truncation=0)


def test_a_walk_leads_from_one_seeds_picture_to_the_next(generator):
    walk = generator.walk([3, 8, 5], n=9)
    assert walk.shape == (9, 32, 32, 3) and walk.dtype == np.uint8
    for place, seed in ((0, 3), (4, 8), (8, 5)):
        np.testing.assert_array_equal(walk[place], generator.sample(1, seed)[0])
    a, b = (rng.samples(seed, 0, 1, 7)[0] for seed in (3, 8))
    np.testing.assert_array_equal(walk[1], generator.generate(walks.slerp(a, b, np.array([0.25])))[0])
    half = generator.walk([3, 8], n=2, truncation=0.5)
    np.testing.assert_array_equal(half[1], generator.sample(1, 8, truncation=0.5)[0])


def test_a_loop_comes_back_and_shows_no_picture_twice(generator):
    loop = generator.walk([3, 8], n=6, loop=True)
    np.testing.assert_array_equal(loop, generator.walk([3, 8, 3], n=7)[:6])
    np.testing.assert_array_equal(loop[[1, 2]], loop[[5, 4]])  # there and back
    assert len({image.tobytes() for image in loop}) == 4


def test_walks_side_by_side_are_those_of_a_seeds_first_pictures(generator):
    frames = list(generator.frames([0, 7], 70, walks_at_once=3))
    assert [frame.shape for frame in frames] == [(3, 32, 32, 3)] * 70
    np.testing.assert_array_equal(frames[0], generator.sample(3, 0))
    np.testing.assert_array_equal(frames[-1], generator.sample(3, 7))
    np.testing.assert_array_equal([frame[0] for frame in frames], generator.walk([0, 7], 70))


def test_a_walk_of_a_conditional_generator_keeps_its_label():
    generator = labelled(height=4, width=6)
    assert (generator.walk([0, 1], 5, labels=3) == np.full((5, 4, 6, 3), 3)).all()
    seen = [frame[:, 0, 0, 0].tolist() for frame in generator.frames([0, 1], 3, 4, labels=np.arange(4))]
    assert seen == [[0, 1, 2, 3]] * 3
    with pytest.raises(MxganError, match="this generator is conditional: give labels"):
        generator.walk([0, 1])


@pytest.mark.parametrize(
    ("seeds", "n", "message"),
    [
        ([1], 5, r"seeds \[1\]: two or more"),
        ([1, 2], 1, "n 1: a whole number from 2"),
        ([1, -2], 5, "seed -2: a whole"),
    ],
)
def test_a_walk_that_cannot_be_is_refused(generator, seeds, n, message):
    with pytest.raises(SettingError, match=message):
        generator.walk(seeds, n)
