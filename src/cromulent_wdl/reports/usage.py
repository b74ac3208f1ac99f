"""What a deployment's runs of one month used: a fold over their journals, a run at a time. Pure.

A run belongs to the month (UTC) in which it began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from ..model import Event, RunStarted
from ..pricing.card import Rates
from ..pricing.costs import CostFold

__all__ = ["MonthUsage", "RunUsage", "month_of", "usage_of", "usage_of_month"]

_HOUR = 3600.0


@dataclass(frozen=True)
class RunUsage:
    """What one run used on Fargate, its head included."""

    run: str
    started: float
    tasks: int
    vcpu_hours: float
    dollars: float


@dataclass(frozen=True)
class MonthUsage:
    """What the runs of a month used."""

    month: str
    """As `2026-11`."""
    runs: int = 0
    tasks: int = 0
    vcpu_hours: float = 0.0
    dollars: float = 0.0
    unread: int = 0
    """Runs of the month whose records were too many to be read now."""


def month_of(at: float) -> str:
    """Return the month of a time."""
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m}"


def usage_of(run: str, events: Iterable[Event], rates_of: Callable[[str], Rates], now: float) -> RunUsage | None:
    """Return what a run used until now, or None where its journal does not say yet that it began."""
    folding, started = CostFold(), None
    for event in events:
        folding.add(event)
        if isinstance(event, RunStarted) and started is None:
            started = event.at
    if started is None:
        return None
    bills = folding.costs(rates_of, now).bills
    hours = sum(bill.size.cpu * bill.seconds for bill in bills) / _HOUR
    return RunUsage(run, started, len(bills), hours, sum(bill.dollars for bill in bills))


def usage_of_month(month: str, runs: Iterable[RunUsage], unread: int = 0) -> MonthUsage:
    """Return what those of the runs used that began in the month."""
    of_it = [each for each in runs if month_of(each.started) == month]
    return MonthUsage(
        month,
        len(of_it),
        sum(each.tasks for each in of_it),
        sum(each.vcpu_hours for each in of_it),
        sum(each.dollars for each in of_it),
        unread,
    )
