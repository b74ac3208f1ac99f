"""How a deployment stands: what is deployed, what runs on it, what it holds, and what that costs while it is idle.

Everything is read in a dozen requests, side by side, and nothing is changed. What cannot be known cheaply is
counted up to a limit, and said to be more.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from ..aws import buckets, cluster_tasks, executions, file_systems, log_groups, quotas, tagging
from ..aws.access import Access
from ..aws.buckets import Holding
from ..aws.cloudformation import Stack
from ..aws.cluster_tasks import RunningTask
from ..aws.deployments import TAG, find_deployed
from ..aws.executions import Execution
from ..aws.file_systems import FileSystem
from ..aws.quotas import Quotas
from ..errors import AwsDenied
from ..model.deployment import Deployment

__all__ = ["HEALTHY", "PAGES", "Standing", "Vcpus", "look"]

HEALTHY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
"""States of a stack in which CloudFormation has finished what was last asked of it, or has put it back as it was."""
PAGES = 5
"""Pages of 1,000 object versions that are counted unless all are asked for: each is a billed request."""
_TASKS = 2000
"""Running tasks that are looked at: each hundred takes from the requests that heads may make."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Vcpus:
    """vCPUs that tasks of the deployment hold, by what they count against."""

    on_demand: float
    spot: float


@dataclass(frozen=True)
class Standing:
    """A deployment as it stands."""

    deployment: Deployment
    state: str
    """The stack's, in CloudFormation's word."""
    runs: tuple[Execution, ...]
    tasks: tuple[RunningTask, ...]
    all_tasks: bool
    """Whether `tasks` are all that there are."""
    quotas: Quotas | None
    own_bucket: bool
    in_bucket: Holding | None
    """None where the bucket is somebody else's: it may be of any size."""
    own_files: bool
    files: FileSystem | None
    """None where it is gone."""
    in_logs: int
    denied: frozenset[str]
    """What the caller may not see, and is empty here for that: runs, tasks, quotas, files, bucket, logs."""

    @property
    def healthy(self) -> bool:
        """Whether nothing has to be mended."""
        return self.state in HEALTHY

    @property
    def vcpus(self) -> Vcpus:
        """What the tasks hold, those that are being started included."""
        spot = sum(each.vcpus for each in self.tasks if each.spot)
        return Vcpus(sum(each.vcpus for each in self.tasks) - spot, spot)

    def tasks_of(self, run: str) -> tuple[RunningTask, ...]:
        """Return the tasks that a run started, and its head, which says so of itself: RUN/head."""
        return tuple(each for each in self.tasks if each.run.partition("/")[0] == run)


def look(access: Access, name: str, *, pages: int | None = PAGES) -> Standing:
    """Return how the deployment of that name stands; `pages` of the bucket are counted, or all.

    Raises DeploymentNotFound.
    """
    stack, deployment = find_deployed(access, name)
    denied: set[str] = set()

    def ask(part: str, question: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
        try:
            return question()
        except AwsDenied:
            denied.add(part)
            return otherwise

    none: None = None
    with ThreadPoolExecutor() as pool:
        runs = pool.submit(ask, "runs", lambda: executions.running(access, deployment.state_machine), ())
        tasks = pool.submit(ask, "tasks", lambda: cluster_tasks.running_tasks(access, deployment.cluster, _TASKS), ())
        allowed = pool.submit(ask, "quotas", lambda: quotas.fargate(access), none)
        files = pool.submit(
            ask, "files", lambda: file_systems.find_file_system(access, deployment.file_system, targets=False), none
        )
        logs = pool.submit(ask, "logs", lambda: log_groups.stored(access, deployment.log_group), 0)
        own = _own(access, deployment, stack)
        held = pool.submit(ask, "bucket", lambda: buckets.holding(access, deployment.bucket, pages=pages), none)
        return Standing(
            deployment=deployment,
            state=stack.status,
            runs=runs.result(),
            tasks=tasks.result(),
            all_tasks=len(tasks.result()) < _TASKS,
            quotas=allowed.result(),
            own_bucket=own[0],
            in_bucket=held.result() if own[0] else None,
            own_files=own[1],
            files=files.result(),
            in_logs=logs.result(),
            denied=frozenset(denied),
        )


def _own(access: Access, deployment: Deployment, stack: Stack) -> tuple[bool, bool]:
    """Tell whether bucket and file system are the deployment's: made by its stack, or by an earlier one and kept."""
    made = not stack.parameters.get("Bucket"), not stack.parameters.get("FileSystem")
    if all(made):
        return made
    try:
        kept = tagging.tagged(access, TAG, deployment.name, kinds=("s3", "elasticfilesystem:file-system"))
    except AwsDenied:
        return made
    names = {arn.rpartition(":")[2].rpartition("/")[2] for arn in kept}
    return made[0] or deployment.bucket in names, made[1] or deployment.file_system in names
