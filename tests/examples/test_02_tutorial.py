"""02: the tutorial's loop, written out, is what mxgan.train computes."""

import course_notebooks
import pytest

from mxgan import course


def test_what_it_claims(tmp_path, monkeypatch):
    found = course_notebooks.run("02", tmp_path, monkeypatch)
    full, short = found["steps"]
    here = [engine for engine in ("mxnet", "pytorch") if course._runs(engine)]
    steps = {engine: full if engine == here[0] else short for engine in here}
    assert found["same to the last bit"] == steps  # the notebook has compared every number
    assert found["engine"] == here[0]
    first = list(found["first losses"].values())
    assert first[-1] == pytest.approx(first[0], rel=1e-4)  # both frameworks start from the same weights
    assert 1.2 < first[0][0] < 1.6  # netD knows nothing yet: 2 log 2
    _, _, real, fake = found["last losses"]
    assert real > fake + 0.2  # and learns
    assert len(found["contrast"]) == 2  # a look after each epoch
