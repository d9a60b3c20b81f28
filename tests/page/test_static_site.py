"""``mxgan page``: what it writes, what it refuses, and other generators than the DCGAN in a browser."""

import gzip
import json
import re
import shutil
import tarfile

import needs
import numpy as np
import pytest
from hosts import hosted
from networks import discriminator, generator
from processes import files_below, mxgan
from test_convert_networks import conditional, numbers

from mxgan import pixels, rng, sampling
from mxgan.architecture.wishes import Wishes
from mxgan.errors import MxganError, SettingError
from mxgan.page import runtime, static
from mxgan.weights import files

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of what is assumed of the networks


@pytest.fixture(scope="module")
def package(site, tmp_path_factory):
    """The npm package as a folder with what a page needs of it, from the cache that `site` has filled."""
    dist = tmp_path_factory.mktemp("package") / "dist"
    dist.mkdir()
    for file in runtime.FILES:
        data = (runtime.cache_folder() / file.name).read_bytes()
        (dist / file.source).write_bytes(gzip.decompress(data) if file.name.endswith(".gz") else data)
    return dist.parent


def test_the_first_face_is_12_mb_away_at_most(site):
    """On a host that compresses nothing, with either runtime; all that the page doesn't need for it counted too."""
    sizes = {path.name: path.stat().st_size for path in site.iterdir() if path.is_file()}
    for name, others in (("wasm", "webgpu"), ("webgpu", "wasm")):
        spared = {file for file in sizes if re.match(rf"ort.*\b{others}\.", file)}
        assert len(spared) == 3
        assert sum(size for file, size in sizes.items() if file not in spared) < 12e6, name


def test_the_site_names_no_other_host_and_holds_the_licences(site):
    own = {path.name for path in static.SITE.iterdir()}
    assert own < {path.name for path in site.iterdir()}
    for path in site.iterdir():
        if path.suffix in (".html", ".css", ".json", ".js") and not path.name.startswith("ort"):
            assert not re.search(r"//\w+\.\w|url\(|@import", path.read_text(encoding="utf-8")), path.name
    assert "MIT License" in (site / "licences" / "onnxruntime-web.txt").read_text()
    assert "protobuf" in (site / "licences" / "onnxruntime-third-party.txt").read_text(encoding="utf-8")
    assert "Apache License" in (site / "licences" / "mxgan.txt").read_text()


def test_a_site_is_readable_for_a_web_server(site):
    assert all(path.stat().st_mode & 0o004 for path in site.rglob("*"))
    assert site.stat().st_mode & 0o005 == 0o005


def test_the_command_says_what_it_made_and_refuses_what_is_in_the_way(site, package, tmp_path):
    done = mxgan("page", "--out", "new/site", "--runtime", package, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "new/site\n"), done.stderr
    assert re.search(r"float16: 16 faces tried, the same\n1\d\.\d MB to the first face", done.stderr)
    assert files_below(tmp_path / "new/site") == files_below(site)
    again = mxgan("page", "--out", "new/site", "--runtime", package, cwd=tmp_path)
    assert again.returncode == 2
    assert again.stderr == "mxgan: error: --out new/site: holds files already; name a new folder, or an empty one\n"


@pytest.fixture
def wrong(site, tmp_path):
    """``wrong(**changed)``: the error of a build that can't be; nothing is left of it."""

    def built(error=MxganError, **changed):
        before = files_below(tmp_path)
        wanted = {"weights": "painted", "out": tmp_path / "site", **changed}
        with pytest.raises(error) as caught:
            static.build(**wanted)
        assert files_below(tmp_path) == before
        return str(caught.value)

    return built


def test_weights_that_are_no_generator_are_refused(wrong, tmp_path):
    assert "there is no such file" in wrong(weights=tmp_path / "none.params")
    files.save(tmp_path / "netD.npz", discriminator())
    assert "discriminator" in wrong(weights=tmp_path / "netD.npz")


def test_an_out_in_the_way_is_refused(wrong, tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file" in wrong(SettingError, out=tmp_path / "file")
    assert "holds files already" in wrong(SettingError, out=tmp_path)
    assert "can't be written: Not a directory" in wrong(out=tmp_path / "file" / "site")


def test_an_empty_folder_is_filled(site, tmp_path):
    assert static.build("painted", tmp_path).path == tmp_path
    assert (tmp_path / "index.html").is_file() and not list(tmp_path.glob(".mxgan*"))


def test_another_runtime_than_the_tested_one_is_refused(wrong, package, tmp_path):
    other = shutil.copytree(package, tmp_path / "other")
    with open(other / "dist" / "ort.wasm.min.mjs", "a") as file:
        file.write(" ")
    assert re.search(r"ort\.wasm\.min\.mjs has the SHA-256 \w+…, not 219e6a1fc8a9…; the tarball", wrong(runtime=other))
    (other / "dist" / "ort.wasm.min.mjs").unlink()
    assert "ort.wasm.min.mjs can't be read" in wrong(runtime=other)
    assert "it is no tar file" in wrong(runtime=other / "dist" / "ort.jspi.min.mjs")
    assert "No such file" in wrong(runtime=tmp_path / "none.tgz")


def test_a_tarball_gives_what_the_folder_does(package, tmp_path):
    with tarfile.open(tmp_path / runtime.TARBALL, "w:gz", compresslevel=1) as tar:
        tar.add(package / "dist", "package/dist")
    assert runtime.files(tmp_path / runtime.TARBALL) == runtime.files()


def test_without_npm_and_cache_the_fix_is_said(wrong, monkeypatch, tmp_path):
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(runtime, "npm", lambda: None)
    assert "npm, which fetches it, isn't installed: install Node.js, or give" in wrong(runtime=None)


def test_npms_own_reason_is_said(wrong, monkeypatch, tmp_path):
    needs.runtime_for_browsers()
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path.parent / "npm"))
    monkeypatch.setattr(runtime, "RETRIES", "0")
    assert "failed: reason: connect ECONNREFUSED 127.0.0.1:9; look to the network" in wrong(runtime=None)


def test_a_damaged_cache_is_filled_anew(site, monkeypatch, tmp_path):
    shutil.copytree(runtime.cache_folder(), tmp_path / runtime.cache_folder().name)
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path))
    whole = runtime.files()
    monkeypatch.setattr(runtime, "_from_npm", lambda: whole)
    place = runtime.cache_folder() / "ort.wasm.gz"
    for damaged in (whole[place.name][:-100], whole[place.name].replace(b"\x00", b"\x01", 30), b""):
        place.write_bytes(damaged)
        assert runtime.files() == whole and place.read_bytes() == whole[place.name]


def test_weights_that_float16_would_change_too_much_stay_float32(site, tmp_path):
    """Large ones, whose sums nearly cancel where a picture goes from black to white."""
    arrays = generator()
    arrays["12.weight"] *= 1000
    files.save(tmp_path / "netG.npz", arrays)
    made = {dtype: static.build(tmp_path / "netG.npz", tmp_path / dtype, dtype) for dtype in static.DTYPES}
    assert made["float16"].levels > 1 and made["float16"].dtype == "float16"
    assert made["float32"].levels == 0
    assert made["auto"].dtype == "float32"


@pytest.mark.parametrize(("channels", "uniform"), [(1, False), (4, True)], ids=["grey, normal", "transparent, uniform"])
def test_a_conditional_generator_is_drawn_with_its_label(visit, site, tmp_path, channels, uniform):
    last = {"blocks.4.weight": numbers(channels, 4, 3, 3, seed=5), "blocks.4.bias": numbers(channels)}
    files.save(tmp_path / "labels.npz", {**conditional(), **last})
    wishes = Wishes(uniform=uniform)
    static.build(tmp_path / "labels.npz", tmp_path / "site", wishes=wishes)
    netG = sampling.load_generator(tmp_path / "labels.npz", "onnx", "cpu", wishes=wishes)
    settings = json.loads((tmp_path / "site" / "settings.json").read_text())
    assert (settings["classes"], settings["height"], settings["uniform"]) == (3, netG.shape[0], uniform)
    z = rng.samples(2, 4, 1, 6, uniform)
    drawn = """(number) => { const canvas = document.querySelectorAll(".cell canvas")[number];
        return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]; }"""
    with hosted(tmp_path / "site") as address:
        for query, label in (("", 4 % 3), ("&label=2", 2)):
            page = visit(f"{address}?seed=2&index=4{query}")
            page.wait_for_selector("button[aria-label='Face 4'].drawn")
            pixel = np.array(page.evaluate(drawn, 4)).reshape(*netG.shape[:2], 4)
            wanted = netG.generate(z, np.array([label]))[0]
            assert np.ptp(wanted) > 10 and wanted.shape[2] == max(3, channels)
            if channels == 4:  # a browser rounds colours by their opacity
                assert np.abs(pixel[..., 3] - wanted[..., 3].astype(int)).max() <= 1
                pixel, wanted = (pixels.on_white(one.astype(np.uint8)[None])[0] for one in (pixel, wanted))
            assert np.abs(pixel[..., :3].astype(int) - wanted.astype(int)).max() <= (1 if channels == 1 else 2)
        assert page.input_value("#label") == "2"
