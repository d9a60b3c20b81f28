"""The page's own files, held in memory: there is no path from a request to the file system."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

SITE = Path(__file__).parent.parent / "site"  # the first page, which `mxgan page` has too
PAGES = Path(__file__).parent / "site"  # those of runs
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class File:
    """One file as it is sent."""

    content: bytes
    type: str
    tag: str  # its ETag


def files() -> dict[str, File]:
    """The site's files by name. Others, such as a runtime for browsers, aren't the server's."""
    found = {}
    for path in sorted([*SITE.iterdir(), *PAGES.iterdir()]):
        if path.suffix in TYPES and path.is_file():
            content = path.read_bytes()
            found[path.name] = File(content, TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    return found
