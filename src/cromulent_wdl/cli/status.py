"""`cromulent status`: how a run is doing, call by call; without a run, how the deployment stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

import click

from ..clock import SYSTEM
from ..errors import CredentialsError, DeploymentNotFound
from ..runs.index import entries
from ..runs.status import Attempt, CallStatus, RunStatus, State
from ..runs.watch import Watch
from ..units import counted, format_duration, format_memory
from . import removed, ui
from .completing import complete_run
from .deployment import access_by, resolved, where
from .finding import find, place_of
from .status_record import record

__all__ = ["command"]

_SHOWN = 30
_FIRST = (State.FAILED, State.RUNNING, State.WAITING)
"""Which calls are shown when there are too many for all."""


@click.command("status")
@click.argument("run", required=False, metavar="[RUN]", shell_complete=complete_run)
@click.option("-a", "--all", "every", is_flag=True, help="Show all calls, however many; count all of the bucket.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@where
def command(run: str | None, every: bool, as_json: bool, **flags: Any) -> None:
    """Show how a run is doing, call by call; without a RUN, how your deployment on AWS stands.

    RUN is a directory, a run id or the beginning of one, or `last`. Without: what is deployed and where, what runs
    on it, what it stores, and what it costs a month while nothing runs.
    """
    if run is None:
        _show_deployment(flags, as_json, every)
        return
    directory = find(run, flags)
    status, now = Watch(directory).status(), SYSTEM.now()
    if as_json:
        ui.json_result(record(directory, status, now))
        return
    ui.data(_heading(directory, status, now))
    calls = status.in_order()
    shown = calls if every or len(calls) <= _SHOWN else _most_important(calls)
    if shown:
        ui.table([_cells(call, now) for call in shown], indent=2, right=(2,))
    ui.data(f"  {_counts(status)}" + (f"; {len(calls) - len(shown)} not shown" if len(shown) < len(calls) else ""))
    ui.data(f"  {'was' if status.removed else 'in '}   {ui.short_path(place_of(directory))}")
    if status.state is State.FAILED and status.ended is not None:
        ui.data(f"  why   {' '.join(status.ended.message.split())}")
    if status.removed:
        ui.data(f"  gone  {removed.gone(directory)}")
    if status.region:
        _show_cost(directory, status, now)
    for line in _next(directory, status, len(shown) < len(calls)):
        ui.note(f"  {line}")


def _show_deployment(flags: Mapping[str, Any], as_json: bool, every: bool) -> None:
    from . import status_deployment

    settings = resolved(flags).settings
    try:
        status_deployment.show(access_by(settings), settings.deployment, as_json=as_json, every=every)
    except (CredentialsError, DeploymentNotFound) as error:
        if entries():  # whoever runs workflows on this machine only may have meant the last of them
            error.hint = " · ".join(filter(None, [error.hint, "the last run here: cromulent status last"]))
        raise


def _show_cost(directory: Path, status: RunStatus, now: float) -> None:
    from ..units import format_dollars
    from .cost import status_and_costs

    _, costs = status_and_costs(directory, now)
    so_far = "" if status.ended is not None else " so far"
    ui.data(f"  cost  {'about ' if costs.estimated else ''}{format_dollars(costs.dollars)}{so_far}")


def _heading(directory: Path, status: RunStatus, now: float) -> str:
    if status.started is None:
        return f"{directory.name}  has only just begun"
    elapsed = status.elapsed(now)
    words = status.words
    if status.state is State.LOST:
        words = f"{words}: {status.last_word}"
    backend = status.started.backend
    on = "processes" if backend == "process" else backend.capitalize()
    parts = [status.started.name, directory.name, f"{words}, on {on}"]
    return "  ".join(parts + ([format_duration(elapsed)] if elapsed is not None else []))


def _most_important(calls: list[CallStatus]) -> list[CallStatus]:
    """Return as many calls as there is room for, in the given order, those of `_FIRST` before others."""
    rank = {state: number for number, state in enumerate(_FIRST)}
    chosen = sorted(calls, key=lambda call: rank.get(call.state, len(rank)))[:_SHOWN]
    paths = {call.path for call in chosen}
    return [call for call in calls if call.path in paths]


def _cells(call: CallStatus, now: float) -> tuple[str | tuple[str, str], ...]:
    elapsed = call.elapsed(now)
    took = format_duration(elapsed) if elapsed is not None else ""
    return (ui.MARKS[call.state.value], call.path, took, _resources(call), _remark(call))


def _resources(call: CallStatus) -> str:
    """Return what the call was given and used: `2 cores, 1.1 GiB of 4 GiB`."""
    placed = next((a.placed for a in reversed(call.attempts) if a.placed), None)
    words = []
    if placed is not None and placed.cpu:
        words.append(f"{placed.cpu} core{'s' if placed.cpu > 1 else ''}")
    peak, asked = call.usage.memory_peak, placed.memory if placed is not None else 0
    if peak is not None:
        words.append(format_memory(peak, asked) + (f" of {format_memory(asked)}" if asked else ""))
    elif asked:
        words.append(format_memory(asked))
    return ", ".join(words)


def _remark(call: CallStatus) -> str:
    last = call.attempts[-1] if call.attempts else Attempt(0)
    if call.state is State.WAITING:
        return last.waiting
    if call.state is State.CACHED:
        return "from the call cache"
    if call.state is State.STOPPED and call.started_at is None:
        return "was not begun"
    tried = f"attempt {last.number}" if last.number > 1 else ""
    what = " ".join(call.message.split()) if call.state is State.FAILED else last.image
    return ", ".join(filter(None, [tried, what]))


def _counts(status: RunStatus) -> str:
    total = len(status.calls)
    counts = ", ".join(f"{status.counts[state]} {state.value}" for state in State if status.counts.get(state))
    return counted(total, "call") + (f": {counts}" if counts else "")


def _next(directory: Path, status: RunStatus, shortened: bool) -> list[str]:
    """Return what to type next."""
    run = quote(directory.name if any(entry.directory == directory for entry in entries()) else str(directory))
    lines = [f"all   cromulent status {run} --all"] if shortened else []
    if status.removed:
        return [*lines, f"again {removed.again(directory, run)}"]
    if status.state is State.RUNNING:
        lines.append(f"log   cromulent logs {run} -f")
    if status.state is State.FAILED:
        call = [quote(status.ended.call)] if status.ended is not None and status.ended.call else []
        lines.append(" ".join(["more  cromulent why", run]))
        lines.append(" ".join(["log   cromulent logs", run, *call]))
    if status.state is State.LOST and status.ended is None and status.region:
        lines.append("reap  cromulent reap stops what still runs on Fargate")
    if status.state in (State.FAILED, State.STOPPED, State.LOST):
        lines.append("again the same command goes on from here: what was done stays done")
    return lines
