"""04: what a walk through latents meets, which way is blond, and whether netG copies."""

import course_notebooks
import pytest


def test_what_it_claims(tmp_path, monkeypatch):
    found = course_notebooks.run("04", tmp_path, monkeypatch)
    lengths = found["lengths"]
    assert lengths["latents"] == pytest.approx(150**0.5, abs=0.1)
    assert lengths["around"] == pytest.approx(lengths["latents"], abs=0.1)
    assert lengths["straight"] < found["shortest"] < lengths["latents"]
    assert found["shorter"] > 0.95
    assert found["varieties"]["straight"] < 0.95 < found["varieties"]["around"]

    truncation = list(found["truncation"].values())
    assert truncation == sorted(truncation, reverse=True)
    assert truncation[0] > 0.9 and truncation[-1] < 0.02

    assert found["skill"]["blond"] > 0.95 and min(found["skill"].values()) > 0.75
    assert found["fits"]["blond"] > 0.5 and found["fits"]["long hair"] > 0.5
    for name, lines in found["shares"].items():
        assert lines[name][0] < 0.05 and lines[name][-1] > 0.6, name  # from nobody to most
    blond = found["shares"]["blond"]
    assert blond["long hair"][-1] < 0.15 < blond["long hair"][0]  # the judge of long hair is fooled by pale hair

    netG, copyist = found["gap"]["netG"], found["gap"]["a copyist"]
    assert netG["training"] == pytest.approx(netG["unseen"], rel=0.05)
    assert copyist["training"] < 0.5 * copyist["unseen"]
