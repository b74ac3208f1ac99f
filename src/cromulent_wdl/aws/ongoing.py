"""What goes on in a deployment, to be stopped: executions of its machine, and tasks of its cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_stepfunctions import SFNClient

__all__ = ["executions", "stop_execution", "stop_task", "stopped", "tasks"]

_BATCH = 100
"""DescribeTasks takes no more ids."""


def executions(access: Access, machine: str) -> tuple[str, ...]:
    """Return the ARNs of a state machine's running executions; none where the machine is gone."""
    client: SFNClient = access.client("stepfunctions")
    try:
        with asking("listing running runs"):
            pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="RUNNING")
            return tuple(each["executionArn"] for page in pages for each in page["executions"])
    except AwsError as error:
        if error.code == "StateMachineDoesNotExist":
            return ()
        raise


def stop_execution(access: Access, execution: str, cause: str) -> None:
    """Stop an execution, and with it the head that it waits for."""
    client: SFNClient = access.client("stepfunctions")
    with asking(f"stopping {execution.rpartition(':')[2]}"):
        client.stop_execution(executionArn=execution, cause=cause)


def tasks(access: Access, cluster: str) -> tuple[str, ...]:
    """Return the ARNs of a cluster's ECS tasks that run or are to run; none where the cluster is gone."""
    try:
        with asking("listing running tasks"):
            pages = _ecs(access).get_paginator("list_tasks").paginate(cluster=cluster)
            return tuple(arn for page in pages for arn in page["taskArns"])
    except AwsError as error:
        if error.code == "ClusterNotFoundException":
            return ()
        raise


def stop_task(access: Access, cluster: str, task: str, reason: str) -> None:
    """Have an ECS task stopped; it takes a while."""
    with asking("stopping a task"):
        _ecs(access).stop_task(cluster=cluster, task=task, reason=reason)


def stopped(access: Access, cluster: str, arns: Sequence[str]) -> bool:
    """Tell whether all of the ECS tasks have stopped, or are forgotten."""
    for start in range(0, len(arns), _BATCH):
        with asking("looking at tasks that are being stopped"):
            found = _ecs(access).describe_tasks(cluster=cluster, tasks=list(arns[start : start + _BATCH]))["tasks"]
        if any(each["lastStatus"] != "STOPPED" for each in found):
            return False
    return True


def _ecs(access: Access) -> ECSClient:
    client: ECSClient = access.client("ecs")
    return client
