"""What a task may mount: EFS judges it when the task starts, and what it refuses fails the task."""

from __future__ import annotations

from typing import Any

import pytest

from cromulent_wdl.simulator.ecs import FileAccess, Launch
from tests.fakes.ecs_world import ROLE, Stage, container
from tests.fakes.noting_plane import NotingPlane


def started(access: FileAccess, **authorization: str) -> tuple[list[Launch], dict[str, Any]]:
    """Start a task of ROLE that mounts fs-1; say what was launched, and what became of the task."""
    plane = NotingPlane()
    stage = Stage(plane=plane)
    role = ROLE if authorization.get("iam") == "ENABLED" else None
    stage.world.access[(role, authorization.get("accessPointId"))] = access
    files = {"fileSystemId": "fs-1", "transitEncryption": "ENABLED", "authorizationConfig": authorization}
    stage.ask(
        "RegisterTaskDefinition",
        family="mounting",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        taskRoleArn=ROLE,
        containerDefinitions=[container(mountPoints=[{"sourceVolume": "v", "containerPath": "/mnt/v"}])],
        volumes=[{"name": "v", "efsVolumeConfiguration": files}],
    )
    (task,) = stage.run(taskDefinition="mounting")
    stage.pass_time()
    return plane.launched, stage.task(task["taskArn"])


@pytest.mark.parametrize("authorization", [{}, {"iam": "ENABLED"}, {"iam": "ENABLED", "accessPointId": "fsap-1"}])
def test_a_task_that_may_not_mount_does_not_start(authorization: dict[str, str]) -> None:
    launched, task = started(FileAccess.NONE, **authorization)

    assert launched == []
    assert task["stopCode"] == "TaskFailedToStart"
    assert "access denied by server" in task["stoppedReason"]


@pytest.mark.parametrize(("access", "read_only"), [(FileAccess.READ, True), (FileAccess.WRITE, False)])
def test_a_task_that_may_only_read_mounts_read_only(access: FileAccess, read_only: bool) -> None:
    (launch,), _ = started(access, iam="ENABLED", accessPointId="fsap-1")

    assert launch.containers[0].mounts == (("v", "/mnt/v", read_only),)
