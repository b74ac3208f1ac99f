"""`cromulent wait`: comes back when a run has ended, with its exit status."""

from __future__ import annotations

from typing import Any

import click

from ..clock import SYSTEM
from ..runs.status import FINAL, State
from ..runs.watch import Watch
from . import ui
from .completing import complete_run
from .deployment import where
from .finding import find
from .local_follow import exit_status

__all__ = ["command"]

_LOOK_EVERY = 1.0
"""No setting: a head in the cloud writes once a second, and more looks would see nothing sooner."""


@click.command("wait")
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_run)
@where
def command(run: str, **flags: Any) -> int:
    """Wait until a run has ended; the exit status is the run's.

    RUN is a run id or the beginning of one, a directory, or `last`.
    """
    watch = Watch(find(run, flags))
    while (status := watch.status()).state not in FINAL:
        SYSTEM.sleep(_LOOK_EVERY)
    if status.state is not State.OK:
        ui.note(f"{watch.directory.name} {status.state.value}: {' '.join(status.last_word.split())}".rstrip(": "))
    return exit_status(status)
