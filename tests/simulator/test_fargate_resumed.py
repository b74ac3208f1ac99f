"""A run whose head was killed at an unlucky moment, and the head that goes on with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl.model import CallCached, EcsTaskLaunched, Event, RunStarted, TaskImage
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.storage.layout import ATTEMPTS, ENDED, JOURNAL
from tests.programs import kill

from .cloud import until
from .fargate import Lab

WIDE = """
version 1.1
workflow wide {
  input { Int width }
  scatter (i in range(width)) { call one { input: i = i } }
  output { Array[Int] numbers = one.number }
}
task one {
  input { Int i }
  command <<< echo ~{i}; sleep 0.2 >>>
  output { Int number = read_int(stdout()) }
  runtime { docker: "busybox@sha256:0000000000000000000000000000000000000000000000000000000000000000" }
}
"""
"""The image has its digest in its name, so that no registry is asked for it, and results are kept."""


def begin_and_kill(lab: Lab, width: int, *faults: Mapping[str, Any]) -> Path:
    """Start a run, kill its head once it has heard of that many results, of tasks that ECS still shows as running."""
    lab.afflict({"kind": "stays_running"}, *faults)
    (lab.mount / "wide.wdl").write_text(WIDE)
    run = lab.mount / "run"
    head = lab.start("run", "wide.wdl", f"width={width}", "--dir", "run/.", stuck_after="60")
    until(lambda: len(list(run.glob(f"{ATTEMPTS}/*/result"))) == width and not list((run / ENDED).iterdir()))
    kill(head)
    return run


def test_a_result_that_the_dead_head_noticed_settles_a_task_that_ecs_shows_as_running(lab: Lab) -> None:
    begin_and_kill(lab, 2)
    assert len(lab.live()) == 2
    ran = lab.run("run", "wide.wdl", "width=2", "--dir", "run/.", stuck_after="1")
    assert ran.outputs == {"wide.numbers": [0, 1]}
    assert "conflict" not in ran.stderr, "miniwdl's warning of what is meant"
    assert len(lab.tasks()) == 2
    assert not lab.live()


def test_what_the_dead_head_could_not_tell_is_told_by_the_next_though_ecs_has_forgotten_the_task(lab: Lab) -> None:
    run = begin_and_kill(lab, 1, {"kind": "missing", "after": 3600})
    (launch,) = run.glob(f"{ATTEMPTS}/*/launch.json")
    arn = json.loads(launch.read_text())["task"]
    launch.unlink()
    for _ in range(2):
        ran = lab.run("run", "wide.wdl", "width=1", "--dir", "run/.")
        assert ran.outputs == {"wide.numbers": [0]}
    first, second, third = _by_head(run)
    assert [event.task for event in second if isinstance(event, EcsTaskLaunched)] == [arn]
    assert [type(event) for event in first + second if isinstance(event, TaskImage)] == [TaskImage] * 2
    assert [event.call for event in third if isinstance(event, CallCached)] == ["one[0]"], "its result was kept"


def _by_head(run: Path) -> list[list[Event]]:
    """Return the events of each head."""
    heads: list[list[Event]] = []
    for event in JournalReader(run / JOURNAL).new():
        if isinstance(event, RunStarted):
            heads.append([])
        heads[-1].append(event)
    return heads


def test_what_nobody_takes_over_has_stopped_when_the_next_head_ends(lab: Lab) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE.replace("sleep 0.2", "sleep 100"))
    head = lab.start("run", "wide.wdl", "width=3", "--dir", "run/.")
    until(lambda: len([task for task in lab.tasks() if task["lastStatus"] == "RUNNING"]) == 3)
    kill(head)
    (lab.mount / "wide.wdl").write_text(WIDE)
    ran = lab.run("run", "wide.wdl", "width=1", "--dir", "run/.")
    assert not lab.live()
    assert ran.outputs == {"wide.numbers": [0]}
    codes = sorted(task["stopCode"] for task in lab.tasks())
    assert codes == ["EssentialContainerExited"] + ["UserInitiated"] * 3


def test_that_is_so_where_no_call_is_left_to_be_done(lab: Lab) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE.replace("sleep 0.2", "sleep 100"))
    head = lab.start("run", "wide.wdl", "width=2", "--dir", "run/.")
    until(lambda: len([task for task in lab.tasks() if task["lastStatus"] == "RUNNING"]) == 2)
    kill(head)
    ran = lab.run("run", "wide.wdl", "width=0", "--dir", "run/.")
    assert not lab.live()
    assert ran.outputs == {"wide.numbers": []}
    assert {task["stoppedReason"] for task in lab.tasks()} == {"No head of its run wants it"}


def test_an_attempt_that_had_ended_is_not_done_again_however_many_heads_die_before_they_take_it_over(lab: Lab) -> None:
    run = begin_and_kill(lab, 1)
    (run / "call-one-0" / "work2").mkdir()  # as a head leaves it that dies over that
    ran = lab.run("run", "wide.wdl", "width=1", "--dir", "run/.", stuck_after="1")
    assert ran.outputs == {"wide.numbers": [0]}
    assert len(lab.tasks()) == 1


AFTER_FIRST = (
    WIDE.replace("scatter", "call first\n  scatter").replace("i = i }", "i = i, after = first.n }")
    + """
task first {
  command <<< sleep 4 >>>
  output { Int n = 1 }
}
"""
).replace("{ Int i }", "{ Int i  Int? after }")
"""The same call, which begins later."""


@pytest.mark.parametrize("source", [WIDE.replace("sleep 0.2", "sleep 4"), AFTER_FIRST], ids=["at-once", "later"])
def test_a_task_that_ecs_hides_from_the_next_head_is_begun_anew_and_stopped_once_it_shows(
    lab: Lab, source: str
) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE.replace("sleep 0.2", "sleep 100"))
    lab.afflict({"kind": "missing", "after": 3.5, "times": 1})
    run = lab.mount / "run"
    head = lab.start("run", "wide.wdl", "width=1", "--dir", "run/.", lost_after="60")
    until(lambda: list(run.glob(f"{ATTEMPTS}/*/claim")) and list(run.glob(f"{ATTEMPTS}/*/launch.json")))
    kill(head)
    (lab.mount / "wide.wdl").write_text(source)
    ran = lab.run("run", "wide.wdl", "width=1", "--dir", "run/.", lost_after="60")
    assert ran.outputs == {"wide.numbers": [0]}
    assert not lab.live()
    codes = sorted(task["stopCode"] for task in lab.tasks())
    assert codes == ["EssentialContainerExited"] * (len(codes) - 1) + ["UserInitiated"]
