"""Stops runs: the head is asked first, so that it ends its tasks and says how the run ended."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from ..aws import executions, objects
from ..clock import SYSTEM, Clock
from ..errors import AwsError, UsageError
from ..model import RunStarted
from ..runs.head import is_alive
from ..runs.journal import JournalReader
from ..runs.mirror import Mirror
from ..storage import layout

__all__ = ["stop_cloud", "stop_local", "wait_for_cloud"]

_PATIENCE = 150.0
"""Seconds in which a head ends its tasks: Fargate gives a container two minutes. No setting: what it has not ended by
then is ended by the deployment's machine, at once."""
_LOOK_EVERY = 1.0
"""As often as the head writes."""


def stop_cloud(mirror: Mirror) -> None:
    """Ask the run's head to stop; it looks every few seconds."""
    objects.put(mirror.access, mirror.run.bucket, mirror.keys.stop, b"")


def wait_for_cloud(mirror: Mirror, clock: Clock = SYSTEM) -> None:
    """Wait until the run has ended; stop its execution where no head heeds us. The machine then stops what is left."""
    end = clock.monotonic() + _PATIENCE
    while clock.monotonic() < end:
        mirror.refresh()
        if mirror.result() is not None:
            return
        clock.sleep(_LOOK_EVERY)
    try:
        executions.stop(mirror.access, mirror.run.machine, mirror.run.run, "it was stopped, and no head answered")
    except AwsError as error:
        if error.code != "ExecutionDoesNotExist":
            raise
    while mirror.result() is None:
        mirror.refresh()
        clock.sleep(_LOOK_EVERY)


def stop_local(directory: Path) -> bool:
    """Tell the head of a run on this machine to stop, as Ctrl-C does; return whether there is one."""
    started = next(
        (event for event in reversed(list(JournalReader(directory / layout.JOURNAL).new(of_run_only=True)))
         if isinstance(event, RunStarted)), None
    )  # fmt: skip
    if started is None or not is_alive(started):
        return False
    if started.host != os.uname().nodename:
        raise UsageError(f"its head is on {started.host}", hint="stop it there")
    os.kill(started.pid, signal.SIGTERM)
    return True
