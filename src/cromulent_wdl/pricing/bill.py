"""What an ECS task on Fargate costs: vCPUs, memory, storage above 20 GiB and a public address, by the second.

(facts: Fargate price; public IPv4)
"""

from __future__ import annotations

from dataclasses import dataclass

from ..units import GIB
from .card import Rates

__all__ = ["FREE_STORAGE", "Cost", "Size", "billed_seconds", "hourly", "names_for", "price_of"]

FREE_STORAGE = 20
"""GiB of storage that every task has."""
_MINIMUM = 60.0
_HOUR = 3600.0


@dataclass(frozen=True)
class Size:
    """What is paid for by the hour."""

    cpu: float
    """vCPUs."""
    memory: int
    """Bytes."""
    storage: int = FREE_STORAGE
    """GiB in all."""
    architecture: str = "X86_64"
    spot: bool = False
    public_address: bool = False


@dataclass(frozen=True)
class Cost:
    """Dollars, and what for."""

    cpu: float = 0.0
    memory: float = 0.0
    storage: float = 0.0
    address: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.cpu + self.memory + self.storage + self.address

    def __add__(self, other: Cost) -> Cost:
        """Return both together."""
        return Cost(
            self.cpu + other.cpu,
            self.memory + other.memory,
            self.storage + other.storage,
            self.address + other.address,
        )

    def times(self, factor: float) -> Cost:
        """Return so much of it."""
        return Cost(self.cpu * factor, self.memory * factor, self.storage * factor, self.address * factor)


def billed_seconds(pull_started: float | None, stopped: float) -> float:
    """Return the seconds on the bill: from the beginning of the pull, at least a minute; nothing without a pull."""
    return 0.0 if pull_started is None else max(_MINIMUM, stopped - pull_started)


def names_for(size: Size) -> tuple[str, ...]:
    """Return the names on the card of the prices that such a size is billed by."""
    kind = ("arm_" if size.architecture == "ARM64" else "") + ("spot_" if size.spot else "")
    storage = ("storage_gb_hour",) if size.storage > FREE_STORAGE else ()
    address = ("address_hour",) if size.public_address else ()
    return (f"{kind}vcpu_hour", f"{kind}gb_hour", *storage, *address)


def hourly(size: Size, rates: Rates) -> Cost:
    """Return what such a size costs an hour. Storage and address cost the same on Spot."""
    cpu, memory, *_ = names_for(size)
    return Cost(
        cpu=size.cpu * rates[cpu],
        memory=size.memory / GIB * rates[memory],
        storage=max(0, size.storage - FREE_STORAGE) * rates["storage_gb_hour"],
        address=rates["address_hour"] if size.public_address else 0.0,
    )


def price_of(size: Size, seconds: float, rates: Rates) -> Cost:
    """Return what such a size costs for so many billed seconds."""
    return hourly(size, rates).times(seconds / _HOUR)
