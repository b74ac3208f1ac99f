"""`ecs:runTask` as Step Functions has it: parameters, results and errors, and the wait for the end of the task."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from ..ecs import AnswerLost, ApiError, Place
from . import base, cloudformation
from .authorization import RoleRefused, act_as
from .door import EcsDoor
from .states import Abandoned, current_part
from .world import MinistackWorld

__all__ = ["EcsTasks"]

_RESOURCE = "arn:aws:states:::ecs:runTask"
_LOOK = 0.1
"""Seconds between two looks at whether anybody still waits for a task."""
_LOOKS = 100
"""After so many, the task is asked for though no change was told: Step Functions does not trust events alone."""
_STARTED_BY = "AWS Step Functions"


class EcsTasks:
    """The integration, in the place of ministack's, which takes every task for well ended."""

    def __init__(self, door: EcsDoor, world: MinistackWorld, enforce: bool) -> None:
        self._door = door
        self._world = world
        self._enforce = enforce
        self._states = base.module("services.stepfunctions")
        self._responses = base.module("core.responses")

    def repair(self) -> None:
        """Take the integration's place."""
        self._states._SERVICE_DISPATCH[_RESOURCE] = self.run

    def run(self, resource: str, parameters: Mapping[str, Any]) -> Any:
        """Run the task of a state, and wait for its end where the resource says so."""
        if current_part().is_abandoned():
            raise Abandoned
        place = Place(self._responses.get_account_id(), self._responses.get_region())
        answer = self._call("RunTask", self._request(parameters), place)
        if not resource.endswith(".sync"):
            return pascal(answer)
        told = {"resource": resource, "output": json.dumps(pascal(answer))}
        self._states._add_event(
            current_part().execution, "TaskStarted", {"taskStartedEventDetails": {"resource": resource}}
        )
        self._states._add_event(current_part().execution, "TaskSubmitted", {"taskSubmittedEventDetails": told})
        if answer["failures"]:
            raise self._states._ExecutionError("AmazonECS.Unknown", json.dumps(pascal(answer)))
        task = self._await(answer["tasks"][0], place)
        shown = pascal(task)
        if not _ended_well(task):
            raise self._states._ExecutionError("States.TaskFailed", json.dumps(shown))
        return shown

    def _request(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {"startedBy": _STARTED_BY, **cloudformation.request_of("ecs", "RunTask", parameters)}
        except ValueError as unknown:
            raise self._states._ExecutionError("States.Runtime", str(unknown)) from unknown

    def _call(self, action: str, request: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
        """Ask the engine as the machine's role."""
        try:
            if not self._enforce:
                return self._door.call_within(action, request, place)
            return self._door.call(action, request, act_as(current_part().execution, place), place)
        except RoleRefused as refused:
            raise self._states._ExecutionError("ECS.AccessDeniedException", str(refused)) from refused
        except AnswerLost as lost:
            raise self._states._ExecutionError("ECS.SdkClientException", "Unable to execute HTTP request") from lost
        except ApiError as refused:
            raise self._states._ExecutionError(error_name(refused.code), refused.message) from refused

    def _await(self, task: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
        """Return the task as it is when it has stopped; stop it if the execution was stopped."""
        arn, cluster = task["taskArn"], task["clusterArn"]
        changed = threading.Event()
        part = current_part()
        with self._world.watching(arn, changed):
            while (seen := self._see(arn, cluster, place)) is None or seen["lastStatus"] != "STOPPED":
                for _ in range(_LOOKS):
                    if changed.wait(_LOOK) or part.is_abandoned():
                        break
                changed.clear()
                if part.is_abandoned():
                    self._cancel(arn, cluster, place)
                    raise Abandoned
        return seen

    def _cancel(self, arn: str, cluster: str, place: Place) -> None:
        """Stop the task, as far as the machine's role may: AWS's is a best effort, too.

        It does so whenever nobody waits any more: the execution was stopped or is over its time, so is the state, or
        a sibling has failed. That, and the words, were measured on AWS (floci-io/floci's tests).
        """
        execution = current_part().execution["executionArn"]
        reason = (
            f"The Task state in AWS Step Functions execution [{execution}] which was managing this resource was aborted"
        )
        with suppress(self._states._ExecutionError):
            self._call("StopTask", {"cluster": cluster, "task": arn, "reason": reason}, place)

    def _see(self, arn: str, cluster: str, place: Place) -> Mapping[str, Any] | None:
        try:
            found = self._door.call_within("DescribeTasks", {"cluster": cluster, "tasks": [arn]}, place)["tasks"]
        except (AnswerLost, ApiError):
            return None  # asked again later
        return found[0] if found else None


def error_name(code: str) -> str:
    """Return the name under which a state sees an error of ECS: those that RunTask's model lacks share one."""
    return f"ECS.{code}" if code in _modelled() else "ECS.AmazonECSException"


@lru_cache
def _modelled() -> frozenset[str]:
    import botocore.session

    model = botocore.session.get_session().get_service_model("ecs").operation_model("RunTask")
    return frozenset(shape.name for shape in model.error_shapes)


def _ended_well(task: Mapping[str, Any]) -> bool:
    codes = [container.get("exitCode") for container in task["containers"]]
    return task.get("stopCode") == "EssentialContainerExited" and not any(codes)


def pascal(value: Any) -> Any:
    """Return ECS's JSON as Step Functions shows it: members in PascalCase, times in milliseconds."""
    if isinstance(value, Mapping):
        return {name[:1].upper() + name[1:]: _time(name, each) for name, each in value.items()}
    return [pascal(each) for each in value] if isinstance(value, (list, tuple)) else value


def _time(name: str, value: Any) -> Any:
    return round(value * 1000) if name.endswith("At") and isinstance(value, (int, float)) else pascal(value)
