"""Pictures that move: a run's samples, and walks through latents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mxgan.cli.generators import LABELLED, MACHINE, generator_options, opened
from mxgan.cli.help import Command, described, examples
from mxgan.cli.options import DESCRIBED, PATH, noting
from mxgan.errors import MxganError

FPS = 25.0
out_help = "What it is called: .mp4, .webm or .avi (extra: video), or .gif."


@click.command(
    cls=Command,
    short_help="Show a run's training as a video.",
    epilog=examples(
        "mxgan video last                              # training.mp4",
        "mxgan video faces --out training.gif          # needs no extra",
        "mxgan video faces --seconds 5 --hold-last 1",
    ),
)
@click.argument("run", type=PATH, required=False)
@click.option("--out", type=PATH, default=Path("training.mp4"), show_default=True, metavar="FILE", help=out_help)
@click.option(
    "--seconds",
    type=float,
    metavar="S",
    help="How long all samples take.  [default: 0.4 each, 20 at most]",
)
@click.option("--fps", type=float, default=FPS, show_default=True, metavar="N", help="Frames a second.")
@click.option(
    "--hold-last",
    type=float,
    default=2.0,
    show_default=True,
    metavar="S",
    help="How many seconds longer the last one stays.",
)
def video(run: Path | None, out: Path, seconds: float | None, fps: float, hold_last: float) -> None:
    """Show how a run's faces came about: its samples after each epoch, as a video.

    All samples are made from the same latents. Their epoch and step stand in the corner. RUN is a name that `mxgan
    runs` prints, a path, or last. .mp4 and .webm play in browsers; .avi is what the PyTorch notebooks write. Only a
    .gif repeats itself.
    """
    from mxgan.training import film, run_dir

    if run is None:
        raise MxganError("video: of which run? `mxgan runs` lists them; then `mxgan video RUN`")
    with noting(out):
        made = film.of_run(run_dir.existing(run), out, seconds, fps, hold_last)
    _tell(made.note)
    click.echo(out)


@described(
    groups=(
        ("Daily options", ("weights", "seed", "to", "loop", "walks", "n", "fps", "truncation", "out")),
        LABELLED,
        DESCRIBED,
        MACHINE,
    )
)
@click.command(
    cls=Command,
    short_help="Walk from face to face, as a video.",
    epilog=examples(
        "mxgan walk --out walk.gif                 # needs no extra",
        "mxgan walk --seed 0 --to 7 --to 3 --loop  # there, on, and back",
        "mxgan walk --weights last --walks 1 --n 100 --out walk.webm",
    ),
)
@generator_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Where it begins.")
@click.option(
    "--to",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="SEED",
    help="Where it goes; may be given again, to go on.  [default: the next seed]",
)
@click.option("--loop", is_flag=True, help="Go back to where it began.")
@click.option(
    "--walks",
    type=click.IntRange(1, 1024),
    default=16,
    show_default=True,
    metavar="N",
    help="Walks side by side: of each seed's first N pictures.",
)
@click.option(
    "--n", type=click.IntRange(2, 100_000), default=240, show_default=True, metavar="N", help="How many frames."
)
@click.option("--fps", type=float, default=FPS, show_default=True, metavar="N", help="Frames a second.")
@click.option("--out", type=PATH, default=Path("walk.mp4"), show_default=True, metavar="FILE", help=out_help)
def walk(
    weights: Path,
    seed: int,
    to: tuple[int, ...],
    loop: bool,
    walks: int,
    n: int,
    fps: float,
    truncation: float,
    out: Path,
    label: int | None,
    by_label: bool,
    **options: Any,
) -> None:
    """Walk through the latents of a generator, from face to face, as a video.

    The first frame is what `mxgan generate --n 16` shows of --seed, and the last what it shows of the last --to. The
    way between two latents is a great circle, in even steps. With --loop the video can be repeated without a jump.
    """
    from mxgan import plots, sampling, saving
    from mxgan import video as videos

    videos.check(out, fps)
    generator, told = opened(weights, n * walks, **options)
    labels, columns = sampling.labelled(generator, walks, label, by_label)
    frames = generator.frames((seed, *(to or (seed + 1,))), n, walks, loop, labels, truncation)
    with noting(out), saving.bar(n, True, " frames") as bar:
        pictures = (bar.update() or plots.grid(images, columns) for images in frames)
        made = videos.save_video(out, pictures, fps)
    for line in (*told, made.note):
        _tell(line)
    click.echo(out)


def _tell(line: str) -> None:
    if line:
        click.echo(line, err=True)
