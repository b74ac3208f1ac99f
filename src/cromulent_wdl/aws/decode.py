"""What ECS answers, as our values; and the one table from AWS's reasons to endings. No call is made here.

A new reason of AWS's is a row of `_REASONS` and a recorded answer under `tests/unit/recorded`, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..model.outcome import Ending

__all__ = ["CONTAINER", "KILLED", "EcsTask", "ending_of_failure", "ending_of_stop", "is_throttle", "task_of"]


@dataclass(frozen=True)
class EcsTask:
    """An ECS task as DescribeTasks shows it. AWS leaves out what it likes, so all but the ARN can be empty."""

    arn: str
    status: str = ""
    desired: str = ""
    stop_code: str = ""
    reason: str = ""
    """Why the task stopped."""
    exit_code: int | None = None
    container_status: str = ""
    container_reason: str = ""
    image_digest: str = ""
    command: tuple[str, ...] = ()
    """That the container was given when the task was started."""
    started_by: str = ""
    provider: str = ""
    subnet: str = ""
    zone: str = ""
    created_at: float | None = None
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    started_at: float | None = None
    stopped_at: float | None = None
    """When it stopped to run, as far as AWS says."""

    @property
    def identity(self) -> str:
        """The id at the end of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def over(self) -> bool:
        """Whether nothing of it runs any more, though it may not have left its network yet."""
        if self.status in _OVER:
            return True
        return self.desired == "STOPPED" and self.container_status == "STOPPED" and self.exit_code is not None

    @property
    def stopping(self) -> bool:
        """Whether it ends, or has ended."""
        return self.desired == "STOPPED" or self.status in _OVER


_OVER = frozenset({"DEPROVISIONING", "STOPPED", "DELETED"})
KILLED = 137
"""A shell's status for SIGKILL."""
CONTAINER = "task"
"""The name of the only container of our task definitions."""


def task_of(found: Mapping[str, Any]) -> EcsTask:
    """Return a task of DescribeTasks, RunTask or StopTask. A task that failed to start can have no containers."""
    containers = found.get("containers") or ()
    container = next(
        (each for each in containers if each.get("name") == CONTAINER), containers[0] if containers else {}
    )
    overrides = (found.get("overrides") or {}).get("containerOverrides") or ()
    command = next((each.get("command") for each in overrides if each.get("name") == CONTAINER), None)
    return EcsTask(
        arn=found["taskArn"],
        status=found.get("lastStatus") or "",
        desired=found.get("desiredStatus") or "",
        stop_code=found.get("stopCode") or "",
        reason=found.get("stoppedReason") or "",
        exit_code=container.get("exitCode"),
        container_status=container.get("lastStatus") or "",
        container_reason=container.get("reason") or "",
        image_digest=container.get("imageDigest") or "",
        command=tuple(command or ()),
        started_by=found.get("startedBy") or "",
        provider=found.get("capacityProviderName") or found.get("launchType") or "",
        subnet=_subnet(found),
        zone=found.get("availabilityZone") or "",
        created_at=_epoch(found.get("createdAt")),
        pull_started_at=_epoch(found.get("pullStartedAt")),
        pull_stopped_at=_epoch(found.get("pullStoppedAt")),
        started_at=_epoch(found.get("startedAt")),
        stopped_at=_epoch(found.get("stoppedAt") or found.get("executionStoppedAt")),
    )


def _subnet(found: Mapping[str, Any]) -> str:
    details = (each for part in found.get("attachments") or () for each in part.get("details") or ())
    return next((str(each.get("value")) for each in details if each.get("name") == "subnetId"), "")


def _epoch(time: datetime | float | None) -> float | None:
    return time.timestamp() if isinstance(time, datetime) else time


@dataclass(frozen=True)
class _Reason:
    """What AWS's words mean; the first row whose words are found counts."""

    words: re.Pattern[str]
    ending: Ending
    says: str
    """For people, before AWS's own words."""


def _row(words: str, ending: Ending, says: str) -> _Reason:
    return _Reason(re.compile(words, re.IGNORECASE), ending, says)


_PULL = "(?:CannotPull|pull image|pulling image|image pull)"
_REASONS = (
    # facts: OOM; an init that is killed for memory is a container that cannot start (aws/amazon-ecs-agent#3021)
    _row(r"OutOfMemory|OOM[- ]killed", Ending.OOM, "killed for memory"),
    # facts: spot warning; the stop code can be absent (aws/containers-roadmap#1565)
    _row(r"Your Spot Task was interrupted|Spot interruption", Ending.SPOT, "AWS took the Spot machine back"),
    # facts: pull failure
    _row(rf"{_PULL}.*no space left", Ending.DISK_FULL, "the image does not fit on the task's disk"),
    _row(
        rf"{_PULL}.*(toomanyrequests|429|rate limit)",
        Ending.PULL_TRANSIENT,
        "the registry allows no more pulls for now",
    ),
    _row(
        rf"{_PULL}.*(time[d ]?-?out|waiting for connection|connection reset|i/o|\bEOF\b|TLS handshake|no such host"
        r"|\b50\d\b|unavailable|context deadline)",
        Ending.PULL_TRANSIENT,
        "the registry could not be reached",
    ),
    _row(
        rf"{_PULL}.*(matching platform|no match for platform)",
        Ending.PULL_PERMANENT,
        "the image was not built for this architecture",
    ),
    _row(
        rf"{_PULL}.*(not found|manifest unknown|does not exist|denied|unauthorized|forbidden|40[134]|no basic auth)",
        Ending.PULL_PERMANENT,
        "the image is not there, or may not be read",
    ),
    _row(_PULL, Ending.PULL_TRANSIENT, "the image could not be pulled"),
    # facts: EFS mount failure; awslogs
    _row(r"set up EFS|mount\.nfs|EFS volume", Ending.MOUNT, "the file system could not be mounted"),
    _row(
        r"(secrets|registry auth).*(timeout|timed out|deadline|unreachable|connection)",
        Ending.NETWORK,
        "secrets could not be fetched: no way out of the subnet?",
    ),
    _row(
        r"unable to (pull|retrieve) secret|registry auth",
        Ending.PULL_PERMANENT,
        "a secret of the task or its registry cannot be had",
    ),
    _row(r"logger args|log stream|log group", Ending.MOUNT, "its log could not be opened"),
    # facts: capacity; Fargate vCPU quota
    _row(r"limit on the number of|vCPU limit", Ending.QUOTA, "the account runs as many vCPUs as it may"),
    _row(r"capacity is (un|not )available|RESOURCE:|insufficient capacity", Ending.CAPACITY, "AWS has no room for it"),
    # facts: network
    _row(
        r"network interface|InsufficientFreeAddresses|\bENI\b|elastic network",
        Ending.NETWORK,
        "it got no network interface",
    ),
    _row(r"exec format error", Ending.PULL_PERMANENT, "the image was not built for this architecture"),
    _row(
        r"CannotStartContainer.*(no such file|not found|exec)|exec: .*(no such file|not found)",
        Ending.NO_SHELL,
        "the image has no /bin/sh",
    ),
    _row(r"no space left", Ending.DISK_FULL, "its disk is full"),
    _row(r"Rate exceeded|RequestLimitExceeded", Ending.THROTTLED, "AWS asks for fewer calls"),
)
_CODES = {
    # facts: stopCode. An unknown code is infrastructure's.
    "SpotInterruption": (Ending.SPOT, "AWS took the Spot machine back"),
    "TerminationNotice": (Ending.SPOT, "AWS took the Spot machine back"),
    "UserInitiated": (Ending.STOPPED, "stopped by somebody"),
}
_OF_THE_COMMAND = frozenset({"", "EssentialContainerExited", "TaskFailedToStart"})
"""Codes with which an exit status is the command's own; with another it is that of one whom AWS has ended."""


def ending_of_stop(task: EcsTask) -> tuple[Ending, str]:
    """Return how an ECS task ended, and a sentence.

    OK and FAILED are by the exit code alone; LOST is what AWS ended without a reason that we know.
    """
    words = " ".join(filter(None, (task.container_reason, task.reason)))
    for row in _REASONS:
        if row.words.search(words):
            return row.ending, _sentence(row.says, words)
    if task.stop_code in _CODES:
        ending, says = _CODES[task.stop_code]
        return ending, _sentence(says, words)
    if task.exit_code is None or (task.exit_code and task.stop_code not in _OF_THE_COMMAND):
        return Ending.LOST, _sentence("AWS ended it", words or task.stop_code)
    if task.exit_code == 0:
        return Ending.OK, ""
    if task.exit_code == KILLED:
        return Ending.OOM, "killed (status 137) with no word from AWS, as what runs out of memory is"
    return Ending.FAILED, f"the command ended with status {task.exit_code}"


def ending_of_failure(reason: str) -> tuple[Ending, str]:
    """Return what a reason in RunTask's failures[] means; what is not known is taken for lack of room."""
    for row in _REASONS:
        if row.words.search(reason):
            return row.ending, _sentence(row.says, reason)
    return Ending.CAPACITY, _sentence("AWS did not start it", reason)


def is_throttle(code: str, words: str) -> bool:
    """Tell whether an error is a throttle, also one of RunTask's own look-ups (facts: wrapped throttle)."""
    return code.startswith("Throttl") or bool(re.search(r"Rate exceeded|RequestLimitExceeded", words))


_LONGEST = 800
"""Of ECS's 1,024 characters: which permission is missing comes after much else."""


def _sentence(says: str, words: str) -> str:
    shortened = words if len(words) <= _LONGEST else words[:_LONGEST] + " …"
    return f"{says}: {shortened}" if shortened else says
