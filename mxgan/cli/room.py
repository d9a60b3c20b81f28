"""A group of commands below the program."""

from __future__ import annotations

import click

from mxgan.cli.help import WithExamples
from mxgan.cli.hints import Group


class Room(WithExamples, Group):
    """A group that names its commands if none is given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            raise click.UsageError(f"{ctx.command_path}: give one of {', '.join(self.commands)}, or --help", ctx)
        return super().parse_args(ctx, args)
