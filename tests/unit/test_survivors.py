"""What an earlier head left running: by whose name it is found, and that a head does not take itself for it."""

from __future__ import annotations

from pathlib import Path

from cromulent_wdl.aws.decode import EcsTask
from cromulent_wdl.aws.ecs import Seen
from cromulent_wdl.backends.fargate.survivors import Survivors

RUN = Path("/mnt/run")


def of(key: str, arn: str, status: str = "RUNNING") -> EcsTask:
    return EcsTask(arn, status=status, command=(f"/mnt/run/.cromulent/attempts/{key}/script",), started_by="run-1")


class Cluster:
    def __init__(self, *tasks: EcsTask) -> None:
        self._tasks = {task.arn: task for task in tasks}

    def show(self, task: EcsTask) -> None:
        self._tasks[task.arn] = task

    def started_by(self, name: str) -> tuple[str, ...]:
        return tuple(arn for arn, task in self._tasks.items() if task.started_by == name)

    def describe_all(self, arns: tuple[str, ...]) -> Seen:
        return Seen(tuple(self._tasks[arn] for arn in arns), ())


def test_each_is_taken_once_and_the_rest_is_for_the_end() -> None:
    survivors = Survivors(Cluster(of("a-1", "1"), of("a-2", "2"), of("b-1", "3"), of("b-1", "4")), "run-1", RUN)
    survivors.find()
    assert survivors.has("b-1")
    assert [task.arn for task in survivors.take("b-1")] == ["3", "4"]
    assert survivors.take("b-1") == ()
    assert [task.arn for task in survivors.take_call("a-")] == ["1", "2"]
    assert survivors.take_rest() == ()


def test_what_has_ended_and_the_runs_own_head_are_no_survivors() -> None:
    head = EcsTask("head", status="RUNNING", started_by="run-1")
    survivors = Survivors(Cluster(head, of("a-1", "1", "STOPPED"), of("b-1", "2")), "run-1", RUN)
    survivors.find()
    assert [task.arn for task in survivors.take_rest()] == ["2"]


def test_what_was_hidden_is_found_when_it_is_looked_for_again() -> None:
    cluster = Cluster()
    survivors = Survivors(cluster, "run-1", RUN)
    survivors.find()
    assert survivors.take_rest() == ()
    cluster.show(of("a-1", "1"))
    survivors.find()
    assert [task.arn for task in survivors.take_rest()] == ["1"]


def test_a_run_without_a_name_has_none() -> None:
    survivors = Survivors(Cluster(EcsTask("1", status="RUNNING", command=("/mnt/run/attempts/a-1/script",))), "", RUN)
    survivors.find()
    assert survivors.take_rest() == ()


def test_a_name_that_a_task_has_forged_leads_to_no_other_runs_tasks() -> None:
    other = EcsTask("2", status="RUNNING", command=("/mnt/other/.cromulent/attempts/a-1/script",), started_by="run-1")
    elsewhere = EcsTask("3", status="RUNNING", command=("/efs/run/.cromulent/attempts/b-1/script",), started_by="run-1")
    survivors = Survivors(Cluster(of("a-1", "1"), other, elsewhere), "run-1", RUN)
    survivors.find()
    assert sorted(task.arn for task in survivors.take_rest()) == ["1", "3"], "the run may be mounted elsewhere now"
