"""The proof of ``mxgan compare --processes``: several processes of PyTorch are one, and what is amiss is noticed."""

import dataclasses

import numpy as np
import pytest
from small_compare import config, faces

pytest.importorskip("torch")

from mxgan.compare import proof
from mxgan.compare.several import Several
from mxgan.config import RECIPES
from mxgan.errors import TrainingError

pytestmark = pytest.mark.slow
SMALL = {"size": 32, "ngf": 4, "ndf": 4, "batch_size": 4}


@pytest.mark.parametrize("recipe", RECIPES)
def test_two_processes_are_one(recipe):
    deviations = proof.prove_processes(config(recipe), faces(), 2)
    assert [str(one) for one in deviations if not one.passed] == []
    assert {one.kind for one in deviations} == {"forward", "loss", "gradient", "weight", "statistic"}
    assert {one.step for one in deviations} == {0, 1, 2, 3, 4, 5}


def test_three_processes_share_a_batch_of_nine():
    deviations = proof.prove_processes(config(size=32), faces(size=32), 3)
    assert [str(one) for one in deviations if not one.passed] == []


def test_a_batchnorm_for_each_process_is_noticed(monkeypatch):
    class Local(Several):
        def __init__(self, small, count, ctx):
            super().__init__(dataclasses.replace(small, sync_batchnorm=False), count, ctx)

    monkeypatch.setattr(proof, "Several", Local)
    with pytest.raises(TrainingError, match=r"rank 1 has another netG 1\.running_mean than rank 0"):
        proof.prove_processes(config(**SMALL), faces(size=32), 2)


def test_gradients_of_one_process_alone_are_noticed(monkeypatch):
    class Alone(Several):
        def probe(self, batch):
            half = len(batch.images) // 2
            return super().probe(batch._replace(images=np.concatenate([batch.images[:half]] * 2)))

    monkeypatch.setattr(proof, "Several", Alone)
    failed = [one for one in proof.prove_processes(config(size=32), faces(size=32), 2) if not one.passed]
    assert {one.kind for one in failed} == {"loss", "gradient"}


def test_a_process_that_fails_or_has_other_weights_is_named():
    with Several(config(**SMALL, sync_batchnorm=True), 2, "cpu") as several:
        state = several.state()
        several._children[1].call("call", "load_weights", {"netG": {k: 2 * a for k, a in state.arrays["netG"].items()}})
        with pytest.raises(TrainingError, match=r"rank 1 has another netG 0\.weight than rank 0"):
            several.weights()
        with pytest.raises(TrainingError, match="the process of rank 0 failed: AttributeError"):
            several._each("call", "nothing", np.zeros(1))
