"""What the engine asks of others, and the values that cross."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Union

__all__ = [
    "AccessPoint",
    "Caller",
    "ContainerExit",
    "ContainerPlan",
    "DataPlane",
    "FileAccess",
    "FileSystem",
    "Json",
    "Launch",
    "LogTarget",
    "Object",
    "Place",
    "PullRefused",
    "RunningTask",
    "SecretUnavailable",
    "Subnet",
    "TaskStateChange",
    "VolumePlan",
    "Watcher",
    "World",
]

Json = Union[None, bool, int, float, str, Sequence["Json"], Mapping[str, "Json"]]
Object = Mapping[str, Json]


@dataclass(frozen=True)
class Place:
    """Where things live: an account in a region."""

    account: str
    region: str


@dataclass(frozen=True)
class Caller:
    """Who asks: `arn` is shown as registeredBy."""

    place: Place
    arn: str


@dataclass(frozen=True)
class Subnet:
    """A subnet of a VPC."""

    id: str
    vpc: str
    availability_zone: str
    addresses: int | None = None
    """How many tasks can have an address at once; None is no bound."""


@dataclass(frozen=True)
class FileSystem:
    """An EFS file system, with the availability zones in which it has an available mount target."""

    id: str
    mount_target_zones: frozenset[str]


@dataclass(frozen=True)
class AccessPoint:
    """An EFS access point: the root that it enforces, its user, and how its root is made where it is missing.

    `creation` is (owner uid, owner gid, permissions), without which a missing root is an error.
    """

    id: str
    file_system: str
    root_directory: str = "/"
    user: tuple[int, int] | None = None
    creation: tuple[int, int, int] | None = None


class FileAccess(Enum):
    """What a task may do on a file system."""

    NONE = "none"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class TaskStateChange:
    """An "ECS Task State Change" event for EventBridge; `detail` renders it, at a cost, so ask only if it is wanted."""

    place: Place
    task_arn: str
    at: float
    detail: Callable[[], dict[str, Json]]


class SecretUnavailable(Exception):
    """A secret cannot be fetched; the message is the task's stoppedReason."""


class PullRefused(Exception):
    """An image may not be pulled; the message is the task's stoppedReason."""


class World(Protocol):
    """What others hold. Every method is quick, thread-safe and never calls the engine."""

    def subnet(self, place: Place, subnet: str) -> Subnet | None:
        """Return the subnet, or None where there is none."""

    def security_group_vpc(self, place: Place, group: str) -> str | None:
        """Return the id of the security group's VPC, or None where there is no such group."""

    def file_system(self, place: Place, file_system: str) -> FileSystem | None:
        """Return the EFS file system, or None where there is none."""

    def access_point(self, place: Place, access_point: str) -> AccessPoint | None:
        """Return the EFS access point, or None where there is none."""

    def file_access(self, place: Place, role: str | None, file_system: str, access_point: str | None) -> FileAccess:
        """Return what a task of a role may do on a file system; None is a task that comes without IAM."""

    def secret(self, place: Place, role: str, value_from: str) -> str:
        """Return the secret that an execution role fetches. Raises SecretUnavailable."""

    def check_pull(self, place: Place, role: str, image: str) -> None:
        """Raise PullRefused where an execution role, or a task without one, may not pull an image."""

    def log_refusal(self, place: Place, role: str, group: str, stream: str) -> str | None:
        """Return why an execution role can make no log stream there, in AWS's words; None where it can."""

    def tasks_may_assume(self, place: Place, role_arn: str) -> bool:
        """Say whether the role exists and trusts ecs-tasks.amazonaws.com."""

    def emit(self, change: TaskStateChange) -> None:
        """Hand an event to EventBridge; it is called on the thread that moves tasks, so queue what is slow."""

    def put_log_lines(self, place: Place, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        """Append lines (epoch seconds, text) to a log stream, which is created where it is missing."""


@dataclass(frozen=True)
class LogTarget:
    """Where a container's output goes: the awslogs options, with the stream prefix/container/task id."""

    group: str
    stream: str
    region: str
    delay: float = 0.0
    """Seconds by which lines arrive late (a fault)."""


@dataclass(frozen=True)
class VolumePlan:
    """A volume of a task: scratch where `file_system` is None, else a directory of an EFS file system."""

    name: str
    file_system: str | None = None
    root_directory: str = "/"
    access_point: AccessPoint | None = None
    read_only: bool = False
    """Whether the task may not write, however it mounts."""


@dataclass(frozen=True)
class ContainerPlan:
    """One container as it is to run, with the overrides applied; `mounts` are (volume, path, read-only)."""

    name: str
    image: str
    essential: bool
    entry_point: tuple[str, ...] | None
    command: tuple[str, ...] | None
    environment: Mapping[str, str]
    working_directory: str | None
    user: str | None
    cpu: int
    memory: int | None
    stop_timeout: float
    mounts: tuple[tuple[str, str, bool], ...]
    tmpfs: tuple[tuple[str, int], ...]
    """Paths, each with its size in MiB."""
    read_only_root: bool
    init: bool
    log: LogTarget | None


@dataclass(frozen=True)
class Launch:
    """What a data plane is asked to run. cpu is in units (1024 a vCPU), memory in MiB, storage in GiB."""

    place: Place
    task_arn: str
    task_id: str
    definition_arn: str
    family: str
    cpu: int
    memory: int
    storage: int
    architecture: str
    spot: bool
    task_role_arn: str | None
    containers: tuple[ContainerPlan, ...]
    volumes: tuple[VolumePlan, ...]


@dataclass(frozen=True)
class ContainerExit:
    """How a container ended; AWS leaves out either member where it does not know it."""

    exit_code: int | None
    reason: str | None = None


class Watcher(Protocol):
    """Whom a data plane tells how a task goes on. Thread-safe; what comes late or twice is ignored."""

    def pulling(self) -> None:
        """Images are being pulled."""

    def pulled(self, digests: Mapping[str, str]) -> None:
        """All images are there; the digest (sha256:…) of each container's image, where it is known."""

    def started(self, runtime_ids: Mapping[str, str]) -> None:
        """All containers run, under the runtime's ids where there are any."""

    def exited(self, container: str, ending: ContainerExit) -> None:
        """A container has ended by itself or because it was stopped."""

    def failed(self, reason: str) -> None:
        """The task could not be started; the reason is in ECS's words ("CannotPullContainerError: …")."""


class RunningTask(Protocol):
    """A task in a data plane's hands."""

    def stop(self, patience: float | None) -> None:
        """Return at once; send SIGTERM to what runs, and SIGKILL after each container's stop timeout.

        `patience` is the most seconds that any may take; a second call can shorten what is left. To what has
        ended it means nothing.
        """


class DataPlane(Protocol):
    """Runs tasks."""

    def start(self, launch: Launch, watcher: Watcher) -> RunningTask:
        """Return at once; pull, start and watch the task's containers on other threads.

        For every container that has started, `watcher.exited` is called once; a task that cannot start ends with
        `watcher.failed`, and so does one that is stopped before it started.
        """

    def close(self) -> None:
        """End everything that runs, and leave nothing behind."""
