"""The proof of ``mxgan compare`` with each option of training, and with all of them."""

import needs
import pytest

needs.mxnet()
pytest.importorskip("torch")

from small_compare import NAMES, config, faces  # noqa: E402

from mxgan.compare import proof  # noqa: E402
from mxgan.config import OPTIONS  # noqa: E402
from mxgan.pytorch.adam import Adam  # noqa: E402

EACH = {
    "smooth start": {"init": "smooth"},
    "rates": {"lr_g": 1e-4, "lr_d": 4e-4},
    "smoothing": {"label_smoothing": 0.1},
    "hinge": {"loss": "hinge"},
    "spectral norm": {"spectral_norm": True},
    "color": {"augment": "color"},
    "translation": {"augment": "translation"},
    "cutout": {"augment": "cutout"},
    "flip": {"flip": True},
    "finish": {"finish": 0.6, "augment": "color,translation"},  # from the third step on
    "average": {"ema": 20, "ema_rampup": 0.5},  # the half-life grows up to the last step
}
TOGETHER = {name: value for values in EACH.values() for name, value in values.items()}
TOGETHER.update(augment="color,translation,cutout", label_smoothing=0.0)


def test_no_option_is_forgotten():
    assert set(TOGETHER) == set(OPTIONS)


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize("recipe", ["gluon-tutorial", "pytorch-anime"])
def test_the_engines_are_one_function_with_all_options(recipe, plain):
    deviations = proof.prove(config(recipe, size=32, plain=plain, **TOGETHER), faces(size=32), NAMES)
    assert [str(one) for one in deviations if not one.passed] == []
    seen = {one.name.split(".")[0] for one in deviations if one.kind == "weight"}
    assert seen == {"netG", "netD", "netG-ema", "spectral"}


@pytest.mark.parametrize("values", EACH.values(), ids=EACH)
def test_the_engines_are_one_function_with_each_option(values):
    deviations = proof.prove(config(size=32, **values), faces(size=32), NAMES)
    assert [str(one) for one in deviations if not one.passed] == []


def at_full_rate(adam, rate: float, step=Adam.step) -> None:
    step(adam)


def without_the_chain_rule(spectral) -> None:
    """The gradients by W/sigma pass for those by W."""


@pytest.mark.parametrize(
    ("place", "fault", "values"),
    [
        ("mxgan.pytorch.spectral.SpectralNorm.pull_back", without_the_chain_rule, EACH["spectral norm"]),
        ("mxgan.pytorch.ema.EMA.follow", lambda average, update: None, EACH["average"]),
        ("mxgan.pytorch.step.augmented", lambda images, changes: images, EACH["color"]),
        ("mxgan.pytorch.adam.Adam.step", at_full_rate, EACH["finish"]),
    ],
    ids=["spectral norm", "average", "color", "finish"],
)
def test_the_proof_notices_an_engine_that_leaves_something_out(place, fault, values, monkeypatch):
    monkeypatch.setattr(place, fault)
    assert not all(one.passed for one in proof.prove(config(size=32, **values), faces(size=32), NAMES))
