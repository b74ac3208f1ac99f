"""Tasks that really run: files on EFS, logs, the keys of a role, a stack that goes; by the clients as they are."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.simulator.errors import SimulatorFailed
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .cloud import Cloud, Stack, until
from .conftest import TEMPLATE
from .deployments import deploy
from .inventory import inventory
from .test_roles_at_work import register, volume_of, where


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The root of a simulator that enforces IAM and runs tasks as processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        try:
            simulation = Simulation.start(Settings(enforce_iam=True, data_plane="process"))
        except SimulatorFailed as failed:
            pytest.skip(str(failed))
        try:
            keys = simulation.environment
            with Cloud.at(simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as cloud:
                yield cloud
        finally:
            simulation.close()


@pytest.fixture
def place(running: Cloud) -> Iterator[Stack]:
    """The stack, which must leave nothing."""
    yield running.create_stack("trial", TEMPLATE)
    assert running.delete_stack("trial").status == "DELETE_COMPLETE"
    assert inventory(running) == {}


def run(cloud: Cloud, stack: Stack, script: str) -> tuple[int | None, list[str]]:
    """Run a script in the stack's task and return its exit code and what it said."""
    ecs, logs = cloud.client("ecs"), cloud.client("logs")
    arn = ecs.run_task(
        cluster=stack["Cluster"],
        taskDefinition=stack["Head"],
        networkConfiguration=stack.network,
        launchType="FARGATE",
        overrides={"containerOverrides": [{"name": "main", "command": ["sh", "-c", script]}]},
    )["tasks"][0]["taskArn"]

    def ended() -> object:
        found = ecs.describe_tasks(cluster=stack["Cluster"], tasks=[arn])["tasks"][0]
        return found if found["lastStatus"] == "STOPPED" else None

    task = until(ended)
    stream = f"head/main/{arn.rpartition('/')[2]}"
    streams = [each["logStreamName"] for each in logs.describe_log_streams(logGroupName="/trial/tasks")["logStreams"]]
    lines = []
    if stream in streams:
        events = logs.get_log_events(logGroupName="/trial/tasks", logStreamName=stream, startFromHead=True)["events"]
        lines = [each["message"] for each in events]
    return task["containers"][0].get("exitCode"), lines


def test_tasks_share_files_and_speak_into_logs(running: Cloud, place: Stack) -> None:
    assert run(running, place, "echo 42 > /mnt/runs/answer && echo written") == (0, ["written"])
    assert run(running, place, "cat /mnt/runs/answer; exit 3") == (3, ["42"])


def test_the_keys_of_a_task_may_do_what_its_role_may_and_nothing_else(running: Cloud, place: Stack) -> None:
    _, (address,) = run(running, place, "echo $AWS_CONTAINER_CREDENTIALS_FULL_URI")
    with urllib.request.urlopen(address, timeout=60) as answer:
        keys = json.load(answer)
    assert keys["RoleArn"] == place["Worker"]
    with Cloud.at(running.address, keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"]) as worker:
        version = worker.client("s3").put_object(Bucket=place["Bucket"], Key="runs/1", Body=b"1")["VersionId"]
        with pytest.raises(ClientError, match="AccessDenied"):
            worker.client("s3").put_object(Bucket=place["Bucket"], Key="elsewhere", Body=b"1")
    running.client("s3").delete_object(Bucket=place["Bucket"], Key="runs/1", VersionId=version)


def test_tasks_of_a_deployment_read_all_files_and_write_their_runs(running: Cloud) -> None:
    """Two access points at sibling paths: the whole of the files, and the directory of a run."""
    deployment = deploy(running, "files")
    efs = running.client("efs")
    point = efs.create_access_point(
        FileSystemId=deployment.file_system,
        PosixUser={"Uid": 1000, "Gid": 1000},
        RootDirectory={
            "Path": "/cromulent/runs/r-1",
            "CreationInfo": {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "0755"},
        },
    )["AccessPointId"]
    volumes = [volume_of(deployment, "all", deployment.access_point), volume_of(deployment, "run", point)]
    definition = register(running, deployment, "task", deployment.task_role, volumes)
    tried = "echo 42 > /mnt/run/a; cat /mnt/all/runs/r-1/a; touch /mnt/all/b 2>/dev/null || echo refused; id -u"

    assert said(running, deployment, definition, tried) == ["42", "refused", "1000"]
    del volumes[1]["efsVolumeConfiguration"]["authorizationConfig"]["iam"]
    anonymous = register(running, deployment, "task", deployment.task_role, volumes)
    task = ended(running, deployment, anonymous, tried)
    assert "access denied by server" in task["stoppedReason"]
    efs.delete_access_point(AccessPointId=point)
    efs.delete_file_system_policy(FileSystemId=deployment.file_system)


def ended(cloud: Cloud, deployment: Deployment, definition: str, script: str) -> dict[str, Any]:
    """Run a script in a task to its end."""
    ecs = cloud.client("ecs")
    command = {"name": "task", "command": ["sh", "-c", script]}
    overrides = {"containerOverrides": [command]}
    arn = ecs.run_task(**where(deployment), taskDefinition=definition, overrides=overrides)["tasks"][0]["taskArn"]

    def look() -> Any:
        task = ecs.describe_tasks(cluster=deployment.cluster, tasks=[arn])["tasks"][0]
        return task if task["lastStatus"] == "STOPPED" else None

    return dict(until(look))


def said(cloud: Cloud, deployment: Deployment, definition: str, script: str) -> list[str]:
    """Run a script in a task and return its lines."""
    arn = ended(cloud, deployment, definition, script)["taskArn"]
    stream = f"task/task/{arn.rpartition('/')[2]}"
    events = cloud.client("logs").get_log_events(
        logGroupName=deployment.log_group, logStreamName=stream, startFromHead=True
    )
    return [each["message"] for each in events["events"]]


def test_secrets_are_fetched_as_the_execution_role(running: Cloud) -> None:
    secrets = running.client("secretsmanager")
    tokens = [
        secrets.create_secret(Name=name, SecretString=json.dumps({"token": "hush"}))["ARN"]
        for name in ("mine", "other")
    ]
    deployment = deploy(running, "secretive", Secrets=tokens[0])
    said_it = register(running, deployment, "task", deployment.task_role, [], secrets={"TOKEN": f"{tokens[0]}:token::"})
    refused = register(running, deployment, "task", deployment.task_role, [], secrets={"TOKEN": tokens[1]})
    absent = register(running, deployment, "task", deployment.task_role, [], secrets={"TOKEN": f"{tokens[0]}:none::"})

    assert said(running, deployment, said_it, "echo $TOKEN") == ["hush"]
    assert "AccessDeniedException" in ended(running, deployment, refused, "true")["stoppedReason"]
    assert "did not contain json key none" in ended(running, deployment, absent, "true")["stoppedReason"]
