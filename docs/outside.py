"""A hook of MkDocs: pages outside docs/ that its pages link to are on the site too.

So one relative link works in both places: `../benchmarks/quality.md` on a code-hosting site, and as a page here. A
linked .py file becomes a page that shows it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "data/README.md", "benchmarks/quality.md")
HOME = "index.md"
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")  # the path of [text](path#anchor); not of a URL or an anchor alone


def on_files(files: Files, config: Any) -> Files:
    """Add the pages, and every file that a page links to and that docs/ lacks."""
    pages = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    for page in (*pages, *PAGES):
        if page in PAGES:
            files.append(File.generated(config, page, abs_src_path=str(ROOT / page)))
        for link in LINK.findall((ROOT / page).read_text(encoding="utf-8")):
            file = _target(page, link)
            uri = _uri(file)
            if file.startswith("docs/") or file in PAGES or uri == HOME or uri in files.src_uris:
                continue
            if file.endswith(".py") and (ROOT / file).is_file():
                code = (ROOT / file).read_text(encoding="utf-8")
                files.append(File.generated(config, uri, content=f"# {file}\n\n````python\n{code}````\n"))
            elif (ROOT / file).is_file():
                files.append(File.generated(config, uri, abs_src_path=str(ROOT / file)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links as the site has them."""
    here = page.file.src_uri
    source = here if here in PAGES else f"docs/{here}"
    return LINK.sub(lambda link: _relative(_uri(_target(source, link[1])), here), markdown)


def _target(page: str, link: str) -> str:
    """The file, seen from the project's root, that ``link`` on ``page`` means."""
    return os.path.normpath(os.path.join(os.path.dirname(page), link)).replace(os.sep, "/")


def _uri(file: str) -> str:
    """Where the site has the project's ``file``."""
    if file == "README.md":
        return HOME
    return f"{file}.md" if file.endswith(".py") else file.removeprefix("docs/")


def _relative(uri: str, page: str) -> str:
    return os.path.relpath(uri, os.path.dirname(page) or ".").replace(os.sep, "/")
