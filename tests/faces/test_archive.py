"""Archives are read as the folders that they would be; what is hostile or broken is one line."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from processes import environment

from mxgan import MxganError, cli
from mxgan.faces import check, open_faces, pack


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A cache of the test's own, and the test's folder to work in."""
    monkeypatch.setenv("MXGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache" / "faces"


def png(i: int, side: int = 40) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(i).integers(0, 256, (side, side, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def photos(tmp_path):
    """A folder as people have it: depths, odd names, things from macOS, a bad file."""
    files = {
        "b.png": png(0), "a/c.png": png(1), "a/ä ö.PNG": png(2), "a.png": png(3), "z/bad.jpg": b"no picture",
        "notes.txt": b"", "._b.png": b"a macOS file", "__MACOSX/a/._c.png": b"another", ".hidden/x.png": png(4),
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(data)
    return tmp_path / "photos"


def archived(photos: Path, kind: str) -> str:
    """The folder's content as an archive of this kind."""
    form = {"zip": "zip", "tar": "tar", "tar.gz": "gztar"}[kind]
    return shutil.make_archive("archive", form, photos)


KINDS = ("zip", "tar", "tar.gz")


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_is_its_folder(photos, place, kind):
    path = archived(photos, kind)
    faces, folder = open_faces(path), open_faces(str(photos))
    assert faces.fingerprint == folder.fingerprint and faces.skipped == folder.skipped
    assert len(faces.images) == 4 and [one.path for one in faces.skipped] == ["z/bad.jpg"]
    assert not list(place.glob("tmp*"))
    before = {file: file.stat().st_mtime_ns for file in place.glob("*/images*.npy")}
    open_faces(path)
    assert {file: file.stat().st_mtime_ns for file in place.glob("*/images*.npy")} == before
    os.utime(path, ns=(1, 1))
    open_faces(path)
    assert {file: file.stat().st_mtime_ns for file in place.glob("*/images*.npy")} != before


@pytest.mark.parametrize("kind", KINDS)
def test_check_and_pack_take_archives(photos, kind):
    path = archived(photos, kind)
    assert open_faces(pack(path, "a.npy")).fingerprint == open_faces(str(photos)).fingerprint
    report = check.check(path, progress=False)
    assert (report.files, report.usable) == (5, 4) and report.skipped[0].path == "z/bad.jpg"
    said = CliRunner().invoke(cli.program, ["faces", "check", path]).output
    assert f"{path}: 5 files, 4 usable, 1 skipped, 0 duplicates" in said


def test_the_content_decides_not_the_name(photos):
    fingerprint = open_faces(str(photos)).fingerprint
    for kind in KINDS:
        os.rename(archived(photos, kind), "download")
        assert open_faces("download").fingerprint == fingerprint
    os.rename(archived(photos, "tar.gz"), "faces.zip")
    assert open_faces("faces.zip").fingerprint == fingerprint


def test_a_tar_of_a_folder_itself_has_the_same_names(photos):
    with tarfile.open("a.tar", "w") as tar:
        tar.add(photos, ".")
    assert open_faces("a.tar").skipped == open_faces(str(photos)).skipped
    assert open_faces("a.tar").fingerprint == open_faces(str(photos)).fingerprint


def made_zip(path: str, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in files.items():
            file.writestr(name, data)


@pytest.mark.parametrize("name", ["ä.png", "名前.png", "\udcff\udc80.png"])
def test_names_that_are_not_ascii_come_out_as_on_disk(name):
    """Old tools write raw bytes without saying that they are UTF-8; some bytes are no UTF-8 at all."""
    raw = os.fsencode(name)
    made_zip("a.zip", {"x" * len(raw): b"no picture", "ok.png": png(0)})
    data = Path("a.zip").read_bytes().replace(b"x" * len(raw), raw)
    Path("a.zip").write_bytes(data)
    (skipped,) = open_faces("a.zip").skipped
    assert skipped.path == name.encode("unicode_escape", "surrogatepass").decode() or skipped.path == name
    with tarfile.open("a.tar", "w", encoding="utf-8", errors="surrogateescape", format=tarfile.GNU_FORMAT) as tar:
        for member, content in ((name, b"no picture"), ("ok.png", png(0))):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert open_faces("a.tar").skipped == (skipped,)


def test_a_name_marked_as_utf8_that_isnt_is_one_line():
    made_zip("a.zip", {"ä.png": png(0)})
    Path("a.zip").write_bytes(Path("a.zip").read_bytes().replace("ä".encode(), b"\xff\xff"))
    with pytest.raises(MxganError, match=r"^a.zip: a .zip that can't be read .*: unpack it and name the folder$"):
        open_faces("a.zip")


def flagged(path: str, name: bytes, flag: int) -> None:
    """Set a flag of a member in its own header and in the directory."""
    data = bytearray(Path(path).read_bytes())
    for mark, flags, start in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = data.find(mark)
        while at >= 0:
            if data[at + start :].startswith(name):
                data[at + flags] |= flag
            at = data.find(mark, at + 1)
    Path(path).write_bytes(data)


def test_encrypted_members():
    made_zip("a.zip", {"a.png": png(0), "b.png": png(1)})
    flagged("a.zip", b"a.png", 1)
    faces = open_faces("a.zip")
    assert len(faces.images) == 1 and faces.skipped[0].reason == "is encrypted"
    flagged("a.zip", b"b.png", 1)
    with pytest.raises(MxganError, match=r"^a.zip: is encrypted: unpack it with its password, and name the folder$"):
        open_faces("a.zip")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.001, 0.3, 0.6])
def test_cut_off_archives(photos, place, kind, share):
    path = archived(photos, kind)
    os.truncate(path, int(os.path.getsize(path) * share))
    with pytest.raises(MxganError, match=r"damaged or cut-off|no set of faces|no picture in this archive") as error:
        open_faces(path)
    assert path in str(error.value) and "\n" not in str(error.value)
    assert not list(place.glob("tmp*")) and not list(place.glob("*/*.npy"))


def test_a_damaged_member_costs_only_itself():
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        made_zip("a.zip", {"a.png": png(0), "b.png": png(1), "c.png": png(2)}, method)
        with zipfile.ZipFile("a.zip") as file:
            at = file.getinfo("b.png").header_offset + 200
        data = bytearray(Path("a.zip").read_bytes())
        data[at : at + 9] = b"scribbles"
        Path("a.zip").write_bytes(data)
        faces = open_faces("a.zip")
        assert len(faces.images) == 2 and [one.path for one in faces.skipped] == ["b.png"]


def test_a_damaged_header_in_a_tar_is_no_end(photos):
    path = archived(photos, "tar")
    with tarfile.open(path) as tar:
        at = tar.getmember("./b.png").offset
    data = bytearray(Path(path).read_bytes())
    data[at + 148 : at + 156] = b"notcheck"
    Path(path).write_bytes(data)
    with pytest.raises(MxganError, match=rf"archive.tar: a damaged or cut-off archive \(no header at byte {at}\)"):
        open_faces(path)


def test_nested_archives():
    made_zip("inner.zip", {"a.png": png(0)})
    made_zip("a.zip", {"data/inner.zip": Path("inner.zip").read_bytes(), "README.md": b""})
    with pytest.raises(
        MxganError, match=r"^a.zip: no picture in this archive .*, but data/inner.zip is an archive again"
    ):
        open_faces("a.zip")
    with tarfile.open("a.tar", "w") as tar:
        tar.add("inner.zip")
    with pytest.raises(MxganError, match=r"but inner.zip is an archive again: unpack a.tar and name that"):
        open_faces("a.tar")
    made_zip("b.zip", {"a.png": png(0), "inner.zip": Path("inner.zip").read_bytes()})
    assert len(open_faces("b.zip").images) == 1
    made_zip("c.zip", {"a.txt": b""})
    with pytest.raises(MxganError, match=r"^c.zip: no picture in this archive \(.jpg .jpeg .*\)$"):
        open_faces("c.zip")


def test_links_are_skipped():
    with zipfile.ZipFile("a.zip", "w") as file:
        file.writestr("a.png", png(0))
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    assert [(one.path, one.reason) for one in open_faces("a.zip").skipped] == [("link.png", "is a symbolic link")]
    with tarfile.open("a.tar", "w") as tar:
        for name, kind in (
            ("soft.png", tarfile.SYMTYPE),
            ("hard.png", tarfile.LNKTYPE),
            ("pipe.png", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        info = tarfile.TarInfo("a.png")
        info.size = len(png(0))
        tar.addfile(info, io.BytesIO(png(0)))
    assert [(one.path, one.reason) for one in open_faces("a.tar").skipped] == [
        ("hard.png", "is a link"), ("pipe.png", "is not a regular file"), ("soft.png", "is a link"),
    ]  # fmt: skip


def zeros(n: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(min(1 << 20, n - i))) for i in range(0, n, 1 << 20)) + packer.flush()


def test_bombs_are_refused_before_they_unpack(place):
    made_zip("a.zip", {f"{i}.bmp": bytes(30_000_000) for i in range(3)})
    with pytest.raises(MxganError, match=r"^a.zip: unpacks to 90000000 bytes or more from .*: a bomb\?"):
        open_faces("a.zip")
    Path("a.tar.gz").write_bytes(zeros(80_000_000))
    with pytest.raises(MxganError, match=r"^a.tar.gz: unpacks to .* bytes or more from .*: a bomb\?"):
        open_faces("a.tar.gz")
    assert not list(place.glob("tmp*")) and not list(place.glob("*/*"))


def test_members_that_share_their_bytes_are_a_bomb():
    """A directory whose entries all point at one member, https://www.bamsoftware.com/hacks/zipbomb/."""
    made_zip("a.zip", {"0.png": png(0, 600)})
    data = Path("a.zip").read_bytes()
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x05\x06")]
    entries = b"".join(entry.replace(b"0.png", b"%d.png" % i) for i in range(10))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 10, 10, len(entries), start, 0)
    Path("a.zip").write_bytes(data[:start] + entries + end)
    with pytest.raises(MxganError, match=r"a.zip: 1.png shares its bytes with another member: a bomb, not read"):
        open_faces("a.zip")


def test_a_member_that_is_more_than_it_says(place):
    """Its size in the directory is a lie: no more than that is unpacked, and the checksum tells."""
    made_zip("a.zip", {"a.bmp": bytes(20_000_000), "b.png": png(1)})
    data = Path("a.zip").read_bytes().replace(struct.pack("<L", 20_000_000), struct.pack("<L", 100))
    Path("a.zip").write_bytes(data)
    faces = open_faces("a.zip")
    assert [one.path for one in faces.skipped] == ["a.bmp"] and "CRC" in faces.skipped[0].reason


def test_members_that_are_too_large_or_packed_otherwise():
    made_zip("a.zip", {"a.png": png(0)})
    with zipfile.ZipFile("a.zip", "a") as file:
        file.writestr("lzma.png", png(1), zipfile.ZIP_LZMA)
        with file.open("large.bmp", "w", force_zip64=True) as out:
            for _ in range(129):
                out.write(os.urandom(1 << 20))
    assert [(one.path, one.reason) for one in open_faces("a.zip").skipped] == [
        ("large.bmp", "is too large: 135266304 bytes, at most 134217728"),
        ("lzma.png", "is packed in a way that is neither stored nor deflated"),
    ]


def test_a_tar_header_that_claims_to_be_huge():
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 10**9
    Path("a.tar").write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + bytes(2048))
    with pytest.raises(MxganError, match=r"a.tar: a damaged or cut-off archive \(a header of 1000000\d+ bytes\)"):
        open_faces("a.tar")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.zip", b"<html>403 Forbidden</html>", "a damaged or cut-off .zip (File is not a zip file): fetch it again"),
        ("a.zip", b"", "is empty (0 bytes)"),
        ("a.tar", b"hello", "a damaged or cut-off archive"),
        ("a.tar", bytes(1024), " archive"),
        ("a.gz", gzip.compress(b"hello"), "a damaged or cut-off archive"),
        ("a.tgz", gzip.compress(b"hello" * 999)[:-9], "a damaged or cut-off archive"),
        ("a.tar.bz2", bz2.compress(b"hello"), "a .bz2 is not read here: unpack it and name the folder"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "a .7z is not read here"),
        ("a.rar", b"Rar!\x1a\x07", "a .rar is not read here"),
    ],
)
def test_what_is_no_archive(name, data, said):
    Path(name).write_bytes(data)
    with pytest.raises(MxganError) as error:
        open_faces(name)
    assert str(error.value).startswith(f"{name}: ") and said in str(error.value)


def test_a_folder_with_an_archive_says_what_to_name(photos):
    Path("download").mkdir()
    os.rename(archived(photos, "zip"), "download/faces.zip")
    with pytest.raises(
        MxganError, match=r"download: no picture in this folder .*; name one of its files: .*/faces.zip$"
    ):
        open_faces("download")


FULL = """
import resource, sys
from mxgan.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
main(["faces", "check", sys.argv[1]])
"""


def test_no_room_for_a_tar_gz(photos, place):
    path = archived(photos, "tar.gz")
    done = subprocess.run(
        [sys.executable, "-c", FULL, path], capture_output=True, text=True, env=environment(), timeout=60
    )
    said = f"{place}: no room for what {path} unpacks to: File too large; set MXGAN_CACHE to another folder"
    assert (done.returncode, done.stderr) == (2, f"mxgan: error: {said}\n") and not list(place.glob("tmp*"))


MEMORY = """
import sys
from mxgan.faces import open_faces
peak = lambda: int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
import cv2, numpy, PIL.Image, mxgan.faces.archive
before = peak()
print(len(open_faces(sys.argv[1]).images), peak() - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_packing_takes_little_memory(tmp_path, kind):
    """150 pictures of 1 MB each, of which a few are in memory at once."""
    big = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)).save(big, "BMP")
    os.mkdir("big")
    for i in range(150):
        Path(f"big/{i}.bmp").write_bytes(big.getvalue())
    path = archived(tmp_path / "big", kind)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, path], capture_output=True, text=True, env=environment(), timeout=100
    )
    count, used = map(int, done.stdout.split())
    assert count == 150 and used < 60_000, used  # kB; the pictures are 158,000


HOLDING = """
import sys, time
from pathlib import Path
from mxgan.faces import archive
with archive.tar_members(sys.argv[1], "a", Path(sys.argv[2])):
    print("open", flush=True)
    time.sleep(60)
"""


def test_a_killed_process_leaves_no_spool(photos, place):
    """What a .tar.gz is unpacked into has no name that could stay behind."""
    command = [sys.executable, "-c", HOLDING, archived(photos, "tar.gz"), str(place)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
    assert process.stdout.readline() == b"open\n"
    process.kill()
    process.wait(60)
    assert list(place.iterdir()) == []
