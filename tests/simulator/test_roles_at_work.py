"""The roles of a deployment do what runs need where IAM is enforced, with the keys that tasks have, and no more."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cromulent_wdl.model.deployment import Deployment

from .cloud import Cloud, until
from .conftest import account_number
from .deployments import deploy


@pytest.fixture(scope="module")
def deployment(strict_root: Cloud) -> Iterator[Deployment]:
    name = f"roles{account_number()}"
    yield deploy(strict_root, name)
    strict_root.delete_stack(name)


@pytest.fixture(scope="module")
def definition(strict_root: Cloud, deployment: Deployment) -> str:
    volume = volume_of(deployment, "files", deployment.access_point)
    return register(strict_root, deployment, "head", deployment.head_role, [volume])


@pytest.fixture(scope="module")
def head(strict_root: Cloud, deployment: Deployment, definition: str) -> Iterator[Cloud]:
    """A caller with the keys of a head."""
    ecs = strict_root.client("ecs")
    task = ecs.run_task(**where(deployment), taskDefinition=definition)
    arn = task["tasks"][0]["taskArn"]
    address = f"{strict_root.address}/_simulator/tasks/{arn.rpartition('/')[2]}/credentials"
    with urllib.request.urlopen(address, timeout=60) as answer:
        keys = json.load(answer)
    with Cloud.at(strict_root.address, keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"]) as caller:
        yield caller
    ecs.stop_task(cluster=deployment.cluster, task=arn)
    until(lambda: not ecs.list_tasks(cluster=deployment.cluster)["taskArns"])


def where(deployment: Deployment) -> dict[str, Any]:
    network = {"subnets": list(deployment.subnets), "securityGroups": [deployment.security_group]}
    return {
        "cluster": deployment.cluster,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {**network, "assignPublicIp": "ENABLED"}},
    }


def volume_of(deployment: Deployment, name: str, access_point: str) -> dict[str, Any]:
    access = {"accessPointId": access_point, "iam": "ENABLED"}
    files = {"fileSystemId": deployment.file_system, "transitEncryption": "ENABLED", "authorizationConfig": access}
    return {"name": name, "efsVolumeConfiguration": files}


def register(
    cloud: Cloud,
    deployment: Deployment,
    name: str,
    role: str,
    volumes: list[dict[str, Any]],
    secrets: dict[str, str] | None = None,
) -> str:
    log = {"awslogs-group": deployment.log_group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": name}
    mounts = [{"sourceVolume": each["name"], "containerPath": f"/mnt/{each['name']}"} for each in volumes]
    fetched = [{"name": variable, "valueFrom": source} for variable, source in (secrets or {}).items()]
    lasting = [{"name": "PLAY_SECONDS", "value": "600"}] if name == "head" else []
    container = {"name": name, "image": "busybox", "mountPoints": mounts, "secrets": fetched, "environment": lasting}
    registered = cloud.client("ecs").register_task_definition(
        family=f"{deployment.name}_{name}",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        taskRoleArn=role,
        executionRoleArn=deployment.execution_role,
        containerDefinitions=[{**container, "logConfiguration": {"logDriver": "awslogs", "options": log}}],
        volumes=volumes,
        tags=[{"key": "cromulent:deployment", "value": deployment.name}],
    )
    return str(registered["taskDefinition"]["taskDefinitionArn"])


def access_point(caller: Cloud, deployment: Deployment, tags: dict[str, str]) -> str:
    creation = {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "0755"}
    made = caller.client("efs").create_access_point(
        FileSystemId=deployment.file_system,
        ClientToken=f"token-{len(tags)}",
        PosixUser={"Uid": 1000, "Gid": 1000},
        RootDirectory={"Path": "/cromulent/runs/r-1", "CreationInfo": creation},
        Tags=[{"Key": f"cromulent:{key}", "Value": value} for key, value in tags.items()],
    )
    return str(made["AccessPointId"])


def test_a_head_defines_runs_and_follows_tasks(head: Cloud, deployment: Deployment) -> None:
    ecs = head.client("ecs")
    point = access_point(head, deployment, {"deployment": deployment.name, "run": "r-1"})
    volumes = [volume_of(deployment, "all", deployment.access_point), volume_of(deployment, "run", point)]
    task = register(head, deployment, "task", deployment.task_role, volumes)
    arns = [
        each["taskArn"]
        for _ in range(11)
        for each in ecs.run_task(
            **where(deployment), taskDefinition=task, count=10, startedBy="r-1", tags=[{"key": "call", "value": "c"}]
        )["tasks"]
    ]
    assert len(ecs.describe_tasks(cluster=deployment.cluster, tasks=arns[:100])["tasks"]) == 100
    ecs.list_tasks(cluster=deployment.cluster, startedBy="r-1")
    ecs.stop_task(cluster=deployment.cluster, task=arns[0])
    efs = head.client("efs")
    assert point in {
        each["AccessPointId"]
        for each in efs.describe_access_points(FileSystemId=deployment.file_system)["AccessPoints"]
    }

    for each in (point, deployment.access_point):  # the deployment's own above all: every head mounts it
        with pytest.raises(ClientError, match="elasticfilesystem:DeleteAccessPoint"):
            efs.delete_access_point(AccessPointId=each)
    with pytest.raises(ClientError, match="elasticfilesystem:CreateAccessPoint"):
        access_point(head, deployment, {})
    with pytest.raises(ClientError, match="ecs:DeregisterTaskDefinition"):
        ecs.deregister_task_definition(taskDefinition=task)


def test_tags_on_an_access_point_want_a_permission_of_their_own(strict_root: Cloud, deployment: Deployment) -> None:
    iam, name = strict_root.client("iam"), f"maker-{deployment.name}"
    iam.create_user(UserName=name)
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    may = {"Effect": "Allow", "Action": "elasticfilesystem:CreateAccessPoint", "Resource": "*"}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": [may]}))
    with Cloud.at(strict_root.address, keys["AccessKeyId"], keys["SecretAccessKey"]) as maker:
        with pytest.raises(ClientError, match="elasticfilesystem:TagResource"):
            access_point(maker, deployment, {"run": "r-2"})
        point = access_point(maker, deployment, {})
    strict_root.client("efs").delete_access_point(AccessPointId=point)


def test_a_head_keeps_records_and_reads_what_it_must(head: Cloud, deployment: Deployment, strict_root: Cloud) -> None:
    s3, quotas = head.client("s3"), head.client("service-quotas")
    s3.put_object(Bucket=deployment.bucket, Key="runs/r-1/1", Body=b"1", IfNoneMatch="*")
    assert s3.list_objects_v2(Bucket=deployment.bucket, Prefix="runs/")["KeyCount"] == 1
    assert quotas.get_service_quota(ServiceCode="fargate", QuotaCode="L-3032A538")["Quota"]["Value"] > 0
    logs = strict_root.client("logs")
    logs.create_log_stream(logGroupName=deployment.log_group, logStreamName="task/task/1")
    head.client("logs").get_log_events(logGroupName=deployment.log_group, logStreamName="task/task/1")

    with pytest.raises(ClientError, match="s3:DeleteObject"):
        s3.delete_object(Bucket=deployment.bucket, Key="runs/r-1/1")
    with pytest.raises(ClientError, match="logs:FilterLogEvents"):
        head.client("logs").filter_log_events(logGroupName=deployment.log_group)
    for each in strict_root.client("s3").list_object_versions(Bucket=deployment.bucket)["Versions"]:
        strict_root.client("s3").delete_object(Bucket=deployment.bucket, Key=each["Key"], VersionId=each["VersionId"])


def test_a_rule_starts_a_machine_as_its_role_or_not_at_all(strict_root: Cloud, deployment: Deployment) -> None:
    events = strict_root.client("events")
    targets = [
        target
        for rule in events.list_rules()["Rules"]
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        if target["Arn"] == deployment.sweep_machine
    ]
    events.put_rule(Name="mine", EventPattern=json.dumps({"source": ["mine"]}))
    for role in (deployment.states_role, deployment.head_role, targets[0]["RoleArn"]):
        target = {"Id": "t", "Arn": deployment.sweep_machine, "RoleArn": role, "Input": json.dumps({"run": role})}
        events.put_targets(Rule="mine", Targets=[target])
        events.put_events(Entries=[{"Source": "mine", "DetailType": "d", "Detail": "{}"}])
    machines = strict_root.client("stepfunctions")

    def started() -> Any:
        found = machines.list_executions(stateMachineArn=deployment.sweep_machine)["executions"]
        given = [machines.describe_execution(executionArn=each["executionArn"])["input"] for each in found]
        return [each for each in given if "role/" in each]

    assert [json.loads(each)["run"] for each in until(started)] == [targets[0]["RoleArn"]]
    events.remove_targets(Rule="mine", Ids=["t"])
    events.delete_rule(Name="mine")


def test_a_role_trusts_a_service_only_where_its_conditions_hold(strict_root: Cloud, deployment: Deployment) -> None:
    iam, name = strict_root.client("iam"), f"elsewhere-{deployment.name}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}},
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    with pytest.raises(ClientError, match="unable to assume the role"):
        strict_root.client("ecs").run_task(
            **where(deployment), taskDefinition=f"{deployment.name}_head", overrides={"taskRoleArn": role}
        )
    iam.delete_role(RoleName=name)


def simulate(cloud: Cloud, role: str, action: str, resource: str, **context: str) -> dict[str, Any]:
    entries = [
        {"ContextKeyName": key.replace("_", ":"), "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in context.items()
    ]
    (result,) = cloud.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource], ContextEntries=entries
    )["EvaluationResults"]
    return dict(result)


def test_the_policy_simulator_judges_with_the_context_that_it_is_given(
    strict_root: Cloud, deployment: Deployment
) -> None:
    place = f"us-east-1:{deployment.account}"
    definition = f"arn:aws:ecs:{place}:task-definition/{deployment.name}_x:1"
    cluster = f"arn:aws:ecs:{place}:cluster/{deployment.cluster}"
    role = deployment.head_role

    assert simulate(strict_root, role, "ecs:RunTask", definition, ecs_cluster=cluster)["EvalDecision"] == "allowed"
    bare = simulate(strict_root, role, "ecs:RunTask", definition)
    assert (bare["EvalDecision"], bare["MissingContextValues"]) == ("implicitDeny", ["ecs:cluster"])
    other = simulate(strict_root, role, "ecs:RunTask", definition, ecs_cluster=cluster + "-else")
    assert (other["EvalDecision"], other["MissingContextValues"]) == ("implicitDeny", [])
    with pytest.raises(ClientError, match="NoSuchEntity"):
        simulate(strict_root, role + "-not", "ecs:RunTask", definition)


def test_the_policy_simulator_judges_every_action_on_every_resource(strict_root: Cloud, deployment: Deployment) -> None:
    objects = [f"arn:aws:s3:::{name}/a" for name in (deployment.bucket, "another")]
    results = strict_root.client("iam").simulate_principal_policy(
        PolicySourceArn=deployment.head_role, ActionNames=["s3:GetObject", "s3:DeleteObject"], ResourceArns=objects
    )["EvaluationResults"]

    found = {(each["EvalActionName"], each["EvalResourceName"]): each["EvalDecision"] for each in results}
    assert found.pop(("s3:GetObject", objects[0])) == "allowed"
    assert set(found.values()) == {"implicitDeny"}
    assert len(found) == 3
