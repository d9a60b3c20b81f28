"""What a test needs and may be missing: then it is skipped, with the reason."""

from __future__ import annotations

from types import ModuleType

import pytest

from mxgan.gluon import runtime


def mxnet() -> ModuleType:
    """MXNet; without it the test, or at module level the module's tests, are skipped."""
    try:
        return runtime.load()
    except ImportError as error:
        pytest.skip(str(error), allow_module_level=True)
