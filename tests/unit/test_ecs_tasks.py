"""DescribeTasks, ListTasks, StopTask, ExecuteCommand; what a task shows and which events it sends."""

from __future__ import annotations

from typing import Any

import pytest

from cromulent_wdl.simulator.ecs import EcsSettings, Latency, Uniform
from cromulent_wdl.simulator.planes.play_script import PlayRule, PlayScript
from tests.fakes.ecs_world import ROLE, Stage, container, definition

SLOW = EcsSettings(latency=Latency(Uniform(1, 1), Uniform(1, 1), Uniform(1, 1)))
LONG = PlayScript(rules=(PlayRule(seconds=(100, 100)),))


def test_every_state_is_seen_in_its_time() -> None:
    stage = Stage(SLOW)
    (task,) = stage.run()
    seen = [task["lastStatus"]]
    for _ in range(4):
        stage.pass_time(1)
        seen.append(stage.task(task["taskArn"])["lastStatus"])
    assert seen == ["PROVISIONING", "PENDING", "RUNNING", "DEPROVISIONING", "STOPPED"]


def test_events_say_the_same_with_times_as_text() -> None:
    stage = Stage(SLOW)
    (task,) = stage.run()
    stage.pass_time(10)
    last = stage.world.events()[-1]
    assert last["stoppedAt"] == "2025-11-22T19:33:24.000Z"
    assert last["updatedAt"] == last["stoppedAt"]
    shown = stage.task(task["taskArn"])
    times = {name for name in shown if name.endswith("At")}
    assert {name: last[name] for name in shown if name not in times} == {
        name: value for name, value in shown.items() if name not in times
    }


def test_the_command_and_exit_code_come_from_the_environment_of_the_override() -> None:
    stage = Stage()
    override = {"name": "main", "environment": [{"name": "PLAY_EXIT_CODE", "value": "7"}]}
    (task,) = stage.run(overrides={"containerOverrides": [override]})
    stage.pass_time(2)
    assert stage.task(task["taskArn"])["containers"][0]["exitCode"] == 7


def test_what_is_not_there_is_missing() -> None:
    stage = Stage()
    answer = stage.ask("DescribeTasks", cluster="runs", tasks=["0" * 32])
    arn = "arn:aws:ecs:eu-west-1:123456789012:task/runs/" + "0" * 32
    assert answer == {"tasks": [], "failures": [{"arn": arn, "reason": "MISSING"}]}


def test_a_new_task_is_missing_for_a_while_where_consistency_takes_time() -> None:
    stage = Stage(EcsSettings(consistency_delay=Uniform(2, 2)), LONG)
    (task,) = stage.run()
    described = stage.ask("DescribeTasks", cluster="runs", tasks=[task["taskArn"]])
    assert described["failures"][0]["reason"] == "MISSING"
    assert stage.ask("ListTasks", cluster="runs")["taskArns"] == []
    stage.pass_time(2)
    assert stage.task(task["taskArn"])["lastStatus"] == "RUNNING"


def test_tags_are_shown_on_request_only() -> None:
    stage = Stage()
    (task,) = stage.run(tags=[{"key": "a", "value": "b"}])
    arn = task["taskArn"]
    assert stage.ask("DescribeTasks", cluster="runs", tasks=[arn])["tasks"][0]["tags"] == []
    assert stage.task(arn)["tags"] == [{"key": "a", "value": "b"}]


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([], "Tasks cannot be empty."),
        (["0" * 32] * 101, "at most 100"),
        (["short"], "taskId length should be one of [32,36]"),
        (["arn:aws:ecs:eu-west-1:123456789012:task/other/" + "0" * 32], "Identifier is for cluster other"),
        (["arn:aws:ecs:eu-west-1:123456789012:cluster/runs"], "Invalid identifier"),
    ],
)
def test_describe_refuses(tasks: list[str], words: str) -> None:
    assert words in Stage().refused("DescribeTasks", cluster="runs", tasks=tasks).message


def test_stopped_tasks_are_forgotten_after_an_hour() -> None:
    stage = Stage()
    (task,) = stage.run()
    stage.pass_time(3600)
    assert stage.task(task["taskArn"])["lastStatus"] == "STOPPED"
    stage.pass_time(10)
    stage.run()
    stage.pass_time(10)
    answer = stage.ask("DescribeTasks", cluster="runs", tasks=[task["taskArn"]])
    assert answer["failures"][0]["reason"] == "MISSING"
    assert len(stage.ask("ListTasks", cluster="runs", desiredStatus="STOPPED")["taskArns"]) == 1


def pages(stage: Stage, **request: Any) -> list[list[str]]:
    found: list[list[str]] = []
    token: dict[str, Any] = {}
    while True:
        answer = stage.ask("ListTasks", cluster="runs", **request, **token)
        found.append(answer["taskArns"])
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


def test_a_listing_comes_in_pages_without_gap_or_repetition() -> None:
    stage = Stage(script=LONG)
    arns = [task["taskArn"] for _ in range(21) for task in stage.run(count=10)]
    assert [len(page) for page in pages(stage)] == [100, 100, 10]
    assert [arn for page in pages(stage) for arn in page] == arns
    assert [len(page) for page in pages(stage, maxResults=90)] == [90, 90, 30]


def test_pages_stay_true_while_tasks_come_and_are_forgotten() -> None:
    stage = Stage(EcsSettings(stopped_visible=10))
    stage.run(count=10)
    first = stage.ask("ListTasks", cluster="runs", maxResults=5)
    stage.pass_time(5)
    later = [task["taskArn"] for task in stage.run(count=10)]
    stage.pass_time(7)
    rest = stage.ask("ListTasks", cluster="runs", desiredStatus="STOPPED", nextToken=first["nextToken"])
    assert rest["taskArns"] == later


def test_filters() -> None:
    stage = Stage(script=LONG)
    stage.ask("RegisterTaskDefinition", **definition(family="other"))
    (mine,) = stage.run(startedBy="run-1")
    (theirs,) = stage.run(startedBy="run-2", taskDefinition="other")
    stage.pass_time(1)
    stage.ask("StopTask", cluster="runs", task=theirs["taskArn"])
    assert pages(stage, startedBy="run-1") == [[mine["taskArn"]]]
    assert pages(stage, startedBy="run-2") == [[]]  # it is to stop, so its desired status is not RUNNING
    assert pages(stage, desiredStatus="STOPPED") == [[theirs["taskArn"]]]
    assert pages(stage, family="job") == [[mine["taskArn"]]]
    assert pages(stage, launchType="EC2") == [[]]
    assert pages(stage, desiredStatus="PENDING") == [[]]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"startedBy": "a", "desiredStatus": "STOPPED"}, "cannot specify startedBy with other arguments"),
        ({"startedBy": "a", "family": "job"}, "cannot specify startedBy with other arguments"),
        ({"maxResults": 101}, "between 1 and 100"),
        ({"nextToken": "made up"}, "Invalid token."),
        ({"serviceName": "web"}, "Service not found."),
        ({"cluster": "other"}, "Cluster not found."),
    ],
)
def test_list_refuses(request_: dict[str, Any], words: str) -> None:
    assert words in Stage().refused("ListTasks", **{"cluster": "runs", **request_}).message


def test_stop_ends_a_running_task_by_sigterm() -> None:
    stage = Stage(script=LONG)
    (task,) = stage.run(tags=[{"key": "a", "value": "b"}])
    stage.pass_time(5)
    answer = stage.ask("StopTask", cluster="runs", task=task["taskArn"], reason="enough")["task"]
    assert (answer["lastStatus"], answer["desiredStatus"]) == ("RUNNING", "STOPPED")
    stage.pass_time(1)
    ended = stage.task(task["taskArn"])
    assert (ended["stopCode"], ended["stoppedReason"]) == ("UserInitiated", "enough")
    assert ended["containers"][0]["exitCode"] == 143
    assert ended["tags"] == []  # botocore, StopTask: the task's tags are deleted


@pytest.mark.parametrize(("timeout", "grace"), [(None, 30), (120, 120)])
def test_what_ignores_sigterm_is_killed_after_its_stop_timeout(timeout: int | None, grace: int) -> None:
    stage = Stage(script=PlayScript(rules=(PlayRule(seconds=(900, 900), ignores_sigterm=True),)))
    chosen = container() if timeout is None else container(stopTimeout=timeout)
    stage.ask("RegisterTaskDefinition", **definition(family="deaf", containerDefinitions=[chosen]))
    (task,) = stage.run(taskDefinition="deaf")
    stage.pass_time(5)
    stage.ask("StopTask", cluster="runs", task=task["taskArn"])
    stage.pass_time(grace - 1)
    assert stage.task(task["taskArn"])["lastStatus"] == "RUNNING"
    stage.pass_time(1)
    ended = stage.task(task["taskArn"])
    assert (ended["lastStatus"], ended["containers"][0]["exitCode"]) == ("STOPPED", 137)
    assert ended["stoppedReason"] == "Task stopped by user"


@pytest.mark.parametrize("before", [0, 1, 2])
def test_stop_before_the_start_means_no_exit_code(before: int) -> None:
    stage = Stage(SLOW, PlayScript(rules=(PlayRule(pull_seconds=(5, 5)),)))
    (task,) = stage.run()
    stage.pass_time(before)
    stage.ask("StopTask", cluster="runs", task=task["taskArn"])
    stage.pass_time(10)
    ended = stage.task(task["taskArn"])
    assert (ended["lastStatus"], ended["stopCode"]) == ("STOPPED", "UserInitiated")
    assert "exitCode" not in ended["containers"][0]
    assert "startedAt" not in ended


def test_stop_after_the_end_changes_nothing() -> None:
    stage = Stage()
    (task,) = stage.run()
    stage.pass_time(5)
    assert stage.ask("StopTask", cluster="runs", task=task["taskArn"])["task"]["stopCode"] == "EssentialContainerExited"


def test_stop_does_not_find_what_is_not_there() -> None:
    assert "The referenced task was not found." in Stage().refused("StopTask", cluster="runs", task="0" * 32).message


def test_the_others_are_stopped_when_an_essential_container_ends() -> None:
    stage = Stage(script=LONG)
    short = container(environment=[{"name": "PLAY_SECONDS", "value": "2"}])
    stage.ask(
        "RegisterTaskDefinition",
        **definition(family="two", containerDefinitions=[short, container(name="aside", essential=False)]),
    )
    (task,) = stage.run(taskDefinition="two")
    stage.pass_time(3)
    main, aside = stage.task(task["taskArn"])["containers"]
    assert (main["exitCode"], aside["exitCode"]) == (0, 143)


def test_execute_command_refuses_in_the_words_of_aws() -> None:
    stage = Stage(script=LONG)
    (plain,) = stage.run()
    (enabled,) = stage.run(enableExecuteCommand=True, overrides={"taskRoleArn": ROLE})
    stage.pass_time(1)
    ask: dict[str, Any] = {"cluster": "runs", "command": "sh", "interactive": True}
    assert "was not enabled" in stage.refused("ExecuteCommand", **ask, task=plain["taskArn"]).message
    assert stage.refused("ExecuteCommand", **ask, task=enabled["taskArn"]).code == "TargetNotConnectedException"
    silent = {**ask, "interactive": False, "task": enabled["taskArn"]}
    assert "Interactive is the only mode" in stage.refused("ExecuteCommand", **silent).message
    assert stage.task(enabled["taskArn"])["containers"][0]["managedAgents"][0]["lastStatus"] == "RUNNING"
