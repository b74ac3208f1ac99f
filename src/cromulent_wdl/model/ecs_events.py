"""What the journal remembers of the ECS tasks that attempts ran in: where, how large, how long, and why they stopped.

Together the two events are enough to reckon the bill, and to say what AWS said, long after AWS has forgotten
the task (about an hour).
"""

from __future__ import annotations

import msgspec

__all__ = ["EcsTaskLaunched", "EcsTaskStopped"]


class EcsTaskLaunched(msgspec.Struct, frozen=True):
    """RunTask answered with an ECS task. An attempt may have several, one after another; the last one counts."""

    at: float
    call: str
    """Empty for the head's own ECS task."""
    attempt: int
    task: str
    """Its ARN."""
    place: str
    """What was asked of Fargate: `spot` or `on_demand`."""
    region: str
    architecture: str
    """`X86_64` or `ARM64`, as AWS writes it."""
    cpu: float
    """vCPUs given, which may be more than was asked, as below."""
    memory: int
    """Bytes given."""
    storage: int = 20
    """GiB of ephemeral storage given; 20 come with every task."""
    public_address: bool = False
    """Whether it was given a public IPv4 address, which is billed."""
    subnet: str = ""
    log_group: str = ""
    log_stream: str = ""
    why: str = ""
    """Why this place and size, in words: `9.3 GB rounded to 10 GB; Spot, attempt 1 of 2`."""


class EcsTaskStopped(msgspec.Struct, frozen=True):
    """AWS's last record of an ECS task: what it is billed for, and why it stopped. Times are AWS's own."""

    at: float
    call: str
    attempt: int
    task: str
    place: str = ""
    """Where it really ran: `spot` or `on_demand`."""
    zone: str = ""
    created_at: float | None = None
    pull_started_at: float | None = None
    """When the bill begins; None where the task never got so far, and costs nothing."""
    pull_stopped_at: float | None = None
    started_at: float | None = None
    stopped_at: float | None = None
    """When the bill ends; None where AWS had forgotten the task, so `at` stands for it."""
    stop_code: str = ""
    """AWS's word, such as `SpotInterruption`; empty where it gave none."""
    reason: str = ""
    """AWS's sentence about the ECS task."""
    container_reason: str = ""
    """AWS's sentence about its container."""
    exit_code: int | None = None
