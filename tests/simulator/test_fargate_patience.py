"""What is made once for a run, while AWS asks for fewer calls: it is waited for as launches are."""

from __future__ import annotations

import threading

import pytest

from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.model import EcsTaskStopped, Ending, Outcome, Task, TaskWaiting
from tests.fakes.attempts import run_task
from tests.fakes.process_tasks import Events
from tests.fakes.waiting import eventually

from .fargate import Lab

ACTIONS = ("DescribeTaskDefinition", "elasticfilesystem:CreateAccessPoint")


def task_of(lab: Lab) -> Task:
    run = lab.mount / "run"
    run.mkdir()
    return run_task(run, "call-one", "echo done > out", images=("ubuntu:22.04",), run_id="run")


def throttle(lab: Lab, action: str, times: int | None = None) -> None:
    lab.afflict({"kind": "throttling", "action": action, "family": None, "times": times})


def asks_for_fewer(events: Events) -> bool:
    return any("asks for fewer calls" in event.why for event in events if isinstance(event, TaskWaiting))


@pytest.mark.parametrize("action", [*ACTIONS, "RegisterTaskDefinition"])
def test_row_8_what_a_run_needs_once_is_waited_for_while_aws_throttles(lab: Lab, action: str) -> None:
    throttle(lab, action, times=9)
    events = Events()
    with lab.backend(retry_pause=0.0) as backend:
        outcome = backend.run(task_of(lab), Cancellation(), events)
    assert outcome.ending is Ending.OK, outcome.message
    assert asks_for_fewer(events)
    assert len(lab.tasks()) == 1


@pytest.mark.parametrize("action", ACTIONS)
def test_row_8_it_is_waited_for_no_longer_than_the_user_has_patience(lab: Lab, action: str) -> None:
    throttle(lab, action)
    with lab.backend(retry_pause=0.0, capacity_patience=0.2) as backend:
        outcome = backend.run(task_of(lab), Cancellation(), Events())
    assert (outcome.ending, outcome.final) == (Ending.THROTTLED, True)
    assert "asks for fewer calls" in outcome.message
    assert not lab.tasks()


@pytest.mark.parametrize("action", ACTIONS)
def test_a_run_that_is_stopped_meanwhile_does_not_wait(lab: Lab, action: str) -> None:
    throttle(lab, action)
    task, cancelled, events, outcomes = task_of(lab), Cancellation(), Events(), list[Outcome]()
    with lab.backend(retry_pause=0.0, capacity_pause=600.0, capacity_patience=3600.0) as backend:
        thread = threading.Thread(target=lambda: outcomes.append(backend.run(task, cancelled, events)), daemon=True)
        thread.start()
        assert eventually(lambda: asks_for_fewer(events))
        cancelled.cancel()
        thread.join(30)
    assert [outcome.ending for outcome in outcomes] == [Ending.STOPPED]


def ended_task(lab: Lab) -> Task:
    """Return a task that an earlier head has run, and whose result is there."""
    task = task_of(lab)
    with lab.backend() as backend:
        assert backend.run(task, Cancellation(), Events()).ending is Ending.OK
    return task


def test_row_8_what_an_earlier_head_has_done_is_taken_over_though_aws_throttles_meanwhile(lab: Lab) -> None:
    task, events = ended_task(lab), Events()
    throttle(lab, "ListTasks", times=9)
    with lab.backend(retry_pause=0.0) as backend:
        assert backend.takes_over(task, task.command.read_text(), Cancellation(), events)
        throttle(lab, "DescribeTasks")
        outcome = backend.run(task, Cancellation(), events)
    assert outcome.ending is Ending.OK
    assert asks_for_fewer(events)
    [stopped] = events.of(EcsTaskStopped)
    assert isinstance(stopped, EcsTaskStopped) and stopped.exit_code == 0, "as the earlier head has seen it"
    lab.afflict()
    assert len(lab.tasks()) == 1


def test_who_is_stopped_takes_nothing_over(lab: Lab) -> None:
    task, cancelled, events, answers = ended_task(lab), Cancellation(), Events(), list[bool]()
    throttle(lab, "ListTasks")

    def ask() -> None:
        answers.append(backend.takes_over(task, task.command.read_text(), cancelled, events))

    with lab.backend(retry_pause=0.0, capacity_pause=600.0, capacity_patience=3600.0) as backend:
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        assert eventually(lambda: asks_for_fewer(events))
        cancelled.cancel()
        thread.join(30)
    assert answers == [False]


def test_an_attempt_has_one_patience_whatever_it_waits_for(lab: Lab) -> None:
    first, events = ended_task(lab), Events()
    second = run_task(first.run_directory, "call-two", "true", images=first.images, run_id="run")
    listing = {"kind": "throttling", "action": "ListTasks", "family": None, "times": 8}
    lab.afflict(listing, {"kind": "capacity"})
    with lab.backend(retry_pause=0.0, capacity_pause=0.2, capacity_patience=0.3) as backend:
        outcome = backend.run(second, Cancellation(), events)
    assert outcome.ending is Ending.CAPACITY
    waits = [event.why for event in events if isinstance(event, TaskWaiting) and "tried again in" in event.why]
    assert len(waits) == 1 and "asks for fewer calls" in waits[0]
