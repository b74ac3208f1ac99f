"""`--state DIR`: what a simulator holds outlives it, be it ended or killed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.simulator.errors import SimulatorFailed
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.fakes.ports import own_port

from .cloud import Cloud, Stack, until
from .conftest import TEMPLATE
from .inventory import inventory
from .machines import create_machine, play, task
from .test_running import run

LONG = [{"name": "main", "command": ["sleep", "600"], "environment": [{"name": "PLAY_SECONDS", "value": "600"}]}]


@pytest.fixture(autouse=True)
def _own_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "heads"))


@contextmanager
def simulated(state: Path, plane: str = "play", port: int = 0) -> Iterator[tuple[Simulation, Cloud]]:
    simulation = Simulation.start(Settings(port, state=str(state), data_plane=plane, enforce_iam=True))
    try:
        keys = simulation.environment
        with Cloud.at(simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as cloud:
            yield simulation, cloud
    finally:
        simulation.close()


def start_task(cloud: Cloud, stack: Stack, **more: Any) -> str:
    answer = cloud.client("ecs").run_task(
        cluster=stack["Cluster"],
        taskDefinition=stack["Head"],
        launchType="FARGATE",
        networkConfiguration=stack.network,
        **more,
    )
    return str(answer["tasks"][0]["taskArn"])


def described(cloud: Cloud, stack: Stack, arn: str) -> dict[str, Any]:
    return dict(cloud.client("ecs").describe_tasks(cluster=stack["Cluster"], tasks=[arn], include=["TAGS"])["tasks"][0])


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that other users can reach, as pytest's own are not: the user of an access point is one."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory) / "state"


@dataclass(frozen=True)
class Left:
    """What the first simulator left."""

    stack: Stack
    port: int
    versions: list[str]
    execution: str
    done: dict[str, Any]
    ended: dict[str, Any]
    running: str


def leave(state: Path) -> Left:
    """Run tasks and a machine, and end the simulator while a task goes on."""
    with simulated(state, "process", own_port()) as (simulation, cloud):
        stack, s3 = cloud.create_stack("trial", TEMPLATE), cloud.client("s3")
        versions = [s3.put_object(Bucket=stack["Bucket"], Key="a", Body=body)["VersionId"] for body in (b"1", b"2")]
        assert run(cloud, stack, "echo 42 > /mnt/runs/answer; echo said") == (0, ["said"])
        execution = cloud.start(stack["Machine"])
        done = cloud.ended(execution)
        arns = cloud.client("ecs").list_tasks(cluster=stack["Cluster"], desiredStatus="STOPPED")["taskArns"]
        ended = described(cloud, stack, arns[0])
        running = start_task(cloud, stack, overrides={"containerOverrides": LONG})
        until(lambda: described(cloud, stack, running)["lastStatus"] == "RUNNING")
        return Left(stack, simulation.port, versions, execution, done, ended, running)


def test_a_stack_and_all_that_its_tasks_left_outlive_a_restart(reachable: Path) -> None:
    try:
        left = leave(reachable)
    except SimulatorFailed as failed:
        pytest.skip(str(failed))
    stack = left.stack

    with simulated(reachable, "process") as (simulation, cloud):
        assert simulation.port == left.port
        assert cloud.settled("trial") == stack
        s3 = cloud.client("s3")
        bodies = [
            s3.get_object(Bucket=stack["Bucket"], Key="a", VersionId=version)["Body"].read()
            for version in left.versions
        ]
        assert bodies == [b"1", b"2"]
        assert described(cloud, stack, left.ended["taskArn"]) == left.ended
        again = cloud.client("stepfunctions").describe_execution(executionArn=left.execution)
        assert (again["status"], again["output"]) == (left.done["status"], left.done["output"])
        assert said_by(cloud, left.ended["taskArn"]) == ["said"]
        assert run(cloud, stack, "cat /mnt/runs/answer") == (0, ["42"])
        lost = described(cloud, stack, left.running)
        assert (lost["lastStatus"], lost["stopCode"]) == ("STOPPED", "InfrastructureHealth")
        assert lost["stoppedReason"] == "The simulator was restarted while the task ran."
        for version in left.versions:
            s3.delete_object(Bucket=stack["Bucket"], Key="a", VersionId=version)
        assert cloud.delete_stack("trial").status == "DELETE_COMPLETE"
        assert inventory(cloud) == {}


def said_by(cloud: Cloud, arn: str) -> list[str]:
    """Return what a task of the stack said."""
    stream = f"head/main/{arn.rpartition('/')[2]}"
    events = cloud.client("logs").get_log_events(logGroupName="/trial/tasks", logStreamName=stream, startFromHead=True)
    return [each["message"] for each in events["events"]]


def test_files_that_only_their_owner_can_reach_are_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root's tasks are other users")
    tmp_path.chmod(0o700)
    with pytest.raises(SimulatorFailed, match="tasks cannot reach files"), simulated(tmp_path / "state", "process"):
        pass


def test_what_goes_on_in_machines_is_ended_with_a_reason(tmp_path: Path) -> None:
    with simulated(tmp_path) as (_, cloud):
        stack = cloud.create_stack("trial", TEMPLATE)
        execution = cloud.start(create_machine(cloud, stack, {"Run": task(stack, play(600))}))
        until(lambda: cloud.client("ecs").list_tasks(cluster=stack["Cluster"])["taskArns"])

    with simulated(tmp_path) as (_, cloud):
        ended = cloud.ended(execution)
        assert (ended["status"], ended["error"]) == ("FAILED", "States.ServiceRestart")
        assert cloud.client("ecs").list_tasks(cluster=stack["Cluster"])["taskArns"] == []


def test_a_kill_takes_the_last_seconds_at_most(tmp_path: Path) -> None:
    with simulated(tmp_path) as (simulation, cloud):
        stack = cloud.create_stack("trial", TEMPLATE)
        arn = start_task(cloud, stack, tags=[{"key": "k", "value": "v"}])
        until(lambda: described(cloud, stack, arn)["lastStatus"] == "STOPPED")
        stopped_at, kept = SYSTEM.now(), tmp_path / "ecs.json"

        def saved_since() -> bool:
            described(cloud, stack, arn)  # without a request there is nothing new to be saved
            return kept.exists() and kept.stat().st_mtime > stopped_at

        until(saved_since)
        server_of(simulation).kill()

    with simulated(tmp_path) as (_, cloud):
        assert cloud.settled("trial") == stack
        task = described(cloud, stack, arn)
        assert (task["containers"][0]["exitCode"], task["tags"]) == (0, [{"key": "k", "value": "v"}])


def server_of(simulation: Simulation) -> psutil.Process:
    for process in psutil.Process().children(recursive=True):
        listens = any(each.laddr and each.laddr.port == simulation.port for each in process.net_connections("tcp4"))
        if listens and "cromulent_wdl.simulator.server" in process.cmdline():
            return process
    raise AssertionError("the simulator's process was not found")


def test_a_directory_is_one_simulators(tmp_path: Path) -> None:
    with simulated(tmp_path), pytest.raises(SimulatorFailed, match="another simulator uses"), simulated(tmp_path):
        pass


def test_a_directory_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("0 on ministack 0.1\n")

    with pytest.raises(SimulatorFailed, match="another version of the simulator"), simulated(tmp_path):
        pass
