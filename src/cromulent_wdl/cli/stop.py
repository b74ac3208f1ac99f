"""`cromulent stop`: ends a run before its time."""

from __future__ import annotations

from typing import Any

import click

from ..clock import SYSTEM
from ..runs.status import FINAL, State
from ..runs.watch import Watch
from . import ui
from .completing import complete_run
from .deployment import resolved, where
from .finding import find, in_cloud
from .stopping import stop_cloud, stop_local, wait_for_cloud

__all__ = ["command"]

_LOOK_EVERY = 0.25
"""No setting: it is a look at a file of this machine."""
_REST = 30.0
"""Seconds that a head has beside those for which it waits for its tasks."""


@click.command("stop")
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_run)
@where
def command(run: str, **flags: Any) -> int | None:
    """Stop a run, and wait until nothing of it runs any more. What was done stays done.

    RUN is a run id or the beginning of one, a directory, or `last`. The run's head is asked first; where none
    answers within two and a half minutes, the deployment's machine stops what the run had started.
    """
    directory = find(run, flags)
    watch = Watch(directory)
    if (state := watch.status().state) in FINAL:
        ui.note(f"{directory.name} has ended already: {state.value}")
        return None
    if in_cloud(directory):
        from ..runs.mirror import Mirror

        mirror = Mirror(directory)
        stop_cloud(mirror)
        ui.note("Stopping: its head ends its tasks.")
        wait_for_cloud(mirror)
    else:
        stop_local(directory)
        end = SYSTEM.monotonic() + resolved(flags).settings.stop_patience + _REST
        while watch.status().state not in FINAL and SYSTEM.monotonic() < end:
            SYSTEM.sleep(_LOOK_EVERY)
    state = watch.status().state
    ui.note(f"{directory.name}: {state.value}")
    return 0 if state in (State.STOPPED, State.LOST, State.OK, State.FAILED) else 1
