"""Words for people: things counted."""

from __future__ import annotations


def counted(n: int, what: str) -> str:
    """So many of a thing: 1 step, 6,000 faces. ``what`` is one of them, and its plural ends in -s."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
