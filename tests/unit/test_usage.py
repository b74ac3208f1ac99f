"""What the runs of a month used."""

from __future__ import annotations

from typing import Any

import pytest

from cromulent_wdl.model import EcsTaskLaunched, EcsTaskStopped, Ending, Event, RunEnded, RunStarted
from cromulent_wdl.pricing.card import Rates, shipped
from cromulent_wdl.reports.usage import RunUsage, month_of, usage_of, usage_of_month

GIB = 2**30
NOVEMBER, DECEMBER = 1_795_000_000.0, 1_797_000_000.0


def prices(region: str) -> Rates:
    return shipped().rates(region)


def journal(at: float, *sizes: float, ended: bool = True) -> list[Event]:
    """Return the events of a run with tasks of so many vCPUs, an hour each."""
    named: dict[str, Any] = {"run_id": "r", "name": "w", "kind": "workflow", "source": "w.wdl", "pid": 1, "host": "h"}
    events: list[Event] = [RunStarted(at, backend="fargate", **named)]
    for number, cpu in enumerate(sizes):
        task = f"arn:{number}"
        events.append(EcsTaskLaunched(at, f"c{number}", 1, task, "on_demand", "us-east-1", "X86_64", cpu, 2 * GIB))
        if ended:
            events.append(
                EcsTaskStopped(at, f"c{number}", 1, task, "on_demand", pull_started_at=at, stopped_at=at + 3600)
            )
    return [*events, RunEnded(at + 3600, Ending.OK)] if ended else events


def test_a_run_uses_what_its_tasks_were_given() -> None:
    used = usage_of("r", journal(NOVEMBER, 1, 4), prices, NOVEMBER + 9999)

    assert used is not None and (used.started, used.tasks, used.vcpu_hours) == (NOVEMBER, 2, 5)
    assert used.dollars == pytest.approx(5 * 0.04048 + 4 * 0.004445)


def test_what_still_runs_counts_until_now() -> None:
    used = usage_of("r", journal(NOVEMBER, 2, ended=False), prices, NOVEMBER + 1800)

    assert used is not None and used.vcpu_hours == 1


def test_a_record_without_a_beginning_tells_nothing() -> None:
    assert usage_of("r", [], prices, NOVEMBER) is None


def test_a_run_counts_to_the_month_in_which_it_began() -> None:
    runs = [
        RunUsage("a", NOVEMBER, 1, 1.0, 2.0),
        RunUsage("b", NOVEMBER, 2, 3.0, 4.0),
        RunUsage("c", DECEMBER, 9, 9, 9),
    ]
    month = usage_of_month("2026-11", runs, unread=7)

    assert (month_of(NOVEMBER), month_of(DECEMBER)) == ("2026-11", "2026-12")
    assert (month.runs, month.tasks, month.vcpu_hours, month.dollars, month.unread) == (2, 3, 4.0, 6.0, 7)
