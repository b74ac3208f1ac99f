"""Task definitions: what is refused and in which words, revisions, INACTIVE and deleted ones, listings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.simulator.ecs import ApiError
from cromulent_wdl.simulator.ecs.sizes import parse_cpu, parse_memory, require_fargate_size
from cromulent_wdl.simulator.planes.play_script import PlayRule, PlayScript
from tests.fakes.ecs_world import ROLE, Stage, container, definition

EFS = {"fileSystemId": "fs-1", "transitEncryption": "ENABLED"}
AWSLOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "/cromulent", "awslogs-region": "eu-west-1"}}
LINUX = "linuxParameters"


def with_volume(**efs: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "runs", "efsVolumeConfiguration": {**EFS, **efs}}]}


def with_container(**changes: Any) -> dict[str, Any]:
    return {"containerDefinitions": [container(**changes)]}


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"family": "a b"}, "Family"),
    ({"family": "a" * 256}, "Family"),
    ({"cpu": "256", "memory": "4096"}, "No Fargate configuration exists for given values: 256 CPU, 4096 memory."),
    ({"cpu": ""}, "Fargate requires that 'cpu' be defined at the task level."),
    ({"memory": ""}, "Fargate requires that 'memory' be defined at the task level."),
    ({"cpu": "many"}, "Invalid 'cpu' setting for task."),
    ({"networkMode": "bridge"}, "Fargate only supports network mode"),
    ({"ephemeralStorage": {"sizeInGiB": 20}}, "ephemeral storage"),
    ({"containerDefinitions": []}, "empty"),
    ({"containerDefinitions": [container(name=f"c{each}") for each in range(11)]}, "10 containers"),
    ({"containerDefinitions": [container(), container()]}, "unique"),
    (with_container(name="a b"), "Container.name"),
    (with_container(image=""), "Container.image should not be null or empty."),
    (with_container(essential=False), "at least one essential container"),
    (with_container(memory=1024), "The 'memory' setting for container 'main' is greater than for the task."),
    (with_container(stopTimeout=121), "between 2 and 120"),
    (with_container(privileged=True), "Fargate compatible task definitions do not support privileged."),
    (with_container(resourceRequirements=[{"type": "GPU", "value": "1"}]), "GPU"),
    (with_container(**{LINUX: {"sharedMemorySize": 64}}), "sharedMemorySize"),
    (with_container(**{LINUX: {"capabilities": {"add": ["SYS_ADMIN"]}}}), "SYS_ADMIN"),
    (with_container(logConfiguration=AWSLOGS), "execution role ARN to support log driver awslogs."),
    (with_container(logConfiguration={"logDriver": "syslog"}), "syslog"),
    (with_container(image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"), "to support ECR images."),
    (with_container(secrets=[{"name": "A", "valueFrom": "arn"}]), "'executionRoleArn'"),
    (with_container(mountPoints=[{"sourceVolume": "nowhere", "containerPath": "/a"}]), "Unknown volume 'nowhere'."),
    (with_container(command=["x" * 65536]), "Max allowed length is '65536' bytes."),
    ({"placementConstraints": [{"type": "memberOf"}]}, "constraints"),
    ({"volumes": [{"name": "a", "host": {"sourcePath": "/"}}]}, "sourcePath"),
    (
        with_volume(rootDirectory="/deep", authorizationConfig={"accessPointId": "fsap-1"}),
        'When using an EFS access point, the root directory must either be set to "/" or be omitted.',
    ),
    (with_volume(transitEncryption="DISABLED", authorizationConfig={"accessPointId": "fsap-1"}), "Transit encryption"),
    (with_volume(transitEncryption="DISABLED", authorizationConfig={"iam": "ENABLED"}), "Transit encryption"),
    ({"tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, "Duplicate tag keys"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSALS, ids=[str(each[1])[:40] for each in REFUSALS])
def test_refusals(changes: dict[str, Any], words: str) -> None:
    stage = Stage()
    assert words in stage.refused("RegisterTaskDefinition", **definition(**changes)).message
    assert len(stage.ask("ListTaskDefinitions")["taskDefinitionArns"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"cpu": "1 vCPU", "memory": "2 GB"},
        {"cpu": ".25 vcpu".lstrip("."), "memory": "512"} | {"cpu": "0.25 vCPU"},
        {"cpu": "16384", "memory": "122880"},
        with_container(**{LINUX: {"capabilities": {"add": ["SYS_PTRACE"]}, "initProcessEnabled": True}}),
        with_volume(rootDirectory="/", authorizationConfig={"accessPointId": "fsap-1", "iam": "ENABLED"}),
        with_volume(rootDirectory="/deep"),
        {**with_container(logConfiguration=AWSLOGS), "executionRoleArn": ROLE},
    ],
)
def test_what_fargate_takes(changes: dict[str, Any]) -> None:
    made = Stage().ask("RegisterTaskDefinition", **definition(**changes))["taskDefinition"]
    assert made["compatibilities"] == ["EC2", "FARGATE"]
    assert int(made["cpu"]) and int(made["memory"])


SIZES = {
    256: [512, 1024, 2048],
    512: [1024 * each for each in range(1, 5)],
    1024: [1024 * each for each in range(2, 9)],
    2048: [1024 * each for each in range(4, 17)],
    4096: [1024 * each for each in range(8, 31)],
    8192: [1024 * each for each in range(16, 61, 4)],
    16384: [1024 * each for each in range(32, 121, 8)],
}


@given(st.sampled_from([*SIZES, 128, 300, 32768]), st.integers(0, 130).map(lambda each: each * 512))
def test_exactly_the_sizes_of_the_table_are_taken(cpu: int, memory: int) -> None:
    try:
        require_fargate_size(cpu, memory)
        taken = True
    except ApiError:
        taken = False
    assert taken == (memory in SIZES.get(cpu, []))


def test_sizes_are_read_as_people_write_them() -> None:
    assert [parse_cpu(each) for each in ("1024", "1 vCPU", "0.5vcpu")] == [1024, 1024, 512]
    assert [parse_memory(each) for each in ("512", "2 GB", "0.5GB")] == [512, 2048, 512]


def test_revisions_count_on_and_a_family_means_the_newest_active_one() -> None:
    stage = Stage()
    stage.ask("RegisterTaskDefinition", **definition())
    assert described(stage, "job")["revision"] == 2
    stage.ask("DeregisterTaskDefinition", taskDefinition="job:2")
    assert described(stage, "job")["revision"] == 1
    gone = described(stage, "job:2")
    assert gone["status"] == "INACTIVE"
    assert gone["deregisteredAt"] >= gone["registeredAt"]
    stage.ask("DeleteTaskDefinitions", taskDefinitions=["job:2"])
    assert stage.ask("RegisterTaskDefinition", **definition())["taskDefinition"]["revision"] == 3


def described(stage: Stage, reference: str) -> dict[str, Any]:
    return dict(stage.ask("DescribeTaskDefinition", taskDefinition=reference)["taskDefinition"])


def test_defaults_are_filled_in() -> None:
    stage = Stage()
    stage.ask("RegisterTaskDefinition", **definition(family="volumes", **with_volume()))
    document = described(stage, "volumes")
    assert document["volumes"][0]["efsVolumeConfiguration"]["rootDirectory"] == "/"
    assert document["containerDefinitions"][0]["essential"] is True


@pytest.mark.parametrize(
    ("action", "reference", "words"),
    [
        ("DescribeTaskDefinition", "nothing", "Unable to describe task definition."),
        ("DescribeTaskDefinition", "job:9", "Unable to describe task definition."),
        ("DeregisterTaskDefinition", "job", "revision"),
        ("DeregisterTaskDefinition", "job:9", "does not exist"),
    ],
)
def test_what_is_not_there(action: str, reference: str, words: str) -> None:
    assert words in Stage().refused(action, taskDefinition=reference).message


def test_an_active_definition_is_not_deleted() -> None:
    answer = Stage().ask("DeleteTaskDefinitions", taskDefinitions=["job:1", "job:9"])
    assert answer["taskDefinitions"] == []
    assert [failure["arn"] for failure in answer["failures"]] == ["job:1", "job:9"]


def test_a_deleted_definition_stays_while_its_tasks_run() -> None:
    stage = Stage(script=PlayScript(rules=(PlayRule(seconds=(10, 10)),)))
    (task,) = stage.run()
    stage.ask("DeregisterTaskDefinition", taskDefinition="job:1")
    answer = stage.ask("DeleteTaskDefinitions", taskDefinitions=["job:1"])
    assert answer["taskDefinitions"][0]["status"] == "DELETE_IN_PROGRESS"
    assert described(stage, "job:1")["status"] == "DELETE_IN_PROGRESS"
    stage.pass_time(15)
    assert stage.task(task["taskArn"])["containers"][0]["exitCode"] == 0
    assert "Unable to describe" in stage.refused("DescribeTaskDefinition", taskDefinition="job:1").message


def test_listing_by_family_status_and_order() -> None:
    stage = Stage()
    for family in ("job", "other", "other"):
        stage.ask("RegisterTaskDefinition", **definition(family=family))
    stage.ask("DeregisterTaskDefinition", taskDefinition="other:1")

    def names(**request: Any) -> list[str]:
        arns = stage.ask("ListTaskDefinitions", **request)["taskDefinitionArns"]
        return [arn.rpartition("/")[2] for arn in arns]

    assert names() == ["job:1", "job:2", "other:2"]
    assert names(sort="DESC") == ["other:2", "job:2", "job:1"]
    assert names(familyPrefix="job") == ["job:1", "job:2"]
    assert names(familyPrefix="jo") == []
    assert names(status="INACTIVE") == ["other:1"]
    first = stage.ask("ListTaskDefinitions", maxResults=2)
    assert names(maxResults=2, nextToken=first["nextToken"]) == ["other:2"]
