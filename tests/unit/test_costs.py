"""Costs of runs, against sums done by hand with the card's prices of us-east-1 and eu-west-1."""

import csv
import io
import json
from pathlib import Path

import pytest

from cromulent_wdl.cli.main import run as cromulent
from cromulent_wdl.model import (
    CallEnded,
    CallStarted,
    EcsTaskLaunched,
    EcsTaskStopped,
    Ending,
    Event,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskPlaced,
)
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.pricing.costs import CostFold, Costs
from cromulent_wdl.units import GIB
from tests.fakes.journals import beginning, failed_run, make_run

VIRGINIA = "us-east-1"


def _launched(at: float, call: str, attempt: int, task: str, place: str = "spot", storage: int = 20) -> EcsTaskLaunched:
    return EcsTaskLaunched(at, call, attempt, task, place, VIRGINIA, "X86_64", 4.0, 10 * GIB, storage, True)


def _stopped(call: str, attempt: int, task: str, pulled: float | None, stopped: float, **more: str) -> EcsTaskStopped:
    return EcsTaskStopped(
        stopped + 1,
        call,
        attempt,
        task,
        pull_started_at=pulled,
        stopped_at=stopped,
        **more,  # type: ignore[arg-type]
    )


def _head(at: float, run_id: str = "20261122-1911-p7") -> RunStarted:
    return RunStarted(at, run_id, "align", "workflow", "/w/align.wdl", 1, "cloud", "fargate")


def _run() -> list[Event]:
    """A head for 20 minutes, a task lost to Spot after 100 s, and the same on demand for an hour."""
    return [
        _head(1000.0),
        EcsTaskLaunched(1000.0, "", 0, "arn:head", "on_demand", VIRGINIA, "X86_64", 1.0, 2 * GIB),
        CallStarted(1001.0, "align", "align", "call-align"),
        TaskPlaced(1001.0, "align", 1, "fargate", "Spot", 3, 9 * GIB),
        _launched(1002.0, "align", 1, "arn:1"),
        _stopped("align", 1, "arn:1", 1010.0, 1110.0, place="spot", stop_code="SpotInterruption"),
        TaskEnded(1111.0, "align", 1, Ending.SPOT),
        TaskPlaced(1112.0, "align", 2, "fargate", "on demand", 3, 9 * GIB),
        _launched(1112.0, "align", 2, "arn:2", "on_demand", 50),
        _stopped("align", 2, "arn:2", 1120.0, 4720.0, place="on_demand"),
        TaskEnded(4721.0, "align", 2, Ending.OK, 0),
        CallEnded(4721.0, "align", Ending.OK),
        RunEnded(2200.0, Ending.OK),
    ]


def _costs(events: list[Event], now: float = 9000.0) -> Costs:
    folding = CostFold()
    for event in events:
        folding.add(event)
    return folding.costs(shipped().rates, now)


def test_a_task_that_aws_has_forgotten_is_billed_from_its_launch_to_when_that_was_seen() -> None:
    events: list[Event] = [
        _head(1000.0),
        _launched(1002.0, "align", 1, "arn:1"),
        EcsTaskStopped(1202.0, "align", 1, "arn:1"),
    ]
    (bill,) = _costs(events).bills
    assert (bill.seconds, bill.estimated) == (200.0, True)


def test_a_task_that_another_head_takes_over_is_one_bill_with_its_result() -> None:
    placed = TaskPlaced(1001.0, "align", 1, "fargate", "Spot", 3, 9 * GIB)
    events: list[Event] = [
        _head(1000.0),
        placed,
        _launched(1002.0, "align", 1, "arn:1"),
        _head(2000.0),
        placed,
        _launched(2001.0, "align", 1, "arn:1"),
    ]
    [bill] = _costs(events, now=3000.0).bills
    assert (bill.wasted, bill.seconds) == ("", 1998.0)
    events += [
        _stopped("align", 1, "arn:1", 1010.0, 4610.0, place="spot"),
        TaskEnded(4611.0, "align", 1, Ending.OK, 0),
        RunEnded(4620.0, Ending.OK),
    ]
    [bill] = _costs(events).bills
    assert (bill.wasted, bill.seconds, bill.estimated) == ("", 3600.0, False)


def test_row_56_a_run_by_hand() -> None:
    head, spot, demand = _costs(_run()).bills
    # 1200 s of 1 vCPU and 2 GB: (0.04048 + 2 x 0.004445) / 3
    assert head.dollars == pytest.approx(0.0164567, rel=1e-4) and head.estimated
    # 100 s of 4 vCPU and 10 GB on Spot, and an address: (4 x 0.01288871 + 10 x 0.00141527 + 0.005) / 36
    assert spot.dollars == pytest.approx(0.00196410, rel=1e-4)
    assert (spot.wasted, spot.seconds, spot.estimated) == ("spot", 100.0, False)
    # an hour of 4 vCPU, 10 GB, 30 GB of storage above 20, an address: 0.16192 + 0.04445 + 0.00333 + 0.005
    assert demand.dollars == pytest.approx(0.2147, rel=1e-6)
    # rounding: 1 vCPU and 1 GB more than asked for, for an hour
    assert demand.rounding == pytest.approx(0.04048 + 0.004445, rel=1e-6)
    costs = _costs(_run())
    assert costs.dollars == pytest.approx(0.0164567 + 0.0019641 + 0.2147, rel=1e-4)
    assert costs.failed == spot.dollars and costs.rounding == demand.rounding
    assert costs.names()[VIRGINIA] >= {"spot_vcpu_hour", "vcpu_hour", "storage_gb_hour", "address_hour"}


def test_a_short_task_is_billed_a_minute_and_the_rest_of_it_is_named() -> None:
    events: list[Event] = [_head(0.0), _launched(1.0, "a", 1, "t"), _stopped("a", 1, "t", 10.0, 25.0)]
    (bill,) = _costs([*events, TaskEnded(26.0, "a", 1, Ending.OK)]).bills
    assert bill.seconds == 60.0 and bill.minimum == pytest.approx(bill.dollars * 45 / 60)


def test_what_never_pulled_its_image_costs_nothing() -> None:
    events: list[Event] = [_head(0.0), _launched(1.0, "a", 1, "t"), _stopped("a", 1, "t", None, 25.0)]
    assert _costs(events).dollars == 0.0


def test_what_runs_is_reckoned_until_now_and_without_aws_record_until_its_attempt_ended() -> None:
    events: list[Event] = [_head(0.0), _launched(100.0, "a", 1, "t")]
    (running,) = _costs(events, 460.0).bills
    assert (running.seconds, running.estimated, running.wasted) == (360.0, True, "")
    (lost,) = _costs([*events, TaskEnded(400.0, "a", 1, Ending.LOST)], 9000.0).bills
    assert (lost.seconds, lost.estimated, lost.wasted) == (300.0, True, "lost")


def test_the_tasks_of_an_earlier_head_are_paid_for_too() -> None:
    events: list[Event] = [_head(0.0), _launched(10.0, "a", 1, "old"), _head(500.0), _launched(510.0, "a", 1, "new")]
    old, new = _costs(events, 600.0).bills
    assert (old.seconds, old.wasted) == (490.0, "lost"), "the next head stops what it does not adopt"
    assert (new.seconds, new.wasted) == (90.0, "")


def test_a_task_in_whose_place_another_was_launched_gave_no_result() -> None:
    events: list[Event] = [
        _head(0.0),
        _launched(10.0, "a", 1, "first"),
        _stopped("a", 1, "first", 20.0, 200.0, reason="Your Spot Task was interrupted."),
        _launched(210.0, "a", 1, "second"),
        TaskEnded(400.0, "a", 1, Ending.OK),
    ]
    assert [bill.wasted for bill in _costs(events).bills] == ["spot", ""]


@pytest.fixture
def cloud_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return make_run(tmp_path / "20261122-1911-p7", _run())


def test_the_command_prints_a_table_json_and_csv(cloud_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cromulent(["cost"]) == 0
    out = capsys.readouterr()
    assert out.out.startswith("align  20261122-1911-p7  about $0.2331\n")
    assert "align         2  1:01:40" in out.out and "1 Spot, 1 on demand" in out.out
    assert "$0.0020 was for tasks that gave no result" in out.out
    assert "list prices of us-east-1" in out.err and "Spot prices float" in out.err
    assert cromulent(["cost", "--json", str(cloud_run)]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["dollars"] == pytest.approx(0.233121, abs=1e-5)
    assert [task["call"] for task in record["tasks"]] == ["", "align", "align"]
    assert cromulent(["cost", "--csv", "last", "last"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 6 and rows[1]["wasted"] == "spot"


def test_a_run_here_costs_nothing_and_says_so(
    tmp_path: Path, cloud_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = make_run(tmp_path / beginning(1.0).run_id, failed_run(1.0))
    assert cromulent(["cost", str(directory)]) == 0
    assert "ran here, which costs nothing on AWS" in capsys.readouterr().out
    assert cromulent(["cost", str(directory), str(cloud_run)]) == 0
    assert "all runs  $0.2331" in capsys.readouterr().out
