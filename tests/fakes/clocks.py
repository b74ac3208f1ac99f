"""A clock that moves when somebody sleeps, or is told to."""

from __future__ import annotations

from collections.abc import Callable

from cromulent_wdl.clock import SystemClock

__all__ = ["FakeClock", "QuickClock"]


class FakeClock:
    """Time as a number; `asleep` is called, after time has passed, for each sleep."""

    def __init__(self, start: float = 1_763_840_000.0, asleep: Callable[[], object] = lambda: None) -> None:
        self.time = start
        self.slept: list[float] = []
        self._asleep = asleep

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept.append(seconds)
        self._asleep()


class QuickClock(SystemClock):
    """The machine's clock, but nobody sleeps for long: for who waits for something real, and gives up in time."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.05))
