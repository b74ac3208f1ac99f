"""`cromulent why`: why a run failed, or why it waits, in a screenful."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import Any

import click

from ..clock import SYSTEM
from ..reports.graph import Graph
from ..runs.index import entries
from ..runs.logs import find_call
from ..runs.status import FINAL, RunStatus
from ..runs.watch import Watch
from . import ui
from .completing import complete_call, complete_run
from .deployment import where
from .finding import find

__all__ = ["command"]


@click.command("why")
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_run)
@click.argument("call", default="", metavar="[CALL]", shell_complete=complete_call)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@where
def command(run: str, call: str, as_json: bool, **flags: Any) -> None:
    """Say why a run failed, or for what its calls wait.

    Of a failed run it is the call at the root of the failure, not those that were stopped because of it; or the
    call that you name. RUN is a directory, a run id or the beginning of one, or `last`, which it is when left out.
    """
    from ..reports.explanation import lines_of
    from ..reports.waiting import explain_waits
    from ..reports.why import Subject, explain_call, explain_run

    directory = find(run, flags)
    status = Watch(directory).status()
    subject = Subject(directory, status, quote(_called(run, directory)))
    if call:
        explanation = explain_call(subject, find_call(call, status))
    elif status.state in FINAL:
        explanation = explain_run(subject)
    else:
        explanation = explain_waits(subject, _graph(directory, status), SYSTEM.now())
    if as_json:
        ui.json_result(asdict(explanation))
        return
    for line in lines_of(explanation):
        ui.data(line)


def _graph(directory: Path, status: RunStatus) -> Graph | None:
    """Return the graph of the workflow, which knows of calls that the journal does not know yet."""
    if status.started is None:
        return None
    from .graph_of import graph_of_run

    return graph_of_run(directory, status.started.source)


def _called(run: str, directory: Path) -> str:
    """Return how the run is to be named in the commands that are suggested."""
    if run == "last":
        return run
    return directory.name if any(entry.directory == directory for entry in entries()) else str(directory)
