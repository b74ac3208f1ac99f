"""Waits for AWS on behalf of one attempt: for room, and for it to take calls again, as long as the user has patience.

What a client repeats of its own accord is over within a minute. An account in which others call as fast as they can
stays throttled for longer, and that passes as a lack of room does: the attempt says what it waits for, and goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ...aws.decode import is_throttle
from ...config import Settings
from ...errors import AwsError, AwsThrottled
from .errand import Errand
from .gate import Cancelled
from .ladder import pause_after

__all__ = ["OutOfPatience", "Patience"]

_T = TypeVar("_T")


class OutOfPatience(Exception):
    """AWS went on asking for fewer calls; whether it has carried out one of them nobody knows."""


class Patience:
    """That of one attempt: whatever it waits for, its waits come out of the same seconds."""

    def __init__(self, settings: Settings, errand: Errand) -> None:
        self._settings = settings
        self._errand = errand
        self._waited = 0.0
        """Not in it: the time in which other tasks had their turn, which may be hours."""

    def lasts(self, why: str, round_: int) -> bool:
        """Say for what is waited and pause before the next round; False where that would take too long.

        Raises Cancelled.
        """
        pause = pause_after(round_, self._settings.capacity_pause)
        self._waited += pause
        if self._waited > self._settings.capacity_patience:
            return False
        self._errand.waiting(f"{why}; tried again in {pause:g} s", "capacity")
        if self._errand.cancelled.wait(pause):
            raise Cancelled
        return True

    def heeding(self, ask: Callable[[int], _T]) -> _T:
        """Return what AWS answers, asked again while it wants fewer calls; `ask` is told how often that was.

        Raises Cancelled, OutOfPatience, and what `ask` raises otherwise.
        """
        round_ = 0
        while True:
            try:
                return ask(round_)
            except AwsError as error:
                if not isinstance(error, AwsThrottled) and not is_throttle(error.code, str(error)):
                    raise
                round_ += 1
                if not self.lasts(str(error), round_):
                    raise OutOfPatience(str(error)) from error
