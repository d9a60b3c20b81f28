"""Help: every option in a group, recipes' values shown, examples that can be typed, nothing cut at 80 columns."""

import re
import shlex

import click
import pytest
from processes import ROOT
from test_docs import check

from mxgan import config
from mxgan.architecture.wishes import Wishes
from mxgan.cli import SECTIONS, program
from mxgan.cli.help import CHOICES, by_recipe
from mxgan.errors import SettingError

LEAVES = [
    (name,) if not isinstance(command, click.Group) else (name, inner)
    for name, command in program.commands.items()
    for inner in (command.commands if isinstance(command, click.Group) else [name])
]
ROOMS = [(), ("weights",), ("faces",)]


def command(path) -> click.Command:
    found = program
    for name in path:
        found = found.commands[name]
    return found


def shown(path, width: int = 80) -> str:
    """The help of a command, as on a terminal of so many columns."""
    context = None
    for name, one in [("mxgan", program), *((path[: i + 1][-1], command(path[: i + 1])) for i in range(len(path)))]:
        context = click.Context(one, context, name, **{**program.context_settings, "terminal_width": width - 2})
    return context.command.get_help(context)


def section(text: str, title: str) -> str:
    return re.search(rf"^{title}:\n((?:  .*\n|\n(?=  ))+)", text + "\n", re.M)[1]


@pytest.mark.parametrize("path", [*LEAVES, *ROOMS], ids=" ".join)
def test_every_help_ends_with_examples_that_can_be_typed(path):
    text = shown(path)
    lines = text.partition("\nExamples:\n")[2].splitlines()
    assert lines
    assert max(map(len, text.splitlines())) <= 80
    own = 0
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:2] == ["python", "run_gan.py"] or "COMMAND" in words:
            continue
        assert words[0] == "mxgan"
        if ">" in words:
            words = words[: words.index(">")]
        own += tuple(words[1 : 1 + len(path)]) == path
        check(words[1:])
    assert own


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_option_is_shown_once_and_long_lists_have_groups(path):
    one = command(path)
    text = shown(path)
    options = [param for param in one.params if isinstance(param, click.Option)]
    listed = text[re.search(r"^(Daily o|O)ptions:$", text, re.M).start() :]
    for option in options:
        assert len(re.findall(rf"^  {re.escape(option.opts[0])}(?![\w-])", listed, re.M)) == 1, option.opts
    named = [name for _, names in one.groups for name in names]
    assert len(named) == len(set(named))
    assert (len(options) > 8) <= (len(one.groups) >= 2)
    assert "Commands:" not in text and "  FILE\n" not in text


def test_the_groups_of_train():
    text = shown(("train",))
    titles = re.findall(r"^([A-Z][\w ]+):$", text, re.M)
    assert titles == [
        "Daily options", "Model options", "Quality options", "Machine options", "Other options", "Recipes", "Examples",
    ]  # fmt: skip
    assert "--resume" in section(text, "Daily options")
    assert section(text, "Other options").split() == ["-h,", "--help", "Show", "this", "message", "and", "exit."]
    for name, recipe in config.RECIPES.items():
        assert re.search(rf"^  {name} +{re.escape(recipe.source)}", section(text, "Recipes"), re.M)


def test_a_recipes_values_and_the_choices_are_shown():
    assert by_recipe("latent", "mxgan") == "[default: 150; 128 in pytorch-anime, pytorch-celeba]"
    assert by_recipe("lr_g", "mxgan") == "[default: 0.0003; 0.0002 in the others]"
    assert by_recipe("lr_g", "gluon-tutorial") == "[default: 0.0002; 0.0003 in mxgan]"
    assert by_recipe("augment", "gluon-tutorial") == "[default: none; color,translation in mxgan]"
    assert by_recipe("flip", "mxgan") == "[default: off]"
    for name, option in (("train", "mxgan"), ("compare", "gluon-tutorial")):
        text = " ".join(shown((name,)).split())
        for field in ("batch_size", "ngf", "ndf", "latent", "ema", *config.OPTIONS):
            assert by_recipe(field, option) in text.replace("- ", "-"), field  # a word may be broken at its hyphen
        for choice in ("|".join(config.RECIPES), "normal|uniform|smooth", "bce|hinge", "32|64|128", "crop|squash"):
            assert choice in text


def test_the_list_of_commands_is_whole():
    text = shown(())
    listed = [name for _, names in SECTIONS for name in names]
    assert sorted(listed) == sorted([*(" ".join(path) for path in LEAVES), "runs show"])
    for path in LEAVES:
        assert re.search(rf"^  {' '.join(path)} +{re.escape(command(path).short_help)}$", text, re.M)
    assert re.search(r"^  runs show  +Show one run in detail", text, re.M)
    assert "..." not in text.partition("\n")[2]  # below the usage
    assert "mxgan runs [OPTIONS] show RUN" in shown(("runs",))


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_the_first_paragraph_is_plain(path):
    """One sentence or two, without options, keys or the names of networks."""
    first = shown(path).split("\n\n")[1]
    assert len(first.split()) <= 25
    assert not re.search(r"--|JSON|netG|netD|uint8", first)


def test_help_is_not_what_the_docstring_loses():
    text = shown(("evaluate",))
    assert text.index("\nJSON keys:\n") > text.index("--verbose")
    assert "coverage, msssim." in section(text, "JSON keys")


def test_ranges_are_in_words():
    rows = "".join(" ".join(shown(path).split()) for path in LEAVES)
    assert "<=" not in rows and "[default: (" not in rows
    assert "[default: 64; 8 with --interpolate; from 1]" in rows
    assert "[default: 16; from 1 to 1,024]" in rows


def test_every_activation_that_is_taken_is_shown():
    names = CHOICES["activation"].split("|")
    with pytest.raises(SettingError) as error:
        Wishes(activation="gelu")
    assert sorted(error.value.problem.removeprefix("one of ").split(", ")) == sorted(names)
    for name in names:
        Wishes(activation=name.replace("SLOPE", "0.1"))
    table = (ROOT / "docs" / "weights.md").read_text(encoding="utf-8")
    assert "\\|".join(names).replace("SLOPE", "0.2") in table
