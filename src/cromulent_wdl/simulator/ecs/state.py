"""What the engine holds for each place, and what every action needs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...clock import Clock
from .clusters import Cluster, Clusters
from .definitions import Definitions
from .driver import Driver
from .faults import Faults
from .limits import Limits
from .seam import Caller, Place, World
from .settings import EcsSettings
from .tasks import Tasks

__all__ = ["Action", "Holdings", "Remembered", "State"]

Action = Callable[[Caller, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Remembered:
    """A RunTask call that carried a client token."""

    at: float
    request: bytes
    task_ids: tuple[str, ...]


@dataclass
class Holdings:
    """What is in one place; use it under the driver's lock."""

    clusters: Clusters
    definitions: Definitions
    tasks: Tasks
    tokens: OrderedDict[tuple[str, str], Remembered] = field(default_factory=OrderedDict)


@dataclass
class State:
    """Everything that actions share."""

    clock: Clock
    world: World
    settings: EcsSettings
    driver: Driver
    faults: Faults
    limits: Limits
    _holdings: dict[Place, Holdings] = field(default_factory=dict)

    def of(self, place: Place) -> Holdings:
        """Return what is in a place."""
        with self.driver.lock:
            found = self._holdings.get(place)
            if found is None:
                found = Holdings(Clusters(place), Definitions(place), self.driver.tasks_of(place))
                self._holdings[place] = found
            return found

    def all(self) -> list[tuple[Place, Holdings]]:
        """Return all places with what is in them."""
        return list(self._holdings.items())

    def cluster(self, place: Place, reference: str | None) -> Cluster:
        """Return an active cluster, or say with AWS that it was not found."""
        with self.driver.lock:
            return self.of(place).clusters.active(reference)
