"""What fifty storms, and fifty with kills, meet between them."""

from __future__ import annotations

import pytest

from .storms import KINDS, storm_of


@pytest.mark.parametrize(("first", "kills"), [(0, 0), (1000, 2)])
def test_every_fault_comes_alone_and_mixed_upon_200_tasks_and_a_fifth_of_the_storms_is_real(
    first: int, kills: int
) -> None:
    storms = [storm_of(seed, kills) for seed in range(first, first + 50)]
    full = [storm for storm in storms if storm.tasks == 200]
    assert {storm.kinds[0] for storm in full if len(storm.kinds) == 1} == set(KINDS)
    assert KINDS in {storm.kinds for storm in full}
    assert sum(storm.real for storm in storms) == 10
    assert len({storm.kinds for storm in storms if storm.real}) > 5
    assert all(len(storm.kills) == kills for storm in storms)
    assert all(sum(fault["probability"] for fault in storm.faults) == pytest.approx(0.2) for storm in storms)


def test_a_seed_is_always_the_same_storm() -> None:
    assert storm_of(1003, 2) == storm_of(1003, 2)
    assert storm_of(1003, 2) != storm_of(1004, 2)
