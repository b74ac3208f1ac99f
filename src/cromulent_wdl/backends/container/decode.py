"""How an attempt ended: from the engine's errors, and from what a container left. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ...engine import decode
from ...errors import (
    ContainerVanished,
    EngineDiskFull,
    EngineError,
    EngineUnavailable,
    ImageBuildFailed,
    ImageNotFound,
    ImagePullFailed,
    MountFailed,
    NoShell,
)
from ...model import Ending, Outcome, Task
from ...units import format_memory
from ..figures import Figures
from ..verdict import SURVIVED

__all__ = ["Evidence", "outcome_of", "outcome_of_error"]

_ENDINGS: tuple[tuple[type[EngineError], Ending], ...] = (
    (ImageBuildFailed, Ending.BUILD),
    (ImageNotFound, Ending.PULL_PERMANENT),
    (ImagePullFailed, Ending.PULL_TRANSIENT),
    (NoShell, Ending.NO_SHELL),
    (MountFailed, Ending.MOUNT),
    (EngineDiskFull, Ending.DISK_FULL),
    (ContainerVanished, Ending.LOST),
    (EngineUnavailable, Ending.LOST),
    (EngineError, Ending.REFUSED),
)
_KILLED = 128 + 9


@dataclass(frozen=True)
class Evidence:
    """What is known of a container that has ended."""

    status: int
    figures: Figures
    image: str
    oom_killed: bool = False
    """The engine says that the kernel killed for memory in it."""
    disk_full: bool = False
    log: str = ""
    """What the container itself said, outside the command."""


def outcome_of_error(error: EngineError) -> Outcome:
    """Return the outcome of an attempt that the engine could not carry through."""
    ending = next(ending for kind, ending in _ENDINGS if isinstance(error, kind))
    return Outcome(ending, message=f"{error}; {error.hint}" if error.hint else str(error))


def outcome_of(task: Task, evidence: Evidence) -> Outcome:
    """Return the outcome of an attempt whose container has ended; the first explanation that fits wins."""
    return msgspec.structs.replace(_explain(task, evidence), usage=evidence.figures.usage)


def _explain(task: Task, evidence: Evidence) -> Outcome:
    status, figures = evidence.status, evidence.figures
    if figures.no_shell:
        return Outcome(Ending.NO_SHELL, message=f"image {evidence.image} has no {task.shell.split()[0]}")
    if status == 0:
        return Outcome(Ending.OK, 0, SURVIVED if figures.oom_kills else "")
    if evidence.oom_killed or figures.oom_kills:
        return Outcome(Ending.OOM, status, _memory_sentence(task, figures))
    if evidence.disk_full:
        return Outcome(Ending.DISK_FULL, status, f"the command ran out of disk (it worked in {task.work})")
    if figures.exit_code is not None:
        return Outcome(Ending.FAILED, status, f"the command ended with status {status}")
    if status == _KILLED:
        return Outcome(Ending.LOST, message="the container was killed from outside while its command ran")
    complaint = evidence.log or f"status {status}"
    error = decode("start", evidence.image, complaint)
    if isinstance(error, NoShell):
        return outcome_of_error(error)
    return Outcome(Ending.MOUNT, message=f"the container could not use {task.container_directory}: {complaint}")


def _memory_sentence(task: Task, figures: Figures) -> str:
    peak, limit = figures.usage.memory_peak, task.resources.memory_limit
    used = f" (it had used up to {format_memory(peak, limit or 0)})" if peak else ""
    if limit:
        return f"killed for memory at its limit of {format_memory(limit)}{used}"
    return f"killed because this machine ran out of memory{used}"
