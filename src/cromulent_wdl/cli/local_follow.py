"""Follows a run whose head is another process of this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..clock import SYSTEM, Clock
from ..errors import RunNotFound
from ..model import Ending, RunEnded
from ..reports.why import root_of
from ..runs.journal import JournalReader
from ..runs.logs import call_log
from ..runs.status import FINAL, RunStatus, State
from ..runs.watch import Watch
from ..storage import layout
from .failure import Failure, last_words
from .options import RunOptions
from .progress import view_named
from .runner import print_result

__all__ = ["exit_status", "follow_here", "outputs_here"]

_LOOK_EVERY = 0.25
"""No setting: it is a look at a file of this machine, and eyes see nothing sooner."""


def follow_here(directory: Path, options: RunOptions, clock: Clock = SYSTEM) -> int:
    """Show the run until it ends, print its result, and return its exit status."""
    watch, journal = Watch(directory), JournalReader(directory / layout.JOURNAL)
    status = watch.status()
    name = status.started.name if status.started else directory.name
    heading = f"{name}  {directory.name}  here"
    with view_named(options.progress or "auto", options.verbose, heading, directory, name) as view:
        while True:
            status = watch.status()
            for event in journal.new():
                view(event)
            if status.state in FINAL:
                break
            clock.sleep(_LOOK_EVERY)
        if status.state is State.OK:
            view.succeeded()
        else:
            view.failed(_failure(directory, status, clock))
    if status.state is not State.OK:
        return exit_status(status)
    print_result({"dir": str(directory), "outputs": outputs_here(directory)}, options)
    return 0


def _failure(directory: Path, status: RunStatus, clock: Clock) -> Failure:
    """Return why the run has failed, as its head has told it."""
    ended = status.ended or RunEnded(clock.now(), Ending.LOST, status.last_word)
    root = root_of(status) if ended.ending is Ending.FAILED else None
    log = call_log(directory, root) if root is not None else None
    stderr = str(log) if log is not None and log.is_file() else ""
    return Failure(ended.ending, ended.message, ended.call, exit_status(status), stderr, last_words(stderr))


def exit_status(status: RunStatus) -> int:
    """Return the exit status of a run as far as its record has one."""
    if status.state is State.OK:
        return 0
    if status.state is State.STOPPED:
        return 130
    root = status.ended.call if status.ended is not None else ""
    failed = [call for path, call in status.calls.items() if path == root or (not root and call.state is State.FAILED)]
    codes = [attempt.ended.exit_code for call in failed for attempt in call.attempts if attempt.ended is not None]
    return (codes[-1] if codes else None) or 2


def outputs_here(directory: Path) -> dict[str, Any]:
    """Return the outputs of a run on this machine. Raises RunNotFound where it has none."""
    try:
        outputs: dict[str, Any] = json.loads((directory / layout.OUTPUTS_JSON).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunNotFound(f"{directory.name} has no outputs", hint=f"cromulent status {directory.name}") from error
    return outputs
