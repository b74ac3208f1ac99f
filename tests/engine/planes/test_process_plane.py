"""The `process` data plane runs commands in bubblewrap."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cromulent_wdl.simulator.ecs import Fault, FaultPlan
from cromulent_wdl.simulator.planes.process import SandboxMissing, process_plane

from .stage import RealStage, efs, opened, shell

pytestmark = pytest.mark.bubblewrap

MOUNT = [{"sourceVolume": "data", "containerPath": "/mnt/efs/deep"}]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RealStage]:
    try:
        made = RealStage(tmp_path, process_plane)
    except SandboxMissing as reason:
        pytest.skip(str(reason))
    yield made
    made.close()
    assert list((tmp_path / "tasks").iterdir()) == []
    assert [each for each in psutil.Process().children(recursive=True) if each.name() == "bwrap"] == []


def test_a_file_written_on_efs_is_read_by_the_next_task(stage: RealStage) -> None:
    volumes = [efs()]
    first = stage.outcome(shell("echo hello > /mnt/efs/deep/out; echo said", mountPoints=MOUNT), volumes=volumes)
    second = stage.outcome(shell("cat /mnt/efs/deep/out; exit 3", mountPoints=MOUNT), volumes=volumes)
    assert (first["containers"][0]["exitCode"], second["containers"][0]["exitCode"]) == (0, 3)
    assert stage.lines() == ["said", "hello"]
    assert (stage.directory / "efs/fs-1/out").read_text() == "hello\n"
    assert second["startedAt"] <= second["executionStoppedAt"] <= second["stoppedAt"]


def test_a_read_only_mount_cannot_be_written_to(stage: RealStage) -> None:
    mount = [{**MOUNT[0], "readOnly": True}]
    ended = stage.outcome(shell("echo x > /mnt/efs/deep/out", mountPoints=mount), volumes=[efs()])
    assert ended["containers"][0]["exitCode"] != 0


def test_an_access_point_makes_its_root_and_shows_nothing_else(stage: RealStage) -> None:
    (stage.directory / "efs/fs-1").mkdir(parents=True)
    (stage.directory / "efs/fs-1/secret").write_text("x")
    volume = efs(authorizationConfig={"accessPointId": "fsap-mine"})
    ended = stage.outcome(shell("ls -a /mnt/efs/deep; touch /mnt/efs/deep/own", mountPoints=MOUNT), volumes=[volume])
    assert ended["containers"][0]["exitCode"] == 0
    assert stage.lines() == [".", ".."]
    assert (stage.directory / "efs/fs-1/mine/own").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_the_user_of_an_access_point_owns_what_is_written(stage: RealStage) -> None:
    opened(stage.directory)
    volume = efs(authorizationConfig={"accessPointId": "fsap-1"})
    ended = stage.outcome(shell("touch /mnt/efs/deep/own; id -u", mountPoints=MOUNT), volumes=[volume])
    assert ended["containers"][0]["exitCode"] == 0, stage.lines()
    assert stage.lines() == ["1000"]
    assert (stage.directory / "efs/fs-1/runs/own").stat().st_uid == 1000


def test_a_root_directory_that_is_not_there_fails_the_task(stage: RealStage) -> None:
    ended = stage.outcome(shell("true", mountPoints=MOUNT), volumes=[efs(rootDirectory="/nowhere")])
    assert ended["stopCode"] == "TaskFailedToStart"
    assert "No such file or directory" in ended["stoppedReason"]


def test_scratch_is_shared_within_a_task_and_gone_after_it(stage: RealStage) -> None:
    mounts = [{"sourceVolume": "scratch", "containerPath": "/scratch"}]
    writer = shell(
        "echo shared > /scratch/a; sleep 30", name="writer", essential=False, stopTimeout=2, mountPoints=mounts
    )
    reader = shell("until cat /scratch/a 2>/dev/null; do sleep 0.05; done", mountPoints=mounts)
    ended = stage.outcome(writer, reader, volumes=[{"name": "scratch"}])
    assert stage.lines() == ["shared"]
    assert {each["name"]: each["exitCode"] for each in ended["containers"]}["main"] == 0


def test_the_environment_is_the_containers_own(stage: RealStage) -> None:
    os.environ["CROMULENT_SECRET"] = "x"
    try:
        override = {"name": "main", "environment": [{"name": "B", "value": "2"}]}
        stage.outcome(
            shell("env", environment=[{"name": "A", "value": "1"}]), overrides={"containerOverrides": [override]}
        )
    finally:
        del os.environ["CROMULENT_SECRET"]
    said = set(stage.lines())
    assert {"A=1", "B=2", "AWS_REGION=eu-west-1"} <= said
    assert not any("CROMULENT_SECRET" in line for line in said)


def test_this_machine_cannot_be_written_to(stage: RealStage) -> None:
    ended = stage.outcome(shell("touch /usr/cromulent-was-here"))
    assert ended["containers"][0]["exitCode"] != 0


def test_no_cgroup_of_this_machine_is_seen(stage: RealStage) -> None:
    ended = stage.outcome(shell("ls -A /sys/fs/cgroup; touch /sys/fs/cgroup/own"))
    assert ended["containers"][0]["exitCode"] != 0
    assert len(stage.lines()) == 1  # of touch


def test_sigterm_reaches_what_listens(stage: RealStage) -> None:
    arn = stage.begin(shell("trap 'echo heard; exit 9' TERM; echo ready; while :; do sleep 0.05; done"))
    stage.until(arn, "RUNNING")
    stage.until_said("ready")
    stage.ask("StopTask", cluster="runs", task=arn)
    ended = stage.until(arn, "STOPPED")
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("UserInitiated", 9)
    assert stage.lines()[-1] == "heard"


def test_what_does_not_listen_is_killed_after_its_stop_timeout(stage: RealStage) -> None:
    arn = stage.begin(shell("trap '' TERM; echo ready; sleep 100 & wait", stopTimeout=2))
    stage.until(arn, "RUNNING")
    stage.until_said("ready")
    stage.ask("StopTask", cluster="runs", task=arn)
    ended = stage.until(arn, "STOPPED")
    assert ended["containers"][0]["exitCode"] == 137
    assert ended["stoppedAt"] - ended["stoppingAt"] >= 2


def test_an_init_process_passes_sigterm_on(stage: RealStage) -> None:
    arn = stage.begin(shell("echo ready; exec sleep 100", linuxParameters={"initProcessEnabled": True}))
    stage.until_said("ready")
    stage.ask("StopTask", cluster="runs", task=arn)
    assert stage.until(arn, "STOPPED")["containers"][0]["exitCode"] == 143


def test_a_spot_interruption_stops_a_real_process(stage: RealStage) -> None:
    stage.faults(FaultPlan(faults=(Fault(kind="spot_interruption", warning=0.5),)))
    deaf = shell("trap '' TERM; while :; do sleep 0.05; done", stopTimeout=120)
    ended = stage.outcome(deaf, capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}])
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("SpotInterruption", 137)
