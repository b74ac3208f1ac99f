"""Whose turn it is to launch: fair between calls, within what the account has room for. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Generic, TypeVar

__all__ = ["Measured", "Need", "Room", "Turns"]

_Ticket = TypeVar("_Ticket", bound=Hashable)


_KINDS = {"FARGATE": "On-Demand", "FARGATE_SPOT": "Spot"}


@dataclass(frozen=True)
class Need:
    """What one task takes."""

    provider: str
    vcpus: float


@dataclass(frozen=True)
class Measured:
    """What AWS says that there is: vCPUs by provider, and free addresses; None for what it does not say."""

    quotas: Mapping[str, float] | None = None
    free_addresses: int | None = None


@dataclass
class Room:
    """What there is room for, and what is taken; a provider without a quota has no end."""

    quotas: Mapping[str, float] = field(default_factory=dict)
    addresses: int | None = None
    """That there are for our tasks; each takes one."""
    vcpus: dict[str, float] = field(default_factory=dict)
    tasks: int = 0

    def measured(self, found: Measured) -> None:
        """Learn how much there is. What AWS does not say stays as it was."""
        if found.quotas is not None:
            self.quotas = found.quotas
        if found.free_addresses is not None:
            self.addresses = self.tasks + found.free_addresses

    def lack(self, need: Need) -> str:
        """Return in words what there is too little of, or nothing. For want of an address nobody waits alone."""
        if never := self.never((need,)):
            return never
        quota, taken = self.quotas.get(need.provider), self.vcpus.get(need.provider, 0.0)
        if quota is not None and taken + need.vcpus > quota:
            kind = _KINDS[need.provider]
            return f"{taken:g} of the {quota:g} Fargate {kind} vCPUs that the account may run are in use"
        if self.tasks and self.addresses is not None and self.tasks >= self.addresses:
            return f"all {self.addresses} free addresses of the deployment's subnets are in use"
        return ""

    def never(self, needs: Sequence[Need]) -> str:
        """Return in words why there is room for none of the needs, though nothing else ran; or nothing."""
        if any(need.vcpus <= self.quotas.get(need.provider, inf) for need in needs):
            return ""
        quotas = " and ".join(f"{self.quotas[need.provider]:g} Fargate {_KINDS[need.provider]}" for need in needs)
        return f"it needs {needs[0].vcpus:g} vCPUs, and the account may run {quotas} vCPUs at a time"

    def take(self, need: Need) -> None:
        """Count a task in."""
        self.tasks += 1
        self.vcpus[need.provider] = self.vcpus.get(need.provider, 0.0) + need.vcpus

    def give_back(self, need: Need) -> None:
        """Count it out."""
        self.tasks -= 1
        self.vcpus[need.provider] -= need.vcpus


class Turns(Generic[_Ticket]):
    """Tickets in groups: groups take turns, and within a group who came first goes first."""

    def __init__(self) -> None:
        self._groups: dict[str, deque[_Ticket]] = {}

    def __bool__(self) -> bool:
        return bool(self._groups)

    def add(self, group: str, ticket: _Ticket) -> None:
        """Put a ticket at the end of its group."""
        self._groups.setdefault(group, deque()).append(ticket)

    def remove(self, group: str, ticket: _Ticket) -> None:
        """Take a ticket out, if it is still there."""
        waiting = self._groups.get(group)
        if waiting is not None and ticket in waiting:
            waiting.remove(ticket)
            if not waiting:
                del self._groups[group]

    def queue(self, group: str) -> Sequence[_Ticket]:
        """Return the tickets of a group, who goes first in front."""
        return self._groups.get(group, ())

    def next(self, admitted: Callable[[_Ticket], bool]) -> _Ticket | None:
        """Take out and return the next ticket that is admitted; its group goes to the end of the line."""
        for group, waiting in list(self._groups.items()):
            ticket = waiting[0]
            if admitted(ticket):
                waiting.popleft()
                del self._groups[group]
                if waiting:
                    self._groups[group] = waiting
                return ticket
        return None
