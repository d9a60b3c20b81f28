"""Words for people."""

import pytest

from mxgan.words import counted


@pytest.mark.parametrize(("n", "said"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (6000, "6,000 steps")])
def test_one_is_one(n, said):
    assert counted(n, "step") == said
