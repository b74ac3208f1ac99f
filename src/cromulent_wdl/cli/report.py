"""`cromulent report`: a run as one HTML file, to look at, to keep, to send."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Any

import click

from .. import __version__
from ..clock import SYSTEM
from ..runs.status import RunStatus, State
from . import ui
from .completing import complete_run
from .deployment import where
from .finding import find, place_of
from .removed import gone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..reports.explanation import Explanation
    from ..reports.graph import Graph

__all__ = ["command"]


@click.command("report")
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_run)
@click.option("-o", "--output", type=click.Path(), metavar="FILE", help="Write to FILE.  [default: RUN.html, here]")
@where
def command(run: str, output: str | None, **flags: Any) -> None:
    """Make one HTML file of a run: timeline, critical path, graph, calls, costs, last words.

    It needs no network and no other file. RUN is a directory, a run id or the beginning of one, or `last`, which it
    is when left out. Values of inputs and outputs are in it, save those whose names say that they are secret.
    """
    from ..reports.page.build import Contents, render
    from .cost import rates, status_and_costs

    directory = find(run, flags)
    now = SYSTEM.now()
    status, costs = status_and_costs(directory, now)
    graph = _graph(directory, status)
    page = render(
        Contents(
            directory,
            status,
            costs,
            now,
            graph,
            _explanation(directory, status, graph, now),
            place_of(directory),
            "; ".join(rates(region).note(names) for region, names in costs.names().items()),
            __version__,
        )
    )
    path = Path(output or f"{directory.name}.html")
    path.write_text(page, encoding="utf-8", errors="backslashreplace")
    ui.data(str(path))
    if status.removed:
        ui.note(f"`cromulent {status.removed}` has removed {gone(directory)}")
    ui.note(f"open it in a browser: {path.absolute().as_uri()}")


def _graph(directory: Path, status: RunStatus) -> Graph | None:
    if status.started is None:
        return None
    from ..plugin import tuning

    tuning.install(tuning.PARSING)
    from .graph_of import graph_of_run

    return graph_of_run(directory, status.started.source)


def _explanation(directory: Path, status: RunStatus, graph: Graph | None, now: float) -> Explanation | None:
    from ..reports.waiting import explain_waits
    from ..reports.why import Subject, explain_run

    subject = Subject(directory, status, quote(directory.name))
    if status.state in (State.FAILED, State.STOPPED, State.LOST):
        return explain_run(subject)
    return explain_waits(subject, graph, now) if status.state is State.RUNNING else None
