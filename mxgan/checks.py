"""Is a setting's value what it may be? Each raises SettingError, naming the setting, the value and what is wanted."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, Optional

from mxgan.errors import SettingError


def plain(value: Any) -> Any:
    """A number of NumPy's as Python's; anything else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value


def as_whole(value: Any) -> Any:
    """2.0 as 2; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def number(name: str, value: Any, wanted: str, fits: Callable[[float], bool]) -> None:
    """A finite number, Python's or NumPy's, that ``fits``, or None."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or not fits(float(value)):
        raise SettingError(name, value, wanted)


def whole(name: str, value: Any, least: int, most: float = math.inf) -> None:
    """A whole number, Python's or NumPy's, from ``least`` to ``most``."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        raise SettingError(name, value, f"a whole number from {least}{'' if most == math.inf else f' to {most}'}")


def truncation(value: Any) -> None:
    """What latents may be multiplied by, to draw them towards their middle."""
    wanted = "a number above 0, at most 1"
    if value is None:
        raise SettingError("truncation", value, wanted)
    number("truncation", value, wanted, lambda x: 0 < x <= 1)


def one_of(name: str, value: Any, known: Any) -> None:
    """One of ``known``, and of its type."""
    if value not in tuple(known) or type(value) not in map(type, known):  # 64.0 is no size, 1 is not True
        raise SettingError(name, value, f"one of {', '.join(map(str, known))}")


def as_path(name: str, value: Any) -> str:
    """A path, as a string."""
    if not isinstance(value, (str, os.PathLike)):
        raise SettingError(name, ..., f"a path is wanted, not {type(value).__name__}")
    return os.fspath(value)


def as_path_or_none(name: str, value: Any) -> Optional[str]:
    """A path, as a string; or None."""
    return None if value is None else as_path(name, value)


def in_order(name: str, value: Any, known: Sequence[str]) -> str:
    """Some of ``known``, joined by commas, in their order whatever the given one; "none" is none of them."""
    parts = [part.strip() for part in str(value).split(",")]
    if not set(parts) <= {*known, "none", ""} or ("none" in parts and len(parts) > 1):
        raise SettingError(name, value, f"any of {','.join(known)}, or none")
    return ",".join(part for part in known if part in parts)
