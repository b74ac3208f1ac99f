"""The life of a task, as a pure state machine: a life and a step in, the next life out.

::

    PROVISIONING ──> PENDING ──> RUNNING ──> DEPROVISIONING ──> STOPPED
          └─────────────┴─────── failed or stopped ────┘

desiredStatus goes from RUNNING to STOPPED once, when the first reason to stop comes: a request, an essential
container's end, a failed start, the loss of the host. That reason is the one shown at the end; only a Spot
interruption's TerminationNotice becomes SpotInterruption when the task is STOPPED (facts: spot warning). The states
are those of the ECS page "Task lifecycle"; ACTIVATING, DEACTIVATING and STOPPING are not shown (ledger).

A step that comes too late, twice, or before its time changes nothing: `advance` returns the same life.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Union

import msgspec

from .seam import ContainerExit

__all__ = [
    "ContainerLife",
    "Deprovisioned",
    "Exited",
    "Failed",
    "HostLost",
    "Life",
    "Provisioned",
    "Pulled",
    "Pulling",
    "Started",
    "Status",
    "Step",
    "StopWanted",
    "advance",
    "born",
]


class Status(str, Enum):
    """lastStatus of a task."""

    PROVISIONING = "PROVISIONING"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DEPROVISIONING = "DEPROVISIONING"
    STOPPED = "STOPPED"


class ContainerLife(msgspec.Struct, frozen=True):
    """What changes in a container."""

    name: str
    essential: bool
    status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None
    runtime_id: str | None = None
    digest: str | None = None


class Life(msgspec.Struct, frozen=True):
    """What changes in a task; the times are named as botocore's Task names them."""

    containers: tuple[ContainerLife, ...]
    created_at: float
    status: Status = Status.PROVISIONING
    desired: str = "RUNNING"
    version: int = 1
    connectivity_at: float | None = None
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    started_at: float | None = None
    stopping_at: float | None = None
    execution_stopped_at: float | None = None
    stopped_at: float | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    changed_at: float = 0.0

    @property
    def stopping(self) -> bool:
        """Whether the task is on its way out, or out."""
        return self.desired == "STOPPED"


class Provisioned(msgspec.Struct, frozen=True):
    """The network interface is attached."""


class Pulling(msgspec.Struct, frozen=True):
    """The data plane pulls images."""


class Pulled(msgspec.Struct, frozen=True):
    """The images are there."""

    digests: Mapping[str, str]


class Started(msgspec.Struct, frozen=True):
    """All containers run."""

    runtime_ids: Mapping[str, str]


class Exited(msgspec.Struct, frozen=True):
    """A container has ended."""

    container: str
    ending: ContainerExit


class Failed(msgspec.Struct, frozen=True):
    """The task could not be started; `code` is absent where a fault says so."""

    reason: str
    code: str | None = "TaskFailedToStart"


class StopWanted(msgspec.Struct, frozen=True):
    """Somebody wants the task to stop."""

    code: str | None
    reason: str


class HostLost(msgspec.Struct, frozen=True):
    """The task is gone, with no word from its containers; `with_containers` says whether AWS still lists them."""

    code: str | None
    reason: str
    with_containers: bool = True


class Deprovisioned(msgspec.Struct, frozen=True):
    """The network interface is released."""


Step = Union[Provisioned, Pulling, Pulled, Started, Exited, Failed, StopWanted, HostLost, Deprovisioned]

_BEFORE_RUNNING = (Status.PROVISIONING, Status.PENDING)
_ENDING = (Status.DEPROVISIONING, Status.STOPPED)
_ESSENTIAL_EXITED = "Essential container in task exited"


def born(containers: tuple[ContainerLife, ...], now: float) -> Life:
    """Return the life of a task that RunTask has just accepted."""
    return Life(containers, created_at=now, changed_at=now)


def advance(life: Life, step: Step, now: float) -> Life:
    """Return the life after the step, or the same life where the step means nothing any more."""
    if life.status is Status.STOPPED:
        return life
    after = _next(life, step, now)
    if after is life:
        return life
    # botocore, Task.version: it counts the changes that start an event.
    version = life.version + 1 if _seen_from_outside(after) != _seen_from_outside(life) else life.version
    return msgspec.structs.replace(after, version=version, changed_at=now)


def _seen_from_outside(life: Life) -> tuple[Status, str, tuple[str, ...]]:
    return life.status, life.desired, tuple(each.status for each in life.containers)


def _next(life: Life, step: Step, now: float) -> Life:
    match step:
        case Provisioned():
            return _provisioned(life, now)
        case Pulling():
            return _pulling(life, now)
        case Pulled():
            return _pulled(life, step, now)
        case Started():
            return _started(life, step, now)
        case Exited():
            return _exited(life, step, now)
        case Failed():
            return _failed(life, step, now)
        case StopWanted():
            return _stop_wanted(life, step, now)
        case HostLost():
            return _host_lost(life, step, now)
        case Deprovisioned():
            return _deprovisioned(life, now)


def _provisioned(life: Life, now: float) -> Life:
    if life.status is not Status.PROVISIONING:
        return life
    return msgspec.structs.replace(life, status=Status.PENDING, connectivity_at=now)


def _pulling(life: Life, now: float) -> Life:
    if life.status is not Status.PENDING or life.pull_started_at is not None:
        return life
    return msgspec.structs.replace(life, pull_started_at=now)


def _pulled(life: Life, step: Pulled, now: float) -> Life:
    if life.status is not Status.PENDING or life.pull_stopped_at is not None:
        return life
    containers = tuple(msgspec.structs.replace(each, digest=step.digests.get(each.name)) for each in life.containers)
    started = now if life.pull_started_at is None else life.pull_started_at
    return msgspec.structs.replace(life, pull_started_at=started, pull_stopped_at=now, containers=containers)


def _started(life: Life, step: Started, now: float) -> Life:
    if life.status is not Status.PENDING:
        return life
    containers = tuple(
        msgspec.structs.replace(each, status="RUNNING", runtime_id=step.runtime_ids.get(each.name))
        if each.status == "PENDING"
        else each
        for each in life.containers
    )
    return _ended_if_nothing_runs(
        msgspec.structs.replace(life, status=Status.RUNNING, started_at=now, containers=containers), now
    )


def _exited(life: Life, step: Exited, now: float) -> Life:
    found = next((each for each in life.containers if each.name == step.container), None)
    if found is None or found.status == "STOPPED" or life.status in (Status.PROVISIONING, *_ENDING):
        return life
    ended = msgspec.structs.replace(found, status="STOPPED", exit_code=step.ending.exit_code, reason=step.ending.reason)
    after = msgspec.structs.replace(
        life, containers=tuple(ended if each is found else each for each in life.containers)
    )
    if ended.essential:
        after = _stopping(after, "EssentialContainerExited", _ESSENTIAL_EXITED, now)
    return _ended_if_nothing_runs(after, now)


def _failed(life: Life, step: Failed, now: float) -> Life:
    if life.status not in _BEFORE_RUNNING:
        return life
    return _ended(_stopping(life, step.code, step.reason, now), now)


def _stop_wanted(life: Life, step: StopWanted, now: float) -> Life:
    if life.stopping:
        return life
    after = _stopping(life, step.code, step.reason, now)
    return _ended(after, now) if life.status is Status.PROVISIONING else after


def _host_lost(life: Life, step: HostLost, now: float) -> Life:
    if life.status in _ENDING:
        return life
    containers = tuple(msgspec.structs.replace(each, status="STOPPED") for each in life.containers)
    after = msgspec.structs.replace(life, containers=containers if step.with_containers else ())
    return _ended(_stopping(after, step.code, step.reason, now), now)


def _deprovisioned(life: Life, now: float) -> Life:
    if life.status is not Status.DEPROVISIONING:
        return life
    code = "SpotInterruption" if life.stop_code == "TerminationNotice" else life.stop_code
    return msgspec.structs.replace(life, status=Status.STOPPED, stopped_at=now, stop_code=code)


def _stopping(life: Life, code: str | None, reason: str, now: float) -> Life:
    if life.stopping:
        return life
    return msgspec.structs.replace(life, desired="STOPPED", stop_code=code, stopped_reason=reason, stopping_at=now)


def _ended_if_nothing_runs(life: Life, now: float) -> Life:
    if any(each.status != "STOPPED" for each in life.containers):
        return life
    return _ended(life, now)


def _ended(life: Life, now: float) -> Life:
    """Move to DEPROVISIONING: nothing runs any more, and containers that never ran have no exit code."""
    containers = tuple(
        each if each.status == "STOPPED" else msgspec.structs.replace(each, status="STOPPED")
        for each in life.containers
    )
    return msgspec.structs.replace(life, status=Status.DEPROVISIONING, containers=containers, execution_stopped_at=now)
