"""What there is of a deployment: before it is taken away, and what was kept when it was."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..aws import (
    access_points,
    buckets,
    cloudformation,
    cluster_tasks,
    executions,
    file_systems,
    tagging,
    task_definitions,
)
from ..aws.access import Access
from ..aws.buckets import Holding
from ..aws.cloudformation import Stack
from ..aws.deployments import TAG, deployment_of
from ..aws.executions import Execution
from ..aws.file_systems import FileSystem
from ..aws.task_definitions import Definition
from ..clock import SYSTEM, Clock
from ..model.deployment import Deployment
from ..pricing.card import Rates
from ..pricing.idle import Idle, Kept, idle
from ..units import format_bytes
from .applying import settled
from .following import Report
from .plan import DATA
from .surroundings import kept_storage

__all__ = ["Data", "Holdings", "measured", "survey"]

_EMPTY = Holding(0, 0)
_KEPT = DATA | {"AWS::S3::BucketPolicy"}
"""What deleting the stack does not delete."""


@dataclass(frozen=True)
class Data:
    """Storage that carries a deployment's tag: a bucket, a file system, either or none."""

    bucket: str = ""
    in_bucket: Holding = _EMPTY
    files: FileSystem | None = None

    def idle(self, rates: Rates) -> Idle:
        """Return what keeping it costs, in dollars a month."""
        cold = self.files.bytes_in_archive if self.files else 0
        warm = self.files.bytes - cold if self.files else 0
        return idle(Kept(self.in_bucket.bytes, warm, cold), rates)

    def in_words(self, rates: Rates) -> list[str]:
        """Return a line for each."""
        lines, cost = [], self.idle(rates)
        if self.bucket:
            more = "more than " if self.in_bucket.at_least else ""
            held = f"{more}{format_bytes(self.in_bucket.bytes)} in {self.in_bucket.versions} object versions"
            lines.append(f"bucket {self.bucket}: {held}, ${cost.bucket:.2f} a month")
        if self.files is not None:
            held = f"{format_bytes(self.files.bytes)}, ${cost.files:.2f} a month"
            lines.append(f"file system {self.files.identity}: {held}")
        return lines


@dataclass(frozen=True)
class Holdings:
    """All that there is of a deployment of a name."""

    name: str
    stack: Stack | None
    deployment: Deployment | None
    """As the stack's outputs say; a stack that was never finished has none."""
    resources: tuple[str, ...]
    """The types of what the stack is made of, its data left out."""
    data: Data
    runs: tuple[Execution, ...] = ()
    tasks: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
    access_points: tuple[str, ...] = ()
    """Of runs; without a stack of whatever it left, too."""

    @property
    def given(self) -> tuple[str, ...]:
        """The storage that the deployment uses and that is the user's."""
        if self.deployment is None:
            return ()
        own = {self.data.bucket, self.data.files.identity if self.data.files else ""}
        return tuple(each for each in (self.deployment.bucket, self.deployment.file_system) if each not in own)

    @property
    def nothing(self) -> bool:
        """Whether there is nothing at all."""
        return self.only_data and not self.data.bucket and not self.data.files

    @property
    def only_data(self) -> bool:
        """Whether there is at most storage that was kept."""
        return self.stack is None and not self.definitions and not self.access_points


def survey(access: Access, name: str, report: Report, clock: Clock = SYSTEM) -> Holdings:
    """Return what there is, once nothing goes on in the stack. Raises UsageError where the stack is somebody else's."""
    stack = settled(access, name, report, clock)
    deployment = deployment_of(stack) if stack is not None else None
    kept = kept_storage(access, name)
    in_bucket = buckets.holding(access, kept.bucket) if kept.bucket else _EMPTY
    files = file_systems.find_file_system(access, kept.file_system) if kept.file_system else None
    definitions = task_definitions.find(access, f"{name}_")
    kinds = cloudformation.resources(access, stack.identity).values() if stack is not None else ()
    held = tuple(kind for kind in kinds if kind not in _KEPT)
    return Holdings(
        name,
        stack,
        deployment,
        held,
        Data(kept.bucket, in_bucket, files),
        executions.running(access, deployment.state_machine) if deployment is not None else (),
        cluster_tasks.tasks(access, deployment.cluster) if deployment is not None else (),
        definitions,
        _of_runs(access, deployment) if deployment is not None else (() if stack else _left(access, name)),
    )


def measured(access: Access, data: Data) -> Data:
    """Return the data as it is now: runs that were stopped have written their last."""
    return replace(data, in_bucket=buckets.holding(access, data.bucket)) if data.bucket else data


def _of_runs(access: Access, deployment: Deployment) -> tuple[str, ...]:
    """Return the ids of the access points that runs of the deployment made."""
    found = file_systems.access_points(access, deployment.file_system)
    own = (each for each, tags in found.items() if tags.get(TAG) == deployment.name)
    return tuple(each for each in own if each != deployment.access_point)


def _left(access: Access, name: str) -> tuple[str, ...]:
    """Return the ids of the access points that carry the tag, where no stack says any more of which file system."""
    found = tagging.tagged(access, TAG, name, kinds=("elasticfilesystem:access-point",))
    there = (access_points.find(access, arn.rpartition("/")[2]) for arn in found)
    return tuple(each.identity for each in there if each is not None)


def still_tagged(access: Access, name: str) -> tuple[str, ...]:
    """Return the ARNs of what carries the deployment's tag and may cost something.

    ECS goes on listing what has ended: tasks for an hour, task definitions until they are forgotten, both free.
    """
    ended = (":task/", ":task-definition/")
    return tuple(arn for arn in tagging.tagged(access, TAG, name) if not any(kind in arn for kind in ended))
