"""The command line: each command's options, then one call."""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import click

from mxgan import __version__, config
from mxgan.errors import MxganError, TrainingError

PATH = click.Path(path_type=Path)
DEFAULTS = config.TrainConfig()


class Program(click.Group):
    """No command, or options first, means ``train``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["train", *args]
        return super().parse_args(ctx, args)


def recipe_options(command: Callable) -> Callable:
    """What a recipe fixes of the training, each to be given otherwise; options of both `train` and `compare`."""
    options = (
        click.option("--init", help="How weights start: normal, uniform, or smooth (netG's kernels change slowly)."),
        click.option("--lr-g", type=float, help="Adam's learning rate of netG."),
        click.option("--lr-d", type=float, help="Adam's learning rate of netD."),
        click.option("--loss", help="bce or hinge."),
        click.option("--label-smoothing", type=float, help="Real faces' label is 1 minus this; bce alone."),
        click.option("--spectral-norm/--no-spectral-norm", default=None, help="Of netD's convolutions."),
        click.option("--augment", callback=_none_is_empty, help="color,translation,cutout: any of these, or none."),
        click.option("--flip/--no-flip", default=None, help="Mirror every second real face, by chance."),
        click.option("--ema", type=float, help="netG's moving average: half-life in images; 0: none."),
        click.option("--ema-rampup", type=float, help="The half-life is at most this share of the images seen."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _none_is_empty(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return "" if value == "none" else value


def _versions(ctx: click.Context, option: click.Option, wanted: bool) -> None:
    if wanted:
        from mxgan.engines import versions

        click.echo("\n".join([f"mxgan {__version__}", *versions()]))
        ctx.exit()


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="No command means train: `python run_gan.py --ctx gpu` trains on a GPU.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_versions, help="Versions.")
def program() -> None:
    """The DCGAN of the MXNet Gluon tutorial, alive again: train it, generate from it, take its weights anywhere.

    Exit status: 0 done; 1 a comparison found a difference; 2 the input was wrong (one line says what and how to mend
    it); 3 the run went wrong; 130 or 143 stopped by Ctrl-C or SIGTERM after saving.
    """


@program.command()
@click.option("--data", default=DEFAULTS.data, show_default=True, help="painted[:N], a folder, or a packed file.")
@click.option("--recipe", default=DEFAULTS.recipe, show_default=True, help=f"One of {', '.join(config.RECIPES)}.")
@click.option("--engine", default="auto", show_default=True, help=f"One of {', '.join(config.ENGINES)}.")
@click.option("--ctx", default="auto", show_default=True, help="auto, cpu, gpu or gpu:N.")
@click.option("--epochs", type=int, help="Passes over the data.  [default: the recipe's]")
@click.option("--steps", type=int, help="Updates of each network, instead of --epochs.")
@click.option("--batch-size", type=int, help="Faces a step.  [default: the recipe's]")
@click.option("--size", type=int, default=DEFAULTS.size, show_default=True, help="Pixels on a side: 32, 64 or 128.")
@click.option("--ngf", type=int, help="Width of netG.  [default: the recipe's]")
@click.option("--ndf", type=int, help="Width of netD.  [default: the recipe's]")
@click.option("--latent", type=int, help="Numbers in a latent.  [default: the recipe's]")
@recipe_options
@click.option("--fit", default=DEFAULTS.fit, show_default=True, help="crop the middle, or squash to a square.")
@click.option("--threads", type=int, help="Threads to compute with.  [default: the cores this process may use]")
@click.option("--seed", type=int, default=DEFAULTS.seed, show_default=True, help="Decides every random number.")
@click.option("--out", help="The run directory.  [default: a new one under runs/]")
@click.option("--weights", help="Start netG from this file.")
@click.option("--plain", is_flag=True, help="Compute each step as the tutorial's loop is written: slower, the same.")
@click.option(
    "--precision",
    default=DEFAULTS.precision,
    show_default=True,
    help="PyTorch's convolutions in training: float32, tf32 (on a GPU) or bfloat16.",
)
@click.option("--deterministic", is_flag=True, help="PyTorch on a GPU: the same bits in every run. The CPU always is.")
@click.option(
    "--checkpoint-minutes",
    type=float,
    default=DEFAULTS.checkpoint_minutes,
    show_default=True,
    help="At most so long between two checkpoints; each epoch makes one anyway.",
)
@click.option(
    "--evaluate-every",
    type=int,
    default=DEFAULTS.evaluate_every,
    show_default=True,
    help="Score at the first end of an epoch from each multiple of so many steps; 100: 3% of a CPU's time; 0: never.",
)
@click.option("--resume", "run", type=PATH, help="Go on with the run in this folder, bit for bit.")
@click.option("--dry-run", is_flag=True, help="Print the resolved configuration as JSON and write nothing.")
def train(dry_run: bool, run: Path | None, **options: object) -> None:
    """Train on faces; the run directory's path is the one line on stdout.

    With --resume, epochs, steps, checkpoint-minutes and evaluate-every may be given anew, and engine, ctx and threads,
    which end the exactness; any other change is another run.
    """
    wanted = config.TrainConfig(**options)
    changes = {name: value for name, value in options.items() if _given(name)}
    if dry_run:
        from mxgan.training import resuming

        wanted = config.resolve(wanted) if run is None else resuming.changed(config.load(run / "config.json"), changes)
        _print_json(config.to_json(wanted))
        return
    from mxgan import training

    ended = training.train(wanted) if run is None else training.resume(run, changes)
    click.echo(ended.path)
    if ended.stopped_by:
        sys.exit(128 + ended.stopped_by)


@program.command()
@click.argument("folder", type=PATH, default=Path("runs"), required=False)
@click.argument("run", type=PATH, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def runs(folder: Path, run: Path | None, as_json: bool) -> None:
    """A table of the runs in FOLDER: recipe, engine, step, best score, age, state. `mxgan runs show RUN`: one run.

    JSON keys: runs, a list of path, recipe, engine, step, steps, best (step, score; or null), age_s, state (running,
    finished, stopped, failed) and why; of `show`: these and config, checkpoints, last, scores, warnings.
    """
    from mxgan.training import runs as table

    if str(folder) == "show" and run is not None:
        summary = table.show(run)
        _print_json(summary) if as_json else click.echo("\n".join(table.show_lines(summary)))
        return
    if run is not None:
        raise MxganError(f"runs {folder} {run}: give one folder, or `runs show RUN`")
    summaries = table.find(folder)
    _print_json({"runs": summaries}) if as_json else click.echo("\n".join(table.lines(summaries, folder)))


@program.command()
@click.option("--weights", type=PATH, required=True, help="A weights file of any kind, or a run directory.")
@click.option("--n", type=click.IntRange(min=1), default=64, show_default=True, help="How many pictures.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides the latents.")
@click.option("--engine", default="auto", show_default=True, help="auto, mxnet, pytorch or onnx.")
@click.option("--ctx", default="auto", show_default=True, help="auto, cpu, gpu or gpu:N.")
@click.option("--out", type=PATH, default=Path("generated.png"), show_default=True, help="The grid of all pictures.")
@click.option("--each", type=PATH, help="A folder for every picture as a file of its own.")
@click.option("--allow-nonfinite", is_flag=True, help="Generate even if weights are NaN or infinite.")
def generate(
    weights: Path, n: int, seed: int, engine: str, ctx: str, out: Path, each: Path | None, allow_nonfinite: bool
) -> None:
    """Pictures from published or freshly trained weights: the same seed gives the same bytes."""
    from mxgan import sampling

    generator = sampling.load_generator(weights, engine, ctx, allow_nonfinite)
    sampling.save(generator, n, seed, out, each)
    click.echo(generator.why, err=True)
    click.echo(out)


@program.command()
@click.option("--weights", type=PATH, help="A weights file of any kind, or a run directory.")
@click.option("--run", type=PATH, help="A run directory, instead of --weights.")
@click.option("--data", help="painted[:N], a folder, or a packed file.  [default: what the run was trained on]")
@click.option("--n", type=click.IntRange(min=1), default=4000, show_default=True, help="Faces of each kind.")
@click.option("--metrics", default="fd,kid,swd,prdc,msssim", show_default=True, help="Which numbers.")
@click.option(
    "--extractor", default="efficientnet-lite0", show_default=True, help="Of features; or inception, as in FID and KID."
)
@click.option("--input-size", type=int, help="Pixels on a side that the extractor sees.  [default: 128]")
@click.option("--inception-weights", help="A file with inception's weights, for a machine without internet.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides every choice.")
@click.option("--engine", default="auto", show_default=True, help="auto, mxnet, pytorch or onnx.")
@click.option("--ctx", default="auto", show_default=True, help="auto, cpu, gpu or gpu:N.")
@click.option("--nearest", type=PATH, help="A PNG to write: generated faces beside the real ones they are nearest to.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(
    weights: Path | None, run: Path | None, metrics: str, nearest: Path | None, as_json: bool, **options: object
) -> None:
    """How good the generated faces are, in numbers, each beside its floor: the same number of real faces.

    JSON keys: weights, engine, protocol (data, fingerprint, size, fit, n_real, n_fake, n_floor, seed, extractor,
    input_size, resize), scores, warnings and seconds. Scores, each with value, floor and better (lower, higher, floor):
    fd, kid_e3 (× 1e3), swd and swd_64, swd_32, ... by level (× 1e3), precision, recall, density, coverage, msssim.
    """
    from mxgan.metrics import scoring

    if (weights is None) == (run is None):
        raise MxganError("give one of --weights FILE and --run RUN")
    if run is not None and not (run / "config.json").exists():
        raise MxganError(f"--run {run}: no run directory; a weights file is given with --weights")
    names = metrics.split(",")
    report = scoring.evaluate(
        weights or run, metrics=names, picture=nearest, say=lambda line: click.echo(line, err=True), **options
    )
    _print_json(report.to_json()) if as_json else click.echo("\n".join(report.lines()))


@program.command()
@click.option("--data", default=DEFAULTS.data, show_default=True, help="painted[:N], a folder, or a packed file.")
@click.option("--recipe", default="gluon-tutorial", show_default=True, help=f"One of {', '.join(config.RECIPES)}.")
@click.option("--ctx", default="cpu", show_default=True, help="cpu, gpu or gpu:N, for both engines.")
@click.option("--steps", type=int, default=30, show_default=True, help="Of the training at full size.")
@click.option("--batch-size", type=int, help="Faces a step.  [default: the recipe's]")
@click.option("--size", type=int, default=DEFAULTS.size, show_default=True, help="Pixels on a side: 32, 64 or 128.")
@click.option("--ngf", type=int, help="Width of netG.  [default: the recipe's]")
@click.option("--ndf", type=int, help="Width of netD.  [default: the recipe's]")
@click.option("--latent", type=int, help="Numbers in a latent.  [default: the recipe's]")
@recipe_options
@click.option("--fit", default=DEFAULTS.fit, show_default=True, help="crop the middle, or squash to a square.")
@click.option("--threads", type=int, help="Threads to compute with.  [default: the cores this process may use]")
@click.option("--seed", type=int, default=DEFAULTS.seed, show_default=True, help="Decides every random number.")
@click.option("--out", default="report", show_default=True, help="A new folder for the report.")
def compare(out: str, **options: object) -> None:
    """MXNet and PyTorch side by side, from the same weights, batches and latents: are they one model?

    Writes report.html (everything, pictures inline), report.json and the PNGs; the path of report.html is the one line
    on stdout. Exit status 1 where they are not the same. JSON keys: passed, problems, config, faces, engines, machine,
    float64 (steps, ngf, ndf, batch_size, worst, deviations), float32 (inference, first_step, drift, control), speed and
    outcome (by engine).
    """
    from mxgan.compare import compare as compare_engines

    found = compare_engines(config.TrainConfig(**options), out, lambda line: click.echo(line, err=True))
    click.echo(found.path)
    if not found.passed:
        click.echo("\n".join(found.report["problems"][:20]), err=True)
        sys.exit(1)


@program.group()
def weights() -> None:
    """Look into weights files of any era and framework, and convert them."""


@weights.command()
@click.argument("file", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def inspect(file: Path, as_json: bool) -> None:
    """What is in a weights file: its era, its names, each array, what net it is and what it can be used for.

    JSON keys: file, bytes, container, era, scheme, arrays (name, canonical, net, shape, dtype, finite, min, mean, max),
    net (kind, latent, width, channels, image_size, bias, first_norm) or null, nets, usable_for, warnings.
    """
    from mxgan.weights import inspect as inspecting

    report = inspecting.inspect(file)
    _print_json(report) if as_json else click.echo("\n".join(inspecting.lines(report)))


@weights.command()
@click.argument("src", type=PATH)
@click.argument("dst", type=PATH)
@click.option("--names", default="canonical", show_default=True, help="canonical (0.weight, ...), or keep the file's.")
@click.option(
    "--layout", default="plain", show_default=True, help="Of a .pth: plain (0.weight) or main (main.0.weight)."
)
@click.option("--dtype", help="float16, float32 or float64.  [default: as in the file]")
@click.option("--kind", help="Of a file with both networks: generator or discriminator.")
def convert(src: Path, dst: Path, names: str, layout: str, dtype: str | None, kind: str | None) -> None:
    """Write SRC's weights to DST in the format of its suffix: .params .npz .safetensors .pth .onnx."""
    from mxgan.weights.convert import convert as convert_weights

    done = convert_weights(src, dst, names, layout, dtype, kind)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(done.path)


@program.group()
def faces() -> None:
    """Look at a folder of faces before training on it."""


@faces.command()
@click.argument("folder", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(folder: Path, as_json: bool) -> None:
    """Which images are bad or duplicates, and why. JSON keys: folder, files, usable, skipped, duplicates."""
    from mxgan.faces.check import check as check_faces

    report = check_faces(folder)
    if as_json:
        _print_json(report.to_json())
    else:
        click.echo("\n".join(report.lines()))


@faces.command()
@click.argument("folder", type=PATH)
@click.argument("file", type=PATH)
@click.option("--size", type=int, default=DEFAULTS.size, show_default=True, help="Pixels on a side: 32, 64 or 128.")
@click.option("--fit", default=DEFAULTS.fit, show_default=True, help="crop the middle, or squash to a square.")
def pack(folder: Path, file: Path, size: int, fit: str) -> None:
    """Pack a folder's faces into one file that --data takes (a .npy of uint8 images)."""
    from mxgan.faces.cache import pack as pack_faces

    config.TrainConfig(size=size, fit=fit)  # what train would refuse needn't be packed
    click.echo(pack_faces(folder, file, size, fit))


@program.command()
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True, help="Measurements of each.")
@click.option("--batch-size", type=click.IntRange(min=1), default=64, show_default=True, help="And twice as many.")
@click.option("--threads", type=click.IntRange(min=1), help="Of both sides.  [default: the cores this process may use]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench(rounds: int, batch_size: int, threads: int | None, as_json: bool) -> None:
    """How fast, against the loops people would otherwise run, measured here and now; about 8 minutes on two cores.

    Each job has a process of its own, warmed up; they take turns, and medians are compared. The other loops are in
    benchmarks/, so a checkout is needed.

    JSON keys: date, minutes, machine, load (load_before, others_before, others, stolen, busy), threads, rounds,
    versions, gemm (gflops, by, all), rows (work, against, unit, target, value, low, high, met, note; of comparisons by,
    ours_s, theirs_s, by_processor_time) and seconds, each job's by round.
    """
    from mxgan import bench as benchmark

    report = benchmark.run(rounds, batch_size, threads, lambda line: click.echo(line, err=True))
    _print_json(report) if as_json else click.echo("\n".join(benchmark.lines(report)))


def main(args: list[str] | None = None) -> None:
    """Run the program and exit; a wrong input becomes one line on stderr and exit status 2."""
    warnings.showwarning = _warn
    if sys.stderr is None:  # closed by the caller: there is nobody to tell
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        sys.exit(program.main(args, prog_name="mxgan", standalone_mode=False) or 0)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except TrainingError as error:
        _fail(str(error), 3)
    except (MxganError, ImportError) as error:
        _fail(str(error), 2)
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped", 128 + signal.SIGINT)
    except MemoryError:
        _fail("out of memory: a smaller --batch-size, --size, --ngf or --ndf needs less", 2)
    except BrokenPipeError:  # the reader of stdout has gone: nothing left to say
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # a name too long, a folder that may not be looked into, a full disk
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 2)


def _given(name: str) -> bool:
    """Did the user write this option, or is it a default?"""
    return click.get_current_context().get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def _warn(message: Warning | str, *where: object) -> None:
    """A warning is one line too, without the place in the code."""
    click.echo(f"mxgan: warning: {' '.join(str(message).split())}", err=True)


def _fail(message: str, status: int) -> None:
    click.echo(f"mxgan: error: {' '.join(message.split())}", err=True)
    sys.exit(status)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2))
