"""Images of Amazon ECR are pulled as the deployment's execution role where IAM is enforced; others need no role."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cromulent_wdl.aws.decode import EcsTask, ending_of_stop, task_of
from cromulent_wdl.backends.fargate.request import Blueprint, Launch, definition_of, launch_of
from cromulent_wdl.backends.fargate.sizes import Size
from cromulent_wdl.model import Deployment, Ending

from .cloud import Cloud, until
from .conftest import account_number
from .deployments import deploy


@pytest.fixture(scope="module")
def secret(strict_root: Cloud) -> str:
    """The ARN of what opens a registry, which the deployment allows its tasks."""
    made = strict_root.client("secretsmanager").create_secret(
        Name=f"registry{account_number()}", SecretString='{"username": "lab", "password": "open"}'
    )
    return str(made["ARN"])


@pytest.fixture(scope="module")
def deployment(strict_root: Cloud, secret: str) -> Iterator[Deployment]:
    name = f"pulls{account_number()}"
    yield deploy(strict_root, name, Secrets=secret)
    strict_root.delete_stack(name)


def end_of(cloud: Cloud, deployment: Deployment, image: str, registry_secret: str = "") -> EcsTask:
    """Run a task of an image as the backend asks for it; return how it ended."""
    ecs, point = cloud.client("ecs"), deployment.access_point
    blueprint = Blueprint(image, "amd64", "", point, "/mnt/efs/run", registry_secret, ())
    request = definition_of(deployment, blueprint, "run-1")
    definition = ecs.register_task_definition(**request)["taskDefinition"]["taskDefinitionArn"]
    launch = Launch(
        definition=definition,
        size=Size(256, 512),
        script="/mnt/efs/run/script",
        provider="FARGATE",
        subnet=deployment.subnets[0],
        security_group=deployment.security_group,
        token=hashlib.sha256(f"{image}{registry_secret}".encode()).hexdigest(),
        started_by="run-1",
        call="one",
    )
    asked = launch_of(deployment, launch)
    arn = ecs.run_task(**asked)["tasks"][0]["taskArn"]

    def ended() -> Any:
        [found] = ecs.describe_tasks(cluster=deployment.cluster, tasks=[arn])["tasks"]
        return found if found["lastStatus"] == "STOPPED" else None

    return task_of(until(ended))


def image_of(deployment: Deployment, account: str = "", region: str = "us-east-1") -> str:
    return f"{account or deployment.account}.dkr.ecr.{region}.amazonaws.com/lab/tool:1"


def test_row_44_the_execution_role_opens_the_registry_of_its_account_in_every_region(
    strict_root: Cloud, deployment: Deployment
) -> None:
    for image in (image_of(deployment), image_of(deployment, region="eu-west-1"), "quay.io/lab/tool:1"):
        assert ending_of_stop(end_of(strict_root, deployment, image)) == (Ending.OK, "")


def test_an_image_of_another_account_is_told_as_one_that_may_not_be_read(
    strict_root: Cloud, deployment: Deployment
) -> None:
    end = end_of(strict_root, deployment, image_of(deployment, account="210987654321"))
    ending, words = ending_of_stop(end)
    assert (ending, end.stop_code) == (Ending.PULL_PERMANENT, "TaskFailedToStart")
    assert "may not be read" in words and "403 Forbidden" in words


@pytest.mark.parametrize(
    ("denied", "said"),
    [("ecr:GetAuthorizationToken", "unable to retrieve ecr registry auth"), ("ecr:BatchGetImage", "403 Forbidden")],
)
def test_a_role_that_may_not_pull_is_told_in_awss_words(
    strict_root: Cloud, deployment: Deployment, denied: str, said: str
) -> None:
    iam, name = strict_root.client("iam"), deployment.execution_role.rpartition("/")[2]
    denial = {"Effect": "Deny", "Action": denied, "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="denial", PolicyDocument=json.dumps({"Statement": [denial]}))
    try:
        ending, words = ending_of_stop(end_of(strict_root, deployment, image_of(deployment) + denied[-5:]))
        assert ending is Ending.PULL_PERMANENT
        assert said in words
        public = end_of(strict_root, deployment, f"quay.io/lab/tool:{denied[-5:]}")
        assert ending_of_stop(public)[0] is Ending.OK
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="denial")


def test_the_secret_of_a_registry_is_fetched_as_the_execution_role(
    strict_root: Cloud, deployment: Deployment, secret: str
) -> None:
    image = "registry.lab.example/tool:1"
    assert ending_of_stop(end_of(strict_root, deployment, image, secret)) == (Ending.OK, "")
    other = strict_root.client("secretsmanager").create_secret(Name=f"other{account_number()}", SecretString="{}")
    ending, words = ending_of_stop(end_of(strict_root, deployment, image, str(other["ARN"])))
    assert ending is Ending.PULL_PERMANENT
    assert "its registry cannot be had" in words and "unable to retrieve secret from asm" in words
