"""Record files: what MXNet wrote is read to the same pixels, what we write MXNet reads, and damage costs one record."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from processes import environment

from mxgan import MxganError, cli
from mxgan.faces import open_faces, pack, recordio, sources, transform
from mxgan.faces.members import read_all
from mxgan.faces.recordio import FIRST, LAST, MAGIC, MIDDLE

SIDES = ((40, 36), (64, 64), (33, 90), (100, 81), (8, 8))


def noise(i: int) -> np.ndarray:
    return np.random.default_rng(i).integers(0, 256, (*SIDES[i % 5], 3), np.uint8)


def encoded(image: np.ndarray, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, form)
    return out.getvalue()


def record(data: bytes, labels: int = 0) -> bytes:
    """A record of a picture as mx.recordio.pack makes it."""
    return struct.pack("<IfQQ", labels, 3.5, 7, 0) + np.arange(labels, dtype=np.float32).tobytes() + data


def chunk(data: bytes, part: int = 0) -> bytes:
    return MAGIC + struct.pack("<I", part << 29 | len(data)) + data + bytes(-len(data) % 4)


def read(path: Path) -> list[tuple[str, object]]:
    with sources.source(str(path), 64, "crop").listed() as members:
        found = list(read_all(members, lambda pixels: pixels))
        assert len(found) == members.count
    return found


def same(found: list[tuple[str, object]], wanted: list[np.ndarray]) -> bool:
    return len(found) == len(wanted) and all(np.array_equal(one, image) for (_, one), image in zip(found, wanted))


def test_what_mxnet_wrote(mx, tmp_path):
    """JPEG and PNG, one label and several, in the order of the file: the pixels are those of MXNet's own decoder."""
    out = mx.recordio.MXIndexedRecordIO(str(tmp_path / "a.idx"), str(tmp_path / "a.rec"), "w")
    for i in range(12):
        label = float(i) if i % 3 else [1.0, 2.0, float(i)]
        data = encoded(noise(i), "JPEG" if i % 2 else "PNG")
        out.write_idx(10 * i, mx.recordio.pack(mx.recordio.IRHeader(0, label, i, 0), data))
    out.close()
    back = mx.recordio.MXIndexedRecordIO(str(tmp_path / "a.idx"), str(tmp_path / "a.rec"), "r")
    theirs = [mx.image.imdecode(mx.recordio.unpack(back.read_idx(key))[1]).asnumpy() for key in back.keys]
    assert len(theirs) == 12 and same(read(tmp_path / "a.rec"), theirs)
    (tmp_path / "a.idx").unlink()
    assert same(read(tmp_path / "a.rec"), theirs)


IM2REC = """
import runpy, sys
from mxgan.gluon import runtime
runtime.load()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_what_im2rec_wrote_is_its_folder(mx, faces_folder, tmp_path):
    tool = Path(mx.__file__).parent / "tools" / "im2rec.py"
    for options in (["--list", "--no-shuffle"], ["--pass-through"]):
        command = [sys.executable, "-c", IM2REC, tool, *options, "set", f"{faces_folder}/"]
        subprocess.run(
            list(map(str, command)), check=True, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, timeout=100
        )
    faces = open_faces(str(tmp_path / "set.rec"))
    assert len(faces.images) == 24 and faces.fingerprint == open_faces(str(faces_folder)).fingerprint


def test_mxnet_reads_what_pack_writes(mx, faces_folder, tmp_path):
    rec = pack(faces_folder, tmp_path / "faces.rec")
    ours = open_faces(str(faces_folder))
    wanted = np.array(ours.images).transpose(0, 3, 1, 2)
    for index in ({}, {"path_imgidx": str(tmp_path / "faces.idx")}):
        batches = mx.image.ImageIter(batch_size=8, data_shape=(3, 64, 64), path_imgrec=rec, **index)
        assert np.array_equal(np.concatenate([batch.data[0].asnumpy() for batch in batches]), wanted)
    index = mx.recordio.MXIndexedRecordIO(str(tmp_path / "faces.idx"), rec, "r")
    assert list(index.keys) == list(range(24))
    assert [mx.recordio.unpack(index.read_idx(key))[0].id for key in (0, 23)] == [0, 23]
    assert open_faces(rec).fingerprint == ours.fingerprint


@pytest.mark.parametrize("cuts", [0, 1, 3])
def test_a_record_with_the_magic_number_in_it_is_in_parts(mx, tmp_path, cuts):
    """Raw pixels hold the magic number on boundaries: written as MXNet writes them, read back by both."""
    pixels = noise(1)
    flat = pixels.reshape(-1)
    for cut in range(cuts):
        flat[400 * cut + 8 : 400 * cut + 12] = np.frombuffer(MAGIC, np.uint8)
    flat[802:806] = np.frombuffer(MAGIC, np.uint8)  # not on a boundary: stays
    data = record(flat.tobytes())
    theirs = mx.recordio.MXRecordIO(str(tmp_path / "theirs.rec"), "w")
    theirs.write(data)
    theirs.close()
    parts = [] if not cuts else [FIRST, *[MIDDLE] * (cuts - 1), LAST]
    written = (tmp_path / "theirs.rec").read_bytes()
    assert written == recordio._chunks(data)
    heads = [found for found in range(0, len(written), 4) if written[found : found + 4] == MAGIC]
    assert [struct.unpack_from("<I", written, head + 4)[0] >> 29 for head in heads] == (parts or [0])
    assert same(read(tmp_path / "theirs.rec"), [pixels])


def test_raw_pixels_are_square(tmp_path):
    square, other = noise(1), noise(0)
    (tmp_path / "a.rec").write_bytes(chunk(record(square.tobytes(), 2)) + chunk(record(other.tobytes())))
    (_, image), (_, reason) = read(tmp_path / "a.rec")
    assert np.array_equal(image, square) and reason == "is not a JPEG, PNG, WebP, BMP or GIF that can be read"


def test_records_without_a_picture_are_named_and_skipped(tmp_path):
    parts = [record(b""), b"short", struct.pack("<IfQQ", 2**31, 0, 0, 0), record(b"text"), record(encoded(noise(1)))]
    (tmp_path / "a.rec").write_bytes(b"".join(map(chunk, parts)))
    faces = open_faces(str(tmp_path / "a.rec"))
    assert len(faces.images) == 1
    assert [(one.path, one.reason) for one in faces.skipped] == [
        ("record 0", "is empty (0 bytes)"),
        ("record 1", "holds no picture: 5 bytes, 24 are its header alone"),
        ("record 2", "holds no picture: 2147483648 labels are more than its 24 bytes"),
        ("record 3", "is not a JPEG, PNG, WebP, BMP or GIF that can be read"),
    ]


def damaged(data: bytearray, begins: list[int], kind: str) -> bytes:
    third = begins[2]
    if kind == "a magic number":
        data[third] ^= 1
    elif kind == "a length, too great":
        data[third + 4 : third + 8] = struct.pack("<I", 1 << 28)
    elif kind == "a length, of two":
        data[third + 4 : third + 8] = struct.pack("<I", begins[4] - third - 8)
    elif kind == "a length, too small":
        data[third + 4 : third + 8] = struct.pack("<I", 40)
    elif kind == "a part without a first":
        data[third + 7] |= MIDDLE << 5
    elif kind == "zeros":
        data[third : begins[3]] = bytes(begins[3] - third)
    elif kind == "text between":
        data[third:third] = b"something that is no record"
    return bytes(data)


KINDS = (
    "a magic number", "a length, too great", "a length, of two", "a length, too small", "a part without a first",
    "zeros",
)  # fmt: skip


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_damage_costs_one_record(tmp_path, kind, indexed):
    chunks = [chunk(record(encoded(noise(i)))) for i in range(6)]
    begins = [sum(map(len, chunks[:i])) for i in range(7)]
    (tmp_path / "a.rec").write_bytes(damaged(bytearray(b"".join(chunks)), begins, kind))
    if indexed:
        (tmp_path / "a.idx").write_text("".join(f"{i}\t{begin}\n" for i, begin in enumerate(begins[:6])))
    faces = open_faces(str(tmp_path / "a.rec"))
    wanted = [transform(noise(i)) for i in (0, 1, 3, 4, 5)]
    if kind == "a length, of two" and not indexed:
        wanted.pop(2)  # swallowed by the one before
    assert len(faces.images) == len(wanted) and all(np.array_equal(*pair) for pair in zip(faces.images, wanted))
    assert 1 <= len(faces.skipped) <= 2 and all(one.path.startswith("record ") for one in faces.skipped)


def test_what_stands_between_records_costs_nothing(tmp_path):
    chunks = [chunk(record(encoded(noise(i)))) for i in range(4)]
    begins = [sum(map(len, chunks[:i])) for i in range(5)]
    text = damaged(bytearray(b"".join(chunks)), begins, "text between")
    (tmp_path / "a.rec").write_bytes(text[: begins[2] + 27] + b"\0" + text[begins[2] + 27 :])  # on a boundary again
    faces = open_faces(str(tmp_path / "a.rec"))
    assert len(faces.images) == 4 and len(faces.skipped) == 1
    assert faces.skipped[0].reason == f"is damaged: no whole record begins at byte {begins[2]}"


@pytest.mark.parametrize("indexed", [False, True])
def test_a_truncated_file_keeps_its_whole_records(tmp_path, indexed):
    chunks = [chunk(record(encoded(noise(i)))) for i in range(6)]
    begins = [sum(map(len, chunks[:i])) for i in range(7)]
    (tmp_path / "a.rec").write_bytes(b"".join(chunks)[: begins[4] + 100])
    if indexed:
        (tmp_path / "a.idx").write_text("".join(f"{i}\t{begin}\n" for i, begin in enumerate(begins[:6])))
    faces = open_faces(str(tmp_path / "a.rec"))
    assert len(faces.images) == 4
    assert [one.path for one in faces.skipped] == ["record 4", "record 5"][: 2 if indexed else 1]


def test_an_index_of_another_file_is_refused(tmp_path):
    chunks = [chunk(record(encoded(noise(i)))) for i in range(6)]
    begins = [sum(map(len, chunks[:i])) for i in range(7)]
    rec, index = tmp_path / "a.rec", tmp_path / "a.idx"
    rec.write_bytes(b"".join(chunks))
    for text, said in (
        ("".join(f"{i}\t{i * 3000}\n" for i in range(6)), "a.idx: not the index of"),
        ("".join(f"{i}\t{begin}\n" for i, begin in enumerate(begins[:3])), "goes on after the last of its 3 records"),
        ("", "an index without records"),
        ("hello\n", "line 1 is none of an index"),
        ("0\t0\n1\t-5\n", "line 2 is none of an index"),
        ("0\t" + "9" * 60, "not the index of"),
        ("9" * 5000, "line 1 is none of an index"),
        ("0\t0\n" * 100_000, "is none of an index"),
        ("\xff\tx\n", "line 1 is none"),
    ):
        index.write_text(text, encoding="latin-1")
        with pytest.raises(MxganError, match=said) as error:
            open_faces(str(rec))
        assert "a.idx: " in str(error.value) and "delete" in str(error.value) and "\n" not in str(error.value)
    index.write_text("".join(f"{i}\t{begin}\n" for i, begin in enumerate(reversed(begins[:6]))))
    assert same(read(rec), [noise(i) for i in (5, 4, 3, 2, 1, 0)])  # an order of its own is its order


@pytest.mark.parametrize("data", [b"hello", b"\x93NUM", b"PK", MAGIC[:3], bytes(100)])
def test_a_file_of_something_else(tmp_path, data):
    (tmp_path / "a.rec").write_bytes(data)
    with pytest.raises(MxganError, match=r"a.rec: no RecordIO file, though it is named like one"):
        open_faces(str(tmp_path / "a.rec"))


def test_a_chain_of_parts_without_end_takes_no_memory(tmp_path):
    """Chunks of no bytes, each the middle of a record that never ends."""
    (tmp_path / "a.rec").write_bytes(chunk(b"", FIRST) + chunk(b"", MIDDLE) * 300_000)
    with pytest.raises(MxganError, match=r"of its 1 picture none can be used; the first, record 0, is damaged"):
        open_faces(str(tmp_path / "a.rec"))


def test_a_new_index_is_a_new_set(tmp_path):
    chunks = [chunk(record(encoded(noise(i)))) for i in range(3)]
    (tmp_path / "a.rec").write_bytes(b"".join(chunks))
    before = open_faces(str(tmp_path / "a.rec")).fingerprint
    begins = [0, len(chunks[0]), len(chunks[0]) + len(chunks[1])]
    (tmp_path / "a.idx").write_text("".join(f"{i}\t{begin}\n" for i, begin in enumerate(reversed(begins))))
    assert open_faces(str(tmp_path / "a.rec")).fingerprint != before


def test_pack_writes_both_files_or_none(faces_folder, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").touch()
    done = CliRunner().invoke(cli.program, ["faces", "pack", str(tmp_path / "broken"), str(tmp_path / "a.rec")])
    assert isinstance(done.exception, MxganError) and not list(tmp_path.glob("*.rec")) + list(tmp_path.glob("*.idx"))
    done = CliRunner().invoke(
        cli.program, ["faces", "pack", str(faces_folder), str(tmp_path / "a.rec"), "--size", "32"]
    )
    assert done.exit_code == 0 and done.output.splitlines()[-1] == str(tmp_path / "a.rec")
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["a.idx", "a.rec"]
    assert open_faces(str(tmp_path / "a.rec"), 32).fingerprint == open_faces(str(faces_folder), 32).fingerprint
