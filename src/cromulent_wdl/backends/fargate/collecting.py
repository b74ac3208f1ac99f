"""What an attempt left on the shared disk: its result once it can be seen, its files all there, its ending."""

from __future__ import annotations

import os
from pathlib import Path

from ...clock import Clock
from ...model import Ending, Outcome, Task
from ...storage.appearing import appear, missing_of
from ...units import format_duration
from ..verdict import Evidence, is_full, tail, verdict
from .wrapper import Attempt, Result, read_result

__all__ = ["await_files", "await_result", "outcome_of"]


def await_result(attempt: Attempt, clock: Clock, patience: float) -> Result | None:
    """Return the result of an attempt whose container has ended, or None if it does not show for as many seconds."""
    if not appear(attempt.directory / "result", clock, patience):
        return None
    return read_result(attempt)


def await_files(task: Task, attempt: Attempt, clock: Clock, patience: float) -> tuple[str, ...]:
    """Return when the head sees all that the working directory held in the container when the command had ended.

    What it does not see for as many seconds is returned, by its name there. So a file that is not there afterwards
    was never written, and nobody has to wait for it.
    """
    listing = attempt.directory / "listing"
    if not appear(listing, clock, patience):
        return ()
    names = [os.fsdecode(name) for name in listing.read_bytes().split(b"\0") if name]
    missing = missing_of([task.work / name for name in names], clock, patience)
    return tuple(str(path.relative_to(task.work)) for path in missing)


def outcome_of(task: Task, result: Result, memory: int) -> Outcome | None:
    """Return how an attempt ended that left a result, or None for one that ECS stopped, which knows why.

    `memory` is the bytes that the container had.
    """
    usage, code = result.usage, result.exit_code
    if result.no_shell:
        return Outcome(Ending.NO_SHELL, message=f"the image has no {task.shell.split()[0]}")
    if result.deadline:
        limit = format_duration(task.timeout)
        return Outcome(Ending.DEADLINE, code, f"stopped when its time limit of {limit} was over", usage)
    if result.terminated:
        return None
    failed = code != 0
    return verdict(
        Evidence(
            exit_code=code,
            memory_kills=result.oom_kills,
            memory_limit=memory,
            stderr_tail=tail(task.stderr) if failed else "",
            disk_full=failed and is_full(Path(task.work)),
        ),
        usage,
    )
