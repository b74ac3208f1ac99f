"""What a backend answers: how the attempt ended, and what it used."""

from __future__ import annotations

from enum import Enum

import msgspec

__all__ = ["Ending", "Outcome", "Usage"]


class Ending(str, Enum):
    """Every way in which a task can end. Each has its own rule; none is told from a number or a text elsewhere."""

    OK = "ok"
    FAILED = "failed"
    """The command itself ended with a status that the task does not accept."""
    OOM = "oom"
    """Killed for memory."""
    DISK_FULL = "disk_full"
    NO_SHELL = "no_shell"
    """The image lacks the shell that the command needs."""
    PULL_TRANSIENT = "pull_transient"
    """The image could not be pulled now; trying again may help."""
    PULL_PERMANENT = "pull_permanent"
    """The image does not exist, or may not be read."""
    BUILD = "build"
    """The image of an inline Dockerfile does not build."""
    MOUNT = "mount"
    """An input or the working directory could not be mounted."""
    NETWORK = "network"
    CAPACITY = "capacity"
    """The backend has no room for the task and will not have any."""
    SPOT = "spot"
    """The provider took the machine back."""
    QUOTA = "quota"
    THROTTLED = "throttled"
    LOST = "lost"
    """Nobody knows how it ended."""
    DEADLINE = "deadline"
    BUDGET = "budget"
    """Not started: its run had cost as much as it may."""
    REFUSED = "refused"
    """The backend cannot run such a task at all; nothing was started."""
    STOPPED = "stopped"
    """Ended because the run was told to stop."""


class Usage(msgspec.Struct, frozen=True):
    """Peaks and sums of one attempt; None where nobody measured."""

    memory_peak: int | None = None
    """Bytes."""
    cpu_seconds: float | None = None
    seconds: float | None = None
    """Wall time of the command."""
    source: str = ""
    """Who measured: `cgroup` (all of the container), `rusage` (the largest process), `sampled`."""
    disk_peak: int | None = None
    """The most bytes in use at any look of the attempt's disk, its image among them, where it has one of its own."""


class Outcome(msgspec.Struct, frozen=True):
    """The end of one attempt.

    `exit_code` is the command's own status, or None when it has none. `message` is one sentence for
    people, empty for OK.
    """

    ending: Ending
    exit_code: int | None = None
    message: str = ""
    usage: Usage = Usage()
    memory: int = 0
    """Bytes that the attempt had, where a backend gives it sizes of its own."""
    disk: int = 0
    """The same of disk."""
    final: bool = False
    """Whether all the patience that there is went into it, so that it is not tried again."""
