"""Does every relative link and picture of the Markdown files and notebooks point at something that exists?

    python docs/check_links.py

Files, and the headings that anchors name, as a code-hosting site makes them. Nothing is fetched: addresses with a
scheme are not looked at. Prints a line for each dead link; exit status 1 if there is one.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("*.md", "docs/**/*.md", "data/*.md", "benchmarks/*.md", "examples/*.md", "examples/*.ipynb")
FENCED = re.compile(r"^( *)(```+|~~~+).*?^\1\2`*[ \t]*$", re.M | re.S)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.S)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^\s<>()]+)>?(?:\s+\"[^\"]*\")?\s*\)")  # [text](where "title")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?\s*$", re.M)  # [text]: where
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$", re.M)


def pages(root: Path) -> list[Path]:
    """The Markdown files and notebooks that are checked."""
    return sorted({page for place in PLACES for page in root.glob(place)})


def read(page: Path) -> str:
    """A page's Markdown: of a notebook that of its cells of words."""
    text = page.read_text(encoding="utf-8")
    if page.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def links(text: str) -> list[str]:
    """Where the links and pictures of a Markdown text lead, code aside."""
    text = CODE.sub("``", FENCED.sub("", text))
    return LINK.findall(text) + REFERENCE.findall(text)


def anchors(text: str) -> set[str]:
    """The anchors of a Markdown text's headings: lower case, no punctuation, hyphens for spaces, -1 for the second."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCED.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)  # a link's text
        anchor = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
        number = 0
        while (numbered := f"{anchor}-{number}" if number else anchor) in found:
            number += 1
        found.add(numbered)
    return found


def dead(root: Path) -> Iterator[str]:
    """A line for each link under ``root`` that leads nowhere."""
    for page in pages(root):
        name = page.relative_to(root)
        for link in links(read(page)):
            if re.match(r"[a-z][a-z0-9+.-]*:", link, re.I):
                continue
            path, _, anchor = link.partition("#")
            target = Path(os.path.normpath(page.parent / path)) if path else page
            if path.startswith("/") or not target.is_relative_to(root):
                yield f"{name}: {link}: leads out of the project; give a path relative to the page"
            elif not target.exists():
                yield f"{name}: {link}: there is no {target.relative_to(root)}"
            elif anchor and (target.suffix != ".md" or anchor not in anchors(read(target))):
                yield f"{name}: {link}: {target.relative_to(root)} has no heading #{anchor}"


def main() -> None:
    found = list(dead(ROOT))
    print("\n".join(found) if found else f"{len(pages(ROOT))} pages, no dead link")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
