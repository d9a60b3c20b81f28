"""Pictures from weights, and how good they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mxgan import run_names
from mxgan.cli.generators import LABELLED, MACHINE, generator_options, opened
from mxgan.cli.help import CHOICES, Command, described, examples
from mxgan.cli.options import (
    DESCRIBED,
    PATH,
    PATH_TEXT,
    SAID,
    given,
    machine_options,
    network_options,
    noting,
    print_json,
    verbose_option,
    wishes,
)
from mxgan.errors import MxganError

ROW = 8  # pictures of --interpolate


@described(
    groups=(
        ("Daily options", ("weights", "n", "seed", "truncation", "interpolate", "out", "each", "overwrite")),
        LABELLED,
        DESCRIBED,
        MACHINE,
    )
)
@click.command(
    cls=Command,
    short_help="Make pictures with a run, or with any weights file.",
    epilog=examples(
        "mxgan generate                 # 64 faces, by what comes with mxgan",
        "mxgan generate --weights last  # by your newest run",
        "mxgan generate --weights GAN_t2.params --out faces.png",
        "mxgan generate --weights last --n 1000 --seed 7 --each singles/",
        "mxgan generate --interpolate 0 7  # from one face to another",
    ),
)
@generator_options
@click.option(
    "--n",
    type=click.IntRange(min=1),
    default=64,
    show_default=f"64; {ROW} with --interpolate",
    metavar="N",
    help="How many pictures.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Which pictures.")
@click.option(
    "--interpolate",
    type=click.IntRange(min=0),
    nargs=2,
    metavar="SEED SEED",
    help="A row of pictures from one seed's first to another's, instead of --seed.",
)
@click.option(
    "--out",
    type=PATH,
    default=Path("generated.png"),
    show_default=True,
    metavar="FILE",
    help="A grid of the first 1,024 of them.",
)
@click.option("--each", type=PATH, metavar="FOLDER", help="A folder for every picture as a file of its own.")
@click.option("--overwrite", is_flag=True, help="Replace the pictures that an earlier generate left in --each.")
def generate(
    weights: Path,
    n: int,
    seed: int,
    truncation: float,
    interpolate: tuple[int, int] | None,
    out: Path,
    each: Path | None,
    overwrite: bool,
    label: int | None,
    by_label: bool,
    **options: Any,
) -> None:
    """Make pictures with a trained generator: your own run's, or one that somebody published.

    The same seed gives the same pictures, picture by picture. Any generator of convolutions opens: MXNet's with its
    symbol, PyTorch's state dicts, whole modules and TorchScript, ONNX. What a file doesn't say is assumed, and you are
    told what; the options from --activation on say it.
    """
    from mxgan import sampling, saving

    if interpolate and (given("seed") or by_label):
        raise MxganError(f"--interpolate: {'--seed' if given('seed') else '--labels'} beside it; give one of the two")
    n = ROW if interpolate and not given("n") else n
    generator, told = opened(weights, n, **options)
    with noting(out):
        if interpolate:
            labels, _ = sampling.labelled(generator, 1, label)
            saving.save_row(generator, interpolate, n, out, each, labels, overwrite, True, truncation)
        else:
            labels, columns = sampling.labelled(generator, n, label, by_label)
            saving.save(generator, n, seed, out, each, labels, columns, overwrite, True, truncation)
    for line in told:
        click.echo(line, err=True)
    if n > saving.GRID:
        rest = "--each FOLDER writes them all" if each is None else f"all are in {each}"
        click.echo(f"{out} shows the first {saving.GRID:,} of {n:,} pictures; {rest}", err=True)
    click.echo(out)


@described(
    groups=(
        ("Daily options", ("weights", "run", "data", "n", "metrics", "nearest", "as_json")),
        ("Protocol options", ("extractor", "input_size", "inception_weights", "seed")),
        DESCRIBED,
        MACHINE,
    )
)
@click.command(
    cls=Command,
    short_help="Measure how good generated faces are.",
    epilog=examples(
        "mxgan evaluate --run last --nearest near.png",
        "mxgan evaluate --weights GAN_t2.params --data photos/ --json",
    ),
)
@click.option("--weights", type=PATH, metavar="FILE|RUN", help="A weights file of any kind, or a run.")
@click.option("--run", type=PATH, metavar="RUN", help="A run, instead of --weights.")
@click.option(
    "--data",
    type=PATH_TEXT,
    metavar=CHOICES["data"],
    help="Real faces to compare with.  [default: what the run was trained on]",
)
@click.option(
    "--n", type=click.IntRange(min=1), default=4000, show_default=True, metavar="N", help="Faces of each kind."
)
@click.option("--metrics", default="fd,kid,swd,prdc,msssim", show_default=True, metavar="NAMES", help="Which numbers.")
@click.option(
    "--extractor",
    default="efficientnet-lite0",
    show_default=True,
    metavar="efficientnet-lite0|inception",
    help="The network whose features are compared; inception is that of FID and KID.",
)
@click.option("--input-size", type=int, metavar="N", help="Pixels on a side that the extractor sees.  [default: 128]")
@click.option(
    "--inception-weights", type=PATH_TEXT, metavar="FILE", help="Inception's weights, for a machine without internet."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Decides every choice."
)
@machine_options("generator")
@click.option(
    "--nearest",
    type=PATH,
    metavar="FILE",
    help="A PNG to write: generated faces beside the real ones they are nearest to.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@network_options
@verbose_option
def evaluate(
    weights: Path | None, run: Path | None, metrics: str, as_json: bool, verbose: bool, **options: Any
) -> None:
    """Measure how good generated faces are, against real ones.

    Each number stands beside its floor, which is the same number between two sets of real faces. Of a conditional
    generator, all labels are shown in turn.

    JSON keys: weights, engine, protocol (data, fingerprint, size, fit, n_real, n_fake, n_floor, seed, extractor,
    input_size, resize), scores, warnings and seconds. Scores, each with value, floor and better (lower, higher, floor):
    fd, kid_e3 (× 1e3), swd and swd_64, swd_32, ... by level (× 1e3), precision, recall, density, coverage, msssim.
    """
    from mxgan import engines
    from mxgan.metrics import scoring

    source = weights or run
    if source is None or (weights and run):
        raise MxganError("evaluate: give either --weights FILE or --run RUN")
    if run is not None and not run_names.is_run(run_names.meant(run)):
        hint = run_names.did_you_mean(run) or "; `mxgan runs` lists them, and a weights file goes to --weights"
        raise MxganError(f"--run {run}: there is no such run{hint}")
    said = {name: options.pop(name) for name in SAID}
    asked = scoring.EvalConfig(metrics=tuple(metrics.split(",")), wishes=wishes(said), **options)
    if verbose:
        click.echo(engines.choose_generator(asked.engine, asked.ctx).line(verbose=True), err=True)
    with noting(options["nearest"]):
        report = scoring.evaluate(source, asked, say=lambda line: click.echo(line, err=True))
    if as_json:
        print_json(report.to_json())
    else:
        click.echo("\n".join(report.lines()))
