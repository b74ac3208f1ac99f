"""What a run has cost so far, for a backend that is to stop launching at a limit: read from the run's journal.

The journal has the ECS tasks of earlier heads of the run, too, and the head's own where it is one. Reckoned are list
prices; what runs is reckoned until now, at least its first minute.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path

from ..clock import SYSTEM, Clock
from ..pricing.card import Rates, shipped
from ..pricing.costs import CostFold
from ..pricing.refresh import rates_of
from ..runs.journal import JournalReader
from ..storage import layout

__all__ = ["Spending"]

_SHARE = 0.05
"""Of the time that is spent on it at most: with thousands of tasks a reckoning takes a while."""


class Spending:
    """What the runs of this process have cost. Safe to use from any thread."""

    def __init__(self, rates: Callable[[str], Rates] | None = None, clock: Clock = SYSTEM) -> None:
        self._rates = rates or _rates
        self._clock = clock
        self._runs: dict[Path, _Run] = {}
        self._lock = threading.Lock()

    def __call__(self, directory: Path) -> float:
        """Return the dollars of the run in a directory, as of seconds ago where it has thousands of tasks.

        Raises JournalError.
        """
        with self._lock:
            if directory not in self._runs:
                self._runs[directory] = _Run(directory / layout.JOURNAL)
            return self._runs[directory].dollars(self._rates, self._clock)


class _Run:
    def __init__(self, journal: Path) -> None:
        self._reader = JournalReader(journal)
        self._fold = CostFold()
        self._due = 0.0
        self._dollars = 0.0

    def dollars(self, rates: Callable[[str], Rates], clock: Clock) -> float:
        """Return what it has cost, reckoned anew unless that was done a moment ago."""
        began = clock.monotonic()
        if began >= self._due:
            for event in self._reader.new():
                self._fold.add(event)
            self._dollars = self._fold.costs(rates, clock.now()).dollars
            ended = clock.monotonic()
            self._due = ended + (ended - began) / _SHARE
        return self._dollars


@functools.cache
def _rates(region: str) -> Rates:
    try:
        return rates_of(region, layout.prices_directory())
    except OSError:  # a head has no home that it could write
        return shipped().rates(region)
