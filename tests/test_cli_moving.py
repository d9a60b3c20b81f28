"""`mxgan video` and `mxgan walk` as they are typed."""

import warnings

import numpy as np
import pytest
import yuv
from PIL import Image
from processes import files_below, mxgan

from mxgan import load_generator, plots
from mxgan.cli import main


def near(shown: np.ndarray, picture: np.ndarray, mean: float) -> bool:
    return shown.shape == picture.shape and np.abs(shown.astype(int) - picture).mean() < mean


def frames(path) -> list[np.ndarray]:
    if path.suffix == ".gif":
        found = []
        with Image.open(path) as gif:
            for frame in range(gif.n_frames):
                gif.seek(frame)
                found.append(np.asarray(gif.convert("RGB")))
        return found
    av = pytest.importorskip("av")
    with av.open(str(path)) as file:
        return [yuv.rgb(frame, "ITU709") for frame in file.decode(video=0)]


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_walk_begins_and_ends_with_what_generate_shows(tmp_path, suffix):
    if suffix != ".gif":
        pytest.importorskip("av")
    done = mxgan("walk", "--seed", 2, "--to", 7, "--walks", 5, "--n", 4, "--out", f"out/walk{suffix}", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"out/walk{suffix}\n")
    assert done.stderr.endswith("; weights painted, which comes with mxgan\n")
    shown = frames(tmp_path / "out" / f"walk{suffix}")
    netG = load_generator("painted")
    assert len(shown) == 4
    assert near(shown[0], plots.grid(netG.sample(5, 2)), 6)
    assert near(shown[1], plots.grid(np.stack(next_frames(netG, 1))), 6)
    assert near(shown[3], plots.grid(netG.sample(5, 7)), 6)
    assert not near(shown[0], shown[3], 20)
    again = mxgan("walk", "--n", 2, "--walks", 1, "--out", f"out/walk{suffix}", cwd=tmp_path)
    assert f"note: replaced out/walk{suffix}, which was there" in again.stderr
    assert files_below(tmp_path) == ["out", f"out/walk{suffix}"]


def next_frames(netG, number) -> np.ndarray:
    return list(netG.frames([2, 7], 4, 5))[number]


def test_a_loop_through_several_seeds_with_truncation(tmp_path):
    given = ["--to", 3, "--to", 5, "--loop", "--n", 6, "--walks", 1, "--truncation", 0.5, "--fps", 50]
    done = mxgan("walk", *given, "--out", "walk.gif", cwd=tmp_path)
    assert done.returncode == 0
    shown = frames(tmp_path / "walk.gif")
    wanted = load_generator("painted").walk([0, 3, 5], 6, loop=True, truncation=0.5)
    assert len(shown) == 6
    assert all(near(one[2:-2, 2:-2], picture, 6) for one, picture in zip(shown, wanted))
    with Image.open(tmp_path / "walk.gif") as gif:
        assert gif.info["duration"] == 20


def test_pictures_of_odd_sides_are_named(tmp_path, mx):
    """A generator of 5×5 pixels: one convolution of an unusual size."""
    pytest.importorskip("av")
    import mxgan as package

    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.ConvTranspose2d(6, 3, 33, 1, 0), torch.nn.Tanh()).eval()
    torch.save(module, tmp_path / "netG.pth")
    done = mxgan("walk", "--weights", "netG.pth", "--walks", 1, "--n", 3, "--out", "walk.mp4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "37×37 pictures are 38×38 in the video, which wants even sides" in done.stderr
    picture = plots.grid(package.load_generator(tmp_path / "netG.pth").sample(1))
    assert near(frames(tmp_path / "walk.mp4")[0][:37, :37], picture, 12)


def test_a_runs_video(trained, tmp_path):
    done = mxgan("video", trained.path, "--out", "training.gif", "--seconds", 1, "--fps", 10, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "training.gif\n", "")
    shown = frames(tmp_path / "training.gif")
    assert len(shown) == 2
    for one, step in zip(shown, (3, 6)):
        sample = np.asarray(Image.open(trained.path / "samples" / f"{step:06d}.png"))
        assert near(one[:120], sample[:120], 8)  # above the words


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["video"], "video: of which run? `mxgan runs` lists them; then `mxgan video RUN`"),
        (["video", "nowhere"], "nowhere: there is no such folder; `mxgan runs` lists the runs under runs/"),
        (["video", "RUN", "--out", "a.mkv"], "--out a.mkv: give a name that ends in .mp4, .webm, .avi or .gif"),
        (
            ["video", "RUN", "--out", "a.gif", "--fps", "0"],
            "--fps 0: pictures a second: a number above 0, at most 240",
        ),
        (["video", "RUN", "--out", "a.gif", "--seconds", "-1"], "--seconds -1: a number above 0, at most 3600"),
        (["video", "RUN", "--out", "a.gif", "--hold-last", "x"], "--hold-last x: a number is wanted"),
        (["video", "RUN", "--out", "there.gif"], "--out there.gif: a folder is there; give a file's name"),
        (["walk", "--out", "there.gif"], "--out there.gif: a folder is there; give a file's name"),
        (["walk", "--out", "a"], "--out a: give a name that ends in .mp4, .webm, .avi or .gif"),
        (["walk", "--out", "a.gif", "--fps", "60"], "--fps 60: a GIF shows at most 50 pictures a second"),
        (["walk", "--out", "a.gif", "--n", "1"], "--n 1: a whole number from 2 to 100,000"),
        (["walk", "--out", "a.gif", "--truncation", "2"], "--truncation 2: a number above 0, at most 1"),
        (["walk", "--out", "a.gif", "--label", "2"], "--label and --labels: this generator isn't conditional"),
        (["walk", "--out", "a.gif", "--weights", "nope.params"], "nope.params"),
        (["walk", "last"], "walk last: did you mean --weights last?"),
    ],
)
def test_what_can_not_be_is_one_line_and_leaves_nothing(trained, tmp_path, monkeypatch, capsys, command, message):
    (tmp_path / "there.gif").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which main replaces
    with pytest.raises(SystemExit) as ended:
        main([str(trained.path) if word == "RUN" else word for word in command])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert len(said.splitlines()) == 1 and said.startswith(f"mxgan: error: {message}")
    assert files_below(tmp_path) == ["there.gif"]
