"""What the tests of training share."""

import pytest
import tiny_engine


@pytest.fixture
def tiny(monkeypatch):
    """Every engine is the one of `tiny_engine`."""
    tiny_engine.install(monkeypatch)
