"""The ECS tasks of a whole cluster, whoever started them, as those see them who look after a deployment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

__all__ = [
    "RunningTask",
    "running_tasks",
    "stop_task",
    "stopped",
    "tasks",
]

_BATCH = 100
"""DescribeTasks takes no more ids."""
_SPOT = "FARGATE_SPOT"
_UNITS_A_VCPU = 1024


@dataclass(frozen=True)
class RunningTask:
    """An ECS task that runs or is to run."""

    arn: str
    run: str
    """Who started it: a run's id, with what may follow a slash, or nothing."""
    vcpus: float
    spot: bool
    running: bool
    """Whether it runs already; else it is being started, or is ending."""


def tasks(access: Access, cluster: str) -> tuple[str, ...]:
    """Return the ARNs of a cluster's ECS tasks that run or are to run; none where the cluster is gone."""
    try:
        with asking("listing running tasks"):
            return tuple(_listed(access, cluster))
    except AwsError as error:
        if error.code == "ClusterNotFoundException":
            return ()
        raise


def running_tasks(access: Access, cluster: str, most: int) -> tuple[RunningTask, ...]:
    """Return a cluster's ECS tasks that run or are to run, `most` of them: each hundred is two requests."""
    found: list[RunningTask] = []
    with asking("looking at running tasks"):
        arns = list(islice(_listed(access, cluster), most))
        for start in range(0, len(arns), _BATCH):
            answer = _ecs(access).describe_tasks(cluster=cluster, tasks=arns[start : start + _BATCH])
            found += [_running(each) for each in answer["tasks"]]
    return tuple(found)


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


def _listed(access: Access, cluster: str) -> Iterator[str]:
    for page in _ecs(access).get_paginator("list_tasks").paginate(cluster=cluster):
        yield from page["taskArns"]


def _running(found: Any) -> RunningTask:
    return RunningTask(
        found["taskArn"],
        found.get("startedBy", ""),
        int(found.get("cpu") or 0) / _UNITS_A_VCPU,
        found.get("capacityProviderName") == _SPOT,
        found.get("lastStatus") == "RUNNING",
    )


def _ecs(access: Access) -> ECSClient:
    client: ECSClient = access.client("ecs")
    return client
