"""Parquet, as Hugging Face's datasets have it: every row's picture, in order, and one line for everything else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from processes import environment

from mxgan import MxganError
from mxgan.extras import install_line
from mxgan.faces import open_faces

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def rows(faces_folder):
    """The bytes of the 24 faces, in the order of their names."""
    return [path.read_bytes() for path in sorted(faces_folder.iterdir())]


def write(path, values, kind=None, name="image", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    column = pyarrow.array(values, kind or pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]))
    labels = pyarrow.array(range(len(values)), pyarrow.int64())
    parquet.write_table(pyarrow.table({"label": labels, name: column}), path, **options)


def images(rows):
    return [{"bytes": data, "path": None} for data in rows]


def test_a_dataset_folder_is_its_folder_of_pictures(rows, faces_folder, tmp_path):
    write(tmp_path / "set" / "data" / "train-00000-of-00002.parquet", images(rows[:10]), row_group_size=3)
    write(tmp_path / "set" / "data" / "train-00001-of-00002.parquet", images(rows[10:]))
    (tmp_path / "set" / "README.md").write_text("---\n---\n")
    faces = open_faces(str(tmp_path / "set"))
    assert len(faces.images) == 24 and faces.fingerprint == open_faces(str(faces_folder)).fingerprint
    one = open_faces(str(tmp_path / "set" / "data" / "train-00001-of-00002.parquet"))
    assert np.array_equal(one.images, faces.images[10:])


@pytest.mark.parametrize("kind", [pyarrow.binary(), pyarrow.large_binary()])
def test_a_column_of_bytes(rows, faces_folder, tmp_path, kind):
    write(tmp_path / "a.parquet", rows, kind, name="jpg")
    assert open_faces(str(tmp_path / "a.parquet")).fingerprint == open_faces(str(faces_folder)).fingerprint


def test_rows_without_a_picture_are_named_and_skipped(rows, tmp_path):
    values = [
        *images(rows[:2]),
        None,
        {"bytes": None, "path": "a.jpg"},
        {"bytes": b"", "path": None},
        {"bytes": b"hello"},
    ]
    write(tmp_path / "a.parquet", values)
    faces = open_faces(str(tmp_path / "a.parquet"))
    assert len(faces.images) == 2
    assert [(one.path, one.reason) for one in faces.skipped] == [
        ("a.parquet row 2", "holds no picture's bytes"),
        ("a.parquet row 3", "holds no picture's bytes"),
        ("a.parquet row 4", "is empty (0 bytes)"),
        ("a.parquet row 5", "is not a JPEG, PNG, WebP, BMP or GIF that can be read"),
    ]


def test_which_column_must_be_clear(rows, tmp_path):
    table = {"a": pyarrow.array(rows), "b": pyarrow.array(rows), "n": pyarrow.array(range(24))}
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table(table), path)
    with pytest.raises(MxganError, match=r"2 columns of bytes and none is called image or .* \(columns: a, b, n\)"):
        open_faces(str(path))
    parquet.write_table(pyarrow.table({**table, "img": pyarrow.array(rows)}), path)
    assert len(open_faces(str(path)).images) == 24
    parquet.write_table(pyarrow.table({"n": table["n"]}), path)
    with pytest.raises(MxganError, match=r"a.parquet: a column with the bytes of pictures is wanted; there is no such"):
        open_faces(str(path))
    write(path, [])
    with pytest.raises(MxganError, match=r"a.parquet: no row in it"):
        open_faces(str(path))


def test_damaged_files(rows, faces_folder, tmp_path):
    write(tmp_path / "a.parquet", images(rows), compression="zstd", row_group_size=8)
    whole = (tmp_path / "a.parquet").read_bytes()
    for data in (whole[:100], whole[:-4], b"PAR1" + bytes(50), whole[: len(whole) // 2] + whole[-4:]):
        (tmp_path / "b.parquet").write_bytes(data)
        with pytest.raises(MxganError, match=r"b.parquet: not a whole Parquet file") as error:
            open_faces(str(tmp_path / "b.parquet"))
        assert "\n" not in str(error.value)
    place = parquet.ParquetFile(tmp_path / "a.parquet").metadata.row_group(1).column(1)
    begin = place.dictionary_page_offset or place.data_page_offset
    (tmp_path / "c.parquet").write_bytes(whole[:begin] + bytes(60) + whole[begin + 60 :])
    faces = open_faces(str(tmp_path / "c.parquet"))
    assert len(faces.images) == 16 and np.array_equal(faces.images[8:], open_faces(str(faces_folder)).images[16:])
    assert [one.path for one in faces.skipped] == [f"c.parquet row {row}" for row in range(8, 16)]
    assert faces.skipped[0].reason.startswith("is in a damaged part of the file (")


def test_a_bomb(tmp_path):
    write(tmp_path / "a.parquet", images([bytes(50_000_000)] * 3), compression="zstd", use_dictionary=False)
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    with pytest.raises(MxganError, match=r"a.parquet: unpacks to 150.* bytes or more from .*: a bomb"):
        open_faces(str(tmp_path / "a.parquet"))


WITHOUT = """
import sys
sys.modules["pyarrow"] = None  # as if it weren't installed
from mxgan.cli import main
main(["faces", "check", sys.argv[1]])
"""


def test_without_pyarrow_the_line_says_what_to_type(tmp_path, rows):
    write(tmp_path / "set" / "a.parquet", images(rows))
    for data in (tmp_path / "set", tmp_path / "set" / "a.parquet"):
        command = [sys.executable, "-c", WITHOUT, str(data)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
        said = f"mxgan: error: {data}: reading Parquet needs pyarrow: {install_line('parquet')}\n"
        assert (done.returncode, done.stderr) == (2, said)
