"""TorchScript's source text to Python's syntax trees, with bounds that keep the parser well."""

from __future__ import annotations

import ast
import re
from typing import Any

MOST_NESTED = 60  # brackets inside brackets
MOST_LINKED = 4000  # dots, signs, brackets and words that one statement may chain
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
_LINKS = re.compile(r"[(\[{)\]}\n.+\-~*/%@|&^<>\\]|\b(?:not|if|elif|lambda|and|or|await|yield)\b")
_ODD = re.compile(r"\"{3}|'{3}|\0|(?i:\b[rb]?[ft][rb]?[\"'])")  # strings that span lines or hold code: never printed


class Failed(ValueError):
    """The program can't be followed; the message says where."""


def parse(text: str, name: str) -> dict[str, Any]:
    """The classes and functions of a source file, by name. Raises Failed for text that isn't small, plain Python."""
    _guard(text, name)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Failed(f"{name}.py can't be parsed: {type(error).__name__}") from error
    return {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}


def _guard(text: str, name: str) -> None:
    """Refuse what could exhaust Python's parser: it recurses with brackets and with chains of operators."""
    depth = linked = deepest = longest = 0
    for part in _LINKS.findall(_STRING.sub("''", text)):
        if part == "\n":
            linked = linked if depth > 0 else 0
        else:
            depth += (part in "([{") - (part in ")]}")
            linked += 1
        deepest, longest = max(deepest, depth), max(longest, linked)
    if deepest > MOST_NESTED or longest > MOST_LINKED or text.count("elif") > MOST_NESTED or _ODD.search(text):
        raise Failed(f"{name}.py is nested too deeply")
