"""Secrets of a task definition: variables of the container, or the reason why the task does not start."""

from __future__ import annotations

from typing import Any

from cromulent_wdl.simulator.ecs import Launch
from tests.fakes.ecs_world import ROLE, Stage, container
from tests.fakes.noting_plane import NotingPlane

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-AbCdEf"


def started(secrets: dict[tuple[str, str], str]) -> tuple[list[Launch], dict[str, Any]]:
    plane = NotingPlane()
    stage = Stage(plane=plane)
    stage.world.secrets = secrets
    stage.ask(
        "RegisterTaskDefinition",
        family="secretive",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=ROLE,
        containerDefinitions=[container(secrets=[{"name": "TOKEN", "valueFrom": ARN}])],
    )
    (task,) = stage.run(taskDefinition="secretive")
    stage.pass_time()
    return plane.launched, stage.task(task["taskArn"])


def test_a_secret_is_a_variable_of_the_container() -> None:
    (launch,), _ = started({(ROLE, ARN): "hush"})

    assert launch.containers[0].environment == {"TOKEN": "hush"}


def test_a_task_whose_secret_cannot_be_fetched_does_not_start() -> None:
    launched, task = started({})

    assert launched == []
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", f"ResourceInitializationError: {ARN}")
