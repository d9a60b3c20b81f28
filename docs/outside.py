"""A hook of MkDocs: pages outside docs/ that its pages link to are on the site too.

So one relative link works in both places: `../benchmarks/quality.md` on a code-hosting site, and as a page here. A
linked .py file becomes a page that shows it, and each notebook of examples/ one with what its cells printed and drew.
"""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "data/README.md", "benchmarks/quality.md", "examples/README.md")
NOTEBOOKS = tuple(f"examples/{path.name}" for path in sorted((ROOT / "examples").glob("*.ipynb")))
HOME = "index.md"
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")  # the path of [text](path#anchor); not of a URL or an anchor alone


def on_files(files: Files, config: Any) -> Files:
    """Add the pages, and every file that a page links to and that docs/ lacks."""
    pages = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    for page in (*pages, *PAGES, *NOTEBOOKS):
        text = (ROOT / page).read_text(encoding="utf-8")
        if page in PAGES:
            files.append(File.generated(config, page, abs_src_path=str(ROOT / page)))
        elif page in NOTEBOOKS:
            text, pictures = notebook(page)
            files.append(File.generated(config, _uri(page), content=text))
            for name, data in pictures.items():
                files.append(File.generated(config, f"examples/{name}", content=data))
        for link in LINK.findall(text):
            file = _target(page, link)
            uri = _uri(file)
            if file.startswith("docs/") or file in (*PAGES, *NOTEBOOKS) or uri == HOME or uri in files.src_uris:
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
    source = here if here in (*PAGES, *map(_uri, NOTEBOOKS)) else f"docs/{here}"
    return LINK.sub(lambda link: _relative(_uri(_target(source, link[1])), here), markdown)


def notebook(file: str) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and the pictures that it shows by their names in examples/."""
    cells = json.loads((ROOT / file).read_text(encoding="utf-8"))["cells"]
    parts, pictures = [], {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"````python\n{source}\n````")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{Path(file).stem}-{len(pictures) + 1}.png"
                pictures[name] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![{cell['metadata'].get('alt', 'What the cell draws')}]({name})")
            else:
                text = "".join(output.get("text", data.get("text/plain", "")))
                parts.append(f"````text\n{text.rstrip()}\n````")
    return "\n\n".join(parts) + "\n", pictures


def _target(page: str, link: str) -> str:
    """The file, seen from the project's root, that ``link`` on ``page`` means."""
    return os.path.normpath(os.path.join(os.path.dirname(page), link)).replace(os.sep, "/")


def _uri(file: str) -> str:
    """Where the site has the project's ``file``."""
    if file == "README.md":
        return HOME
    if file in NOTEBOOKS:
        return file.removesuffix(".ipynb") + ".md"
    return f"{file}.md" if file.endswith(".py") else file.removeprefix("docs/")


def _relative(uri: str, page: str) -> str:
    return os.path.relpath(uri, os.path.dirname(page) or ".").replace(os.sep, "/")
