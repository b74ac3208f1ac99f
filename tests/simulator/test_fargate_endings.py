"""Each way in which an ECS task can end, on a simulator that really runs the wrapper: what comes of one attempt."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from cromulent_wdl.aws.log_streams import Looks, drain
from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.model import (
    EcsTaskLaunched,
    EcsTaskStopped,
    Ending,
    Outcome,
    Resources,
    Task,
    TaskImage,
    TaskPlaced,
    TaskStarted,
    TaskWaiting,
)
from tests.fakes.attempts import run_task
from tests.fakes.process_tasks import Events
from tests.fakes.waiting import eventually

from .deployments import access_to
from .fargate import Lab

_runs = count(1)


def task_of(lab: Lab, command: str = "echo done > out", **fields: Any) -> Task:
    """Return a task of a run of its own."""
    run = lab.mount / f"run{next(_runs)}"
    run.mkdir()
    given = {"images": ("ubuntu:22.04",), "run_id": run.name, "preemptible": True, **fields}
    return run_task(run, "call-one", command, **given)


def run(lab: Lab, task: Task, *faults: dict[str, Any], **settings: Any) -> tuple[Outcome, Events]:
    lab.afflict(*faults)
    events = Events()
    with lab.backend(**settings) as backend:
        assert backend.refusal(task) is None
        outcome = backend.run(task, Cancellation(), events)
    assert not lab.live()
    return outcome, events


def test_no_figure_of_the_machine_is_passed_off_as_the_task_s(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab, "true"))  # in no cgroup of its own
    assert outcome.ending is Ending.OK
    assert (outcome.usage.memory_peak, outcome.usage.cpu_seconds, outcome.usage.source) == (None, None, "")


def test_a_task_that_goes_well(lab: Lab) -> None:
    task = task_of(lab, "echo done > out; echo said >&2", resources=Resources(cpu=1, memory=3_000_000_000))
    outcome, events = run(lab, task)
    assert (outcome.ending, outcome.exit_code, outcome.message) == (Ending.OK, 0, "")
    assert outcome.usage.seconds is not None
    assert (task.work / "out").read_text() == "done\n"
    assert task.stderr.read_text() == "said\n"
    [launched] = events.of(EcsTaskLaunched)
    [stopped] = events.of(EcsTaskStopped)
    assert isinstance(launched, EcsTaskLaunched) and isinstance(stopped, EcsTaskStopped)
    assert (launched.place, launched.cpu, launched.memory) == ("spot", 1.0, 3 * 1024**3)
    [placed] = events.of(TaskPlaced)
    assert isinstance(placed, TaskPlaced) and (placed.cpu, placed.memory) == (1, 3_000_000_000), "what was asked"
    assert (stopped.task, stopped.stop_code) == (launched.task, "EssentialContainerExited")
    assert len(events.of(TaskStarted)) == 1


def test_a_command_that_fails_has_its_own_status(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab, "exit 3"))
    assert (outcome.ending, outcome.exit_code) == (Ending.FAILED, 3)


def test_an_image_without_the_shell(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab, shell="/bin/no-such-shell -e"))
    assert outcome.ending is Ending.NO_SHELL
    assert "/bin/no-such-shell" in outcome.message


def test_row_17_the_deadline_ends_the_command_from_within(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab, "sleep 60", timeout=1.0))
    assert outcome.ending is Ending.DEADLINE
    assert "0:01" in outcome.message


@pytest.mark.parametrize(
    ("kind", "ending", "words"),
    [
        pytest.param("eni_timeout", Ending.NETWORK, "network interface", id="row_11"),
        pytest.param("pull_rate_limit", Ending.PULL_TRANSIENT, "no more pulls", id="row_42"),
        pytest.param("pull_not_found", Ending.PULL_PERMANENT, "not there", id="pull_permanent"),
        pytest.param("pull_wrong_architecture", Ending.PULL_PERMANENT, "architecture", id="row_46"),
        pytest.param("pull_disk_full", Ending.DISK_FULL, "does not fit", id="row_29"),
        pytest.param("efs_mount", Ending.MOUNT, "could not be mounted", id="row_38"),
    ],
)
def test_a_task_that_fails_to_start(lab: Lab, kind: str, ending: Ending, words: str) -> None:
    outcome, events = run(lab, task_of(lab), {"kind": kind})
    assert (outcome.ending, outcome.exit_code) == (ending, None)
    assert words in outcome.message
    assert events.of(TaskStarted) == []


def test_row_25_a_failed_start_with_no_containers(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab), {"kind": "empty_containers"})
    assert outcome.ending is not Ending.OK
    assert outcome.message


def test_row_23_spot_with_its_warning_lets_the_command_end_and_is_a_loss(lab: Lab) -> None:
    task = task_of(lab, "trap 'echo flushed > out; exit 0' TERM; sleep 60 & wait")
    outcome, _ = run(lab, task, {"kind": "spot_interruption", "after": 2.0, "warning": 10.0})
    assert outcome.ending is Ending.SPOT
    assert (task.work / "out").read_text() == "flushed\n"


def test_spot_without_time_for_a_last_word(lab: Lab) -> None:
    task = task_of(lab, "trap '' TERM; sleep 60")
    outcome, _ = run(lab, task, {"kind": "spot_interruption", "after": 0.5, "warning": 0.1})
    assert outcome.ending is Ending.SPOT


@pytest.mark.parametrize("code", ["InfrastructureHealth", "ACodeOfTheYearAfter", None])
def test_a_host_that_is_lost_with_any_stop_code(lab: Lab, code: str | None) -> None:
    outcome, _ = run(lab, task_of(lab, "sleep 60"), {"kind": "host_lost", "after": 0.3, "stop_code": code})
    assert outcome.ending is Ending.LOST


@pytest.mark.parametrize(("status", "ending"), [(137, Ending.OOM), (1, Ending.OOM), (0, Ending.OK)])
def test_row_26_out_of_memory_fails_what_did_not_end_with_0(lab: Lab, status: int, ending: Ending) -> None:
    outcome, _ = run(lab, task_of(lab, f"exit {status}"), {"kind": "out_of_memory", "exit_code": status})
    assert (outcome.ending, outcome.exit_code, outcome.memory) == (ending, status, 2 * 1024**3)
    assert "killed for memory" in outcome.message


def test_a_status_that_ecs_does_not_know_is_the_wrappers(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab, "exit 5"), {"kind": "no_exit_code"})
    assert (outcome.ending, outcome.exit_code) == (Ending.FAILED, 5)


def test_row_24_a_task_that_stays_running_is_settled_by_its_result_and_stopped(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab), {"kind": "stays_running"}, stuck_after=1.0)
    assert outcome.ending is Ending.OK


def test_row_6_a_new_task_that_is_missing_is_waited_for(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab), {"kind": "missing", "after": 1.0})
    assert outcome.ending is Ending.OK


def test_a_task_that_ecs_never_shows_again_is_settled_by_its_result(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab), {"kind": "missing", "after": 5.0})
    assert outcome.ending is Ending.OK


def test_row_10_without_room_on_spot_it_goes_on_demand_and_says_so(lab: Lab) -> None:
    outcome, events = run(lab, task_of(lab), {"kind": "capacity", "provider": "FARGATE_SPOT"})
    assert outcome.ending is Ending.OK
    [launched] = events.of(EcsTaskLaunched)
    assert isinstance(launched, EcsTaskLaunched) and launched.place == "on_demand"
    waits = [event.why for event in events if isinstance(event, TaskWaiting)]
    assert any("Spot in subnet-" in why and "Capacity is unavailable" in why for why in waits)


def test_row_10_without_room_anywhere_it_waits_and_goes_on_when_there_is(lab: Lab) -> None:
    outcome, events = run(lab, task_of(lab), {"kind": "capacity", "times": 9})
    assert outcome.ending is Ending.OK
    subnets = {event.subnet for event in events if isinstance(event, EcsTaskLaunched)}
    assert subnets <= set(lab.deployment.subnets)
    assert any("tried again in" in event.why for event in events if isinstance(event, TaskWaiting))


def test_row_10_without_room_for_too_long_it_ends_with_that_name(lab: Lab) -> None:
    outcome, _ = run(lab, task_of(lab), {"kind": "capacity"}, capacity_patience=0.2)
    assert outcome.ending is Ending.CAPACITY
    assert "Capacity is unavailable" in outcome.message


def test_row_1_launches_that_are_throttled_wait_as_those_without_room_do(lab: Lab) -> None:
    throttled = {"kind": "throttling", "action": "RunTask", "family": None}
    outcome, events = run(lab, task_of(lab), {**throttled, "times": 9}, retry_pause=0.0)
    assert outcome.ending is Ending.OK
    assert any("asks for fewer calls" in event.why for event in events if isinstance(event, TaskWaiting))
    assert len(lab.tasks()) == 1
    outcome, _ = run(lab, task_of(lab), throttled, retry_pause=0.0, capacity_patience=0.2)
    assert (outcome.ending, outcome.final) == (Ending.THROTTLED, True)
    assert "asks for fewer calls" in outcome.message


@pytest.mark.parametrize("kind", ["throttling", "server_error", "connection_reset", "answer_lost"])
def test_row_5_requests_that_fail_are_repeated_and_start_nothing_twice(lab: Lab, kind: str) -> None:
    faults = [{"kind": kind, "action": action, "times": 2, "family": None} for action in ("RunTask", "DescribeTasks")]
    outcome, _ = run(lab, task_of(lab), *faults)
    assert outcome.ending is Ending.OK
    assert len(lab.tasks()) == 1


def test_row_54_a_run_that_is_stopped_stops_its_tasks(lab: Lab) -> None:
    task, cancelled, outcomes = task_of(lab, "echo begun > ../begun; sleep 60"), Cancellation(), list[Outcome]()
    lab.afflict()
    with lab.backend() as backend:
        thread = threading.Thread(target=lambda: outcomes.append(backend.run(task, cancelled, Events())))
        thread.start()
        assert eventually((task.directory / "begun").exists)
        cancelled.cancel()
        thread.join(60)
    assert [outcome.ending for outcome in outcomes] == [Ending.STOPPED]
    assert [each["stopCode"] for each in lab.tasks()] == ["UserInitiated"]
    assert not lab.live()


def test_row_53_what_ecs_forgets_is_in_the_attempts_directory(lab: Lab) -> None:
    task = task_of(lab)
    run(lab, task)
    [file] = task.run_directory.glob(".cromulent/attempts/*/stop.json")
    text = file.read_text()
    assert lab.tasks()[0]["taskArn"] in text
    assert f'"log_stream": "task/task/{lab.tasks()[0]["taskArn"].rpartition("/")[2]}"' in text


def test_tasks_that_were_there_before_are_known_by_their_image(lab: Lab) -> None:
    _, events = run(lab, task_of(lab))
    assert [event for event in events.of(TaskImage) if isinstance(event, TaskImage) and not event.digest] == []


def test_row_49_what_never_reached_the_disk_comes_from_the_log(lab: Lab) -> None:
    task = task_of(lab, "sleep 60")
    task.stdout.unlink()
    task.stdout.mkdir()  # so the wrapper cannot write to it, and says so in its log
    outcome, _ = run(lab, task, {"kind": "late_logs", "after": 0.5})
    assert outcome.ending is Ending.MOUNT
    assert "cannot be written" in task.stderr.read_text()


def test_rows_50_and_51_a_stream_that_is_not_there_has_no_lines_yet_and_is_not_waited_for(lab: Lab) -> None:
    group, until = lab.deployment.log_group, SYSTEM.now() + 0.2
    assert drain(access_to(lab.cloud), group, "task/task/none", Looks(until), stopping=lambda: False) == []


def test_row_52_a_log_that_is_throttled_is_read_in_peace(lab: Lab) -> None:
    task = task_of(lab, "sleep 60")
    task.stdout.unlink()
    task.stdout.mkdir()
    throttled = {"kind": "throttling", "action": "GetLogEvents", "times": 2, "family": None}
    outcome, events = run(lab, task, throttled, log_wait=3.0)
    assert outcome.ending is Ending.MOUNT
    said = task.stderr.read_text()
    assert "cannot be written" in said
    assert "Rate exceeded" not in said + outcome.message
    assert not [event for event in events if isinstance(event, TaskWaiting)]


def test_row_32_while_a_task_runs_nobody_writes_to_the_shared_disk(lab: Lab) -> None:
    task, cancelled = task_of(lab, "echo begun > begun; sleep 60"), Cancellation()
    lab.afflict()

    def written() -> dict[str, float]:
        return {str(each): each.lstat().st_mtime for each in task.run_directory.rglob("*")}

    with lab.backend(poll_least=0.05, poll_most=0.1) as backend:
        thread = threading.Thread(target=lambda: backend.run(task, cancelled, Events()))
        thread.start()
        assert eventually((task.work / "begun").exists)

        def nothing_is_written() -> bool:
            before = written()
            SYSTEM.sleep(0.5)  # five looks or more
            return written() == before

        assert eventually(nothing_is_written), "once what there is to tell of the beginning is told"
        cancelled.cancel()
        thread.join(30)


def test_row_17_the_head_ends_what_does_not_end_itself(lab: Lab) -> None:
    task = task_of(lab, "sleep 60", timeout=0.5, shell="/bin/sh")
    faults = {"kind": "stays_running"}  # nor does its wrapper, as far as ECS shows
    outcome, _ = run(lab, task, faults, stuck_after=0.5)
    assert outcome.ending is Ending.DEADLINE


def test_a_launch_of_which_nobody_hears_starts_nothing_or_is_stopped(lab: Lab) -> None:
    task = task_of(lab, "sleep 60")
    outcome, _ = run(lab, task, {"kind": "answer_lost", "action": "RunTask", "family": None})
    assert outcome.ending is Ending.NETWORK
    assert all(each["lastStatus"] == "STOPPED" for each in lab.tasks())
    assert not list(task.work.iterdir())


def test_a_definition_that_somebody_removes_is_made_anew(lab: Lab) -> None:
    task = task_of(lab)
    with lab.backend() as backend:
        assert backend.run(task, Cancellation(), Events()).ending is Ending.OK
        ecs = lab.cloud.client("ecs")
        ecs.deregister_task_definition(taskDefinition=lab.tasks()[0]["taskDefinitionArn"])
        second = run_task(task.run_directory, "call-two", "true", images=task.images, run_id=task.run_id)
        assert backend.run(second, Cancellation(), Events()).ending is Ending.OK


def test_row_54_whenever_many_are_stopped_nothing_goes_on(lab: Lab) -> None:
    chances, first = random.Random(1), task_of(lab, "sleep 30")
    for round_ in range(3):
        tasks = [
            run_task(first.run_directory, f"call-{round_}-{number}", "sleep 30", images=first.images, run_id="r")
            for number in range(12)
        ]
        assert stopped_after(lab, tasks, chances.uniform(0, 1.5)) == [Ending.STOPPED] * 12
        assert not lab.live()


def stopped_after(lab: Lab, tasks: list[Task], seconds: float) -> list[Ending]:
    """Run tasks, all at once, stop them after so long, and return how they ended."""
    cancelled = Cancellation()
    with lab.backend() as backend, ThreadPoolExecutor(len(tasks)) as pool:
        ended = [pool.submit(backend.run, task, cancelled, Events()) for task in tasks]
        SYSTEM.sleep(seconds)
        cancelled.cancel()
        return [each.result().ending for each in ended]
