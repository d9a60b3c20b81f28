"""What a test needs and may be missing: then it is skipped, with the reason."""

from __future__ import annotations

import shutil
from types import ModuleType

import pytest

from mxgan.gluon import runtime
from mxgan.page.runtime import npm


def mxnet() -> ModuleType:
    """MXNet; without it the test, or at module level the module's tests, are skipped."""
    try:
        return runtime.load()
    except ImportError as error:
        pytest.skip(str(error), allow_module_level=True)


def chromium() -> str:
    """Chromium's program, for Playwright to drive; without either the test is skipped."""
    pytest.importorskip("playwright", reason="playwright, of the extra test, isn't installed")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return pytest.skip("no Chromium is installed: apt-get install chromium")


def runtime_for_browsers() -> None:
    """npm, which fetches onnxruntime-web, and onnx; without them the test is skipped."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    if npm() is None:
        pytest.skip("no npm is installed: apt-get install npm")
