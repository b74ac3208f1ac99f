"""What an attempt left on the shared disk, once it can be seen there: its result, and its files."""

from __future__ import annotations

import os

from ...clock import Clock
from ...model import Task
from ...storage.appearing import appear, missing_of
from .wrapper import Attempt, Result, read_result

__all__ = ["await_files", "await_result"]


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
