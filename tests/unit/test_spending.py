"""What a run may cost: sums as of the day, of all its heads, and the sentence when they reach the limit."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cromulent_wdl.backends.budget import over_budget
from cromulent_wdl.errors import JournalError
from cromulent_wdl.model import EcsTaskLaunched, EcsTaskStopped, Event
from cromulent_wdl.plugin.spending import Spending
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.runs.journal import JournalWriter
from cromulent_wdl.storage.layout import JOURNAL
from cromulent_wdl.units import GIB
from tests.fakes.clocks import FakeClock
from tests.fakes.journals import beginning

HOUR = 0.04048 + 2 * 0.004445
"""Dollars an hour of 1 vCPU and 2 GB on demand in us-east-1."""


def launched(at: float, task: str, call: str = "one") -> EcsTaskLaunched:
    return EcsTaskLaunched(at, call, 1, task, "on_demand", "us-east-1", "X86_64", 1.0, 2 * GIB)


def stopped(at: float, task: str, began: float) -> EcsTaskStopped:
    return EcsTaskStopped(at, "one", 1, task, pull_started_at=began, stopped_at=at)


def write(directory: Path, *events: Event) -> None:
    journal = JournalWriter(directory / JOURNAL)
    for event in events:
        journal.append(event)
    journal.close()


def test_what_runs_is_reckoned_until_now_and_what_has_stopped_as_it_is_billed(tmp_path: Path) -> None:
    clock = FakeClock(start=1000.0)
    spending = Spending(shipped().rates, clock)
    write(tmp_path, beginning(1000.0), launched(1000.0, "arn:1"))
    assert spending(tmp_path) == pytest.approx(HOUR / 60)  # its first minute, at once
    clock.sleep(1800)
    assert spending(tmp_path) == pytest.approx(HOUR / 2)
    write(tmp_path, stopped(2900.0, "arn:1", 1100.0))
    clock.sleep(1800)
    assert spending(tmp_path) == pytest.approx(HOUR / 2)


def test_the_head_and_what_earlier_heads_ran_count(tmp_path: Path) -> None:
    clock = FakeClock(start=8200.0)
    write(tmp_path, beginning(1000.0), launched(1000.0, "arn:h1", ""), launched(1000.0, "arn:1"))
    write(tmp_path, beginning(4600.0), launched(4600.0, "arn:h2", ""))
    # an hour each of the first head and its task, an hour of the second
    assert Spending(shipped().rates, clock)(tmp_path) == pytest.approx(3 * HOUR)


def test_a_machine_without_a_home_to_write_goes_by_the_prices_of_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.write_text("no directory")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    write(tmp_path, beginning(1000.0), msgspec.structs.replace(launched(1000.0, "arn:1"), region="eu-west-3"))
    rate = shipped().rates("eu-west-3")
    expected = (rate["vcpu_hour"] + 2 * rate["gb_hour"]) / 60
    assert Spending(clock=FakeClock(start=1000.0))(tmp_path) == pytest.approx(expected)


def test_what_cannot_be_known_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError):
        Spending(shipped().rates, FakeClock())(tmp_path)


def test_a_run_at_its_limit_launches_no_more() -> None:
    assert over_budget(9.99, 0) == over_budget(0.49, 0.5) == ""
    assert over_budget(0.5, 0.5) == "stopped launching: $0.5000 of $0.5000 spent"
    assert over_budget(12.4, 10) == "stopped launching: $12.40 of $10.00 spent"
