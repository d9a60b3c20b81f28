"""Downloads from a server that plays Kaggle, the hub and others, through their own clients; a fault is one line."""

from __future__ import annotations

import hashlib
import io
import os
import pty
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from offers import KEY, SIGNATURE, TOKEN, USER, Offers, serving
from processes import TINY, environment, files_below, mxgan

from mxgan.faces import open_faces

pytest.importorskip("kagglesdk")
pytest.importorskip("huggingface_hub")

SECRETS = (KEY, TOKEN, SIGNATURE, "secret")


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return out.getvalue()


@pytest.fixture(scope="module")
def pictures(faces_folder) -> dict[str, bytes]:
    """Kaggle's archives have a folder inside, tables, and what macOS leaves."""
    found = {f"images/{path.name}": path.read_bytes() for path in sorted(faces_folder.iterdir())}
    return {**found, "list_attr.csv": bytes(1_000_000), "__MACOSX/._x.png": b"x"}


@pytest.fixture
def offers(pictures):
    archive = zipped(pictures)
    with serving(Offers({"set.zip": archive}, {"mina/faces": "set.zip"})) as running:
        yield running


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without keys, and the folder that commands run in."""
    for name in [*os.environ]:
        if name.startswith(("KAGGLE", "HF_", "HUGGING")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    return tmp_path / "home"


def settings(offers: Offers, home: Path, **more: str) -> dict[str, str]:
    """The environment of a command that finds the server in the place of Kaggle and of the hub."""
    return {
        "HOME": str(home), "KAGGLE_API_ENVIRONMENT": "LOCALHOST", "http_proxy": offers.url, "HF_ENDPOINT": offers.url,
        "HF_HOME": str(home / "hf"), "no_proxy": "127.0.0.1", **more,
    }  # fmt: skip


def download(offers: Offers, home: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess:
    given = {"KAGGLE_USERNAME": USER, "KAGGLE_KEY": KEY, **more}
    env = settings(offers, home, **{name: value for name, value in given.items() if value})
    done = mxgan("faces", "download", *arguments, cwd=home.parent / "work", env=env)
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr
    return done


KAGGLE = ("--from", "kaggle:mina/faces", "--to", "faces")


def refused(done: subprocess.CompletedProcess, said: str) -> str:
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("mxgan: error: ") and said in last, last
    assert "Traceback" not in done.stderr
    return last


def test_from_kaggle_to_training(offers, home, faces_folder):
    done = download(offers, home, *KAGGLE)
    assert (done.returncode, done.stdout) == (0, "faces\n"), done.stderr
    said = done.stderr.splitlines()
    assert said[0] == "terms: those of https://www.kaggle.com/datasets/mina/faces"
    assert said[-2:] == ["24 pictures in faces", "train on it: mxgan train --data faces"]
    work = home.parent / "work"
    assert files_below(work) == [
        "faces",
        "faces/images",
        *sorted(f"faces/images/{p.name}" for p in faces_folder.iterdir()),
    ]
    assert open_faces(str(work / "faces")).fingerprint == open_faces(str(faces_folder)).fingerprint
    trained = mxgan("train", "--data", "faces", *TINY, "--steps", 2, "--evaluate-every", 0, "--out", "run", cwd=work)
    assert trained.returncode == 0, trained.stderr
    refused(
        download(offers, home, *KAGGLE), "faces: is there already: train on it, give another --to, or remove it first"
    )


def test_the_sets_with_names(offers, home, pictures):
    offers.sets.update({"splcher/animefacedataset": "set.zip", "jessicali9530/celeba-dataset": "set.zip"})
    for name, folder, terms, options in (
        ("anime", "data/anime-faces", "no licence from the artists", "--unique"),
        ("celeba", "data/celeba", "for non-commercial research only", "--flip"),
    ):
        done = download(offers, home, name)
        assert (done.returncode, done.stdout) == (0, f"{folder}\n"), done.stderr
        assert terms in done.stderr.splitlines()[0]
        assert f"train on it: mxgan train --data {folder} {options}" in done.stderr
        assert "warning: 24 pictures; the set had" in done.stderr


def test_the_key_is_found_as_kaggles_client_finds_it(offers, home):
    def again(**more: str) -> subprocess.CompletedProcess:
        for left in (home.parent / "work").iterdir():
            subprocess.run(["rm", "-r", left], check=True)
        return download(offers, home, *KAGGLE, KAGGLE_USERNAME="", KAGGLE_KEY="", **more)

    assert again(KAGGLE_API_TOKEN=TOKEN).returncode == 0
    (home / ".kaggle").mkdir()
    (home / ".kaggle" / "kaggle.json").write_text(f'{{"username": "{USER}", "key": "{KEY}"}}')
    (home / ".kaggle" / "kaggle.json").chmod(0o600)
    assert again().returncode == 0
    (home / ".kaggle" / "kaggle.json").unlink()
    (home / ".kaggle" / "access_token").write_text(TOKEN)
    assert again().returncode == 0
    (home / ".kaggle" / "access_token").unlink()
    refused(
        again(), "no Kaggle key that works: make a token at https://www.kaggle.com/settings (API), and set KAGGLE_API"
    )


def test_a_chatty_client_says_no_key(offers, home):
    """VERBOSE makes Kaggle's client print its requests, headers and all."""
    done = download(offers, home, *KAGGLE, VERBOSE="1", VERBOSE_OUTPUT="1")
    assert done.returncode == 0 and done.stdout == "faces\n" and "Authorization" not in done.stderr


@pytest.mark.parametrize(("user", "key"), [(USER, KEY), ("", TOKEN)])
def test_the_key_is_asked_for_at_a_terminal(offers, home, user, key):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mxgan", "faces", "download", *KAGGLE],
        stdin=slave, stdout=subprocess.PIPE, stderr=slave, start_new_session=True, cwd=home.parent / "work",
        env={**environment(), **settings(offers, home)},
    )  # fmt: skip
    os.close(slave)
    screen = b""
    for prompt, answer in ((b"username", user), (b"not shown", key)):
        until = time.monotonic() + 60
        while prompt not in screen:
            assert time.monotonic() < until
            screen += os.read(master, 1000)
        time.sleep(0.3)  # until the terminal no longer echoes
        os.write(master, answer.encode() + b"\n")
    out, _ = process.communicate(timeout=60)
    os.set_blocking(master, False)
    try:
        while piece := os.read(master, 10000):
            screen += piece
    except OSError:  # nobody holds its other end any more
        os.close(master)
    assert (process.returncode, out) == (0, b"faces\n"), screen
    assert key.encode() not in screen and not any((home / name).exists() for name in (".kaggle/kaggle.json",))
    for place in home.rglob("*"):
        assert not place.is_file() or key not in place.read_text(errors="replace")


@pytest.mark.parametrize(
    ("where", "status", "said"),
    [
        ("api", 401, "Kaggle doesn't know the key (401): make a token at https://www.kaggle.com/settings"),
        (
            "api",
            403,
            "Kaggle refuses it (403): open https://www.kaggle.com/datasets/mina/faces signed in, and accept the ter",
        ),
        (
            "api",
            404,
            "no such set (404), renamed or removed: look for it at https://www.kaggle.com/datasets?search=faces",
        ),
        ("api", 429, "too many downloads from here (429): wait an hour"),
        ("api", 500, "Kaggle has a fault (500): try again later"),
        ("storage", 403, "refuses it (403)"),
        ("storage", 503, "Kaggle has a fault (503)"),
    ],
)
def test_kaggles_refusals(offers, home, where, status, said):
    offers.status[where] = status
    refused(download(offers, home, *KAGGLE), f"kaggle:mina/faces: {said}" if where == "api" else said)
    assert files_below(home.parent / "work") == []


def test_a_wrong_key_and_a_renamed_set(offers, home):
    refused(download(offers, home, *KAGGLE, KAGGLE_KEY="wrong"), "Kaggle doesn't know the key (401)")
    refused(download(offers, home, "--from", "kaggle:mina/gone", "--to", "x"), "kaggle:mina/gone: no such set (404)")
    refused(download(offers, home, "anime"), "kaggle:splcher/animefacedataset: no such set (404), renamed or removed")


def test_offline(offers, home):
    closed = settings(offers, home, http_proxy="http://127.0.0.1:9", HF_ENDPOINT="http://127.0.0.1:9")
    for place in (
        "kaggle:mina/faces",
        "hf:mina/faces",
        "http://127.0.0.1:9/set.zip",
        "http://no-such-host.invalid/a.zip",
    ):
        env = {**closed, "KAGGLE_USERNAME": USER, "KAGGLE_KEY": KEY, "no_proxy": "127.0.0.1,no-such-host.invalid"}
        done = mxgan("faces", "download", "--from", place, "--to", "x", cwd=home.parent / "work", env=env)
        refused(done, "can't be reached (")
        assert "is this machine online?" in done.stderr
    assert files_below(home.parent / "work") == []


def test_a_transfer_that_breaks_off_goes_on(offers, home, faces_folder):
    """Twice in one command: each time from the last whole piece that came."""
    offers.breaks = [300_000, 10**9, 200_000]  # the second is of the whole file, asked for and not read
    assert download(offers, home, *KAGGLE).returncode == 0
    asked = [headers.get("Range") for headers in offers.asked("storage.test")]
    # each later try asks the client anew, which is sent on to the whole file, and then for the part
    assert [part for part in asked if part] == ["bytes=262144-", "bytes=458752-"]
    assert len(open_faces(str(home.parent / "work" / "faces")).images) == 24


def test_the_same_command_goes_on_where_one_was_interrupted(offers, home):
    offers.pause = threading.Event()
    work = home.parent / "work"
    env = {**environment(), **settings(offers, home), "KAGGLE_USERNAME": USER, "KAGGLE_KEY": KEY}
    command = [sys.executable, "-m", "mxgan", "faces", "download", *KAGGLE]
    process = subprocess.Popen(command, cwd=work, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    part, until = work / ".faces.download", time.monotonic() + 60
    half = len(offers.files["set.zip"]) // 2
    while not part.exists() or part.stat().st_size == 0:
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "") and "stopped: the same command goes on from there" in err
    assert not (work / "faces").exists() and 0 < part.stat().st_size <= half
    kept = part.stat().st_size
    offers.pause.set()
    done = download(offers, home, *KAGGLE)
    assert done.returncode == 0 and f"going on after {kept}" in done.stderr
    assert [h.get("Range") for h in offers.asked("storage.test")][-1] == f"bytes={kept}-"
    assert sorted(path.name for path in work.iterdir()) == ["faces"]


def test_a_server_that_breaks_off_for_ever(offers, home):
    offers.breaks = [70_000] * 50
    said = refused(download(offers, home, *KAGGLE), "faces.zip: broke off after 327680 bytes (")
    assert said.endswith(": the same command goes on from there")
    offers.breaks = []
    assert download(offers, home, *KAGGLE).returncode == 0
    assert offers.asked("storage.test")[-1]["Range"] == "bytes=327680-"


@pytest.mark.parametrize("change", ["another file", "no ranges", "no tag"])
def test_a_part_is_only_added_to_if_it_is_of_the_same_file(offers, home, pictures, change):
    offers.breaks = [300_000] * 6
    offers.ranges = False
    refused(download(offers, home, *KAGGLE), "broke off after 262144 bytes")
    offers.breaks, offers.ranges = [], change != "no ranges"
    if change == "another file":
        offers.files["set.zip"] = zipped(dict(reversed(pictures.items())))
    offers.tagged = change != "no tag"
    assert download(offers, home, *KAGGLE).returncode == 0
    assert len(open_faces(str(home.parent / "work" / "faces")).images) == 24


def test_a_whole_archive_that_was_not_unpacked_yet_is_not_fetched_again(offers, home):
    done = limited(offers, home, len(offers.files["set.zip"]), 0)  # room for the archive, and not for its folder
    assert done.returncode == 2 and "make room" in done.stderr, done.stderr
    before = len(offers.seen)
    assert download(offers, home, *KAGGLE).returncode == 0
    assert [h.get("Range") for h in offers.asked("storage.test")][-2:] == [
        f"bytes={len(offers.files['set.zip'])}-",
        None,
    ]
    assert len(offers.seen) > before


LIMITED = """
import errno, resource, sys
from mxgan.cli import main
from mxgan.faces.download import unpack
size, pictures = int(sys.argv.pop(1)), int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
if not pictures:  # a disk that is full once the archive is there
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")
    unpack._write = full
main(sys.argv[1:])
"""


def limited(offers: Offers, home: Path, size: int, pictures: int = 1) -> subprocess.CompletedProcess:
    """The download in a process whose files can't be larger than ``size`` bytes, as on a disk that is full."""
    env = {**environment(), **settings(offers, home), "KAGGLE_USERNAME": USER, "KAGGLE_KEY": KEY}
    command = [sys.executable, "-c", LIMITED, str(size), str(pictures), "faces", "download", *KAGGLE]
    return subprocess.run(command, cwd=home.parent / "work", env=env, capture_output=True, text=True, timeout=60)


def test_a_full_disk(offers, home):
    done = limited(offers, home, 600_000)
    said = refused(done, "faces.zip can't be kept there: File too large after ")
    assert said.endswith("make room, the same command goes on from there")
    assert download(offers, home, *KAGGLE).returncode == 0
    assert offers.asked("storage.test")[-1]["Range"].startswith("bytes=")


def test_checksums(offers, home):
    offers.lies = True
    said = refused(download(offers, home, *KAGGLE), "faces.zip: damaged on its way: its MD5 is ")
    assert hashlib.md5(offers.files["set.zip"]).hexdigest() in said and files_below(home.parent / "work") == []
    offers.hub["mina/faces"] = ["set.zip"]
    refused(download(offers, home, "--from", "hf:mina/faces"), "set.zip: damaged on its way: its SHA256 is ")
    offers.lies = False
    assert download(offers, home, *KAGGLE).returncode == 0


def test_from_the_hub(offers, home, pictures, faces_folder):
    offers.files.update(pictures)
    offers.hub["mina/faces"] = [*pictures, "README.md", ".gitattributes"]
    done = download(offers, home, "--from", "hf:mina/faces", HF_TOKEN="hf_secret")
    assert (done.returncode, done.stdout) == (0, "data/faces\n"), done.stderr
    assert "terms: those of https://huggingface.co/datasets/mina/faces" in done.stderr
    assert (
        open_faces(str(home.parent / "work" / "data" / "faces")).fingerprint
        == open_faces(str(faces_folder)).fingerprint
    )
    assert all(one["Authorization"] == "Bearer hf_secret" for one in offers.asked("/resolve/"))


def test_a_break_on_the_hub_goes_on_with_the_files_that_are_missing(offers, home, pictures):
    offers.files.update(pictures)
    offers.hub["mina/faces"] = sorted(name for name in pictures if name.startswith("images/"))
    third = offers.hub["mina/faces"][2]
    whole = offers.files.pop(third)
    refused(download(offers, home, "--from", "hf:mina/faces"), "hf:mina/faces: no such data set (404)")
    assert not (home.parent / "work" / "data" / "faces").exists()
    offers.files[third] = whole
    before = len(offers.asked("/resolve/"))
    assert download(offers, home, "--from", "hf:mina/faces").returncode == 0
    assert len(offers.asked("/resolve/")) - before == 24 - 2


def test_parquet_from_the_hub(offers, home, pictures, faces_folder):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    out = io.BytesIO()
    rows = [{"bytes": data, "path": name} for name, data in pictures.items() if name.startswith("images/")]
    parquet.write_table(pyarrow.table({"image": pyarrow.array(rows)}), out)
    offers.files["data/train-00000-of-00001.parquet"] = out.getvalue()
    offers.hub["mina/faces"] = ["README.md", "data/train-00000-of-00001.parquet"]
    done = download(offers, home, "--from", "hf:mina/faces")
    assert done.returncode == 0 and "24 pictures in data/faces" in done.stderr, done.stderr
    assert (
        open_faces(str(home.parent / "work" / "data" / "faces")).fingerprint
        == open_faces(str(faces_folder)).fingerprint
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            401,
            "no such set, or one that needs a token (401): see https://huggingface.co/datasets/mina/faces; then set",
        ),
        (403, "the hub refuses it (403): open https://huggingface.co/datasets/mina/faces signed in, accept its terms"),
        (404, "no such data set (404), renamed or removed"),
        (429, "too many downloads from here (429)"),
        (503, "the hub has a fault (503): try again later"),
    ],
)
def test_the_hubs_refusals(offers, home, status, said):
    offers.hub["mina/faces"] = []
    offers.status["hub"] = status
    refused(download(offers, home, "--from", "hf:mina/faces"), f"hf:mina/faces: {said}")
    assert files_below(home.parent / "work") == []


def test_a_set_without_faces_and_one_that_leaves_its_folder(offers, home):
    offers.hub["mina/texts"] = ["README.md"]
    refused(download(offers, home, "--from", "hf:mina/texts"), "hf:mina/texts: no pictures, Parquet or archives")
    offers.hub["mina/evil"] = ["../../evil.png"]
    refused(download(offers, home, "--from", "hf:mina/evil"), "a file's name leads out of the folder: ../../evil.png")


def test_from_a_url(offers, home, pictures, faces_folder):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in pictures.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    offers.files["files/my faces.tar.gz"] = out.getvalue()
    done = download(offers, home, "--from", f"{offers.url}/files/my%20faces.tar.gz?x=1")
    assert (done.returncode, done.stdout) == (0, "data/my-faces\n"), done.stderr
    offers.files["files/faces.tgz"] = out.getvalue()
    done = download(offers, home, "--from", f"{offers.url}/files/faces.tgz")
    assert (done.returncode, done.stdout) == (0, "data/faces\n"), done.stderr
    assert open_faces(str(home.parent / "work/data/faces")).fingerprint == open_faces(str(faces_folder)).fingerprint
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    whole = io.BytesIO()
    np.save(whole, images)
    offers.files["packed.npy"] = whole.getvalue()
    done = download(offers, home, "--from", f"{offers.url}/packed.npy")
    assert (done.returncode, done.stdout) == (0, "data/packed/packed.npy\n"), done.stderr
    assert "train on it: mxgan train --data data/packed/packed.npy" in done.stderr
    refused(
        download(offers, home, "--from", f"{offers.url}/gone.zip"), "gone.zip: the server answers 404 Not Found: is the"
    )
    offers.files["page.zip"] = b"<html>sign in</html>"
    refused(download(offers, home, "--from", f"{offers.url}/page.zip"), "page.zip: a damaged or cut-off .zip")
    assert not list((home.parent / "work/data").glob(".*"))


def test_archives_are_unpacked_safely(offers, home, pictures):
    good = next(data for name, data in pictures.items() if name.endswith(".png"))
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in ("a.png", "/abs.png", "../up.png", "x/../../up.png", "back\\slash.png", "a.png/b.png"):
            file.writestr(name, good)
        file.writestr(link, "/etc/passwd")
    offers.files["set.zip"] = out.getvalue()
    done = download(offers, home, *KAGGLE)
    assert done.returncode == 0, done.stderr
    assert files_below(home.parent / "work") == ["faces", "faces/a.png"]
    assert files_below(home.parent)[:1] == ["home"] and not list(home.parent.rglob("up.png"))
    for line in (
        "skipped: /abs.png: its name leads out of the folder",
        "skipped: back\\slash.png: its name leads out of the folder",
        "skipped: a.png/b.png: its name is another member's folder",
        "skipped: link.png: is a symbolic link",
    ):
        assert line in done.stderr.splitlines(), done.stderr


def test_a_bomb_and_a_damaged_member(offers, home, pictures):
    offers.files["set.zip"] = zipped({f"{i}.bmp": bytes(30_000_000) for i in range(3)}, zipfile.ZIP_DEFLATED)
    refused(download(offers, home, *KAGGLE), "faces.zip: unpacks to 90000000 bytes or more from")
    archive = bytearray(zipped(pictures))
    archive[archive.index(b"IDAT") + 20] ^= 0xFF  # of the first picture
    offers.files["set.zip"] = bytes(archive)
    done = download(offers, home, *KAGGLE)
    assert done.returncode == 0 and "23 pictures in faces" in done.stderr and "Bad CRC-32" in done.stderr


def test_wrong_wishes(offers, home):
    for arguments, said in (
        ((), "give one of anime, celeba, or --from"),
        (("anime", "--from", "hf:a/b"), "give one of anime, celeba, or --from"),
        (("dogs",), "dogs: one of anime, celeba; others with --from"),
        (("--from", "ftp://x/y.zip"), "--from ftp://x/y.zip: one of kaggle:OWNER/NAME, hf:OWNER/NAME, or a URL"),
        (("--from", "kaggle:faces"), "kaggle:faces: a set on Kaggle is OWNER/NAME"),
        (("--from", "hf:a/b/c"), "hf:a/b/c: a data set on the hub is OWNER/NAME"),
        (("anime", "--to", "/dev/null/x"), "/dev/null/x: can't be made: "),
    ):
        refused(download(offers, home, *arguments), said)
    assert files_below(home.parent / "work") == []


WITHOUT = """
import sys
sys.modules[sys.argv.pop(1)] = None  # as if it weren't installed
from mxgan.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("package", "place", "said"),
    [
        ("kaggle", "kaggle:a/b", "Kaggle's sets need Kaggle's client: pip install 'mxgan["),
        ("six", "kaggle:a/b", "(it is here, but: import of six halted; None in sys.modules): pip install"),
        ("huggingface_hub", "hf:a/b", "the hub's data sets need huggingface_hub: pip install 'mxgan["),
        ("requests", "http://127.0.0.1:9/a.zip", "downloads need requests: pip install 'mxgan["),
    ],
)
def test_a_missing_package_is_what_to_type(offers, home, package, place, said):
    command = [sys.executable, "-c", WITHOUT, package, "faces", "download", "--from", place]
    env = {**environment(), **settings(offers, home)}
    done = subprocess.run(command, cwd=home.parent / "work", env=env, capture_output=True, text=True, timeout=60)
    refused(done, said)
