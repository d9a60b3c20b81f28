"""What torchrun's environment says, and which part of a batch is whose."""

import pytest

from mxgan import processes
from mxgan.errors import MxganError
from mxgan.processes import Place

TORCHRUN = {"RANK": "2", "WORLD_SIZE": "4", "LOCAL_RANK": "0", "MASTER_ADDR": "a", "MASTER_PORT": "29500"}


def test_without_torchrun_a_process_is_alone():
    assert processes.here({}) == processes.here({"LOCAL_RANK": "3"}) == Place()
    assert Place().first and Place().share(7) == slice(0, 7)


def test_torchrun_gives_each_its_place_and_share():
    place = processes.here({**TORCHRUN, "LOCAL_WORLD_SIZE": "2"})
    assert place == Place(rank=2, count=4, local=0)
    assert not place.first
    shares = [Place(rank, 4).share(12) for rank in range(4)]
    assert shares == [slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12)]


def test_a_batch_that_cannot_be_shared_equally_is_refused():
    with pytest.raises(MxganError, match=r"batch_size 66: one that 4 processes can share equally, such as 64"):
        Place(0, 4).share(66)
    with pytest.raises(MxganError, match=r"batch_size 3: one that 4 processes can share equally, such as 4"):
        Place(0, 4).share(3)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"RANK": "0"}, "RANK without WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT: start the processes with"),
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE without RANK, LOCAL_RANK, "),
        ({**TORCHRUN, "RANK": "4"}, "RANK 4 of WORLD_SIZE 4: ranks count from 0"),
        ({**TORCHRUN, "RANK": "two"}, "RANK 'two': a whole number wanted"),
    ],
)
def test_half_an_environment_is_refused(environment, said):
    with pytest.raises(MxganError, match=said):
        processes.here(environment)


def test_a_team_of_one_hears_itself():
    alone = processes.Alone()
    assert (alone.agreed(2), alone.told("a"), alone.from_first("b")) == (2, ["a"], "b")
