"""Token buckets for AWS's rates: what this process takes of each, and how it gives way when AWS asks for less.

AWS counts an account's calls, all programs' together. A bucket begins at what the service's page allows us
and halves its rate when AWS throttles; each call that goes through gives a little of it back.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from ..clock import SYSTEM, Clock

__all__ = [
    "DESCRIBE",
    "DESCRIBE_DEFINITION",
    "LAUNCH",
    "REGISTER",
    "RUN_OR_STOP",
    "RUN_TASK",
    "Bucket",
    "Rate",
    "least_for",
]


@dataclass(frozen=True)
class Rate:
    """How many at once, and how many a second in the long run."""

    burst: float
    per_second: float


# Facts: ECS API buckets; RunTask on Fargate; Fargate launch rate. Requests leave here evenly and arrive in bunches:
# what is left of a burst is what half a second's delay of some takes, and costs half a second once.
RUN_TASK = Rate(10, 19.96)
LAUNCH = Rate(98, 19.96)
"""Tasks of one capacity provider."""
RUN_OR_STOP = Rate(90, 39)
DESCRIBE = Rate(40, 9.5)
"""Under half: DescribeTasks and ListTasks are the account's, and others look, too."""
REGISTER = Rate(15, 0.95)
DESCRIBE_DEFINITION = Rate(40, 15)

_LEAST = 1 / 32
"""Of the nominal rate: however much AWS throttles, something goes on."""
_RECOVERY = 0.02
_USUAL_PAUSE = 0.5


def least_for(pause: float) -> float:
    """Return to which part of its rate a bucket gives way for somebody whose first pause has so many seconds.

    That is _LEAST, or more for who is so impatient that his pauses are shorter than usual.
    """
    return min(1.0, _LEAST * max(1.0, _USUAL_PAUSE / pause)) if pause else 1.0


class Bucket:
    """Tokens that come back with time. Safe to use from any thread."""

    def __init__(self, rate: Rate, clock: Clock = SYSTEM, least: float = _LEAST) -> None:
        self.nominal = rate
        self._least = rate.per_second * least
        self._rate = rate.per_second
        self._level = rate.burst
        self._clock = clock
        self._seen = clock.monotonic()
        self._lock = threading.Lock()

    @property
    def per_second(self) -> float:
        """The rate that holds now."""
        return self._rate

    def reserve(self) -> float:
        """Take a token, and return in how many seconds it is there to be used."""
        with self._lock:
            self._refill()
            self._level -= 1
            return max(0.0, -self._level / self._rate)

    def delay(self) -> float:
        """Return in how many seconds the next token will be there, and take none."""
        with self._lock:
            self._refill()
            return max(0.0, (1 - self._level) / self._rate)

    def take(self) -> None:
        """Wait for a token."""
        if seconds := self.reserve():
            self._clock.sleep(seconds)

    def throttled(self) -> None:
        """Give way: AWS asked for less."""
        with self._lock:
            self._refill()
            self._level = min(self._level, 0.0)
            self._rate = max(self._rate / 2, self._least)

    def succeeded(self) -> None:
        """Go a little faster again, up to the nominal rate."""
        if self._rate < self.nominal.per_second:
            with self._lock:
                self._refill()
                self._rate = min(self.nominal.per_second, self._rate + self.nominal.per_second * _RECOVERY)

    def _refill(self) -> None:
        now = self._clock.monotonic()
        self._level = min(self.nominal.burst, self._level + (now - self._seen) * self._rate)
        self._seen = now
