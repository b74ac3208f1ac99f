"""`cromulent logs`: the log of a run, or what a call wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..clock import SYSTEM
from ..errors import RunNotFound, UsageError
from ..runs.logs import awaited_call, call_log, find_call, growing, run_log
from ..runs.status import FINAL, CallStatus, RunStatus
from ..runs.watch import Watch
from . import ui
from .completing import complete_call, complete_run
from .deployment import where
from .finding import find
from .removed import refusal

__all__ = ["command"]


@click.command("logs")
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_run)
@click.argument("call", required=False, metavar="[CALL]", shell_complete=complete_call)
@click.option(
    "-f", "--follow", is_flag=True, help="Wait for the call if it is to come, and print until it, or the run, ends."
)
@click.option("--stdout", is_flag=True, help="Print the call's standard output instead.")
@where
def command(run: str, call: str | None, follow: bool, stdout: bool, **flags: Any) -> None:
    """Print the log of a run, or the standard error of the last attempt at one of its calls.

    RUN is a directory, a run id or the beginning of one, or `last`. CALL is a name as `cromulent status`
    shows it, such as 'align[2]'.
    """
    if stdout and call is None:
        raise UsageError("--stdout is about a call", hint="cromulent logs RUN CALL --stdout")
    watch = Watch(find(run, flags))
    status = watch.status()
    shown = _call(call, watch, status, follow) if call else None

    def file() -> Path | None:
        return call_log(watch.directory, shown, stdout=stdout) if shown else run_log(watch.directory, status)

    def more() -> bool:
        nonlocal status, shown
        if not follow:
            return False
        status = watch.status()
        shown = status.calls.get(shown.path, shown) if shown else None
        return (shown.state if shown else status.state) not in FINAL

    silent = True
    for chunk in growing(file, SYSTEM, more):
        ui.raw(chunk)
        silent = False
    if silent and status.removed:
        raise refusal(watch.directory, "log", status.removed)
    if silent:
        stream = f"standard {'output' if stdout else 'error'}"
        ui.note(f"{shown.path} has written nothing to {stream}" if shown else "the log is empty")


def _call(name: str, watch: Watch, status: RunStatus, follow: bool) -> CallStatus:
    """Return the call of that name, which may still be to come where it is to be followed."""
    try:
        return find_call(name, status)
    except RunNotFound:
        if not follow or status.state in FINAL:
            raise
    return awaited_call(name, watch.status, SYSTEM)
