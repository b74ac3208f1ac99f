"""IAM as it is enforced: callers, roles and tasks may do what their policies say, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import Cloud, Stack, until
from .machines import create_machine, play, task


@contextmanager
def user(root: Cloud, stack: Stack, *statements: dict[str, Any]) -> Iterator[Cloud]:
    """Make a user who may do what the statements say, and nothing else."""
    iam, name = root.client("iam"), f"user-of-{stack.name}"
    iam.create_user(UserName=name)
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=policy(*statements))
    with Cloud.at(root.address, keys["AccessKeyId"], keys["SecretAccessKey"]) as cloud:
        yield cloud


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


def run_task(cloud: Cloud, stack: Stack, **more: Any) -> str:
    answer = cloud.client("ecs").run_task(
        cluster=stack["Cluster"],
        taskDefinition=stack["Head"],
        launchType="FARGATE",
        networkConfiguration=stack.network,
        **more,
    )
    return str(answer["tasks"][0]["taskArn"])


def may_run(stack: Stack, cluster: str = "") -> list[dict[str, Any]]:
    """Return what allows to run the stack's task in its cluster, or in another."""
    return [
        {
            "Action": "ecs:RunTask",
            "Resource": stack["Head"].rpartition(":")[0] + ":*",
            "Condition": {"ArnEquals": {"ecs:cluster": cluster or stack["ClusterArn"]}},
        },
        {"Action": "iam:PassRole", "Resource": [stack["Launcher"], stack["Worker"]]},
    ]


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_user_runs_the_task_that_the_policy_names_in_the_cluster_that_it_names(
    root: Cloud, strict_stack: Stack
) -> None:
    with user(root, strict_stack, *may_run(strict_stack)) as caller:
        assert run_task(caller, strict_stack)
        with pytest.raises(ClientError) as denied:
            caller.client("ecs").list_tasks(cluster=strict_stack["Cluster"])
        assert refused(denied) == "AccessDeniedException"
        with pytest.raises(ClientError) as denied:
            caller.client("s3").list_buckets()
        assert refused(denied) == "AccessDenied"


def test_another_cluster_is_another_matter(root: Cloud, strict_stack: Stack) -> None:
    elsewhere = strict_stack["ClusterArn"] + "-else"
    with user(root, strict_stack, *may_run(strict_stack, elsewhere)) as caller:
        with pytest.raises(
            ClientError, match=r"not authorized to perform: ecs:RunTask on resource: .*task-definition/"
        ):
            run_task(caller, strict_stack)


def test_to_run_a_task_is_to_pass_its_roles(root: Cloud, strict_stack: Stack) -> None:
    with user(root, strict_stack, may_run(strict_stack)[0]) as caller:
        with pytest.raises(ClientError, match=r"iam:PassRole on resource: .*role/"):
            run_task(caller, strict_stack)


def test_tags_on_a_task_want_a_permission_of_their_own(root: Cloud, strict_stack: Stack) -> None:
    tags = [{"key": "run", "value": "r1"}]
    with user(root, strict_stack, *may_run(strict_stack)) as caller:
        with pytest.raises(ClientError, match="ecs:TagResource"):
            run_task(caller, strict_stack, tags=tags)


def test_a_role_may_be_given_only_by_whom_may_pass_it(root: Cloud, strict_stack: Stack) -> None:
    definition = {
        "family": "passing",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "taskRoleArn": strict_stack["Worker"],
        "containerDefinitions": [{"name": "main", "image": "busybox"}],
    }
    with user(root, strict_stack, {"Action": "ecs:RegisterTaskDefinition", "Resource": "*"}) as caller:
        with pytest.raises(ClientError, match=r"iam:PassRole on resource: .*role/"):
            caller.client("ecs").register_task_definition(**definition)


def test_a_wrong_secret_is_nobodys(root: Cloud, strict_stack: Stack) -> None:
    with user(root, strict_stack, {"Action": "*", "Resource": "*"}) as caller:
        key = caller.session.get_credentials().access_key
    with Cloud.at(root.address, key, "guessed") as thief:
        for service, ask in (("ecs", "list_clusters"), ("s3", "list_buckets"), ("sqs", "list_queues")):
            with pytest.raises(ClientError, match="signature"):
                getattr(thief.client(service), ask)()


@pytest.mark.parametrize("key", ["test", "AKIAUNKNOWN000000000", "123456789012"])
def test_a_key_that_iam_does_not_know_opens_nothing(root: Cloud, key: str) -> None:
    with Cloud.at(root.address, key, "test") as stranger:
        for service, ask in (("ecs", "list_clusters"), ("sqs", "list_queues"), ("iam", "list_roles")):
            with pytest.raises(ClientError):
                getattr(stranger.client(service), ask)()


def test_a_role_is_assumed_only_by_whom_it_trusts(root: Cloud, strict_stack: Stack) -> None:
    assume = {"Action": "sts:AssumeRole", "Resource": "*"}
    with user(root, strict_stack, assume) as caller:
        who = caller.client("sts").get_caller_identity()["Arn"]
        with pytest.raises(ClientError) as denied:
            caller.client("sts").assume_role(RoleArn=strict_stack["Worker"], RoleSessionName="session")
        assert refused(denied) == "AccessDenied"

        role = make_role(root, f"trusting-{strict_stack.name}", {"AWS": who})
        grant(root, role, {"Action": "s3:PutObject", "Resource": strict_stack["BucketArn"] + "/runs/*"})
        keys = caller.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    with Cloud.at(root.address, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]) as worker:
        worker.client("s3").put_object(Bucket=strict_stack["Bucket"], Key="runs/1", Body=b"1")
        with pytest.raises(ClientError):
            worker.client("s3").put_object(Bucket=strict_stack["Bucket"], Key="elsewhere", Body=b"1")
    empty(root, strict_stack)


def make_role(root: Cloud, name: str, principal: dict[str, str]) -> str:
    statement = {"Principal": principal, "Action": "sts:AssumeRole"}
    made = root.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy(statement))
    return str(made["Role"]["Arn"])


def grant(root: Cloud, role: str, *statements: dict[str, Any]) -> None:
    name = role.rpartition("/")[2]
    root.client("iam").put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=policy(*statements))


def empty(root: Cloud, stack: Stack) -> None:
    versions = root.client("s3").list_object_versions(Bucket=stack["Bucket"]).get("Versions", [])
    for each in versions:
        root.client("s3").delete_object(Bucket=stack["Bucket"], Key=each["Key"], VersionId=each["VersionId"])


def test_the_machine_of_the_stack_may_do_what_it_has_to(root: Cloud, strict_stack: Stack) -> None:
    ended = root.ended(root.start(strict_stack["Machine"]))

    assert ended["status"] == "SUCCEEDED", ended.get("cause")


def test_a_machine_acts_as_its_role_and_no_more(root: Cloud, strict_stack: Stack) -> None:
    """Its role may run the stack's definition in the stack's cluster, stop its tasks there, and nothing else."""
    other = task(strict_stack)
    other["Parameters"]["Cluster"] = "another"
    lists = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ecs:listTasks",
        "Parameters": {"Cluster": strict_stack["ClusterArn"]},
        "End": True,
    }
    buckets = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets",
        "Parameters": {},
        "End": True,
    }
    machines = [create_machine(root, strict_stack, {"Only": state}) for state in (other, lists, buckets)]
    refused, allowed, denied = (root.ended(root.start(machine)) for machine in machines)

    assert refused["error"] == "ECS.AccessDeniedException"
    assert "ecs:RunTask" in refused["cause"]
    assert allowed["status"] == "SUCCEEDED", allowed.get("cause")
    assert denied["status"] == "FAILED"
    assert "AccessDenied" in denied["error"]
    for machine in machines:
        root.client("stepfunctions").delete_state_machine(stateMachineArn=machine)


def test_a_machine_is_made_only_with_a_role_that_trusts_it(root: Cloud, strict_stack: Stack) -> None:
    with pytest.raises(ClientError, match="authorized to assume the provided role") as denied:
        create_machine(root, strict_stack, {"Run": task(strict_stack)}, strict_stack["Worker"])
    assert refused(denied) == "AccessDeniedException"


def test_a_machine_that_waits_for_tasks_must_be_able_to_watch_them(root: Cloud, strict_stack: Stack) -> None:
    role = make_role(root, f"blind-{strict_stack.name}", {"Service": "states.amazonaws.com"})
    with pytest.raises(ClientError, match="not authorized to create managed-rule"):
        create_machine(root, strict_stack, {"Run": task(strict_stack)}, role)


def test_a_role_that_may_not_stop_tasks_leaves_them_running(root: Cloud, strict_stack: Stack) -> None:
    role = make_role(root, f"weak-{strict_stack.name}", {"Service": "states.amazonaws.com"})
    watch = {"Action": "events:*", "Resource": "*"}
    grant(root, role, watch, *may_run(strict_stack))
    machine = create_machine(root, strict_stack, {"Run": task(strict_stack, play(600))}, role)
    execution = root.start(machine)
    ecs, cluster = root.client("ecs"), strict_stack["Cluster"]
    (arn,) = until(lambda: ecs.list_tasks(cluster=cluster)["taskArns"])
    root.client("stepfunctions").stop_execution(executionArn=execution)

    assert root.ended(execution)["status"] == "ABORTED"
    assert ecs.list_tasks(cluster=cluster)["taskArns"] == [arn]
    ecs.stop_task(cluster=cluster, task=arn)
    until(lambda: ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"])
    root.client("stepfunctions").delete_state_machine(stateMachineArn=machine)


def test_a_task_whose_role_does_not_trust_ecs_is_refused(root: Cloud, strict_stack: Stack) -> None:
    overrides = {"taskRoleArn": strict_stack["Conductor"]}
    with pytest.raises(ClientError, match="assume"):
        run_task(root, strict_stack, overrides=overrides)


def test_stopping_an_execution_stops_its_task_where_iam_is_enforced(root: Cloud, strict_stack: Stack) -> None:
    machine = create_machine(root, strict_stack, {"Run": task(strict_stack, play(600))})
    execution = root.start(machine)
    ecs, cluster = root.client("ecs"), strict_stack["Cluster"]
    until(lambda: ecs.list_tasks(cluster=cluster)["taskArns"])
    root.client("stepfunctions").stop_execution(executionArn=execution)

    until(lambda: ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"])
    root.client("stepfunctions").delete_state_machine(stateMachineArn=machine)
