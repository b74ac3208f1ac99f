"""What goes wrong on request: each fault shows what AWS shows, and strikes when its plan says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cromulent_wdl.simulator.ecs import AnswerLost, ApiError, Fault, FaultPlan, read_plan
from cromulent_wdl.simulator.planes.play_script import PlayRule, PlayScript
from tests.fakes.ecs_world import ROLE, Stage, container, definition
from tests.fakes.noting_plane import NotingPlane

LONG = PlayScript(rules=(PlayRule(seconds=(100, 100)),))
SPOT = [{"capacityProvider": "FARGATE_SPOT"}]


def afflicted(*faults: Fault, script: PlayScript | None = None, seed: int = 0) -> Stage:
    stage = Stage(script=script)
    stage.service.set_faults(FaultPlan(seed=seed, faults=faults))
    return stage


def outcome(stage: Stage, seconds: float = 5, **request: Any) -> dict[str, Any]:
    (task,) = stage.run(**request)
    stage.pass_time(seconds)
    return stage.task(task["taskArn"])


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("eni_timeout", "Timeout waiting for network interface provisioning to complete."),
        ("pull_rate_limit", "429 Too Many Requests"),
        ("pull_not_found", "busybox:1: not found"),
        ("pull_wrong_architecture", "does not contain descriptor matching platform 'linux/amd64'"),
        ("pull_disk_full", "no space left on device"),
        ("efs_mount", "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes"),
    ],
)
def test_a_task_that_fails_to_start(kind: Any, reason: str) -> None:
    task = outcome(afflicted(Fault(kind=kind)))
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    assert reason in task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]
    assert "startedAt" not in task


def test_a_task_that_fails_to_start_without_containers() -> None:
    task = outcome(afflicted(Fault(kind="empty_containers")))
    assert (task["lastStatus"], task["stopCode"], task["containers"]) == ("STOPPED", "TaskFailedToStart", [])


def test_a_spot_interruption_warns_and_then_kills_what_does_not_listen() -> None:
    deaf = PlayScript(rules=(PlayRule(seconds=(900, 900), ignores_sigterm=True),))
    stage = afflicted(Fault(kind="spot_interruption", after=5, warning=3), script=deaf)
    (task,) = stage.run(capacityProviderStrategy=SPOT)
    stage.pass_time(5)
    warned = stage.world.events()[-1]
    assert (warned["lastStatus"], warned["desiredStatus"]) == ("RUNNING", "STOPPED")
    assert (warned["stopCode"], warned["stoppedReason"]) == ("TerminationNotice", "Your Spot Task was interrupted.")
    stage.pass_time(2)
    assert stage.task(task["taskArn"])["lastStatus"] == "RUNNING"
    stage.pass_time(1)
    ended = stage.task(task["taskArn"])
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("SpotInterruption", 137)


def test_spot_interruptions_strike_only_spot() -> None:
    task = outcome(afflicted(Fault(kind="spot_interruption")))
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 0)


@pytest.mark.parametrize("code", ["InfrastructureHealth", "NeverHeardOf", None])
def test_a_lost_host_leaves_no_exit_code(code: str | None) -> None:
    task = outcome(afflicted(Fault(kind="host_lost", after=1, stop_code=code), script=LONG))
    assert task["lastStatus"] == "STOPPED"
    assert task.get("stopCode") == code
    assert "exitCode" not in task["containers"][0]


@pytest.mark.parametrize("code", [0, 137])
def test_out_of_memory(code: int) -> None:
    (container,) = outcome(afflicted(Fault(kind="out_of_memory", exit_code=code)))["containers"]
    assert container["exitCode"] == code
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_an_end_without_exit_code() -> None:
    task = outcome(afflicted(Fault(kind="no_exit_code")))
    assert task["stopCode"] == "EssentialContainerExited"
    assert "exitCode" not in task["containers"][0]


def test_a_task_that_stays_running_until_somebody_stops_it() -> None:
    stage = afflicted(Fault(kind="stays_running"))
    task = outcome(stage, 1000)
    assert task["lastStatus"] == "RUNNING"
    stage.ask("StopTask", cluster="runs", task=task["taskArn"])
    stage.pass_time(1)
    ended = stage.task(task["taskArn"])
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("UserInitiated", 0)


def test_the_end_after_a_stop_is_always_heard_of() -> None:
    stage = afflicted(Fault(kind="stays_running"), script=LONG)
    task = outcome(stage)
    stage.ask("StopTask", cluster="runs", task=task["taskArn"])
    stage.pass_time(1)
    assert stage.task(task["taskArn"])["containers"][0]["exitCode"] == 143


def test_a_task_that_stays_running_for_a_while() -> None:
    stage = afflicted(Fault(kind="stays_running", after=60))
    assert outcome(stage, 30)["lastStatus"] == "RUNNING"
    stage.pass_time(40)
    assert stage.ask("ListTasks", cluster="runs")["taskArns"] == []


def test_a_task_that_is_missing_at_first() -> None:
    stage = afflicted(Fault(kind="missing", after=3))
    (task,) = stage.run()
    answer = stage.ask("DescribeTasks", cluster="runs", tasks=[task["taskArn"]])
    assert answer["failures"] == [{"arn": task["taskArn"], "reason": "MISSING"}]
    stage.pass_time(3)
    assert stage.task(task["taskArn"])["lastStatus"] == "STOPPED"


@pytest.mark.parametrize(
    ("kind", "code", "status"), [("throttling", "ThrottlingException", 400), ("server_error", "ServerException", 500)]
)
def test_a_request_that_fails(kind: Any, code: str, status: int) -> None:
    stage = afflicted(Fault(kind=kind, action="ListTasks", on=(2,)))
    stage.ask("ListTasks", cluster="runs")
    refusal = stage.refused("ListTasks", cluster="runs")
    assert (refusal.code, refusal.status) == (code, status)
    stage.ask("ListTasks", cluster="runs")


def test_a_connection_that_breaks_before_the_request_is_carried_out_or_after() -> None:
    stage = afflicted(
        Fault(kind="connection_reset", action="RunTask", on=(1,)), Fault(kind="answer_lost", action="RunTask", on=(2,))
    )
    for tasks in (0, 1):
        with pytest.raises(AnswerLost):
            stage.run(clientToken="t")
        assert stage.service.meters()["tasks"]["accepted"] == tasks
    assert len(stage.run(clientToken="t")) == 1
    assert stage.service.meters()["tasks"]["accepted"] == 1


def struck(stage: Stage, times: int = 12) -> list[int]:
    hits = []
    for occasion in range(1, times + 1):
        try:
            stage.ask("ListTasks", cluster="runs")
        except ApiError:
            hits.append(occasion)
    return hits


@pytest.mark.parametrize(
    ("when", "hits"),
    [
        ({"on": (2, 5)}, [2, 5]),
        ({"every": 4}, [4, 8, 12]),
        ({"every": 4, "times": 2}, [4, 8]),
        ({"times": 1}, [1]),
        ({"probability": 0.0}, []),
        ({"probability": 1.0}, list(range(1, 13))),
        ({"action": "RunTask"}, []),
    ],
)
def test_when_a_fault_strikes(when: dict[str, Any], hits: list[int]) -> None:
    assert struck(afflicted(Fault(kind="throttling", **when))) == hits


def test_chances_come_from_the_seed() -> None:
    fault = Fault(kind="throttling", probability=0.5)
    runs = [struck(afflicted(fault, seed=seed), 40) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_only_what_fits_is_an_occasion() -> None:
    stage = afflicted(
        Fault(kind="capacity", provider="FARGATE_SPOT", on=(1,)), Fault(kind="capacity", family="other-*")
    )
    assert len(stage.run(count=3)) == 3
    assert len(stage.run(count=2, capacityProviderStrategy=SPOT)) == 1
    assert stage.service.meters()["faults"] == {"capacity": 1}


def test_a_plan_is_read_from_toml_and_json(tmp_path: Path) -> None:
    plan = FaultPlan(seed=3, faults=(Fault(kind="spot_interruption", probability=0.25, after=2.0),))
    (tmp_path / "faults.json").write_bytes(msgspec.json.encode(plan))
    (tmp_path / "faults.toml").write_text(
        'seed = 3\n[[faults]]\nkind = "spot_interruption"\nprobability = 0.25\nafter = 2.0\n'
    )
    assert read_plan(tmp_path / "faults.json") == read_plan(tmp_path / "faults.toml") == plan


@pytest.mark.parametrize("text", ['[[faults]]\nkind = "spott"\n', '[[faults]]\nkind = "missing"\nafer = 1\n'])
def test_a_plan_with_a_mistake_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "faults.toml").write_text(text)
    with pytest.raises(msgspec.ValidationError):
        read_plan(tmp_path / "faults.toml")


def test_lines_are_late_by_what_the_fault_says() -> None:
    plane = NotingPlane()
    stage = Stage(plane=plane)
    stage.service.set_faults(FaultPlan(faults=(Fault(kind="late_logs", after=3, on=(2,)),)))
    options = {"awslogs-group": "/cromulent", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "t"}
    logging = {"logDriver": "awslogs", "options": options}
    said = definition(containerDefinitions=[container(logConfiguration=logging)], executionRoleArn=ROLE)
    stage.ask("RegisterTaskDefinition", **said)
    stage.run()
    stage.run()
    stage.pass_time()

    assert [launch.containers[0].log.delay for launch in plane.launched if launch.containers[0].log] == [0.0, 3.0]
