"""Step Functions around ECS: results, errors, Retry and Catch, stops and timeouts as AWS has them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import Cloud, Stack, until
from .machines import create_machine, play, task


def run(cloud: Cloud, stack: Stack, states: dict[str, Any], value: object = None, **fields: Any) -> dict[str, Any]:
    """Run a machine of these states to its end."""
    return cloud.ended(cloud.start(create_machine(cloud, stack, states, **fields), value))


def tasks(cloud: Cloud, stack: Stack, status: str = "STOPPED") -> list[dict[str, Any]]:
    """Return the tasks of the stack's cluster that are wanted so."""
    ecs = cloud.client("ecs")
    arns = ecs.list_tasks(cluster=stack["Cluster"], desiredStatus=status)["taskArns"]
    return list(ecs.describe_tasks(cluster=stack["Cluster"], tasks=arns)["tasks"]) if arns else []


def test_the_machine_of_the_stack_runs_its_task_and_shows_it(cloud: Cloud, stack: Stack) -> None:
    ended = cloud.ended(cloud.start(stack["Machine"]))
    shown = json.loads(ended["output"])

    assert ended["status"] == "SUCCEEDED"
    assert shown["TaskArn"] == tasks(cloud, stack)[0]["taskArn"]
    assert shown["LastStatus"] == "STOPPED"
    assert shown["StartedBy"] == "AWS Step Functions"
    assert [container["ExitCode"] for container in shown["Containers"]] == [0]
    assert 1e12 < shown["CreatedAt"] <= shown["StoppedAt"]


def test_a_task_that_fails_fails_its_state_with_the_task_as_cause(cloud: Cloud, stack: Stack) -> None:
    ended = run(cloud, stack, {"Run": task(stack, play(exit_code=3))})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended["cause"])["Containers"][0]["ExitCode"] == 3


def test_a_task_is_retried_and_then_caught(cloud: Cloud, stack: Stack) -> None:
    state = task(
        stack,
        play(exit_code=9),
        Retry=[{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1}],
        Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "After"}],
    )
    ended = run(cloud, stack, {"Run": state, "After": {"Type": "Pass", "End": True}}, {"kept": 1})
    output = json.loads(ended["output"])

    assert ended["status"] == "SUCCEEDED"
    assert len(tasks(cloud, stack)) == 3
    assert output["kept"] == 1
    assert output["error"]["Error"] == "States.TaskFailed"
    assert json.loads(output["error"]["Cause"])["StopCode"] == "EssentialContainerExited"


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("Cluster", "nowhere", "ECS.ClusterNotFoundException"),
        ("TaskDefinition", "nothing:7", "ECS.ClientException"),
        ("Count", 11, "ECS.InvalidParameterException"),
    ],
)
def test_a_refusal_is_an_error_of_its_name(cloud: Cloud, stack: Stack, field: str, value: object, error: str) -> None:
    state = task(stack, Catch=[{"ErrorEquals": [error], "Next": "Caught"}])
    state["Parameters"][field] = value

    assert run(cloud, stack, {"Run": state, "Caught": {"Type": "Pass", "End": True}})["status"] == "SUCCEEDED"


def test_stopping_an_execution_stops_its_task(cloud: Cloud, stack: Stack) -> None:
    catch_all = {
        "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 5, "IntervalSeconds": 1}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Never"}],
    }
    never = {"Type": "Pass", "End": True}
    machine = create_machine(cloud, stack, {"Run": task(stack, play(600), **catch_all), "Never": never})
    execution = cloud.start(machine)
    until(lambda: any(each["lastStatus"] == "RUNNING" for each in tasks(cloud, stack, "RUNNING")))
    cloud.client("stepfunctions").stop_execution(executionArn=execution, error="Enough", cause="by hand")

    stopped = until(lambda: tasks(cloud, stack))
    assert [each["stopCode"] for each in stopped] == ["UserInitiated"]
    ended = cloud.ended(execution)
    assert (ended["status"], ended["error"]) == ("ABORTED", "Enough")
    until(lambda: not tasks(cloud, stack, "RUNNING"))
    assert len(tasks(cloud, stack)) == 1


def test_a_state_that_takes_too_long_can_be_caught(cloud: Cloud, stack: Stack) -> None:
    state = task(stack, play(600), TimeoutSeconds=1, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Late"}])

    assert run(cloud, stack, {"Run": state, "Late": {"Type": "Pass", "End": True}})["status"] == "SUCCEEDED"
    (stopped,) = until(lambda: tasks(cloud, stack))
    assert stopped["stopCode"] == "UserInitiated"
    assert "which was managing this resource was aborted" in stopped["stoppedReason"]


def test_an_execution_that_takes_too_long_times_out_uncaught(cloud: Cloud, stack: Stack) -> None:
    state = task(stack, play(600), Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Never"}])
    ended = run(cloud, stack, {"Run": state, "Never": {"Type": "Pass", "End": True}}, TimeoutSeconds=1)

    assert ended["status"] == "TIMED_OUT"
    assert [each["stopCode"] for each in until(lambda: tasks(cloud, stack))] == ["UserInitiated"]


def test_every_item_of_a_map_runs_a_task(cloud: Cloud, stack: Stack) -> None:
    each = task(stack, ResultSelector={"code.$": "$.Containers[0].ExitCode"})
    each["Parameters"]["Overrides"]["ContainerOverrides"][0]["Environment"].append(
        {"Name": "ITEM", "Value.$": "$.item"}
    )
    states = {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"item.$": "$$.Map.Item.Value"},
            "MaxConcurrency": 3,
            "ItemProcessor": {"StartAt": "Run", "States": {"Run": each}},
            "End": True,
        }
    }
    ended = run(cloud, stack, states, {"items": ["a", "b", "c", "d", "e"]})
    given = [each["overrides"]["containerOverrides"][0]["environment"] for each in tasks(cloud, stack)]

    assert json.loads(ended["output"]) == [{"code": 0}] * 5
    assert sorted(values[-1]["value"] for values in given) == ["a", "b", "c", "d", "e"]


def test_a_branch_that_fails_stops_the_tasks_of_the_others(cloud: Cloud, stack: Stack) -> None:
    branches = [
        {"StartAt": "Long", "States": {"Long": task(stack, play(600))}},
        {"StartAt": "Bad", "States": {"Bad": task(stack, play(1, exit_code=7))}},
    ]
    ended = run(cloud, stack, {"Both": {"Type": "Parallel", "Branches": branches, "End": True}})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended["cause"])["Containers"][0]["ExitCode"] == 7
    until(lambda: len(tasks(cloud, stack)) == 2)
    assert sorted(each["stopCode"] for each in tasks(cloud, stack)) == ["EssentialContainerExited", "UserInitiated"]


def test_choices_and_waits_lead_where_they_should(cloud: Cloud, stack: Stack) -> None:
    states = {
        "Wait": {"Type": "Wait", "SecondsPath": "$.pause", "Next": "Which"},
        "Which": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [{"Variable": "$.kind", "StringEquals": "big"}, {"Variable": "$.n", "IsPresent": True}],
                    "Next": "Big",
                }
            ],
            "Default": "Small",
        },
        "Big": {"Type": "Pass", "Result": "big", "End": True},
        "Small": {"Type": "Fail", "Error": "TooSmall", "CausePath": "$.kind"},
    }
    machine = create_machine(cloud, stack, states)
    big, small = ({"pause": 0.1, "kind": "big", "n": 1}, {"pause": 0.1, "kind": "tiny"})

    assert cloud.ended(cloud.start(machine, big))["output"] == '"big"'
    failed = cloud.ended(cloud.start(machine, small))
    assert (failed["error"], failed["cause"]) == ("TooSmall", "tiny")


def test_a_machine_finds_and_stops_tasks_by_the_sdk_integrations(cloud: Cloud, stack: Stack) -> None:
    ecs = cloud.client("ecs")
    orphan = ecs.run_task(
        cluster=stack["Cluster"],
        taskDefinition=stack["Head"],
        launchType="FARGATE",
        networkConfiguration=stack.network,
        startedBy="lost-run",
        overrides={"containerOverrides": [{"name": "main", "environment": [{"name": "PLAY_SECONDS", "value": "600"}]}]},
    )["tasks"][0]["taskArn"]
    stop = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ecs:stopTask",
        "Parameters": {"Cluster": stack["Cluster"], "Task.$": "$", "Reason": "sweep"},
        "End": True,
    }
    states = {
        "List": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ecs:listTasks",
            "Parameters": {"Cluster": stack["Cluster"], "StartedBy.$": "$.run"},
            "Next": "Stop",
        },
        "Stop": {
            "Type": "Map",
            "ItemsPath": "$.TaskArns",
            "ItemProcessor": {"StartAt": "One", "States": {"One": stop}},
            "End": True,
        },
    }

    ended = run(cloud, stack, states, {"run": "lost-run"})
    assert ended["status"] == "SUCCEEDED", ended["cause"]
    assert until(lambda: tasks(cloud, stack))[0]["taskArn"] == orphan
    assert tasks(cloud, stack)[0]["stoppedReason"] == "sweep"


def test_a_path_that_finds_nothing_ends_the_execution_uncaught(cloud: Cloud, stack: Stack) -> None:
    state = {
        "Type": "Pass",
        "Parameters": {"name.$": "$.nobody"},
        "End": True,
    }
    guarded = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "Name", "States": {"Name": state}}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Never"}],
        "End": True,
    }
    ended = run(cloud, stack, {"Both": guarded, "Never": {"Type": "Pass", "End": True}}, {"somebody": 1})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert "The JSONPath '$.nobody' specified for the field 'name.$' could not be found" in ended["cause"]


def test_the_ends_of_tasks_and_executions_are_told_by_events(cloud: Cloud, stack: Stack) -> None:
    cloud.client("events").put_rule(Name="runs", EventPattern=json.dumps({"source": ["aws.states"]}))
    cloud.client("events").put_targets(Rule="runs", Targets=[{"Id": "q", "Arn": stack["ChangesArn"]}])
    execution = cloud.start(stack["Machine"])
    cloud.ended(execution)
    seen: list[dict[str, Any]] = []

    def three() -> bool:
        answer = cloud.client("sqs").receive_message(QueueUrl=stack["Changes"], MaxNumberOfMessages=10)
        seen.extend(json.loads(each["Body"]) for each in answer.get("Messages", ()))
        return len(seen) >= 3

    until(three)
    kinds = {(each["source"], each["detail"].get("status") or each["detail"]["lastStatus"]) for each in seen}
    assert kinds == {("aws.states", "RUNNING"), ("aws.states", "SUCCEEDED"), ("aws.ecs", "STOPPED")}


def test_a_machine_that_cannot_be_is_refused_by_the_api_and_in_a_stack(cloud: Cloud, stack: Stack) -> None:
    definition = json.dumps({"StartAt": "Absent", "States": {"Only": {"Type": "Pass", "End": True}}})
    machines = cloud.client("stepfunctions")
    with pytest.raises(ClientError, match=r"InvalidDefinition.*Missing 'Next' target: Absent"):
        machines.create_state_machine(name="wrong", definition=definition, roleArn=stack["Conductor"])
    assert machines.validate_state_machine_definition(definition=definition)["result"] == "FAIL"

    machine = {"RoleArn": stack["Conductor"], "DefinitionString": definition}
    template = {"Resources": {"Wrong": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}}
    assert cloud.create_stack("wrong", json.dumps(template)).status == "ROLLBACK_COMPLETE"
    assert "Missing 'Next' target" in cloud.failures("wrong")["Wrong"]
