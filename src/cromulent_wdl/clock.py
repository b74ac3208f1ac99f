"""The only place that sleeps or reads the time; whoever waits takes a `Clock`, so tests can give a fake one."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Protocol

__all__ = ["SYSTEM", "Clock", "SystemClock", "local_time"]


class Clock(Protocol):
    """What the rest of the code knows of time."""

    def now(self) -> float:
        """Return the wall clock: seconds since the epoch, for records."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go back, for durations."""

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the wall clock in seconds since the epoch."""
        return time.time()  # noqa: TID251 - this is the place

    def monotonic(self) -> float:
        """Return the monotonic clock in seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        time.sleep(seconds)  # noqa: TID251 - this is the place


SYSTEM: Clock = SystemClock()


def local_time(epoch: float) -> datetime:
    """Return the epoch time as an aware datetime in this machine's time zone."""
    return datetime.fromtimestamp(epoch).astimezone()
