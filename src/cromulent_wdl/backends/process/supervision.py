"""Sees one command from its start to its end, and sets its sandbox up again where that failed by chance."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from ...clock import Clock
from ..seam import Cancellation
from ..verdict import tail
from .running import Command, End, start
from .stopping import Stopper

__all__ = ["supervise"]

_SETUPS = 5
"""Bubblewrap fails when a mount goes while it copies them all, as containers' mounts do when they end."""
_PAUSE = 0.05


def supervise(
    command: Command, cancelled: Cancellation, started: Callable[[int], None], stopper: Stopper, clock: Clock
) -> End:
    """Run the command to its end; `started` is given the process id of each start.

    Raises OSError.
    """
    written = command.stderr.stat().st_size if command.stderr.exists() else 0
    for _ in range(_SETUPS):
        with start(command) as running:
            started(running.pid)
            with cancelled.calling(partial(stopper.stop, running)):
                end = running.wait(clock)
        if end.stopped or not end.never_ran:
            break
        end = replace(end, sandbox_failure=_last_words(command.stderr))
        os.truncate(command.stderr, written)
        clock.sleep(_PAUSE)
    return end


def _last_words(stderr: Path) -> str:
    last = tail(stderr).rstrip().rsplit("\n", 1)[-1]
    return last.removeprefix("bwrap: ") or "bubblewrap does not say why"
