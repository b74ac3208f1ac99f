"""`cromulent cost`: what runs cost on AWS, by call, and what of it gave no result."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ..clock import SYSTEM
from ..pricing.card import Rates
from ..pricing.costs import Bill, CostFold, Costs
from ..runs.status import RunStatus
from ..runs.watch import Watch
from ..storage import layout
from ..units import GIB, format_dollars, format_duration, format_memory
from . import ui
from .completing import complete_run
from .deployment import where
from .finding import find

__all__ = ["command", "rates", "status_and_costs"]

_HEAD = "the head"


@dataclass(frozen=True)
class _Asked:
    """A run and what it cost."""

    directory: Path
    status: RunStatus
    costs: Costs


@click.command("cost")
@click.argument("runs", nargs=-1, metavar="[RUN]…", shell_complete=complete_run)
@click.option("-a", "--all", "every", is_flag=True, help="One line for each task, rather than for each call's name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, one line for each task.")
@where
def command(runs: Sequence[str], every: bool, as_json: bool, as_csv: bool, **flags: Any) -> None:
    """Print what runs cost on AWS, by call, and what of it gave no result.

    Size times billed seconds times the region's list price, with storage above 20 GiB, public addresses and the
    head. What still runs is reckoned until now. Files, logs and requests are not in it. RUN is `last` when left out.
    """
    now = SYSTEM.now()
    asked = [_read(find(run, flags), now) for run in runs or ("last",)]
    if as_json:
        ui.json_result([_record(each) for each in asked])
    elif as_csv:
        ui.data(_csv(asked).rstrip("\n"))
    else:
        for each in asked:
            _show(each, every)
        if len(asked) > 1:
            ui.data(f"all runs  {format_dollars(sum(each.costs.dollars for each in asked))}")


def status_and_costs(directory: Path, now: float) -> tuple[RunStatus, Costs]:
    """Return how a run is doing and what it has cost, reading its journal once. Raises JournalError."""
    folding = CostFold()
    status = Watch(directory, also=folding.add).status()
    return status, folding.costs(rates, now)


@functools.cache
def rates(region: str) -> Rates:
    """Return the prices of a region, as they are known here."""
    from ..pricing.refresh import rates_of

    return rates_of(region, layout.prices_directory())


def _read(directory: Path, now: float) -> _Asked:
    return _Asked(directory, *status_and_costs(directory, now))


def _show(asked: _Asked, every: bool) -> None:
    started, costs = asked.status.started, asked.costs
    name = started.name if started is not None else asked.directory.name
    if not costs.bills:
        here = started is None or started.backend != "fargate"
        what = "ran here, which costs nothing on AWS" if here else "has cost nothing yet: no ECS task is known"
        ui.data(f"{name}  {asked.directory.name}  {what}")
        return
    about = "about " if costs.estimated else ""
    so_far = " so far" if asked.status.ended is None else ""
    ui.data(f"{name}  {asked.directory.name}  {about}{format_dollars(costs.dollars)}{so_far}")
    rows = [_task_cells(bill) for bill in costs.bills] if every else _name_rows(asked)
    head = ("CALL", "TASKS", "BILLED", "SIZE", "PLACE", "COST", "NO RESULT")
    ui.table(rows, head=head, right=(1, 2, 5), indent=2)
    for line in _waste(costs):
        ui.data(f"  {line}")
    if costs.estimated:
        ui.item("what still runs, or has no record of AWS's, is reckoned by this machine's clock", hang=2)
    for region, names in costs.names().items():
        ui.note(f"  {rates(region).note(names)}")


def _name_rows(asked: _Asked) -> list[tuple[str, ...]]:
    """Return a row for each name of a call, the dearest first, and the head last."""
    groups: dict[str, list[Bill]] = {}
    for bill in asked.costs.bills:
        call = asked.status.calls.get(bill.call)
        name = (call.name or call.path) if call is not None else bill.call.partition("[")[0]
        groups.setdefault(name if bill.call else _HEAD, []).append(bill)
    return [_group_cells(name, groups[name]) for name in sorted(groups, key=lambda name: _rank(name, groups[name]))]


def _rank(name: str, bills: Sequence[Bill]) -> tuple[bool, float]:
    return name == _HEAD, -sum(bill.dollars for bill in bills)


def _group_cells(name: str, bills: Sequence[Bill]) -> tuple[str, ...]:
    sizes = list(dict.fromkeys(_size(bill) for bill in bills))
    wasted = sum(bill.dollars for bill in bills if bill.wasted)
    return (
        name,
        str(len(bills)),
        format_duration(sum(bill.seconds for bill in bills)),
        sizes[0] + (f" +{len(sizes) - 1}" if len(sizes) > 1 else ""),
        _places(bills),
        format_dollars(sum(bill.dollars for bill in bills)),
        format_dollars(wasted) if wasted else "",
    )


def _task_cells(bill: Bill) -> tuple[str, ...]:
    call = f"{bill.call}, attempt {bill.attempt}" if bill.attempt > 1 else bill.call or _HEAD
    place = _places([bill])
    return (call, "1", format_duration(bill.seconds), _size(bill), place, format_dollars(bill.dollars), bill.wasted)


def _size(bill: Bill) -> str:
    disk = f" {bill.size.storage} GiB disk" if bill.size.storage > 20 else ""
    processor = " arm64" if bill.size.architecture == "ARM64" else ""
    return f"{bill.size.cpu:g} vCPU {format_memory(bill.size.memory)}{disk}{processor}"


def _places(bills: Iterable[Bill]) -> str:
    spot = [bill.size.spot for bill in bills]
    if all(spot):
        return "Spot"
    return f"{sum(spot)} Spot, {len(spot) - sum(spot)} on demand" if any(spot) else "on demand"


def _waste(costs: Costs) -> Iterable[str]:
    if costs.failed:
        yield f"{format_dollars(costs.failed)} was for tasks that gave no result"
    if costs.rounding:
        yield f"{format_dollars(costs.rounding)} was for what Fargate's sizes have beyond what was asked for"
    if costs.minimum:
        yield f"{format_dollars(costs.minimum)} was for seconds not used: a task is billed for a minute at least"


def _record(asked: _Asked) -> dict[str, object]:
    costs = asked.costs
    return {
        "run": asked.directory.name,
        "dollars": round(costs.dollars, 6),
        "estimated": costs.estimated,
        "waste": {
            "no_result": round(costs.failed, 6),
            "rounding": round(costs.rounding, 6),
            "minimum": round(costs.minimum, 6),
        },
        "prices": {region: rates(region).note(names) for region, names in costs.names().items()},
        "tasks": [_fields(bill) for bill in costs.bills],
    }


def _fields(bill: Bill) -> dict[str, object]:
    return {
        "call": bill.call,
        "attempt": bill.attempt,
        "task": bill.task,
        "region": bill.region,
        "place": "spot" if bill.size.spot else "on_demand",
        "vcpu": bill.size.cpu,
        "memory_gib": bill.size.memory / GIB,
        "storage_gib": bill.size.storage,
        "architecture": bill.size.architecture,
        "seconds": round(bill.seconds, 3),
        "dollars": round(bill.dollars, 8),
        "cpu_dollars": round(bill.cost.cpu, 8),
        "memory_dollars": round(bill.cost.memory, 8),
        "storage_dollars": round(bill.cost.storage, 8),
        "address_dollars": round(bill.cost.address, 8),
        "wasted": bill.wasted,
        "estimated": bill.estimated,
    }


def _csv(asked: Sequence[_Asked]) -> str:
    text = io.StringIO()
    rows = [{"run": each.directory.name, **_fields(bill)} for each in asked for bill in each.costs.bills]
    names = list(rows[0]) if rows else ["run", "call", "dollars"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
