"""What was probably meant by a command that there isn't, and by a word where only options may stand."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Iterable
from typing import Any, Optional

import click

from mxgan import run_names
from mxgan.cli.help import in_words

ELSEWHERE = {
    "resume": "train --resume",
    "show": "runs show",
    "version": "--version",
    "help": "--help",
}  # what is no command of its own
WEIGHTS = (".params", ".pth", ".pt", ".safetensors", ".npz", ".onnx")
WRITTEN = {"generate": (".png",), "walk": (".mp4", ".webm", ".avi", ".gif")}  # how the file ends that each makes
SAME = {
    "--count": "--n",
    "--number": "--n",
    "--num": "--n",
    "--amount": "--n",
    "-v": "--verbose",
}  # other words for an option


def in_our_words(error: click.ClickException) -> str:
    """click's message in the form that all others have: what it is about, what is wrong, the fix."""
    if isinstance(error, click.NoSuchOption):
        likely = _likely_option(error)
        return f"{error.option_name}: no such option; {f'did you mean {likely}?' if likely else _see_help(error)}"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return f"{_command_of(error)}: {error.param.human_readable_name} is missing; {_see_help(error)}"
    text = error.format_message().rstrip(".")
    wrong = re.fullmatch(r"Invalid value for '([^']*?)(?: / [^']*)*': '(.*)' is not a valid (integer|float).*", text)
    if wrong:
        return (
            f"{wrong[1]} {shlex.quote(wrong[2])}: a {'whole number' if wrong[3] == 'integer' else 'number'} is wanted"
        )
    wrong = re.fullmatch(r"Invalid value for '([^']*)': (\S+) is not in the range (\S+)", text)
    if wrong:
        return f"{wrong[1]} {wrong[2]}: a whole number {in_words(wrong[3])}"
    wrong = re.fullmatch(r"Option '(.*)' requires (an argument|(\d+) arguments)", text)
    if wrong:
        return f"{wrong[1]}: {f'{wrong[3]} values are wanted' if wrong[3] else 'its value is missing'}"
    wrong = re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", text)
    if wrong:
        return f"{_command_of(error)}: {wrong[1]} is too much; {_see_help(error)}"
    return text


def _likely_option(error: click.NoSuchOption) -> str:
    meant = SAME.get(error.option_name, "")
    options = [name for one in error.ctx.command.params for name in one.opts] if error.ctx else []
    return meant if meant in options else next(iter(error.possibilities or ()), "")


def _see_help(error: click.ClickException) -> str:
    return f"see `{_command_of(error)} --help`"


def _command_of(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return context.command_path if context else "mxgan"


class Group(click.Group):
    """A group of commands that answers what isn't one of them, or doesn't belong there, with what is."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-"):
            likely = command_like(self, word, top=ctx.parent is None)
            hint = f"did you mean {likely}?" if likely else f"one of {', '.join(self.list_commands(ctx))}"
            raise click.UsageError(f"{word}: no such command; {hint}", ctx)
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            _check_words(click.Context(command, ctx, name), list(rest))
        return name, command, rest


def command_like(group: click.Group, word: str, top: bool) -> Optional[str]:
    """What was probably meant, as it is to be typed after the group's own name; None if nothing is likely.

    ``top``: the group is the program itself.
    """
    names = {name: name for name in group.commands}
    for room, command in group.commands.items():
        if isinstance(command, click.Group):
            names.update((name, f"{room} {name}") for name in command.commands if name not in names)
    if top:
        names.update(ELSEWHERE)
    lower, is_there = word.lower(), os.path.exists(run_names.meant(word))
    starts = [name for name in names if name.startswith(lower) or (lower.startswith(name) and lower.isalpha())]
    if len(starts) == 1 and len(lower) > 1:
        return names[starts[0]]
    if is_there and top:
        typed = shlex.quote(word)
        look = f"weights inspect {typed}, or " if _is_weights(word) else ""
        return f"train {_option_of_train(word)}" if _is_data(word) else f"{look}generate --weights {typed}"
    if is_there:
        return f"{next(iter(group.commands))} {shlex.quote(word)}"  # weights inspect FILE, faces check FOLDER
    close = difflib.get_close_matches(lower, names, n=1)
    return names[close[0]] if close else None


def _check_words(ctx: click.Context, args: list[str]) -> None:
    """Raise UsageError for a word that is no option, of a command that takes nothing else, with what was meant."""
    command = ctx.command
    takes_words = isinstance(command, click.Group) or any(isinstance(one, click.Argument) for one in command.params)
    if takes_words or set(args) & set(ctx.help_option_names):
        return
    try:
        given, words, _ = command.make_parser(ctx).parse_args(args)
    except click.UsageError:  # which is said as the command is parsed again
        return
    if words:
        raise click.UsageError(f"{ctx.info_name} {words[0]}: {_meant(str(ctx.info_name), words[0], given)}", ctx)


def _meant(command: str, word: str, given: dict[str, Any]) -> str:
    if command == "compare" and _is_run(word):
        return "it compares the two engines, not runs; `mxgan runs show RUN` and `mxgan evaluate --run RUN` are of runs"
    options = {
        "train": _option_of_train,
        "compare": lambda word: f"--data {shlex.quote(word)}",
        "generate": lambda word: _option_of_pictures(command, word),
        "walk": lambda word: _option_of_pictures(command, word),
        "evaluate": lambda word: f"--{'weights' if _is_weights(word) else 'run'} {shlex.quote(word)}",
    }
    whole = _split_path(word, given.items())
    if whole:
        return f"did you mean {whole}?"
    likely = options[command](word) if command in options else ""
    name = likely.partition(" ")[0].lstrip("-")
    if likely and given.get({"resume": "run"}.get(name, name)) is None:
        return f"did you mean {likely}?"
    return f"{command} takes options alone; `mxgan {command} --help` lists them"


def _split_path(word: str, given: Iterable[tuple[str, Any]]) -> str:
    """An option whose value and ``word`` are a path together: its spaces want quotes."""
    for name, value in given:
        if isinstance(value, str) and os.path.exists(f"{value} {word}"):
            return f"--{name.replace('_', '-')} {shlex.quote(f'{value} {word}')}"
    return ""


def _option_of_train(word: str) -> str:
    if _is_run(word):
        return f"--resume {shlex.quote(word)}"
    return f"--{'weights' if word.lower().endswith(WEIGHTS) else 'data'} {shlex.quote(word)}"


def _option_of_pictures(command: str, word: str) -> str:
    is_written = word.lower().endswith(WRITTEN[command])
    return f"--{'out' if is_written else 'weights'} {shlex.quote(word)}"


def _is_weights(word: str) -> bool:
    return os.path.isfile(word) or word.lower().endswith(WEIGHTS)


def _is_data(word: str) -> bool:
    return not _is_run(word) and (os.path.isdir(word) or word.lower().endswith(".npy"))


def _is_run(word: str) -> bool:
    return run_names.is_run(run_names.meant(word))
