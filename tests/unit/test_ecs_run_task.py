"""RunTask: what it refuses and in which words, tokens, strategies, overrides, failures[]."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from cromulent_wdl.simulator.ecs import ApiError, EcsSettings, Fault, FaultPlan
from tests.fakes.ecs_world import ROLE, Stage, container, definition

SPOT_FIRST = [{"capacityProvider": "FARGATE_SPOT", "weight": 3}, {"capacityProvider": "FARGATE", "weight": 1}]
NET: dict[str, Any] = {"subnets": ["subnet-a"], "securityGroups": ["sg-1"]}


def network(**changes: Any) -> dict[str, Any]:
    return {"awsvpcConfiguration": {**NET, **changes}}


def overridden(**changes: Any) -> dict[str, Any]:
    return {"containerOverrides": [{"name": "main", **changes}]}


def big(length: int) -> dict[str, Any]:
    """Return overrides of so many characters, JSON's own included."""
    frame = len('{"containerOverrides":[{"name":"main","command":[""]}]}')
    return overridden(command=["x" * (length - frame)])


REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"count": 0}, "InvalidParameterException", "between 1 and 10"),
    ({"count": 11}, "InvalidParameterException", "between 1 and 10"),
    ({"cluster": "other"}, "ClusterNotFoundException", "Cluster not found."),
    ({"taskDefinition": "other"}, "ClientException", "TaskDefinition not found."),
    ({"taskDefinition": "job:7"}, "ClientException", "TaskDefinition not found."),
    ({"startedBy": "a b"}, "InvalidParameterException", "startedBy"),
    ({"startedBy": "a" * 129}, "InvalidParameterException", "startedBy"),
    ({"clientToken": "a" * 65}, "InvalidParameterException", "clientToken"),
    ({"launchType": "EC2"}, "InvalidParameterException", "No Container Instances were found in your cluster."),
    ({"launchType": "MOON"}, "ClientException", "launchType"),
    (
        {"launchType": "FARGATE", "capacityProviderStrategy": SPOT_FIRST},
        "InvalidParameterException",
        "Specifying both a launch type and capacity provider strategy is not supported.",
    ),
    (
        {"capacityProviderStrategy": [{"capacityProvider": "other"}]},
        "InvalidParameterException",
        "cannot contain a capacity provider that is not associated with the cluster",
    ),
    (
        {"networkConfiguration": {}},
        "InvalidParameterException",
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    ),
    (
        {"networkConfiguration": network(subnets=["subnet-x"])},
        "InvalidParameterException",
        "The subnet ID 'subnet-x' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
    ),
    (
        {"networkConfiguration": network(securityGroups=["sg-x"])},
        "InvalidParameterException",
        "The security group 'sg-x' does not exist (ErrorCode: InvalidGroup.NotFound)",
    ),
    ({"networkConfiguration": network(securityGroups=["sg-elsewhere"])}, "InvalidParameterException", "same VPC"),
    ({"overrides": big(8193)}, "InvalidParameterException", "Container Overrides length must be at most 8192"),
    (
        {"overrides": {"containerOverrides": [{"name": "web"}]}},
        "InvalidParameterException",
        "Override for container named web is not a container in the TaskDefinition.",
    ),
    ({"overrides": {"cpu": "256", "memory": "8192"}}, "ClientException", "No Fargate configuration exists"),
    ({"overrides": {"cpu": "300"}}, "ClientException", "No Fargate configuration exists"),
    ({"overrides": {"ephemeralStorage": {"sizeInGiB": 20}}}, "InvalidParameterException", "ephemeral storage"),
    ({"overrides": {"ephemeralStorage": {"sizeInGiB": 201}}}, "InvalidParameterException", "ephemeral storage"),
    ({"overrides": {"taskRoleArn": ROLE + "-x"}}, "ClientException", "ECS was unable to assume the role"),
    ({"platformVersion": "2.0"}, "PlatformUnknownException", "platform"),
    (
        {"platformVersion": "1.3.0", "enableExecuteCommand": True, "overrides": {"taskRoleArn": ROLE}},
        "PlatformTaskDefinitionIncompatibilityException",
        "capabilities",
    ),
    ({"enableExecuteCommand": True}, "InvalidParameterException", "valid taskRoleArn"),
    ({"tags": [{"key": "aws:x", "value": ""}]}, "InvalidParameterException", "aws:"),
    ({"tags": [{"key": str(each)} for each in range(51)]}, "InvalidParameterException", "50"),
    ({"tasDefinition": "x"}, "InvalidParameterException", "Unknown parameter"),
    ({"count": "1"}, "InvalidParameterException", "Invalid type"),
    ({"placementStrategy": [{"type": "random"}]}, "InvalidParameterException", "Fargate"),
]


@pytest.mark.parametrize(("request_", "code", "words"), REFUSALS, ids=[str(each[0])[:60] for each in REFUSALS])
def test_refusals(request_: dict[str, Any], code: str, words: str) -> None:
    stage = Stage()
    with pytest.raises(ApiError) as refusal:
        stage.run_answer(**request_)
    assert refusal.value.code == code
    assert words in refusal.value.message
    assert stage.ask("ListTasks", cluster="runs")["taskArns"] == []


def test_overrides_of_exactly_the_limit_are_taken() -> None:
    assert len(Stage().run(overrides=big(8192))) == 1


def test_a_definition_that_was_deregistered_cannot_be_run() -> None:
    stage = Stage()
    stage.ask("DeregisterTaskDefinition", taskDefinition="job:1")
    with pytest.raises(ApiError, match="TaskDefinition is inactive"):
        stage.run(taskDefinition="job:1")
    with pytest.raises(ApiError, match="TaskDefinition not found"):
        stage.run()


def test_cpu_memory_and_storage_can_be_overridden() -> None:
    overrides = {"cpu": "1024", "memory": "8192", "ephemeralStorage": {"sizeInGiB": 100}}
    (task,) = Stage().run(overrides=overrides)
    assert (task["cpu"], task["memory"], task["ephemeralStorage"]) == ("1024", "8192", {"sizeInGiB": 100})
    assert task["overrides"]["cpu"] == "1024"


def test_the_same_token_answers_the_same_tasks_and_starts_no_others() -> None:
    stage = Stage()
    first = stage.run(count=2, clientToken="t")
    stage.pass_time(5)
    again = stage.run(count=2, clientToken="t")
    assert [task["taskArn"] for task in again] == [task["taskArn"] for task in first]
    assert again[0]["lastStatus"] == "STOPPED"
    assert stage.service.meters()["tasks"]["accepted"] == 2


def test_the_same_token_with_other_parameters_is_a_conflict() -> None:
    stage = Stage()
    (task,) = stage.run(clientToken="t")
    with pytest.raises(ApiError) as refusal:
        stage.run(clientToken="t", startedBy="other")
    assert refusal.value.code == "ConflictException"
    assert refusal.value.members == {"resourceIds": [task["taskArn"]]}


def test_weights_split_a_batch() -> None:
    tasks = Stage().run(count=8, capacityProviderStrategy=SPOT_FIRST)
    assert Counter(task["capacityProviderName"] for task in tasks) == {"FARGATE_SPOT": 6, "FARGATE": 2}


def test_the_base_comes_before_the_weights() -> None:
    strategy = [{"capacityProvider": "FARGATE", "base": 2}, {"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    tasks = Stage().run(count=5, capacityProviderStrategy=strategy)
    assert Counter(task["capacityProviderName"] for task in tasks) == {"FARGATE": 2, "FARGATE_SPOT": 3}


def test_a_clusters_own_strategy_holds_where_nothing_is_asked_for() -> None:
    stage = Stage()
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    providers = ["FARGATE", "FARGATE_SPOT"]
    stage.ask(
        "PutClusterCapacityProviders",
        cluster="runs",
        capacityProviders=providers,
        defaultCapacityProviderStrategy=strategy,
    )
    (task,) = stage.run(as_the_cluster_says=True)
    assert task["capacityProviderName"] == "FARGATE_SPOT"


def test_no_capacity_is_a_failure_in_a_good_answer() -> None:
    stage = Stage()
    stage.service.set_faults(FaultPlan(faults=(Fault(kind="capacity", on=(2,)),)))
    answer = stage.run_answer(count=3)
    assert len(answer["tasks"]) == 2
    assert [failure["reason"] for failure in answer["failures"]] == [
        "Capacity is unavailable at this time. Please try again later or in a different availability zone"
    ]


def test_the_vcpu_quota_frees_itself_when_tasks_stop() -> None:
    stage = Stage(EcsSettings(vcpu_quota=0.5))
    answer = stage.run_answer(count=3)
    assert len(answer["tasks"]) == 2
    assert "limit on the number of vCPUs" in answer["failures"][0]["reason"]
    stage.pass_time(2)
    assert len(stage.run(count=2)) == 2


def test_tags_of_the_definition_are_propagated_on_request() -> None:
    stage = Stage()
    stage.ask("RegisterTaskDefinition", **definition(family="tagged", tags=[{"key": "a", "value": "definition"}]))
    own = [{"key": "b", "value": "task"}]
    (plain,) = stage.run(taskDefinition="tagged", tags=own)
    (both,) = stage.run(taskDefinition="tagged", tags=own, propagateTags="TASK_DEFINITION")
    assert plain["tags"] == own
    assert both["tags"] == [{"key": "a", "value": "definition"}, *own]


def test_two_subnets_take_turns() -> None:
    tasks = Stage().run(count=2, networkConfiguration=network(subnets=["subnet-a", "subnet-b"]))
    assert {task["availabilityZone"] for task in tasks} == {"eu-west-1a", "eu-west-1b"}


def test_a_repeated_token_counts_no_fault_and_no_capacity() -> None:
    stage = Stage()
    stage.run(clientToken="t")
    stage.service.set_faults(FaultPlan(faults=(Fault(kind="capacity"),)))
    assert len(stage.run(clientToken="t")) == 1


def test_a_definition_for_other_machines_does_not_run_on_fargate() -> None:
    stage = Stage()
    stage.ask("RegisterTaskDefinition", family="ec2", containerDefinitions=[container(memory=100)])
    with pytest.raises(ApiError, match="does not support launch_type FARGATE"):
        stage.run(taskDefinition="ec2")
