"""Which endings are tried again in a cloud, and at whose expense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl.backends.retries import Allowances, History, again
from cromulent_wdl.model import Ending, Outcome
from cromulent_wdl.plugin.repeats import Repeats
from cromulent_wdl.units import GIB
from tests.fakes.process_tasks import process_task

ALLOWED = Allowances(preemptible=2, memory=1, pause=0.5)


def after(ending: Ending, times: int = 1, **fields: Any) -> str | None:
    found = again(Outcome(ending, message="it ended", **fields), History({ending: times}), ALLOWED)
    return None if found is None else found.why


@pytest.mark.parametrize(
    "ending",
    [
        Ending.OK,
        Ending.FAILED,
        Ending.NO_SHELL,
        Ending.PULL_PERMANENT,
        Ending.REFUSED,
        Ending.STOPPED,
        Ending.DEADLINE,
        Ending.CAPACITY,
        Ending.QUOTA,
        Ending.BUILD,
    ],
)
def test_row_20_what_another_attempt_would_not_mend_is_not_tried_again_here(ending: Ending) -> None:
    assert after(ending) is None


@pytest.mark.parametrize(
    ("ending", "times"),
    [
        (Ending.NETWORK, 4),
        (Ending.PULL_TRANSIENT, 5),
        (Ending.THROTTLED, 5),
        (Ending.MOUNT, 3),
        (Ending.LOST, 3),
    ],
)
def test_rows_11_and_38_what_passes_is_tried_again_for_free_so_many_times(ending: Ending, times: int) -> None:
    assert all(after(ending, time) for time in range(1, times + 1))
    assert after(ending, times + 1) is None


def test_pauses_double_and_are_told() -> None:
    assert after(Ending.NETWORK, 1) == "it ended: again in 5 s (1 of 4)"
    assert after(Ending.NETWORK, 3) == "it ended: again in 20 s (3 of 4)"
    assert after(Ending.PULL_TRANSIENT, 5) == "it ended: again in 120 s (5 of 5)"


def test_rows_19_and_21_spot_is_tried_so_often_and_then_on_demand_and_says_so() -> None:
    assert after(Ending.SPOT, 1) == "it ended (1 of 2): again on Spot"
    assert after(Ending.SPOT, 2) == "it ended (2 of 2): now on demand"


def test_row_28_memory_is_doubled_once() -> None:
    first = again(Outcome(Ending.OOM, message="killed", memory=4 * GIB), History({Ending.OOM: 1}), ALLOWED)
    assert first is not None and first.memory == 8 * GIB
    assert after(Ending.OOM, 2, memory=8 * GIB) is None
    assert after(Ending.OOM) is None  # a backend that gave it no size of its own


def test_row_29_a_full_disk_is_made_larger_once() -> None:
    first = again(Outcome(Ending.DISK_FULL, message="full", disk=20 * GIB), History({Ending.DISK_FULL: 1}), ALLOWED)
    assert first is not None and first.disk == 40 * GIB
    assert after(Ending.DISK_FULL, 2) is None


def test_each_ending_has_a_count_of_its_own_and_what_was_learnt_stays(tmp_path: Path) -> None:
    repeats, task = Repeats(ALLOWED, elastic=True), process_task(tmp_path, "true")
    assert repeats.applied(task).preemptible
    for ending in (Ending.SPOT, Ending.NETWORK, Ending.SPOT):
        assert repeats.after(Outcome(ending)) is not None
    assert not repeats.applied(task).preemptible
    assert repeats.after(Outcome(Ending.OOM, memory=2 * GIB)) is not None
    assert repeats.applied(task).resources.memory == 4 * GIB
    assert repeats.after(Outcome(Ending.NETWORK)) is not None
    assert repeats.applied(task).resources.memory == 4 * GIB


def test_without_a_cloud_nothing_is_repeated_here(tmp_path: Path) -> None:
    repeats = Repeats(ALLOWED, elastic=False)
    assert repeats.after(Outcome(Ending.LOST)) is None
    assert not repeats.applied(process_task(tmp_path, "true")).preemptible
