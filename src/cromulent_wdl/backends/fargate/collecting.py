"""What an attempt left on the shared disk, once it can be seen there: its result, and its files."""

from __future__ import annotations

import os
from contextlib import suppress

from ...clock import Clock
from ...model import Task
from ...storage.appearing import appear, missing_of
from ...storage.shared import SharedFiles
from .staging import lead_back
from .window import Window
from .wrapper import Attempt, Result, read_result

__all__ = ["await_files", "await_result", "collect"]


def await_result(attempt: Attempt, clock: Clock, patience: float) -> Result | None:
    """Return the result of an attempt whose container has ended, or None if it does not show for as many seconds."""
    if not appear(attempt.directory / "result", clock, patience):
        return None
    return read_result(attempt)


def await_files(task: Task, attempt: Attempt, clock: Clock, patience: float) -> tuple[str, ...]:
    """Return when the head sees all that the working directory held in the container when the command had ended.

    What it does not see for as many seconds is returned, by its name there. So a file that is not there afterwards
    was never written, and nobody has to wait for it. Of what is beyond 10,000 files the container leaves no names.
    """
    listing = attempt.directory / "listing"
    if not appear(listing, clock, patience):
        return ()
    names = [os.fsdecode(name) for name in listing.read_bytes().split(b"\0") if name]
    missing = missing_of([task.work / name for name in names], clock, patience)
    return tuple(str(path.relative_to(task.work)) for path in missing)


def collect(
    task: Task, attempt: Attempt, shared: SharedFiles, window: Window, clock: Clock, patience: float
) -> tuple[str, ...]:
    """Have all that an attempt with a result has left seen by this host as the container saw it.

    Returns the names of what is not there after so many seconds. Raises OSError.
    """
    missing = await_files(task, attempt, clock, patience)
    for stream in (task.stdout, task.stderr):
        with suppress(FileNotFoundError):
            stream.open("rb").close()  # which has NFS ask how long it is, also for who has it open and follows it
    lead_back(task, shared, window)
    return missing
