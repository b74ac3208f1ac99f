"""`cromulent status` without a run: the deployment, what runs on it, and what it costs while nothing does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from .. import __version__
from ..aws.access import Access
from ..aws.executions import arn_of
from ..clock import SYSTEM
from ..errors import AwsError, CromulentError, DeploymentNotFound
from ..pricing.idle import NAMES
from ..provision.idle import Item, idle_bill
from ..provision.standing import PAGES, Standing, look
from ..provision.surroundings import kept_storage
from ..reports.usage import MonthUsage
from ..units import format_bytes, format_dollars, format_duration
from . import ui
from .deployment import prices_in
from .usage import MOST, month_usage

__all__ = ["show"]

_SHOWN = 10
_PARTS = {
    "runs": "runs",
    "tasks": "tasks",
    "quotas": "quotas",
    "bucket": "what is in the bucket",
    "files": "the file system",
    "logs": "logs",
}
"""What may be denied, in words."""
_STORED = {"bucket", "files", "logs"}
_DENIED = "not shown"


def show(access: Access, name: str, *, as_json: bool, every: bool) -> None:
    """Print how the deployment of that name stands; `every`: all its runs, and all that is in the bucket counted."""
    try:
        standing = look(access, name, pages=None if every else PAGES)
    except DeploymentNotFound as error:
        raise _with_what_was_kept(access, name, error) from error
    prices = prices_in(standing.deployment.region)
    items, now = idle_bill(standing, prices), SYSTEM.now()
    usage = _usage(access, standing, now, every)
    if as_json:
        ui.json_result(_record(standing, items, usage, now))
        return
    ui.data(_heading(standing))
    _tell(f"running    {_running(standing)}")
    shown = standing.runs if every else standing.runs[:_SHOWN]
    for run in shown:
        held = standing.tasks_of(run.name)
        what = f"{_count(len(held), 'task')}, {sum(each.vcpus for each in held):g} vCPU"
        ui.data(f"             {run.name}  {format_duration(now - run.started)}  {what}")
    if len(shown) < len(standing.runs):
        ui.data(f"             and {len(standing.runs) - len(shown)} more")
    for line in _storage(standing):
        _tell(line)
    ui.data(f"  idle cost  {_total(items, bool(standing.denied & _STORED))} a month, while nothing runs")
    ui.table([(each.what, *_cells(each)) for each in items] + [("compute, network", "", "", "$0.00")],
             indent=13, right=(1, 3))  # fmt: skip
    _tell(f"this month {_used(usage)}")
    ui.note(f"  {prices.note(NAMES)}")
    if standing.denied:
        parts = ", ".join(_PARTS[each] for each in _PARTS if each in standing.denied)
        ui.item(f"not shown, since IAM does not let you see it: {parts}", hang=2)
    for line in _next(standing, every):
        ui.note(f"  {line}")


def _with_what_was_kept(access: Access, name: str, missing: DeploymentNotFound) -> DeploymentNotFound:
    """Return the error with the storage that is there of a deployment that is not."""
    try:
        kept = kept_storage(access, name)
    except CromulentError:  # may not be looked for, or is of two deployments; what is missing is missing all the same
        return missing
    if not kept.bucket and not kept.file_system:
        return missing
    found = " and ".join(filter(None, (kept.bucket, kept.file_system)))
    command = (missing.hint or "").partition(" makes it")[0]
    return DeploymentNotFound(f"{missing}, but {found} were kept from one", hint=f"{command} takes that back")


def _tell(line: str) -> None:
    for part in ui.folded(line, sys.stdout, indent=2, hang=11):
        ui.data(part)


def _heading(standing: Standing) -> str:
    deployment = standing.deployment
    state = "healthy" if standing.healthy else f"not healthy, its stack is {standing.state}"
    return (
        f"{deployment.name} in {deployment.region}, account {deployment.account}, version {deployment.version}: {state}"
    )


def _running(standing: Standing) -> str:
    runs = _count(len(standing.runs), "run")
    if {"runs", "tasks"} & standing.denied:
        return _DENIED if "runs" in standing.denied else f"{runs}; tasks {_DENIED}"
    if not standing.tasks and not standing.runs:
        return "nothing"
    more = "" if standing.all_tasks else "more than "
    starting = sum(not each.running for each in standing.tasks)
    waiting = f", {starting} of them not yet or no longer running" if starting else ""
    return f"{runs}, {more}{_count(len(standing.tasks), 'task')}{waiting}; {_vcpus(standing)}"


def _vcpus(standing: Standing) -> str:
    held, allowed = standing.vcpus, standing.quotas
    parts = []
    for used, kind, quota in (
        (held.on_demand, "on demand", allowed and allowed.on_demand),
        (held.spot, "Spot", allowed and allowed.spot),
    ):
        if used or kind == "on demand":
            parts.append((f"{used:g} vCPU {kind}", f"{quota:,.10g} {kind}" if quota is not None else ""))
    allowed_in_all = " and ".join(quota for _, quota in parts if quota)
    more = f"; the whole account may have {allowed_in_all}" if allowed_in_all else ""
    return ", ".join(text for text, _ in parts) + more


def _storage(standing: Standing) -> list[str]:
    deployment = standing.deployment
    lines = [f"bucket     {deployment.bucket}: {_in_bucket(standing)}"]
    if "files" in standing.denied:
        return [*lines, f"files      {deployment.file_system}: {_DENIED}"]
    if standing.files is None:
        return [*lines, f"files      {deployment.file_system}: is not there any more"]
    held = format_bytes(standing.files.bytes)
    if cold := standing.files.bytes_in_archive:
        held += f", {format_bytes(cold)} of it infrequently used"
    return [*lines, f"files      {deployment.file_system}: {held}{'' if standing.own_files else ' (yours)'}"]


def _in_bucket(standing: Standing) -> str:
    held = standing.in_bucket
    if "bucket" in standing.denied:
        return _DENIED
    if held is None:
        return "yours, so it is not counted"
    more = "more than " if held.at_least else ""
    return f"{more}{format_bytes(held.bytes)} in {_count(held.versions, 'object version')}"


def _cells(item: Item) -> tuple[str, str, str]:
    more = "more than " if item.at_least else ""
    return more + format_bytes(item.bytes), f"at ${_price(item.price)} a GB", f"${item.monthly:.2f}"


def _price(dollars: float) -> str:
    return f"{dollars:.2f}" if round(dollars, 2) == dollars else f"{dollars:g}"


def _total(items: Sequence[Item], partly: bool) -> str:
    more = "more than " if partly or any(each.at_least for each in items) else ""
    return f"{more}${sum(each.monthly for each in items):.2f}"


def _next(standing: Standing, every: bool) -> list[str]:
    name = standing.deployment.name
    named = "" if name == "cromulent" else f" --name {name}"
    lines = []
    if standing.deployment.version != __version__:
        lines.append(f"this is version {__version__}: `cromulent up{named}` brings the deployment to it")
    if not standing.healthy:
        lines.append(f"`cromulent up{named}` mends it")
    if standing.in_bucket is not None and standing.in_bucket.at_least and not every:
        lines.append(f"`cromulent status{named} --all` counts all that is in the bucket, $0.005 a million")
    if standing.runs:
        lines.append(f"one run: cromulent status {standing.runs[0].name}")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _usage(access: Access, standing: Standing, now: float, every: bool) -> MonthUsage | str:
    """Return this month's usage, or why it is not known."""
    going_on = {each.name for each in standing.runs}
    try:
        return month_usage(access, standing.deployment, going_on, now, most=None if every else MOST)
    except AwsError as error:
        return f"{error}; {error.hint}" if error.hint else str(error)


def _used(usage: MonthUsage | str) -> str:
    if isinstance(usage, str):
        return f"not known: {usage}"
    unread = f"; {_count(usage.unread, 'record')} not read yet" if usage.unread else ""
    if not usage.runs:
        return f"no runs so far: $0.00{unread}"
    tasks = f"{_count(usage.tasks, 'task')}, {usage.vcpu_hours:,.2f} vCPU-hours"
    return f"{_count(usage.runs, 'run')}, {tasks}: {format_dollars(usage.dollars)}{unread}"


def _record(standing: Standing, items: Sequence[Item], usage: MonthUsage | str, now: float) -> dict[str, Any]:
    files = standing.files
    return {
        "deployment": msgspec.structs.asdict(standing.deployment),
        "state": standing.state,
        "healthy": standing.healthy,
        "runs": [
            {"run": each.name, "execution": arn_of(standing.deployment.state_machine, each.name),
             "started": each.started, "elapsed": now - each.started,
             "tasks": len(standing.tasks_of(each.name)),
             "vcpus": sum(task.vcpus for task in standing.tasks_of(each.name))}
            for each in standing.runs
        ],
        "tasks": {"count": len(standing.tasks), "all": standing.all_tasks, "vcpus": asdict(standing.vcpus),
                  "running": sum(each.running for each in standing.tasks)},
        "quotas": asdict(standing.quotas) if standing.quotas else None,
        "bucket": asdict(standing.in_bucket) if standing.in_bucket else None,
        "file_system": {"bytes": files.bytes, "infrequent_bytes": files.bytes_in_archive} if files else None,
        "month": asdict(usage) if isinstance(usage, MonthUsage) else {"unknown": usage},
        "denied": sorted(standing.denied),
        "idle": {"monthly": sum(each.monthly for each in items),
                 "items": [{**asdict(each), "monthly": each.monthly} for each in items]},
    }  # fmt: skip
