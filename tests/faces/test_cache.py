"""The packed cache: made once, opened as a memory map, made anew when its files change, whole or not there at all."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from mxgan import MxganError
from mxgan.faces import Skipped, cache, imread, open_faces, pack, transform
from mxgan.faces.painted import faces as painted_faces


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A cache of the test's own."""
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "faces"


@pytest.fixture
def folder(tmp_path):
    """Five pictures, one of them in a subfolder, and two files that are none."""
    (tmp_path / "photos" / "more").mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (5, 70, 60, 3), np.uint8)
    for name, image in zip(("b.png", "a.jpg", "more/c.png", "z.webp", "Y.BMP"), noise):
        Image.fromarray(image).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "empty.jpg").touch()
    (tmp_path / "photos" / "more" / "small.png").write_bytes((tmp_path / "photos" / "b.png").read_bytes()[:90])
    return tmp_path / "photos"


ORDER = ("Y.BMP", "a.jpg", "b.png", "more/c.png", "z.webp")


def built(place):
    """When each packed file was made: it changes when a set is made anew."""
    return {file.name: file.stat().st_mtime_ns for file in place.glob("*/images*.npy")}


def child(code, *arguments, **options):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_a_folder_becomes_a_read_only_memory_map(folder, place, capfd):
    faces = open_faces(str(folder))
    assert faces.images.shape == (5, 64, 64, 3) and faces.images.dtype == np.uint8
    assert isinstance(faces.images, np.memmap) and not faces.images.flags.writeable
    for image, name in zip(faces.images, ORDER):
        assert np.array_equal(image, transform(imread(folder / name)))
    assert faces.source == str(folder)
    assert [one.path for one in faces.skipped] == ["empty.jpg", "more/small.png"]
    assert faces.skipped[0] == Skipped("empty.jpg", "is empty (0 bytes)")
    assert capfd.readouterr() == ("", f"packing 7 faces: {folder}\n")

    before = built(place)
    again = open_faces(str(folder))
    assert built(place) == before and capfd.readouterr() == ("", "")
    assert (again.fingerprint, again.skipped) == (faces.fingerprint, faces.skipped)


def test_the_packed_file_is_what_numpy_would_have_written(folder, place, tmp_path):
    images = np.array(open_faces(str(folder), progress=False).images)
    np.save(tmp_path / "numpy.npy", images)
    (packed,) = place.glob("*/images-*.npy")
    assert np.array_equal(np.load(packed), images)
    assert packed.stat().st_size == 128 + images.nbytes == (tmp_path / "numpy.npy").stat().st_size


def test_size_and_fit_have_sets_of_their_own(folder, place):
    sets = [open_faces(str(folder), size, fit) for size in (32, 64) for fit in ("crop", "squash")]
    assert [faces.images.shape[1] for faces in sets] == [32, 32, 64, 64]
    assert len({faces.fingerprint for faces in sets}) == 4 == len(built(place))
    with pytest.raises(MxganError, match="fit 'stretch'"):
        open_faces(str(folder), 64, "stretch")


def test_the_fingerprint_is_of_the_pixels_wherever_they_lie(folder, tmp_path):
    fingerprint = open_faces(str(folder)).fingerprint
    copy = shutil.copytree(folder, tmp_path / "elsewhere")
    (copy / "empty.jpg").unlink()
    assert open_faces(str(copy)).fingerprint == fingerprint
    (copy / "a.jpg").rename(copy / "zz.jpg")  # the same pictures in another order
    assert open_faces(str(copy)).fingerprint != fingerprint
    assert open_faces(pack(str(folder), str(tmp_path / "faces.npy"))).fingerprint == fingerprint


def test_changed_files_are_packed_anew(folder, place):
    def changed(change):
        before = built(place)
        change()
        faces = open_faces(str(folder))
        after = built(place)
        assert len(after) == 1 and after != before  # the old file is gone
        return len(faces.images)

    open_faces(str(folder))
    assert changed(lambda: shutil.copy(folder / "a.jpg", folder / "more" / "new.jpg")) == 6
    assert changed((folder / "b.png").unlink) == 5
    assert changed(lambda: (folder / "a.jpg").rename(folder / "A.jpg")) == 5
    assert changed(lambda: os.utime(folder / "A.jpg", ns=(1, 1))) == 5
    assert changed(lambda: (folder / "A.jpg").write_bytes(b"")) == 4
    before = built(place)
    (folder / "notes.txt").write_text("no picture")
    open_faces(str(folder))
    assert built(place) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda images, record: os.truncate(images, 5000),
        lambda images, record: images.write_bytes(images.read_bytes()[:-9] + b"scribbles"),
        lambda images, record: images.unlink(),
        lambda images, record: images.write_bytes(b""),
        lambda images, record: record.write_text("{"),
        lambda images, record: record.write_text("[]"),
        lambda images, record: record.write_text("{}"),
        lambda images, record: record.write_bytes(b"\xff"),
        lambda images, record: record.unlink(),
        lambda images, record: record.write_text(record.read_text().replace('"format": 1', '"format": 0')),
        lambda images, record: record.write_text(json.dumps({**json.loads(record.read_text()), "skipped": [1]})),
    ],
)
def test_a_damaged_set_is_made_anew(folder, place, damage):
    pixels = np.array(open_faces(str(folder)).images)
    damage(next(place.glob("*/images-*.npy")), next(place.glob("*/set.json")))
    assert np.array_equal(open_faces(str(folder)).images, pixels)


OPEN = "import sys; from mxgan.faces import open_faces; print(open_faces(*sys.argv[1:]).fingerprint)"


def test_two_processes_at_once_make_one_set(tmp_path, place):
    both = [child(OPEN, "painted:60") for _ in range(2)]
    answers = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert answers[0][0] == answers[1][0]
    assert sorted(error for _, error in answers) in (["", "painting 60 faces: painted:60\n"],)
    assert len(built(place)) == 1 and not list(place.glob("*/.*"))


def test_a_killed_process_leaves_nothing_that_harms(place):
    process = child(OPEN, "painted:2000")
    until = time.monotonic() + 60
    while not any(file.stat().st_size > 100_000 for file in place.glob("*/.*.tmp")):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=60)
    (stale,) = place.glob("*/.*.tmp")
    assert not built(place)
    stale = stale.rename(stale.with_name(".mxgan-0123.tmp"))
    (place / "painted-40-64").mkdir()
    stale = stale.rename(place / "painted-40-64" / stale.name)
    assert len(open_faces("painted:40").images) == 40
    assert not stale.exists() and len(built(place)) == 1


FULL = """
import resource, sys
from mxgan import MxganError
from mxgan.faces import open_faces, pack
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
for work in (lambda: open_faces(sys.argv[1]), lambda: pack(sys.argv[1], sys.argv[2])):
    try:
        work()
    except MxganError as error:
        print(error)
"""


def test_a_full_disk_is_one_line_and_leaves_nothing(folder, place, tmp_path):
    process = child(FULL, folder, tmp_path / "out.npy")
    out, _ = process.communicate(timeout=60)
    cached, packed = out.splitlines()
    assert cached == f"{place}: faces can't be packed there: File too large; set MXGAN_CACHE to another folder"
    assert packed.startswith(f"{tmp_path / 'out.npy'}: can't be written: File too large")
    assert not built(place) and not list(place.glob("*/.*")) and not list(tmp_path.glob("*.npy"))


def test_a_cache_that_cannot_be_written_is_named(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("MXGAN_CACHE", str(folder / "a.jpg"))
    with pytest.raises(MxganError, match=r"a\.jpg/faces: .*Not a directory; set MXGAN_CACHE to another folder$"):
        open_faces(str(folder))


def test_a_set_that_cannot_be_written_any_more_still_opens(folder, place, monkeypatch):
    faces = open_faces(str(folder))
    monkeypatch.setattr(cache, "FileLock", None)  # would be called to write
    assert open_faces(str(folder)).fingerprint == faces.fingerprint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            "missing",
            "'missing': there is no such folder or file; give the folder or file that your pictures are in, or",
        ),
        ("text", "'text': there is no such folder or file; did you mean texts?"),
        ("texts/b.txt", "'texts/b.txt': there is no such folder or file; did you mean texts/a.txt?"),
        ("gone/a.zip", "'gone/a.zip': there is no such folder or file; give the folder"),
        ("", "'': there is no such folder or file"),
        ("run", "run: a run, whose pictures are plots and samples; give the folder of its faces, or go on with `mxgan"),
        ("empty", "empty: no picture in this folder or below it (.jpg .jpeg"),
        ("texts", "texts: no picture in this folder"),
        ("broken", "broken: of its 3 pictures none can be used; the first, a.jpg, is empty (0 bytes)"),
        (
            "file.txt",
            "file.txt: not a set of faces: a folder of pictures, .zip, .tar, .tar.gz, .rec, .npz, .npy or .parquet",
        ),
        ("pipe", "pipe: not a regular file: a folder of pictures, .zip"),
        ("painted:0", "painted:0: painted:N takes a whole number of faces from 1 to 10000000"),
        ("painted:-3", "painted:-3: painted:N takes"),
        ("painted:abc", "painted:abc: painted:N takes"),
        ("painted:", "painted:: painted:N takes"),
        ("painted:1e3", "painted:1e3: painted:N takes"),
        ("painted:10000001", "painted:10000001: painted:N takes"),
        ("painted:" + "9" * 5000, "painted:N takes"),
    ],
)
def test_bad_data_is_one_line(tmp_path, monkeypatch, place, data, message):
    monkeypatch.chdir(tmp_path)
    for name in ("run", "empty", "texts", "broken"):
        (tmp_path / name).mkdir()
    for name in (
        "run/config.json",
        "run/log.jsonl",
        "run/curves.png",
        "texts/a.txt",
        "broken/a.jpg",
        "broken/b.png",
        "broken/c.gif",
    ):
        (tmp_path / name).touch()
    (tmp_path / "file.txt").write_text("hello")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MxganError) as error:
        open_faces(data)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not built(place) and not list(place.glob("*/.*"))


def test_painted_faces_are_those_of_the_painter(place):
    faces = open_faces("painted:150")
    assert faces.images.shape == (150, 64, 64, 3) and faces.skipped == () and faces.source == "painted:150"
    assert np.array_equal(faces.images[:3], painted_faces(3))
    assert np.array_equal(faces.images[147:], painted_faces(3, first=147))
    before = built(place)
    assert open_faces("painted:150").fingerprint == faces.fingerprint and built(place) == before
    assert open_faces("painted:3", size=32).images.shape == (3, 32, 32, 3)


def test_a_packed_file(folder, tmp_path, capfd):
    path = pack(folder, tmp_path / "faces.npy")
    assert path == str(tmp_path / "faces.npy")
    assert capfd.readouterr().err.splitlines()[1] == "2 of 7 files skipped: `mxgan faces check` names them"
    faces = open_faces(path)
    assert isinstance(faces.images, np.memmap) and not faces.images.flags.writeable
    assert np.array_equal(faces.images, open_faces(str(folder)).images) and faces.source == path
    with pytest.raises(MxganError, match=r"has uint8 \(5, 64, 64, 3\), uint8 \(N, 128, 128, 3\) is wanted"):
        open_faces(path, size=128)


def test_a_truncated_packed_file(folder, tmp_path):
    path = pack(folder, tmp_path / "faces.npy")
    for size in (5000, 128, 50, 0):
        os.truncate(path, size)
        with pytest.raises(MxganError, match=r"a .npy that is damaged" if size else r"is empty \(0 bytes\)"):
            open_faces(path)


def test_pack_refuses_before_it_writes(folder, tmp_path):
    for source, file, message in (
        (folder, tmp_path / "faces.jpg", "name ends in .npy"),
        (tmp_path / "nowhere", tmp_path / "a.npy", "there is no such folder or file"),
        (folder / "more" / "small.png", tmp_path / "a.npy", "not a set of faces: a folder of pictures, .zip"),
        (folder, folder / "more" / "small.png" / "a.npy", "small.png can't be made"),
    ):
        with pytest.raises(MxganError, match=message):
            pack(source, file)
    assert [file.name for file in tmp_path.iterdir()] == ["photos"]


ANON = """
import gc, sys
from mxgan.faces import open_faces
faces = open_faces(sys.argv[1])
assert faces.images[:: max(1, len(faces.images) // 10)].sum() > 0
gc.collect()
with open("/proc/self/status") as status:
    print(next(line for line in status if line.startswith("RssAnon")).split()[1])
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_many_faces_take_no_more_memory_than_few(tmp_path):
    picture = tmp_path / "a.jpg"
    Image.fromarray(np.full((64, 64, 3), 99, np.uint8)).save(picture)
    used = {}
    for n in (100, 4000):
        many = tmp_path / str(n)
        many.mkdir()
        for i in range(n):
            os.link(picture, many / f"{i:06d}.jpg")
        open_faces(str(many))  # pack it, in this process
        process = child(ANON, many)
        used[n] = int(process.communicate(timeout=60)[0])
    assert used[4000] - used[100] < 2000, used  # kB; the pixels alone are 49,000


def test_ctrl_c_while_painting_leaves_nothing(place):
    process = child(OPEN, "painted:3000", start_new_session=True)
    until = time.monotonic() + 60
    while not any(file.stat().st_size > 100_000 for file in place.glob("*/.*.tmp")):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert error.count("KeyboardInterrupt") == 1 and not list(place.glob("*/*"))
