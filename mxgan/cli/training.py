"""train, the runs there are, and the two proofs: compare and bench."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mxgan import config
from mxgan.cli.options import DEFAULTS, PATH, given, model_options, print_json, verbose_option
from mxgan.errors import MxganError

RUNS = Path("runs")  # where train makes its run directories


@click.command()
@click.option(
    "--data",
    default=DEFAULTS.data,
    show_default=True,
    help="painted[:N], a folder, .zip, .tar, .rec, .npz, .npy or Parquet.",
)
@click.option("--recipe", default=DEFAULTS.recipe, show_default=True, help=f"One of {', '.join(config.RECIPES)}.")
@click.option("--engine", default="auto", show_default=True, help=f"One of {', '.join(config.ENGINES)}.")
@click.option("--ctx", default="auto", show_default=True, help="auto, cpu, gpu or gpu:N.")
@click.option("--epochs", type=int, help="Passes over the data.  [default: the recipe's]")
@click.option("--steps", type=int, help="Updates of each network, instead of --epochs.")
@model_options
@click.option("--unique", is_flag=True, help="Leave out duplicates and near duplicates among the faces.")
@click.option("--out", help="The run directory.  [default: a new one under runs/]")
@click.option("--weights", help="Start netG from this file.")
@click.option(
    "--plain", is_flag=True, help="Compute each step as the tutorial writes it: slower, and the same but for rounding."
)
@click.option(
    "--precision",
    default=DEFAULTS.precision,
    show_default=True,
    help="PyTorch's convolutions in training: float32, tf32 (on a GPU) or bfloat16.",
)
@click.option("--deterministic", is_flag=True, help="PyTorch on a GPU: the same bits in every run, as on the CPU.")
@click.option(
    "--checkpoint-minutes",
    type=float,
    default=DEFAULTS.checkpoint_minutes,
    show_default=True,
    help="The longest time between two checkpoints; each epoch makes one anyway.",
)
@click.option(
    "--evaluate-every",
    type=int,
    default=DEFAULTS.evaluate_every,
    show_default=True,
    help="Score the pictures at the first end of an epoch after this many steps; 0: never. 100 costs 3% on a CPU.",
)
@click.option("--resume", "run", type=PATH, help="Continue the run in this folder, bit for bit.")
@click.option("--dry-run", is_flag=True, help="Print the resolved configuration as JSON and write nothing.")
@verbose_option
def train(dry_run: bool, verbose: bool, run: Path | None, **options: Any) -> None:
    """Train on faces. The run directory's path is the one line on stdout.

    A resumed run keeps its settings. With --resume you may change --epochs or --steps, --finish, --checkpoint-minutes,
    --evaluate-every, and --data where the same faces have moved. You may also change --engine, --ctx or --threads, but
    the run is then no longer bit-exact; the same holds for the length or the finish once the finish has begun. Any
    other change makes another run and is refused.
    """
    wanted = config.TrainConfig(**options)
    changes = {name: value for name, value in options.items() if given(name)}
    if dry_run:
        from mxgan.training import resuming

        wanted = wanted if run is None else resuming.changed(config.load(run / "config.json"), changes)
        print_json(config.to_json(wanted))
        return
    from mxgan import engines, training

    if verbose and run is None:  # a resumed run keeps its engine and ctx
        click.echo(engines.choose_trainer(wanted).line(verbose=True), err=True)
    ended = training.train(wanted) if run is None else training.resume(run, changes)
    click.echo(ended.path)
    if ended.stopped_by:
        sys.exit(128 + ended.stopped_by)


@click.command()
@click.argument("folder", type=PATH, default=RUNS, required=False)
@click.argument("run", type=PATH, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def runs(folder: Path, run: Path | None, as_json: bool) -> None:
    """List the runs in FOLDER: recipe, engine, step, best score, age, state. `mxgan runs show RUN` shows one run.

    JSON keys: runs, a list of path, recipe, engine, step, steps, best (step, score; or null), age_s, state (running,
    finished, stopped, failed) and why; of `show`: these and config, checkpoints, last, scores, warnings.
    """
    from mxgan.training import runs as table

    if str(folder) == "show" and run is not None:
        summary = table.show(run)
        print_json(summary) if as_json else click.echo("\n".join(table.show_lines(summary)))
        return
    if run is not None:
        raise MxganError(f"runs {folder} {run}: give one folder, or `runs show RUN`")
    if str(folder) == "show" and not folder.exists():
        raise MxganError("runs show: which run? `mxgan runs` lists them; then `mxgan runs show RUN`")
    none_yet = folder == RUNS and not folder.exists()
    summaries = [] if none_yet else table.find(folder)
    print_json({"runs": summaries}) if as_json else click.echo("\n".join(table.lines(summaries, folder)))


@click.command()
@click.option(
    "--data",
    default=DEFAULTS.data,
    show_default=True,
    help="painted[:N], a folder, .zip, .tar, .rec, .npz, .npy or Parquet.",
)
@click.option("--recipe", default="gluon-tutorial", show_default=True, help=f"One of {', '.join(config.RECIPES)}.")
@click.option("--ctx", default="cpu", show_default=True, help="cpu, gpu or gpu:N, for both engines.")
@click.option("--steps", type=int, default=30, show_default=True, help="Steps of the training at full size.")
@model_options
@click.option("--out", default="report", show_default=True, help="A new folder for the report.")
def compare(out: str, **options: Any) -> None:
    """Compare MXNet and PyTorch on the same weights, batches and latents: are they one model?

    Writes report.html (everything, pictures inline), report.json and the PNGs. The path of report.html is the one line
    on stdout. The exit status is 1 if the engines differ. JSON keys: passed, problems, config, faces, engines, machine,
    float64 (steps, ngf, ndf, batch_size, worst, deviations), float32 (inference, first_step, drift, control), speed and
    outcome (by engine).
    """
    from mxgan.compare import compare as compare_engines

    found = compare_engines(config.TrainConfig(**options), out, lambda line: click.echo(line, err=True))
    click.echo(found.path)
    if not found.passed:
        click.echo("\n".join(found.report["problems"][:20]), err=True)
        sys.exit(1)


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True, help="Measurements of each job.")
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=64, show_default=True, help="Faces a step, and twice as many."
)
@click.option(
    "--threads", type=click.IntRange(min=1), help="Of either side.  [default: the cores this process may use]"
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench(rounds: int, batch_size: int, threads: int | None, as_json: bool) -> None:
    """Measure how fast mxgan is here, against the loops people would otherwise run: 4 to 8 minutes on two cores.

    Each job has a process of its own, warmed up. They take turns, and medians are compared. The loops to compare with
    come with mxgan (`mxgan.bench.peers`); MXNet, PyTorch and ONNX Runtime must be installed for every row.

    JSON keys: date, minutes, machine, load (load_before, others_before, others, stolen, busy), threads, rounds,
    versions, gemm (gflops, by, all), rows (work, against, unit, target, value, low, high, met, note; of comparisons by,
    ours_s, theirs_s, by_processor_time) and seconds, each job's by round.
    """
    from mxgan import bench as benchmark

    report = benchmark.run(rounds, batch_size, threads, lambda line: click.echo(line, err=True))
    print_json(report) if as_json else click.echo("\n".join(benchmark.lines(report)))
