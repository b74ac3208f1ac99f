"""What a deployment costs while nothing runs on it, item by item. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..pricing.card import Rates
from ..units import GIB
from .standing import Standing

__all__ = ["Item", "idle_bill"]


@dataclass(frozen=True)
class Item:
    """A line of the bill: what is stored, and at what price."""

    what: str
    bytes: int
    price: float
    """Dollars a GB-month."""
    at_least: bool = False
    """Whether not all was counted."""

    @property
    def monthly(self) -> float:
        """Dollars a month."""
        return self.bytes / GIB * self.price


def idle_bill(standing: Standing, rates: Rates) -> tuple[Item, ...]:
    """Return what is stored and costs something; all else that a deployment is made of is free while it is idle.

    What the user brought along is on the user's own bill, and not here.
    """
    items = []
    if standing.in_bucket is not None:
        items.append(Item("bucket", standing.in_bucket.bytes, rates["bucket_gb_month"], standing.in_bucket.at_least))
    if standing.own_files and standing.files is not None:
        cold = standing.files.bytes_in_archive
        items.append(Item("file system", standing.files.bytes - cold, rates["files_gb_month"]))
        if cold:
            items.append(Item("file system, infrequently used", cold, rates["files_archive_gb_month"]))
    if "logs" not in standing.denied:
        items.append(Item("logs", standing.in_logs, rates["logs_gb_month"]))
    return tuple(items)
