"""Takes a deployment away, and shows that nothing is left but the data that was to be kept.

Each step can be interrupted: what is left is found again, by the stack's name or by tag, and `down` goes on.
"""

from __future__ import annotations

from ..aws import buckets, cloudformation, cluster_tasks, executions, file_systems, task_definitions
from ..aws.access import Access
from ..clock import SYSTEM, Clock
from ..errors import ProvisionFailed, UsageError
from ..model.deployment import DEPLOYMENT_REMOVED, Deployment
from .failure import explained
from .following import Report, follow, latest
from .holdings import Holdings, still_tagged

__all__ = ["going_on", "leftovers", "running", "take_away"]

_LOOK = 2.0
"""Seconds between looks at tasks that stop, and at an index that lags."""
_PATIENCE = 60.0
"""Seconds after which what the index of tags still has is taken for real."""


def take_away(
    access: Access, held: Holdings, report: Report, *, delete_data: bool, stop_runs: bool, clock: Clock = SYSTEM
) -> None:
    """Take away all that `held` lists, but the data unless `delete_data`.

    Raises UsageError, with nothing done, while runs go on that are not to be stopped; ProvisionFailed where
    CloudFormation does not get through.
    """
    if (held.runs or held.tasks) and not stop_runs:
        raise UsageError(f"{going_on(held)} in '{held.name}'", hint="let them end, or give --stop-runs")
    if held.deployment is not None:
        _stop(access, held, held.deployment, clock)
    for access_point in held.access_points:  # before the stack goes, which says of which file system they are
        file_systems.delete_access_point(access, access_point)
    definitions = held.definitions
    if held.stack is not None:
        _delete_stack(access, held, report, clock)
        definitions = task_definitions.find(access, f"{held.name}_")  # the stack has deregistered its own
    task_definitions.remove(access, definitions)
    if delete_data:
        _delete_data(access, held, clock)


def going_on(held: Holdings) -> str:
    """Return what goes on, as a clause."""
    return f"{running(held)} {'is' if len(held.runs) + len(held.tasks) == 1 else 'are'} running"


def running(held: Holdings) -> str:
    """Return the numbers of what goes on."""
    numbers = {"run": len(held.runs), "task": len(held.tasks)}
    return " and ".join(f"{number} {noun}{'s' * (number != 1)}" for noun, number in numbers.items() if number)


def leftovers(access: Access, held: Holdings, *, delete_data: bool, clock: Clock = SYSTEM) -> tuple[str, ...]:
    """Return the ARNs of what still carries the deployment's tag, but for data that was to be kept."""
    kept = {held.data.bucket, held.data.files.identity if held.data.files else ""} - {""}
    deadline = clock.monotonic() + _PATIENCE
    while True:
        left = still_tagged(access, held.name)
        if not delete_data:
            left = tuple(arn for arn in left if not any(arn.endswith((f":{name}", f"/{name}")) for name in kept))
        if not left or clock.monotonic() >= deadline:
            return left
        clock.sleep(_LOOK)


def _stop(access: Access, held: Holdings, deployment: Deployment, clock: Clock) -> None:
    """Stop runs, then whatever tasks there are, and wait: a cluster in which tasks are left is not deleted."""
    for run in held.runs:
        executions.stop(access, deployment.state_machine, run.name, DEPLOYMENT_REMOVED)
    stopping = set(held.tasks)
    while running := cluster_tasks.tasks(access, deployment.cluster):
        for task in running:
            cluster_tasks.stop_task(access, deployment.cluster, task, DEPLOYMENT_REMOVED)
        stopping |= set(running)
    while not cluster_tasks.stopped(access, deployment.cluster, sorted(stopping)):
        clock.sleep(_LOOK)


def _delete_stack(access: Access, held: Holdings, report: Report, clock: Clock) -> None:
    assert held.stack is not None
    since = latest(access, held.stack.identity)
    cloudformation.delete_stack(access, held.stack.identity)
    stack, happened = follow(access, held.stack.identity, since, report, clock)
    if stack.status != "DELETE_COMPLETE":
        raise explained(stack, happened)


def _delete_data(access: Access, held: Holdings, clock: Clock) -> None:
    if held.data.bucket:
        buckets.empty(access, held.data.bucket)
        buckets.delete(access, held.data.bucket)
    if held.data.files is not None:
        identity = held.data.files.identity
        file_systems.delete_file_system(access, identity)
        deadline = clock.monotonic() + _PATIENCE
        while file_systems.find_file_system(access, identity) is not None:
            if clock.monotonic() >= deadline:
                raise ProvisionFailed(
                    f"file system {identity} is still being deleted", hint="`cromulent down` looks again"
                )
            clock.sleep(_LOOK)
