"""How attempts on Fargate ended, from what their wrapper left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cromulent_wdl.aws.decode import EcsTask
from cromulent_wdl.backends.fargate.following import Followed
from cromulent_wdl.backends.fargate.sizes import Size
from cromulent_wdl.backends.fargate.verdict import End, outcome_of
from cromulent_wdl.backends.fargate.wrapper import Result
from cromulent_wdl.model import Ending, Usage
from cromulent_wdl.units import GIB
from tests.fakes.attempts import run_task

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


@pytest.mark.parametrize(
    ("result", "ending", "status"),
    [
        (Result(0), Ending.OK, 0),
        (Result(3), Ending.FAILED, 3),
        (Result(137), Ending.OOM, 137),  # nobody else kills there
        (Result(1, oom_kills=1), Ending.OOM, 1),
        (Result(0, oom_kills=1), Ending.OK, 0),
        (Result(137, deadline=True), Ending.DEADLINE, 137),
        (Result(143, deadline=True), Ending.DEADLINE, 143),
        (Result(127, no_shell=True), Ending.NO_SHELL, None),
        (Result(137, terminated=True), Ending.LOST, None),
        (Result(137, revoked=True), Ending.LOST, None),
    ],
)
def test_what_ecs_says_nothing_of(tmp_path: Path, result: Result, ending: Ending, status: int | None) -> None:
    task = run_task(tmp_path, "call", "true", timeout=60.0)
    end = End(task, Followed(None), replace(result, usage=Usage(seconds=1.0)), Size(1024, 2048))
    outcome = outcome_of(end)
    assert (outcome.ending, outcome.exit_code) == (ending, status)
    assert bool(outcome.message) is (ending is not Ending.OK or result.oom_kills > 0)


def test_a_container_that_was_killed_for_memory_itself_is_not_well_whatever_it_left(tmp_path: Path) -> None:
    ecs = EcsTask("a", status="STOPPED", exit_code=137, container_reason=OUT_OF_MEMORY)
    end = End(run_task(tmp_path, "call", "true"), Followed(ecs), Result(0), Size(1024, 2048))
    assert outcome_of(end).ending is Ending.OOM


@pytest.mark.parametrize(("used", "told"), [(20 * GIB, 20 * GIB), (21 * GIB, None), (None, None)])
def test_a_disk_on_which_more_is_in_use_than_the_task_has_is_not_its_own(
    tmp_path: Path, used: int | None, told: int | None
) -> None:
    task = run_task(tmp_path, "call", "true")
    outcome = outcome_of(End(task, Followed(None), Result(0, Usage(disk_peak=used)), Size(1024, 2048)))
    assert outcome.usage.disk_peak == told


@pytest.mark.parametrize("result", [None, Result(0)])
@pytest.mark.parametrize(("status", "ending"), [(0, Ending.OK), (137, Ending.OOM), (1, Ending.OOM)])
def test_a_child_killed_for_memory_fails_a_command_only_where_its_status_says_so(
    tmp_path: Path, result: Result | None, status: int, ending: Ending
) -> None:
    task = run_task(tmp_path, "call", "true")
    ecs = EcsTask("a", status="STOPPED", exit_code=status, container_reason=OUT_OF_MEMORY)
    left = replace(result, exit_code=status) if result is not None else None
    outcome = outcome_of(End(task, Followed(ecs), left, Size(1024, 2048)))
    assert (outcome.ending, outcome.exit_code) == (ending, status)
    assert "killed for memory" in outcome.message
