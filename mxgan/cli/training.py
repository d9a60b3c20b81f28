"""train, the runs there are, and the two proofs: compare and bench."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Optional

import click

from mxgan import config, processes
from mxgan.cli.help import CHOICES, Command, by_recipe, described, examples, recipes
from mxgan.cli.options import (
    DEFAULTS,
    PATH,
    PATH_TEXT,
    given,
    machine_options,
    model_options,
    print_json,
    verbose_option,
)
from mxgan.errors import MxganError
from mxgan.run_names import RUNS

COMPARED = "gluon-tutorial"  # compare's recipe by default

MODEL = "Model options", ("ngf", "ndf", "latent", "init", "weights", "fit")
QUALITY = (
    "Quality options",
    (
        "batch_size", "lr_g", "lr_d", "loss", "label_smoothing", "spectral_norm", "augment", "flip", "ema",
        "ema_rampup", "finish", "evaluate_every",
    ),
)  # fmt: skip
MACHINE = (
    "Machine options",
    (
        "engine", "ctx", "threads", "seed", "precision", "deterministic", "sync_batchnorm", "plain",
        "checkpoint_minutes", "verbose",
    ),
)  # fmt: skip

data_option = click.option(
    "--data",
    type=PATH_TEXT,
    default=DEFAULTS.data,
    show_default=True,
    metavar=CHOICES["data"],
    help="The faces to learn from.",
)


@described(
    groups=(
        (
            "Daily options",
            ("data", "unique", "out", "run", "recipe", "epochs", "steps", "size", "tensorboard", "dry_run"),
        ),
        MODEL,
        QUALITY,
        MACHINE,
    ),
    notes=(recipes(DEFAULTS.recipe),),
)
@click.command(
    cls=Command,
    short_help="Train on a folder of faces, or on painted ones.",
    epilog=examples(
        "mxgan train                                  # on 6,000 painted faces",
        "mxgan train --data photos/ --out runs/faces  # your own pictures",
        "mxgan train --resume last --epochs 20        # go on with the newest run",
        "mxgan train --data photos/ --dry-run         # check all, begin nothing",
    ),
)
@data_option
@click.option("--epochs", type=int, metavar="N", help=f"Passes over the data.  {by_recipe('epochs', DEFAULTS.recipe)}")
@click.option("--steps", type=int, metavar="N", help="Updates of each network, instead of --epochs.")
@model_options(DEFAULTS.recipe)
@machine_options("engine")
@click.option("--unique", is_flag=True, help="Leave out duplicates and near duplicates among the faces.")
@click.option("--out", type=PATH_TEXT, metavar="FOLDER", help="The run directory.  [default: a new one under runs/]")
@click.option("--weights", type=PATH_TEXT, metavar="FILE|RUN", help="Start netG from these weights.")
@click.option(
    "--plain", is_flag=True, help="Compute each step as the tutorial writes it: slower, and the same but for rounding."
)
@click.option(
    "--precision",
    default=DEFAULTS.precision,
    metavar=CHOICES["precision"],
    help="Of convolutions; bfloat16 is PyTorch's alone.  [default: tf32 on a GPU, float32 on the CPU]",
)
@click.option(
    "--sync-batchnorm", is_flag=True, help="Under torchrun: BatchNorm counts the faces of all processes as one batch."
)
@click.option("--deterministic", is_flag=True, help="PyTorch on a GPU: the same bits in every run, as on the CPU.")
@click.option(
    "--checkpoint-minutes",
    type=float,
    default=f"{DEFAULTS.checkpoint_minutes:g}",
    show_default=True,
    metavar="MINUTES",
    help="The longest time between two checkpoints; each epoch makes one anyway.",
)
@click.option(
    "--evaluate-every",
    type=int,
    default=DEFAULTS.evaluate_every,
    show_default=True,
    metavar="STEPS",
    help="Score the pictures at the first end of an epoch after this many steps; 0: never. 100 costs 3% on a CPU.",
)
@click.option(
    "--tensorboard/--no-tensorboard",
    default=DEFAULTS.tensorboard,
    help="Write the numbers and samples for TensorBoard too (extra: tensorboard).",
)
@click.option("--resume", "run", type=PATH, metavar="RUN", help="Continue this run, bit for bit; last: the newest.")
@click.option("--dry-run", is_flag=True, help="Check everything, print what the run would be as JSON, write nothing.")
@verbose_option
def train(dry_run: bool, verbose: bool, run: Path | None, **options: Any) -> None:
    """Train a generator of faces: on a folder of pictures, or on faces that mxgan paints.

    Ctrl-C saves the run, and --resume goes on with it. The run directory's path is the one line on stdout.

    A resumed run keeps its settings. With --resume you may change --epochs or --steps, --finish, --checkpoint-minutes,
    --evaluate-every, --tensorboard, and --data where the same faces have moved. You may also change --engine, --ctx or
    --threads, but the run is then no longer bit-exact; the same holds for the length or the finish once the finish has
    begun. Any other change makes another run and is refused.
    """
    wanted = config.TrainConfig(**options)
    changes = {name: getattr(wanted, name) for name in options if given(name)}
    from mxgan import engines, training
    from mxgan.training import dry_run as dry
    from mxgan.training.advice import shell

    if verbose and run is None:  # a resumed run keeps its engine and ctx
        click.echo(engines.choose_trainer(wanted).line(verbose=True), err=True)
    if dry_run:
        values, notes = dry.of_train(wanted) if run is None else dry.of_resume(run, changes)
        for note in notes:
            click.echo(note, err=True)
        print_json(values)
        return
    ended = training.begin(wanted, shell()) if run is None else training.go_on(run, changes, shell())
    if processes.here().first:
        click.echo(ended.path)
    if ended.stopped_by:
        sys.exit(128 + ended.stopped_by)


@described(usages=("[OPTIONS] [FOLDER]", "[OPTIONS] show RUN"))
@click.command(
    cls=Command,
    short_help="List your runs: how far they got, how good they are.",
    epilog=examples(
        "mxgan runs              # those under runs/, the newest first",
        "mxgan runs elsewhere/",
        "mxgan runs show last    # one of them in detail",
        "mxgan runs show last --csv > log.csv",
    ),
)
@click.argument("folder", type=PATH, default=RUNS, required=False)
@click.argument("run", type=PATH, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--csv", "as_csv", is_flag=True, help="Of show: the log, a row for each step.")
def runs(folder: Path, run: Path | None, as_json: bool, as_csv: bool) -> None:
    """List the training runs in a folder, or show one of them in detail.

    The list has each run's recipe, engine, steps, best score (lower is better), age and state. RUN is a name of the
    list, a path, or last.

    Columns of --csv: step, epoch, loss_d, loss_g, score_real, score_fake, images_per_s, seconds, variety, score,
    warning.

    JSON keys: runs, a list of path, recipe, engine, step, steps, best (step, score; or null), age_s, state (running,
    finished, stopped, failed, damaged) and why; of `show`: these and config, checkpoints, last, scores, warnings.
    """
    from mxgan.training import runs as table

    if as_csv and as_json:
        raise MxganError("--csv and --json: give one of them")
    if as_csv and str(folder) == "show" and run is not None:
        click.echo(table.csv_text(run), nl=False)
        return
    if str(folder) == "show" and run is not None:
        summary = table.show(run)
        print_json(summary) if as_json else click.echo("\n".join(table.show_lines(summary)))
        return
    if run is not None:
        raise MxganError(f"runs {folder} {run}: give one folder, or `runs show RUN`")
    if str(folder) == "show" and not folder.exists():
        raise MxganError("runs show: which run? `mxgan runs` lists them; then `mxgan runs show RUN`")
    if as_csv:
        raise MxganError("--csv: it is one run's log; give `runs show RUN --csv`")
    none_yet = folder == RUNS and not folder.exists()
    summaries = [] if none_yet else table.find(folder)
    print_json({"runs": summaries}) if as_json else click.echo("\n".join(table.lines(summaries, folder)))


@described(
    groups=(
        ("Daily options", ("data", "recipe", "steps", "processes", "size", "out")),
        MODEL,
        QUALITY,
        MACHINE,
    ),
    notes=(recipes(COMPARED),),
)
@click.command(
    cls=Command,
    short_help="Prove that MXNet and PyTorch train the same model.",
    epilog=examples(
        "mxgan compare --steps 3 --out report/",
        "mxgan compare --recipe mxgan --data photos/ --steps 300 --out report/",
    ),
)
@data_option
@click.option("--ctx", default="cpu", show_default=True, metavar="cpu|gpu|gpu:N", help="Where both engines compute.")
@click.option(
    "--steps", type=int, default=30, show_default=True, metavar="N", help="Steps of the training at full size."
)
@click.option(
    "--processes",
    type=click.IntRange(2, 16),
    metavar="N",
    help="Prove also that N processes of PyTorch, with --sync-batchnorm, are one.",
)
@model_options(COMPARED)
@click.option(
    "--out", type=PATH_TEXT, default="report", show_default=True, metavar="FOLDER", help="A new folder for the report."
)
def compare(out: str, processes: Optional[int], **options: Any) -> None:
    """Prove that MXNet and PyTorch train the same model, and show what each costs.

    Both start from the same weights and see the same faces and the same random numbers. The report has proof, pictures,
    speed and memory: report.html (everything, pictures inline), report.json and the PNGs. The path of report.html is
    the one line on stdout. The exit status is 1 if the engines differ.

    JSON keys: passed, problems, config, faces, engines, machine, float64 (steps, ngf, ndf, batch_size, worst,
    deviations), float32 (inference, first_step, drift, control), speed and outcome (by engine); with --processes also
    processes (count, worst, deviations).
    """
    from mxgan.compare import compare as compare_engines

    found = compare_engines(config.TrainConfig(**options), out, lambda line: click.echo(line, err=True), processes)
    click.echo(found.path)
    if not found.passed:
        click.echo("\n".join(found.report["problems"][:20]), err=True)
        sys.exit(1)
    numbers = len(found.report["float64"]["deviations"])
    click.echo(f"the same model: all {numbers} numbers, and the pictures, are within their limits", err=True)
    if processes is not None:
        numbers = len(found.report["processes"]["deviations"])
        click.echo(f"the same run: all {numbers} numbers of {processes} processes are within their limits", err=True)


@click.command(
    cls=Command,
    short_help="Measure how fast mxgan is on this machine.",
    epilog=examples("mxgan bench", "mxgan bench --rounds 3 --json > bench.json"),
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    metavar="N",
    help="Measurements of each job.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    metavar="N",
    help="Faces a step; each job is timed with twice as many too.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="To compute with, mxgan and its rivals alike.  [default: the cores this process may use]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench(rounds: int, batch_size: int, threads: int | None, as_json: bool) -> None:
    """Measure how fast mxgan is on this machine, against the loops people would otherwise run.

    It takes 4 to 8 minutes on two cores. Each job has a process of its own, warmed up. They take turns, and medians are
    compared. The loops to compare with come with mxgan (`mxgan.bench.peers`); MXNet, PyTorch and ONNX Runtime must be
    installed for every row.

    JSON keys: date, minutes, machine, load (load_before, others_before, others, stolen, busy), threads, rounds,
    versions, gemm (gflops, by, all), rows (work, against, unit, target, value, low, high, met, note; of comparisons by,
    ours_s, theirs_s, by_processor_time) and seconds, each job's by round.
    """
    from mxgan import bench as benchmark

    report = benchmark.run(rounds, batch_size, threads, lambda line: click.echo(line, err=True))
    print_json(report) if as_json else click.echo("\n".join(benchmark.lines(report)))
