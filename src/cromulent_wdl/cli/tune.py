"""`cromulent tune`: what tasks asked for against what they used, and what to ask for instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click

from ..errors import UsageError
from ..pricing.card import FALLBACK
from ..runs.status import RunStatus, State
from ..runs.watch import Watch
from ..units import counted, format_dollars, format_duration, format_memory
from . import ui
from .completing import complete_run
from .deployment import where
from .finding import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..reports.tuning import Advice, Use

__all__ = ["command"]


@click.command("tune")
@click.argument("runs", nargs=-1, metavar="[RUN]…", shell_complete=complete_run)
@click.option(
    "--margin", type=click.IntRange(0, 300), default=25, show_default=True, metavar="PERCENT",
    help="Ask for so much more than the highest use.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print what to change as inputs for `cromulent run -i`.")
@where
def command(runs: Sequence[str], margin: int, as_json: bool, **flags: Any) -> None:
    """Compare what tasks asked for with what they used, and print the smallest size that would do.

    Over all of the runs that are named, which should be of one workflow; the more there are, the surer it is. The
    sizes and savings are Fargate's. RUN is `last` when left out.
    """
    from ..reports.tuning import advice_of, overrides_of, uses_of
    from .cost import rates

    statuses = [Watch(find(run, flags)).status() for run in runs or ("last",)]
    name, region = _workflow(statuses), _region(statuses)
    uses = uses_of(statuses)
    known = [(use, advice_of(use, rates(region), margin / 100)) for use in uses]
    advice = sorted((each for _, each in known if each is not None), key=lambda each: -each.dollars)
    if as_json:
        ui.json_result(overrides_of(name, advice))
        return
    _show(advice, [use for use, each in known if each is None], len(statuses))
    if not uses:
        _show_nothing(statuses)
    if advice:
        ui.note(f"if they take as long as before; {rates(region).note(_names(advice))}")
    if any(each.changes for each in advice):
        ui.note("try it: cromulent tune … --json > tuned.json; cromulent run WORKFLOW -i tuned.json NAME=VALUE …")


def _workflow(statuses: Sequence[RunStatus]) -> str:
    """Return the workflow's name, which overrides begin with; a lone task has none before its own runtime."""
    kinds = {(each.started.name, each.started.kind) for each in statuses if each.started is not None}
    if len(kinds) > 1:
        names = ", ".join(sorted(name for name, _ in kinds))
        raise UsageError(f"these runs are of different workflows: {names}", hint="name runs of one workflow")
    name, kind = next(iter(kinds), ("", "task"))
    return "" if kind == "task" else name


def _region(statuses: Sequence[RunStatus]) -> str:
    return next(filter(None, (each.region for each in reversed(statuses))), FALLBACK)


def _show(advice: Sequence[Advice], unknown: Sequence[Use], runs: int) -> None:
    head = ("CALL", "RAN", "TIME", "CORES", "MEMORY", "FARGATE SIZE", "INSTEAD", "SAVES")
    if advice:
        ui.table([_cells(each) for each in advice], head=head, right=(1, 2, 7))
    for why, uses in (
        ("nothing was measured", [use for use in unknown if not use.measured]),
        ("no size of Fargate holds it", [use for use in unknown if use.measured]),
    ):
        if uses:
            ui.data(f"nothing can be said of {', '.join(use.name or 'the task' for use in uses)}: {why}")
    total = sum(each.dollars for each in advice)
    if total > 0:
        ui.data(f"in all {format_dollars(total)} in {counted(runs, 'run')}")


def _show_nothing(statuses: Sequence[RunStatus]) -> None:
    """Say why nothing can be said."""
    calls = [call for status in statuses for call in status.calls.values()]
    cached = sum(call.state is State.CACHED for call in calls)
    if cached:
        ui.data(f"no task has run: {counted(cached, 'call')} came from the call cache")
        ui.note("name the run that made them (cromulent ls), or run it again with --no-cache")
    else:
        ui.data("no task of these runs has ended well yet")


def _cells(each: Advice) -> tuple[str, ...]:
    use = each.use
    return (
        use.name or "the task",
        f"{use.calls}",
        format_duration(use.seconds),
        _used(None if use.cpu_used is None else f"{use.cpu_used:.1f}", None if use.cpu is None else f"{use.cpu:g}"),
        _used(_peak(use), None if use.memory is None else format_memory(use.memory)),
        str(each.before),
        str(each.after) if each.changes else "as it is",
        f"{format_dollars(each.dollars)} ({each.part:.0%})" if each.dollars > 0 else "",
    )


def _peak(use: Use) -> str | None:
    if use.out_of_memory:
        return "ran out"
    if use.memory_used is None:
        return None
    return ("≥ " if use.partly else "") + format_memory(use.memory_used, use.memory or 0)


def _used(used: str | None, asked: str | None) -> str:
    return " of ".join(filter(None, [used or "?", asked]))


def _names(advice: Iterable[Advice]) -> list[str]:
    from ..pricing.bill import Size, names_for

    sizes = [Size(1, 1, each.before.disk, each.use.architecture, each.use.spot) for each in advice]
    return [name for size in sizes for name in names_for(size)]
