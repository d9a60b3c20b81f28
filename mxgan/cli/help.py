"""How help looks: options in groups, what a recipe makes of them, JSON keys after them, examples last.

click has neither groups nor examples. rich-click and cloup bring them with a look of their own and a longer start; what
is needed here is one section an idea.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Optional

import click

from mxgan.config import AUGMENTS, ENGINES, FITS, INITS, LOSSES, PRECISIONS, RECIPES, SIZES

Rows = Sequence[tuple[str, str]]
JSON_KEYS = "JSON keys: "  # where, in a command's docstring, the last paragraph begins
CHOICES = {  # the values that an option takes, as its help shows them
    "activation": "relu|leaky:SLOPE|elu|selu|tanh|sigmoid|none",
    "augment": f"{','.join(AUGMENTS)}|none",
    "ctx": "auto|cpu|gpu|gpu:N|mps",
    "data": "painted[:N]|FOLDER|FILE",
    "dtype": "float16|float32|float64",
    "engine": "|".join(ENGINES),
    "generator": "|".join((*ENGINES, "onnx", "numpy")),
    "fit": "|".join(FITS),
    "init": "|".join(INITS),
    "loss": "|".join(LOSSES),
    "output": "tanh|sigmoid|none",
    "precision": "|".join(PRECISIONS),
    "recipe": "|".join(RECIPES),
    "size": "|".join(map(str, SIZES)),
}


class WithExamples(click.Command):
    """A command or group whose epilog, made by `examples`, stands as it is written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.epilog:
            formatter.write(f"\n{self.epilog}\n")


class Command(WithExamples):
    """A command whose help has sections; `described` says which."""

    groups: Sequence[tuple[str, Sequence[str]]] = ()  # a title, and the options below it, by parameter
    notes: Sequence[tuple[str, Rows]] = ()  # a title, and what stands below it
    usages: Sequence[str] = ()  # instead of the one that click makes

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every way to call the command."""
        if not self.usages:
            super().format_usage(ctx, formatter)
        for place, usage in enumerate(self.usages):
            formatter.write_usage(ctx.command_path, usage, prefix="Usage: " if place == 0 else "       ")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self._text()[0])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups, then the notes, then the JSON keys."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = {str(param.name): param.get_help_record(ctx) for param in options}
        left = {name: (record[0], in_words(record[1])) for name, record in records.items() if record is not None}
        rest = "Other options" if self.groups else "Options"
        for title, names in (*self.groups, (rest, list(left))):
            rows = [left.pop(name) for name in names if name in left]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        for title, said in self.notes:
            with formatter.section(title):
                formatter.write_dl(said)
        keys = self._text()[1]
        if keys:
            with formatter.section(JSON_KEYS.rstrip(": ")):
                formatter.write_text(keys)

    def _text(self) -> tuple[str, str]:
        """The help text, and the JSON keys that end it."""
        text, _, keys = inspect.cleandoc(self.help or "").partition(f"\n\n{JSON_KEYS}")
        return text, keys


def in_words(text: str) -> str:
    """What click says of a number's range and of a described default, as people say it: ``from 1 to 9``."""
    text = re.sub(r"\[default: \((.*?)\)", r"[default: \1", text)
    text = re.sub(r"\b(\d+)<=x<=(\d+)\b", lambda found: f"from {found[1]} to {int(found[2]):,}", text)
    return re.sub(r"\bx>=(\d+)\b", r"from \1", text)


def described(
    groups: Sequence[tuple[str, Sequence[str]]] = (),
    notes: Sequence[tuple[str, Rows]] = (),
    usages: Sequence[str] = (),
) -> Callable[[click.Command], click.Command]:
    """Say how the help of a `Command` looks."""

    def describe(command: click.Command) -> click.Command:
        assert isinstance(command, Command)
        command.groups, command.notes, command.usages = groups, notes, usages
        return command

    return describe


def examples(*lines: str) -> str:
    """The end of a help text: what one types."""
    return "\n".join(["Examples:", *(f"  {line}" for line in lines)])


def by_recipe(option: str, default: str) -> str:
    """``[default: 150; 128 in pytorch-anime]``: an option's value in the recipe ``default``, and in others."""
    values = {name: _shown(getattr(recipe, option)) for name, recipe in RECIPES.items()}
    told = [values.pop(default)]
    for value in dict.fromkeys(values.values()):
        names = [name for name in values if values[name] == value]
        if value != told[0]:
            told.append(f"{value} in {'the others' if len(names) == len(values) else ', '.join(names)}")
    return f"[default: {'; '.join(told)}]"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


def recipes(default: Optional[str] = None) -> tuple[str, Rows]:
    """A section: the recipes, and where each is from."""
    rows = [(name, f"{recipe.source}{' (default)' if name == default else ''}") for name, recipe in RECIPES.items()]
    return "Recipes", rows
