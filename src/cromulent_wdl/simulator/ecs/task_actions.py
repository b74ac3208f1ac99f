"""DescribeTasks, ListTasks, StopTask, ExecuteCommand (facts: DescribeTasks; ListTasks; tasks; ECS Exec)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .answers import ApiError, invalid_parameter
from .clusters import Cluster
from .lifecycle import Status
from .paging import most_results, start_of_page, token_after
from .run_action import RunAction, with_tags
from .seam import Caller
from .state import Action, State
from .tasks import TaskRecord
from .view import show

__all__ = ["TaskActions"]

_MOST_DESCRIBED = 100
_ARN = re.compile(r"arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:task/([A-Za-z0-9_-]+)/([0-9a-f-]+)")
_OTHER_FILTERS = ("family", "desiredStatus", "launchType", "containerInstance", "serviceName", "daemonName")

Request = Mapping[str, Any]


class TaskActions:
    """Actions on tasks."""

    def __init__(self, state: State) -> None:
        self._state = state

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "RunTask": RunAction(self._state).run,
            "DescribeTasks": self.describe,
            "ListTasks": self.list,
            "StopTask": self.stop,
            "ExecuteCommand": self.execute,
        }

    def describe(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Describe up to a hundred tasks; those that are not there, or not yet, are MISSING."""
        references = request["tasks"]
        if not references:
            raise invalid_parameter("Tasks cannot be empty.")
        if len(references) > _MOST_DESCRIBED:
            raise invalid_parameter(f"Tasks can have at most {_MOST_DESCRIBED} items.")
        cluster = self._state.cluster(caller.place, request.get("cluster"))
        display = with_tags if "TAGS" in (request.get("include") or ()) else show
        shown: list[dict[str, Any]] = []
        failures: list[dict[str, str]] = []
        for reference in references:
            check_identifier(reference, cluster)
            record = self._visible(caller, cluster, reference)
            if record is None:
                task_id = reference.rpartition("/")[2]
                failures.append({"arn": _arn(cluster, task_id), "reason": "MISSING"})
            else:
                shown.append(display(record))
        return {"tasks": shown, "failures": failures}

    def list(self, caller: Caller, request: Request) -> dict[str, Any]:
        """List tasks by ARN; a desiredStatus that is not given is RUNNING (botocore, ListTasks)."""
        if request.get("startedBy") and any(request.get(name) for name in _OTHER_FILTERS):
            raise invalid_parameter("cannot specify startedBy with other arguments")
        start, most = start_of_page(request), most_results(request)
        cluster = self._state.cluster(caller.place, request.get("cluster"))
        if request.get("serviceName"):
            raise ApiError("ServiceNotFoundException", "Service not found.")
        if request.get("containerInstance"):
            raise invalid_parameter("The referenced container instance was not found.")
        wanted = _Filter(request, self._state.clock.now())
        found: list[TaskRecord] = []
        with self._state.driver.lock:
            tasks = self._state.of(caller.place).tasks
            tasks.forget_old(self._state.clock.now())
            for record in tasks.listed(cluster.name, request.get("startedBy"), start):
                if wanted.admits(record):
                    found.append(record)
                    if len(found) > most:
                        break
        answer: dict[str, Any] = {"taskArns": [record.arn for record in found[:most]]}
        return {**answer, "nextToken": token_after(found[most].sequence)} if len(found) > most else answer

    def stop(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Stop a task: SIGTERM now, SIGKILL after its containers' stop timeouts; its tags are deleted (botocore)."""
        cluster = self._state.cluster(caller.place, request.get("cluster"))
        check_identifier(request["task"], cluster)
        record = self._visible(caller, cluster, request["task"])
        if record is None:
            raise invalid_parameter("The referenced task was not found.")
        self._state.driver.stop(record, request.get("reason") or "Task stopped by user")
        answer = {"task": with_tags(record)}
        record.tags = {}
        return answer

    def execute(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Refuse ECS Exec in AWS's words; where AWS would open a session, say that the agent is not connected."""
        if not request["interactive"]:
            raise invalid_parameter("Interactive is the only mode supported currently.")
        cluster = self._state.cluster(caller.place, request.get("cluster"))
        check_identifier(request["task"], cluster)
        record = self._visible(caller, cluster, request["task"])
        if record is None:
            raise invalid_parameter("The referenced task was not found.")
        if not record.batch.execute_command or record.life.status is not Status.RUNNING:
            raise invalid_parameter(
                "The execute command failed because execute command was not enabled when the task was run or the "
                "execute command agent isn’t running. Wait and try again or run a new task with execute command "  # noqa: RUF001
                "enabled and try again."
            )
        names = [container.name for container in record.life.containers]
        if request.get("container", names[0] if len(names) == 1 else None) not in names:
            raise invalid_parameter("The container name must be one of the task's containers.")
        raise ApiError(
            "TargetNotConnectedException", "The execute command failed due to an internal error. Try again later."
        )

    def _visible(self, caller: Caller, cluster: Cluster, reference: str) -> TaskRecord | None:
        with self._state.driver.lock:
            record = self._state.of(caller.place).tasks.find(cluster.name, reference)
        if record is None or (record.visible_from and record.visible_from > self._state.clock.now()):
            return None
        return record


class _Filter:
    """Which tasks a listing is to have."""

    def __init__(self, request: Request, now: float) -> None:
        self._desired = request.get("desiredStatus") or "RUNNING"
        self._family = request.get("family")
        self._launch_type = request.get("launchType") or "FARGATE"
        self._now = now

    def admits(self, record: TaskRecord) -> bool:
        """Say whether a task belongs on the list."""
        return (
            record.life.desired == self._desired
            and (self._family is None or record.batch.definition.family == self._family)
            and self._launch_type == "FARGATE"
            and record.visible_from <= self._now
        )


def check_identifier(reference: str, cluster: Cluster) -> None:
    """Refuse what cannot name a task of the cluster."""
    if ":" not in reference and "/" not in reference:
        if len(reference) not in (32, 36):
            raise invalid_parameter("taskId length should be one of [32,36]")
        return
    match = _ARN.fullmatch(reference)
    if match is None:
        raise invalid_parameter("Invalid identifier: Identifier is not a task ARN.")
    if match.group(1) != cluster.name:
        raise invalid_parameter(f"Identifier is for cluster {match.group(1)}. Your cluster is {cluster.name}")


def _arn(cluster: Cluster, task_id: str) -> str:
    return f"{cluster.arn.replace(':cluster/', ':task/')}/{task_id}"
