"""The stack of `template.yaml`: what it makes, and that its machines run and sweep."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cromulent_wdl.errors import DeploymentNotFound
from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.provision import find_deployment

from .cloud import Cloud, until
from .deployments import access_to, deploy
from .inventory import inventory

RUN = "20261123-k3"
REQUEST = {"version": 1, "bundle": "b"}


@pytest.fixture
def deployment(cloud: Cloud) -> Deployment:
    return deploy(cloud, ZoneC="use1-az3")


def test_a_deployment_is_read_from_the_outputs(cloud: Cloud, deployment: Deployment) -> None:
    held = inventory(cloud)

    assert held["buckets"] == [deployment.bucket]
    assert held["file systems"] == [deployment.file_system]
    assert held["log groups"] == [deployment.log_group]
    assert sorted(deployment.subnets) == held["subnets"]
    assert len(deployment.subnets) == 3
    assert sorted((deployment.state_machine, deployment.sweep_machine)) == [
        f"arn:aws:states:us-east-1:{deployment.account}:stateMachine:{name}" for name in held["machines"]
    ]
    assert (deployment.name, deployment.region, deployment.assign_public_ip) == ("lab", "us-east-1", True)


def test_two_zones_are_enough(cloud: Cloud) -> None:
    assert len(deploy(cloud).subnets) == 2


def test_what_is_not_there_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(DeploymentNotFound, match="there is no deployment 'lab' in us-east-1"):
        find_deployment(access_to(cloud), "lab")


def test_a_stack_of_others_is_no_deployment(cloud: Cloud) -> None:
    cloud.create_stack("lab", "Resources: {Queue: {Type: 'AWS::SQS::Queue'}}")

    with pytest.raises(DeploymentNotFound, match="somebody else's"):
        find_deployment(access_to(cloud), "lab")


def test_the_bucket_and_the_files_are_closed(cloud: Cloud, deployment: Deployment) -> None:
    s3, efs = cloud.client("s3"), cloud.client("efs")
    files = efs.describe_file_systems(FileSystemId=deployment.file_system)["FileSystems"][0]
    groups = cloud.client("ec2").describe_security_groups(GroupIds=[deployment.security_group])["SecurityGroups"]

    assert all(s3.get_public_access_block(Bucket=deployment.bucket)["PublicAccessBlockConfiguration"].values())
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=deployment.bucket)["Policy"]
    assert files["Encrypted"] and files["ThroughputMode"] == "elastic"
    assert "Allow" not in efs.describe_file_system_policy(FileSystemId=deployment.file_system)["Policy"]
    assert [(rule["FromPort"], rule["ToPort"], rule["IpRanges"]) for rule in groups[0]["IpPermissions"]] == [
        (2049, 2049, [])
    ]


def result(cloud: Cloud, deployment: Deployment, run: str, **fields: str) -> None:
    """Leave the result that the head of a run would leave: here it only plays."""
    text = json.dumps({"run": run, "error": "", "message": "", **fields})
    cloud.client("s3").put_object(Bucket=deployment.bucket, Key=f"runs/{run}/result.json", Body=text.encode())


def start(cloud: Cloud, deployment: Deployment, run: str, asked: dict[str, Any]) -> str:
    answer = cloud.client("stepfunctions").start_execution(
        stateMachineArn=deployment.state_machine, name=run, input=json.dumps(asked)
    )
    return str(answer["executionArn"])


def test_the_machine_runs_a_head_and_reads_how_its_run_ended(cloud: Cloud, deployment: Deployment) -> None:
    result(cloud, deployment, "good", state="ok")
    result(cloud, deployment, "bad", state="failed", error="Cromulent.Failed", message="align ran out of luck")
    good, bad = (start(cloud, deployment, run, REQUEST) for run in ("good", "bad"))

    ended = cloud.ended(good)
    assert ended["status"] == "SUCCEEDED", ended
    ended = cloud.ended(bad)
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "Cromulent.Failed", "align ran out of luck")
    kept = cloud.client("s3").get_object(Bucket=deployment.bucket, Key="runs/good/request.json")["Body"].read()
    assert {"bundle": "b", "version": 1, "timeout": 604800}.items() <= json.loads(kept).items()
    heads = cloud.client("ecs").list_tasks(cluster=deployment.cluster, desiredStatus="STOPPED")["taskArns"]
    assert len(heads) == 2  # a workflow that fails by itself is not tried again


def test_a_head_that_leaves_no_result_is_no_end_of_a_run(cloud: Cloud, deployment: Deployment) -> None:
    ended = cloud.ended(start(cloud, deployment, "silent", REQUEST))
    assert (ended["status"], ended["error"]) == ("FAILED", "S3.NoSuchKeyException")


@pytest.mark.parametrize("asked", [{}, {"version": 2, "bundle": "b"}, {"version": 1}])
def test_a_request_that_is_not_understood_starts_nothing(
    cloud: Cloud, deployment: Deployment, asked: dict[str, Any]
) -> None:
    ended = cloud.ended(start(cloud, deployment, RUN, asked))
    assert (ended["status"], ended["error"]) == ("FAILED", "Cromulent.Request")
    assert cloud.client("ecs").list_tasks(cluster=deployment.cluster)["taskArns"] == []


def test_a_run_that_is_stopped_is_swept(cloud: Cloud, deployment: Deployment) -> None:
    long = register(cloud, deployment, "long", PLAY_SECONDS="600")
    states, ecs = cloud.client("stepfunctions"), cloud.client("ecs")
    started_by_head = ecs.run_task(
        cluster=deployment.cluster,
        taskDefinition=long,
        launchType="FARGATE",
        startedBy=RUN,
        networkConfiguration={"awsvpcConfiguration": {"subnets": list(deployment.subnets)}},
    )["tasks"][0]["taskArn"]
    execution = start(cloud, deployment, RUN, REQUEST)
    states.stop_execution(executionArn=execution)

    def stopped() -> bool:
        task = ecs.describe_tasks(cluster=deployment.cluster, tasks=[started_by_head])["tasks"][0]
        return bool(task["desiredStatus"] == "STOPPED")

    until(stopped)


def go_on(cloud: Cloud, deployment: Deployment, run: str = RUN) -> str:
    """Start a run that goes on until it is stopped: its machine waits, and its head is a task that plays."""
    states = {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}
    cloud.client("stepfunctions").update_state_machine(
        stateMachineArn=deployment.state_machine, definition=json.dumps({"StartAt": "Wait", "States": states})
    )
    cloud.client("ecs").run_task(
        cluster=deployment.cluster,
        taskDefinition=register(cloud, deployment, "played", PLAY_SECONDS="600"),
        launchType="FARGATE",
        startedBy=f"{run}/head",
        networkConfiguration={"awsvpcConfiguration": {"subnets": list(deployment.subnets)}},
    )
    return start(cloud, deployment, run, REQUEST)


def register(cloud: Cloud, deployment: Deployment, name: str, **environment: str) -> str:
    """Register a task definition that plays and return its ARN."""
    answer = cloud.client("ecs").register_task_definition(
        family=f"{deployment.name}_{name}",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=deployment.execution_role,
        taskRoleArn=deployment.head_role,
        containerDefinitions=[
            {
                "name": "head",
                "image": "busybox:1.36",
                "environment": [{"name": key, "value": value} for key, value in environment.items()],
            }
        ],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])
