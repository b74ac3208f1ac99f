"""The `container` data plane runs tasks in Docker and Podman."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.engine import Engine, connect
from cromulent_wdl.engine.request import HEAD_LABEL
from cromulent_wdl.simulator.ecs import AccessPoint, Fault, FaultPlan
from cromulent_wdl.simulator.planes.container import container_plane

from .stage import RealStage, efs, opened, shell

MOUNT = [{"sourceVolume": "data", "containerPath": "/mnt/efs"}]


@pytest.fixture
def stage(tmp_path: Path, engine: Engine, image: str) -> Iterator[RealStage]:
    opened(tmp_path)  # an access point's user is to reach it
    made = RealStage(tmp_path, lambda given: container_plane(connect(engine.facts.kind), given), f"test-{tmp_path}")
    made.image = image
    yield made
    made.close()
    assert list((tmp_path / "tasks").iterdir()) == []
    assert engine.labelled(HEAD_LABEL, f"test-{tmp_path}") == ()


def test_a_file_written_on_efs_is_read_by_the_next_task(stage: RealStage) -> None:
    volumes = [efs()]
    first = stage.outcome(shell("echo hello > /mnt/efs/out; echo said", mountPoints=MOUNT), volumes=volumes)
    second = stage.outcome(shell("cat /mnt/efs/out; exit 3", mountPoints=MOUNT), volumes=volumes)
    assert [each["containers"][0].get("exitCode") for each in (first, second)] == [0, 3], (first, second)
    assert stage.lines() == ["said", "hello"]
    (container,) = second["containers"]
    assert container["imageDigest"].startswith("sha256:")
    assert len(container["runtimeId"]) == 64


def test_a_read_only_mount_and_a_read_only_root(stage: RealStage) -> None:
    mount = [{**MOUNT[0], "readOnly": True}]
    script = "echo x > /mnt/efs/out && echo mount; echo x > /out && echo root; echo x > /scratch/out && echo tmpfs"
    linux = {"tmpfs": [{"containerPath": "/scratch", "size": 1}]}
    stage.outcome(shell(script, mountPoints=mount, readonlyRootFilesystem=True, linuxParameters=linux), volumes=[efs()])
    assert [line for line in stage.lines() if line in ("mount", "root", "tmpfs")] == ["tmpfs"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_two_access_points_lie_side_by_side(stage: RealStage) -> None:
    """The whole of the files to read, and a run's directory to write: as the Fargate backend mounts them."""
    stage.world.points["fsap-all"] = AccessPoint("fsap-all", "fs-1", "/", (1000, 1000), (1000, 1000, 0o755))
    volumes = [
        efs("all", authorizationConfig={"accessPointId": "fsap-all"}),
        efs("run", authorizationConfig={"accessPointId": "fsap-1"}),
    ]
    mounts = [
        {"sourceVolume": "all", "containerPath": "/mnt/cromulent/all", "readOnly": True},
        {"sourceVolume": "run", "containerPath": "/mnt/cromulent/run"},
    ]
    tried = "cd /mnt/cromulent; echo 42 > run/a; cat all/runs/a; touch all/b && echo written; id -u"
    stage.outcome(shell(tried, mountPoints=mounts), volumes=volumes)

    assert [line for line in stage.lines() if "touch" not in line] == ["42", "1000"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_the_user_of_an_access_point_owns_what_is_written(stage: RealStage) -> None:
    volume = efs(authorizationConfig={"accessPointId": "fsap-1"})
    ended = stage.outcome(shell("touch /mnt/efs/own; id -u", mountPoints=MOUNT), volumes=[volume])
    assert ended["containers"][0]["exitCode"] == 0, stage.lines()
    assert stage.lines() == ["1000"]
    assert (stage.directory / "efs/fs-1/runs/own").stat().st_uid == 1000


def test_the_environment_and_working_directory(stage: RealStage) -> None:
    variables = [{"name": "A", "value": "1"}]
    script = "echo $A $AWS_REGION $PWD; echo $ECS_CONTAINER_METADATA_URI_V4"
    ended = stage.outcome(shell(script, environment=variables, workingDirectory="/tmp"))
    task_id = ended["taskArn"].rpartition("/")[2]
    assert stage.lines() == ["1 eu-west-1 /tmp", f"http://localhost/{task_id}/main"]


def test_a_command_that_needs_more_memory_than_the_task_has(stage: RealStage, engine: Engine) -> None:
    if not engine.facts.limits_memory:
        pytest.skip(f"{engine.facts.title} limits no memory here")
    hungry = "exec tail -c 900000000 /dev/zero"
    ended = stage.outcome(shell(hungry))
    (container,) = ended["containers"]
    assert (container["exitCode"], container.get("reason")) == (
        137,
        "OutOfMemoryError: Container killed due to memory usage",
    )


def test_sigterm_reaches_what_listens_and_sigkill_what_does_not(stage: RealStage) -> None:
    heedful = stage.begin(shell("trap 'echo heard; exit 9' TERM; echo ready; while :; do sleep 0.1; done"))
    stage.until_said("ready")
    stage.ask("StopTask", cluster="runs", task=heedful)
    assert stage.until(heedful, "STOPPED")["containers"][0]["exitCode"] == 9
    assert stage.lines()[-1] == "heard"
    deaf = stage.begin(shell("trap '' TERM; echo deaf; while :; do sleep 0.1; done", stopTimeout=2))
    stage.until_said("deaf")
    stage.ask("StopTask", cluster="runs", task=deaf)
    ended = stage.until(deaf, "STOPPED")
    assert ended["containers"][0]["exitCode"] == 137
    assert ended["stoppedAt"] - ended["stoppingAt"] >= 2


def test_an_image_that_is_not_there(stage: RealStage) -> None:
    stage.image = "localhost:1/nothing:1"
    ended = stage.outcome(shell("true"))
    assert ended["stopCode"] == "TaskFailedToStart"
    assert ended["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "exitCode" not in ended["containers"][0]


def test_an_image_for_other_processors(stage: RealStage) -> None:
    other = "X86_64" if os.uname().machine in ("aarch64", "arm64") else "ARM64"
    ended = stage.outcome(shell("true"), runtimePlatform={"cpuArchitecture": other})
    assert "does not contain descriptor matching platform" in ended["stoppedReason"]


def test_a_program_that_is_not_in_the_image(stage: RealStage) -> None:
    ended = stage.outcome({**shell("true"), "entryPoint": ["/no/such/program"]})
    assert ended["stopCode"] == "TaskFailedToStart"
    assert ended["stoppedReason"].startswith("CannotStartContainerError: ")


def test_a_lost_host_takes_its_containers_with_it(stage: RealStage, engine: Engine) -> None:
    stage.faults(FaultPlan(faults=(Fault(kind="host_lost"),)))
    ended = stage.outcome(shell("sleep 100"))
    assert ended["stopCode"] == "InfrastructureHealth"
