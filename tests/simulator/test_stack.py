"""CloudFormation: a stack of 40 resources comes, changes and goes; one that cannot be made leaves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import Cloud, Stack
from .conftest import TEMPLATE
from .inventory import inventory


def test_a_stack_creates_with_every_output_resolved(stack: Stack) -> None:
    declared = TEMPLATE[TEMPLATE.index("\nOutputs:") :].count("{Value:")

    assert stack.status == "CREATE_COMPLETE"
    assert len(stack.outputs) == declared == 31
    assert all(value and "None" not in value for value in stack.outputs.values())
    assert stack["NetworkCidr"] == "10.9.0.0/16"


def test_stacks_come_change_and_go_to_an_empty_inventory_twenty_times(cloud: Cloud) -> None:
    assert inventory(cloud) == {}
    for _ in range(20):
        assert cloud.create_stack("trial", TEMPLATE).status == "CREATE_COMPLETE"
        assert len(inventory(cloud)) == 20
        assert cloud.update_stack("trial", TEMPLATE, Days="14", Cpus="128").status == "UPDATE_COMPLETE"
        assert cloud.delete_stack("trial").status == "DELETE_COMPLETE"
        assert inventory(cloud) == {}


def test_a_bucket_is_as_the_template_says(cloud: Cloud, stack: Stack) -> None:
    s3, bucket = cloud.client("s3"), stack["Bucket"]
    rules = {each["ID"]: each for each in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    tags = {each["Key"]: each["Value"] for each in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}

    assert rules["forget"]["Expiration"] == {"Days": 30}
    assert rules["forget"]["Filter"] == {"Prefix": "scratch/"}
    assert rules["forget"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert rules["cool"]["Transitions"] == [{"StorageClass": "STANDARD_IA", "Days": 60}]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert tags["owner"] == "trial"
    assert tags["aws:cloudformation:stack-name"] == "trial"


def test_a_task_definition_is_as_the_template_says(cloud: Cloud, stack: Stack) -> None:
    answer = cloud.client("ecs").describe_task_definition(taskDefinition=stack["Head"], include=["TAGS"])
    definition, container = answer["taskDefinition"], answer["taskDefinition"]["containerDefinitions"][0]

    assert definition["volumes"][0]["efsVolumeConfiguration"]["fileSystemId"] == stack["Files"]
    assert definition["volumes"][0]["efsVolumeConfiguration"]["authorizationConfig"] == {
        "accessPointId": stack["AccessPoint"],
        "iam": "ENABLED",
    }
    assert definition["ephemeralStorage"] == {"sizeInGiB": 30}
    assert container["environment"] == [{"name": "CPUS", "value": "64"}]
    assert container["mountPoints"][0]["readOnly"] is False
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/trial/tasks"
    assert {"key": "owner", "value": "trial"} in answer["tags"]


def test_a_cluster_gets_its_capacity_providers_and_settings(cloud: Cloud, stack: Stack) -> None:
    cluster = cloud.client("ecs").describe_clusters(clusters=[stack["Cluster"]], include=["SETTINGS"])["clusters"][0]

    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert cluster["defaultCapacityProviderStrategy"][0]["capacityProvider"] == "FARGATE"
    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]


def test_a_cluster_changes_its_settings_in_place(cloud: Cloud, stack: Stack) -> None:
    settings = [{"Name": "containerInsights", "Value": "disabled"}]
    updated = cloud.update_stack("trial", changed("Cluster", ClusterSettings=settings))
    cluster = cloud.client("ecs").describe_clusters(clusters=[stack["Cluster"]], include=["SETTINGS"])["clusters"][0]

    assert updated.status == "UPDATE_COMPLETE"
    assert cluster["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]


def test_what_a_stack_made_is_found_by_its_tag(cloud: Cloud, stack: Stack) -> None:
    wanted = [{"Key": "aws:cloudformation:stack-name", "Values": ["trial"]}]
    found = cloud.client("resourcegroupstaggingapi").get_resources(TagFilters=wanted)["ResourceTagMappingList"]
    arns = {each["ResourceARN"] for each in found}

    assert {stack["ClusterArn"], stack["Head"], stack["BucketArn"], stack["FilesArn"], stack["ChangesArn"]} <= arns


def test_files_may_be_reached_from_the_tasks_alone(cloud: Cloud, stack: Stack) -> None:
    groups = cloud.client("ec2").describe_security_groups()["SecurityGroups"]
    rules = [rule for group in groups if group["Description"] == "file system" for rule in group["IpPermissions"]]

    assert [(rule["FromPort"], rule["UserIdGroupPairs"][0]["GroupId"]) for rule in rules] == [
        (2049, stack["TaskGroup"])
    ]


def test_an_update_changes_batch_and_registers_another_revision(cloud: Cloud, stack: Stack) -> None:
    updated = cloud.update_stack("trial", TEMPLATE, Cpus="128")
    environments = cloud.client("batch").describe_compute_environments()["computeEnvironments"]

    assert {each["computeResources"]["maxvCpus"] for each in environments} == {128}
    assert updated["Cloud"] == stack["Cloud"]
    assert updated["Head"].endswith(":2")
    assert cloud.client("ecs").list_task_definitions()["taskDefinitionArns"] == [updated["Head"]]


def test_an_update_of_nothing_is_refused(cloud: Cloud, stack: Stack) -> None:
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloud.update_stack("trial", TEMPLATE)


def test_a_stack_with_roles_wants_the_capability(root: Cloud) -> None:
    with pytest.raises(ClientError, match="Requires capabilities"):
        root.client("cloudformation").create_stack(StackName="incapable", TemplateBody=TEMPLATE)


def changed(resource: str, **properties: Any) -> str:
    """Return the template with other properties of one resource."""
    lines = TEMPLATE.splitlines()
    place = lines.index(f"  {resource}:")
    start = next(number for number in range(place, len(lines)) if lines[number].startswith("    Properties:"))
    added = [f"      {name}: {json.dumps(value)}" for name, value in properties.items()]
    kept = [line for line in lines[start + 1 :] if not any(line.startswith(f"      {name}:") for name in properties)]
    return "\n".join([*lines[: start + 1], *added, *kept])


@pytest.mark.parametrize(
    ("resource", "properties", "reason"),
    [
        ("Head", {"Cpu": "300"}, "No Fargate configuration exists"),
        ("Head", {"Memery": "512"}, "extraneous key [Memery] is not permitted"),
        ("FilesFromTasks", {"GroupId": "sg-0123456789abcdef0"}, "does not exist"),
        ("MachinesQueue", {"ComputeEnvironmentOrder": [{"Order": 1, "ComputeEnvironment": "gone"}]}, "gone"),
        ("Providers", {"CapacityProviders": ["FARGATE_BARGAIN"]}, "capacity provider"),
    ],
)
def test_a_resource_that_fails_rolls_the_stack_back(
    cloud: Cloud, resource: str, properties: dict[str, Any], reason: str
) -> None:
    stack = cloud.create_stack("trial", changed(resource, **properties))

    assert stack.status == "ROLLBACK_COMPLETE"
    assert reason in cloud.failures("trial")[resource]
    assert inventory(cloud) == {}


def test_an_update_that_fails_rolls_back_to_what_was(cloud: Cloud, stack: Stack) -> None:
    after = cloud.update_stack("trial", changed("Head", Cpu="300"), Days="14")

    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "No Fargate configuration exists" in cloud.failures("trial")["Head"]
    assert cloud.client("ecs").list_task_definitions()["taskDefinitionArns"] == [stack["Head"]]
    assert cloud.client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"] == 7


def test_a_bucket_that_is_not_empty_stays(cloud: Cloud, stack: Stack) -> None:
    s3 = cloud.client("s3")
    version = s3.put_object(Bucket=stack["Bucket"], Key="result", Body=b"42")["VersionId"]

    assert cloud.delete_stack("trial").status == "DELETE_FAILED"
    assert "not empty" in cloud.failures("trial")["Results"]
    assert s3.get_object(Bucket=stack["Bucket"], Key="result")["Body"].read() == b"42"

    s3.delete_object(Bucket=stack["Bucket"], Key="result", VersionId=version)
    assert cloud.delete_stack("trial").status == "DELETE_COMPLETE"
    assert inventory(cloud) == {}
