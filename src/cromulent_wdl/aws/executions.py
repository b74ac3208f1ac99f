"""Executions of Step Functions: started, looked at, listed and stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

__all__ = ["Execution", "arn_of", "find", "running", "start", "stop"]


@dataclass(frozen=True)
class Execution:
    """An execution of a machine; its name is the run's id. `status` is Step Functions' own word."""

    name: str
    status: str
    started: float
    """Seconds since the epoch."""
    ended: float | None = None
    error: str = ""
    cause: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return self.status in ("RUNNING", "PENDING_REDRIVE")


def start(access: Access, machine: str, name: str, given: Mapping[str, Any]) -> None:
    """Start an execution of this name. Sent twice with the same input it starts once, as long as it goes on."""
    with asking(f"starting {name}"):
        _client(access).start_execution(stateMachineArn=machine, name=name, input=json.dumps(given, sort_keys=True))


def find(access: Access, machine: str, name: str) -> Execution | None:
    """Return the execution of a name; None where there is none, or where it is 90 days past and forgotten."""
    try:
        with asking(f"looking at run {name}"):
            answer = _client(access).describe_execution(executionArn=arn_of(machine, name))
    except AwsError as error:
        if error.code == "ExecutionDoesNotExist":
            return None
        raise
    ended = answer.get("stopDate")
    return Execution(
        name,
        answer["status"],
        answer["startDate"].timestamp(),
        ended.timestamp() if ended else None,
        answer.get("error", ""),
        answer.get("cause", ""),
    )


def running(access: Access, machine: str) -> tuple[Execution, ...]:
    """Return a machine's executions that go on, the oldest first; none where the machine is gone."""
    pages = _client(access).get_paginator("list_executions")
    try:
        with asking("listing runs"):
            found = [
                Execution(each["name"], each["status"], each["startDate"].timestamp())
                for page in pages.paginate(stateMachineArn=machine, statusFilter="RUNNING")
                for each in page["executions"]
            ]
    except AwsError as error:
        if error.code == "StateMachineDoesNotExist":
            return ()
        raise
    return tuple(sorted(found, key=lambda each: each.started))


def stop(access: Access, machine: str, name: str, cause: str) -> None:
    """Stop an execution; one that has ended stays as it is."""
    with asking(f"stopping run {name}"):
        _client(access).stop_execution(executionArn=arn_of(machine, name), error="Cromulent.Stopped", cause=cause)


def arn_of(machine: str, name: str) -> str:
    """Return the ARN of a machine's execution of that name."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def _client(access: Access) -> SFNClient:
    client: SFNClient = access.client("stepfunctions")
    return client
