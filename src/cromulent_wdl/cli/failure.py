"""What to tell of a run that failed: the root of it, what was fine, and what to type next."""

from __future__ import annotations

import os
import signal

import msgspec
from WDL.runtime.error import CommandFailed, DownloadFailed, RunFailed

from ..model import Ending
from ..plugin.endings import ending_of
from ..plugin.session import ActiveRun

__all__ = ["Failure", "failure_of", "last_words"]

_TAIL_BYTES = 4096
_STATUS_BY_ENDING = {Ending.STOPPED: 130}
"""As shells report an interruption; whatever else has no status of its own is miniwdl's 2."""
_STOPPED_BY = {
    signal.SIGINT: "Ctrl-C",
    signal.SIGQUIT: "Ctrl-\\",
    signal.SIGHUP: "its terminal's end",
    signal.SIGTERM: "`cromulent stop`, or SIGTERM from elsewhere",
}


class Failure(msgspec.Struct, frozen=True):
    """Why a run failed."""

    ending: Ending
    message: str
    call: str
    """The call at the root of it; empty when none is."""
    exit_status: int
    stderr: str = ""
    """The failed command's standard error, a file."""
    last_words: tuple[str, ...] = ()


def failure_of(error: BaseException, run: ActiveRun) -> Failure:
    """Follow miniwdl's chain of exceptions to the root."""
    ending, call = ending_of(error), ""
    while isinstance(error, RunFailed) and error.__cause__ is not None:
        call = run.call_path(error.run_dir) if os.path.abspath(error.run_dir) != str(run.directory) else call
        error = error.__cause__
    if isinstance(error, DownloadFailed) and error.__cause__ is not None:
        error = error.__cause__  # which says why
    details = getattr(error, "more_info", None) or {}
    if "ending" in details:
        ending = Ending(details["ending"])
    status = _STATUS_BY_ENDING.get(ending, 2)
    stderr = ""
    if isinstance(error, CommandFailed):
        status, stderr = error.exit_status or 2, error.stderr_file
    message = str(error) or type(error).__name__
    if ending is Ending.STOPPED and run.stopped_by in _STOPPED_BY:
        message = f"stopped by {_STOPPED_BY[signal.Signals(run.stopped_by)]}"
    return Failure(ending, message, call, status, stderr, last_words(stderr))


def last_words(stderr: str) -> tuple[str, ...]:
    """Return the last lines of a command's standard error, as far as there is one."""
    try:
        with open(stderr, "rb") as file:
            file.seek(max(0, os.path.getsize(stderr) - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ()
    return tuple([line for line in lines if line.strip()][-3:])
