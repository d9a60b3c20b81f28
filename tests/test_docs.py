"""The documentation: its links lead somewhere, README is short, and the commands it shows exist."""

import re
import shlex
import sys
from pathlib import Path

import click
import pytest

from mxgan.cli import program

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import check_links  # noqa: E402

SHELL = re.compile(r"^```(?:sh|bash)\n(.*?)^```$", re.M | re.S)


def test_no_link_is_dead():
    assert list(check_links.dead(ROOT)) == []


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(
        "# Top\n\n## A `b`, and c\n\n[1](docs/a.md) [2](docs/none.md) ![3](none.png) [4](#a-b-and-c) [5](#a-b)\n"
        "[6](docs/a.md#two-1) [7](docs/a.md#three) [8](https://example.org/x) [9](../out.md) `[10](code.md)`\n\n"
        "```\n[11](fenced.md)\n# no-heading\n```\n\n[12]: docs/gone.md\n"
    )
    (tmp_path / "docs" / "a.md").write_text("# One\n\n## Two\n\n## Two\n\n[up](../README.md#top)\n")
    assert [line.split(":")[1].strip() for line in check_links.dead(tmp_path)] == [
        "docs/none.md", "none.png", "#a-b", "docs/a.md#three", "../out.md", "docs/gone.md"
    ]  # fmt: skip


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 160


@pytest.mark.parametrize("page", check_links.pages(ROOT), ids=lambda page: page.name)
def test_the_commands_shown_exist(page):
    for block in SHELL.findall(check_links.read(page)):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["mxgan"] or words[:2] == ["python", "run_gan.py"]:
                check(words[1 if words[0] == "mxgan" else 2 :])


def check(words: list[str]) -> None:
    """The words are a command of the program, and options that it has."""
    command: click.Command = program
    while isinstance(command, click.Group):
        name = words.pop(0) if words and not words[0].startswith("-") else "train"
        assert name in command.commands, name
        command = command.commands[name]
    known = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    assert [word for word in words if word.startswith("--") and word not in known] == []
