"""What a run that is being watched has cost so far, for its heading."""

from __future__ import annotations

import threading

from ..model import EcsTaskLaunched, Event, RunStarted, TaskPlaced
from ..units import format_dollars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..pricing.costs import CostFold

__all__ = ["Spending"]

_RECKON_EVERY = 5.0
"""Seconds: with thousands of tasks it takes a while."""


class Spending:
    """Takes a run's events; a run that has no ECS tasks costs nothing, also no time."""

    def __init__(self) -> None:
        self._before: list[Event] = []
        self._fold: CostFold | None = None
        self._lock = threading.Lock()
        self._reckoned, self._text = 0.0, ""

    def add(self, event: Event) -> None:
        """Take an event."""
        with self._lock:
            if self._fold is not None:
                self._fold.add(event)
                return
            if isinstance(event, RunStarted) or (isinstance(event, TaskPlaced) and event.backend == "fargate"):
                self._before.append(event)
            elif isinstance(event, EcsTaskLaunched):
                from ..pricing.costs import CostFold

                self._fold = CostFold()
                for each in (*self._before, event):
                    self._fold.add(each)
                self._before.clear()

    def text(self, now: float) -> str:
        """Return the dollars so far, a few seconds old perhaps; nothing for a run without ECS tasks."""
        with self._lock:
            if self._fold is not None and now - self._reckoned >= _RECKON_EVERY:
                from .cost import rates

                self._reckoned = now
                self._text = f"about {format_dollars(self._fold.costs(rates, now).dollars)}"
            return self._text
