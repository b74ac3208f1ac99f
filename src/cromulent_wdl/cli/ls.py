"""`cromulent ls`: the runs on this machine's list."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..clock import SYSTEM
from ..errors import AwsError, CredentialsError, JournalError
from ..runs.index import Entry, entries
from ..runs.status import RunStatus, State
from ..runs.watch import Watch
from ..units import format_duration
from . import ui
from .deployment import where
from .finding import place_of

__all__ = ["command"]

_SHOWN = 20


@click.command("ls")
@click.option("-a", "--all", "every", is_flag=True, help="List all runs, not only the newest.")
@click.option(
    "-n", "count", type=click.IntRange(1), default=_SHOWN, show_default=True, metavar="N", help="List N runs."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--on", type=click.Choice(["here", "aws"]), default="here", help="aws: all runs of the deployment.")
@where
def command(every: bool, count: int, as_json: bool, on: str, **flags: Any) -> None:
    """List runs, the newest first.

    Runs are found wherever their directories are; one whose directory was deleted is not listed any more. With --on aws
    they are the runs of the deployment, whoever started them. One that `gc` has removed says so.
    """
    known = entries() if on == "here" else _of_deployment(flags, None if every else count)
    listed = known if every else known[:count]
    rows = [(entry, _status(entry.directory)) for entry in listed]
    if as_json:
        ui.json_result([_record(entry, status) for entry, status in rows])
    elif not rows:
        ui.note("There is no run yet. Start one: cromulent run hello.wdl name=World")
    else:
        ui.table([_cells(entry, status) for entry, status in rows], head=("", "RUN", "STATE", "TOOK", "IN"), right=(3,))
        if len(listed) < len(known):
            ui.note(f"{len(known) - len(listed)} older: cromulent ls --all")


def _of_deployment(flags: Mapping[str, Any], count: int | None) -> list[Entry]:
    """Return the newest runs of the deployment: their ids begin with when they were started."""
    from ..aws import executions, objects
    from ..provision import find_deployment
    from ..runs.mirror import mirror_of
    from ..storage.bucket import RUNS
    from .deployment import access_by, cloud_run, resolved

    settings = resolved(flags).settings
    access = access_by(settings)
    deployment = find_deployment(access, settings.deployment)
    names = set(objects.folders(access, deployment.bucket, RUNS))
    names |= {each.name for each in executions.running(access, deployment.state_machine)}
    directories = [mirror_of(cloud_run(deployment, name, settings)) for name in sorted(names, reverse=True)[:count]]
    return [Entry(each.name, each, each.stat().st_mtime) for each in directories]


def _status(directory: Path) -> RunStatus | None:
    """Return the status of the run without its calls, or None if its record cannot be read now."""
    try:
        return Watch(directory, of_run_only=True).status()
    except (JournalError, AwsError, CredentialsError):
        return None


def _cells(entry: Entry, status: RunStatus | None) -> tuple[str | tuple[str, str], ...]:
    if status is None:
        return ("?", entry.run_id, "unreadable", "", _place(entry.directory))
    mark, colour = ui.MARKS[status.state.value]
    elapsed = status.elapsed(SYSTEM.now())
    took = format_duration(elapsed) if elapsed is not None else ""
    place = f"removed by {status.removed}" if status.removed else _place(entry.directory)
    return ((mark, colour), entry.run_id, _words(status), took, place)


def _place(directory: Path) -> str:
    """Return what the run lies in, since its own name stands before."""
    return ui.short_path(place_of(directory).rpartition("/")[0])


def _words(status: RunStatus) -> str:
    at = status.ended.call if status.ended is not None and status.state is State.FAILED else ""
    return f"{status.state.value} at {at}" if at else status.state.value


def _record(entry: Entry, status: RunStatus | None) -> dict[str, object]:
    """Return the run as `--json` shows it."""
    started, ended = (status.started, status.ended) if status else (None, None)
    return {
        "run": entry.run_id,
        "directory": place_of(entry.directory),
        "state": status.state.value if status else "unreadable",
        "removed": (status.removed or None) if status else None,
        "name": started.name if started else None,
        "started": started.at if started else entry.begun,
        "ended": ended.at if ended else None,
        "elapsed": status.elapsed(SYSTEM.now()) if status else None,
        "message": ended.message if ended else "",
        "call": ended.call if ended else "",
    }
