"""Attempts at a state of Step Functions: how long they take, what is between them, what the history tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .cloud import Cloud, Stack, until
from .machines import create_machine, play, task
from .test_states import run, tasks

DONE = {"Type": "Pass", "End": True}


def history(cloud: Cloud, execution: dict[str, Any]) -> list[dict[str, Any]]:
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history")
    return [event for page in pages.paginate(executionArn=execution["executionArn"]) for event in page["events"]]


def test_the_history_tells_of_the_task_that_was_submitted(cloud: Cloud, stack: Stack) -> None:
    ended = run(cloud, stack, {"Run": task(stack)})
    events = history(cloud, ended)
    kinds = [event["type"] for event in events]
    submitted = next(each["taskSubmittedEventDetails"] for each in events if each["type"] == "TaskSubmitted")

    assert kinds[1:6] == ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    assert (submitted["resourceType"], submitted["resource"]) == ("ecs", "runTask.sync")
    assert json.loads(submitted["output"])["Tasks"][0]["TaskArn"] == tasks(cloud, stack)[0]["taskArn"]


def test_the_time_of_a_state_can_come_with_its_input(cloud: Cloud, stack: Stack) -> None:
    state = task(stack, play(600), TimeoutSecondsPath="$.patience")
    ended = run(cloud, stack, {"Run": state}, {"patience": 1})

    assert (ended["status"], ended["error"], ended.get("cause", "")) == ("FAILED", "States.Timeout", "")
    assert "TaskTimedOut" in [event["type"] for event in history(cloud, ended)]
    until(lambda: tasks(cloud, stack))


def test_a_failed_task_is_not_a_late_one(cloud: Cloud, stack: Stack) -> None:
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Done"}]
    late = run(cloud, stack, {"Run": task(stack, play(600), TimeoutSeconds=1, Catch=catch), "Done": DONE})

    assert late["error"] == "States.Timeout"


@pytest.mark.parametrize("jitter", ["NONE", "FULL"])
def test_the_wait_between_attempts_grows_to_its_most(cloud: Cloud, stack: Stack, jitter: str) -> None:
    retry = {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 1,
        "BackoffRate": 1000,
        "MaxDelaySeconds": 2,
        "MaxAttempts": 2,
        "JitterStrategy": jitter,
    }
    ended = run(cloud, stack, {"Run": task(stack, play(exit_code=1), Retry=[retry])})
    seconds = (ended["stopDate"] - ended["startDate"]).total_seconds()

    assert len(tasks(cloud, stack)) == 3
    assert (3 if jitter == "NONE" else 0) <= seconds < 60, "the second wait would be of 1,000 s"


def test_each_retrier_counts_its_own_attempts(cloud: Cloud, stack: Stack) -> None:
    """No cluster is an error of ECS; a task that fails is one of its state."""
    state = task(
        stack,
        play(exit_code=1),
        Retry=[
            {"ErrorEquals": ["ECS.ClusterNotFoundException"], "MaxAttempts": 0},
            {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 1},
        ],
    )
    assert run(cloud, stack, {"Run": state})["error"] == "States.TaskFailed"
    assert len(tasks(cloud, stack)) == 2
    state["Parameters"]["Cluster"] = "nowhere"
    ended = run(cloud, stack, {"Run": state})
    assert ended["error"] == "ECS.ClusterNotFoundException"
    assert [event["type"] for event in history(cloud, ended)].count("TaskScheduled") == 1


def test_what_waits_long_for_its_next_attempt_can_be_stopped(cloud: Cloud, stack: Stack) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600}]
    machine = create_machine(cloud, stack, {"Run": task(stack, play(exit_code=1), Retry=retry)})
    execution = cloud.start(machine)
    until(lambda: tasks(cloud, stack))
    cloud.client("stepfunctions").stop_execution(executionArn=execution)

    assert cloud.ended(execution)["status"] == "ABORTED"
