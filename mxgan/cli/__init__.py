"""The command line: each command's options, then one call."""

from __future__ import annotations

import os
import signal
import sys
import warnings

import click

from mxgan import __version__, processes
from mxgan.cli import faces, files, moving, page, pictures, training
from mxgan.cli.help import WithExamples, examples
from mxgan.cli.hints import Group, in_our_words
from mxgan.errors import MxganError, TrainingError, in_shell

INSTALLED = "Show mxgan's version, and which engines are installed."
SECTIONS = (  # of the program's help: what one does, and the commands for it
    ("Train", ("train", "runs", "runs show")),
    ("Generate and measure", ("generate", "walk", "video", "evaluate")),
    ("Weights files", ("weights inspect", "weights convert")),
    ("Sets of faces", ("faces check", "faces show", "faces pack", "faces crop", "faces download")),
    ("Pages", ("serve", "page")),
    ("Proofs", ("compare", "bench")),
)


class Program(WithExamples, Group):
    """No command, or options first, means ``train``."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every command that can be typed, whole."""
        for title, names in SECTIONS:
            with formatter.section(title):
                formatter.write_dl([(name, self._summary(name)) for name in names])

    def _summary(self, name: str) -> str:
        if name == "runs show":  # a word that `runs` takes
            return "Show one run in detail: settings, scores, warnings."
        room, _, inner = name.partition(" ")
        command = self.commands[room]
        if isinstance(command, click.Group):
            command = command.commands[inner]
        return str(command.short_help)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if args and args[0] in ("-v", "-V"):
            raise click.UsageError(f"{args[0]}: no such option; did you mean --version?", ctx)
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["train", *args]
        return super().parse_args(ctx, args)


def _versions(ctx: click.Context, option: click.Option, wanted: bool) -> None:
    if wanted:
        from mxgan.engines import versions

        click.echo("\n".join([f"mxgan {__version__}", *versions()]))
        ctx.exit()


@click.group(
    cls=Program,
    commands=[
        training.train, training.runs, training.compare, training.bench,
        pictures.generate, moving.walk, moving.video, pictures.evaluate, files.weights, faces.faces,
        page.serve, page.page,
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=examples(
        "mxgan train --data photos/ --out runs/faces",
        "mxgan generate --weights last --out faces.png",
        "mxgan weights inspect GAN_t2.params",
        "python run_gan.py --ctx gpu        # no command means train",
        "mxgan COMMAND --help               # its options, and more examples",
    ),
)  # fmt: skip
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_versions,
    help=INSTALLED,
)
def program() -> None:
    """Train a generator of faces, make pictures with it, and read or convert anybody's weights.

    It is the DCGAN of the MXNet Gluon tutorial, on MXNet or PyTorch.

    Exit status: 0 done; 1 a comparison found a difference; 2 the input was wrong (one line says what and how to mend
    it); 3 the run failed; 130 or 143 stopped by Ctrl-C or SIGTERM after saving.
    """


def main(args: list[str] | None = None) -> None:
    """Run the program and exit; a wrong input becomes one line on stderr and exit status 2."""
    warnings.showwarning = _warn
    if sys.stderr is None:  # closed by the caller: there is nobody to tell
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        sys.exit(program.main(args, prog_name="mxgan", standalone_mode=False) or 0)
    except click.ClickException as error:
        _fail(in_our_words(error), 2)
    except TrainingError as error:
        _fail(in_shell(error), 3)
    except (MxganError, ImportError) as error:
        _fail(in_shell(error), 2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("mxgan: stopped", err=True)
        sys.exit(128 + signal.SIGINT)
    except (MemoryError, RuntimeError) as error:
        from mxgan.engines import is_out_of_memory  # not above: NumPy takes longer than the rest of the program's start

        if not is_out_of_memory(error):
            raise
        _fail("out of memory: a smaller --batch-size, --size, --latent, --ngf or --ndf needs less", 2)
    except BrokenPipeError:  # the reader of stdout has gone: nothing left to say
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # a name too long, a folder that may not be looked into, a full disk
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 2)


def _speaks() -> bool:
    try:
        return processes.here().first
    except MxganError:  # that is what there is to say
        return True


def _warn(message: Warning | str, *where: object, **more: object) -> None:
    """A warning is one line too, without the place in the code."""
    text = in_shell(message) if isinstance(message, Warning) else message
    click.echo(f"mxgan: warning: {' '.join(text.split())}", err=True)


def _fail(message: str, status: int) -> None:
    """One line and the end; of several processes that train together, only the first says it."""
    if not _speaks():
        sys.exit(status)
    click.echo(f"mxgan: error: {' '.join(message.split())}", err=True)
    sys.exit(status)
