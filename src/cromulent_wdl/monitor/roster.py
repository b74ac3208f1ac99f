"""Which tasks are watched, when each is to be looked at again, and what follows from what was seen. Pure.

All times are seconds of a monotonic clock, given by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Union

from ..aws.decode import EcsTask

__all__ = ["BATCH", "Began", "Lost", "News", "Over", "Roster", "Stuck", "Waits"]

BATCH = 100
"""DescribeTasks takes no more ids."""


@dataclass(frozen=True)
class Waits:
    """How long to wait for what."""

    least: float = 1.0
    """Between two looks at a task that is young."""
    most: float = 10.0
    """Between two looks at one that has run for long."""
    calls_per_second: float = 6.0
    """Of DescribeTasks in the long run; the account has 20, for all that run in it."""
    lost_after: float = 120.0
    """Until a task that ECS does not know is lost; a new one is unknown for a while (facts: DescribeTasks)."""
    stuck_after: float = 60.0
    """Until a task that has left its result but is shown as running is ended by us (facts: stays RUNNING)."""


@dataclass(frozen=True)
class Began:
    """The task runs, as ECS says; told once, and never of one that was over when it was first seen."""

    task: EcsTask


@dataclass(frozen=True)
class Over:
    """The task has ended, as ECS says."""

    task: EcsTask


@dataclass(frozen=True)
class Lost:
    """ECS has not known the task for too long."""

    arn: str


@dataclass(frozen=True)
class Stuck:
    """The task has left its result, and ECS has not noticed its end for too long."""

    arn: str


News = Union[Began, Over, Lost, Stuck]


@dataclass
class _Watched:
    arn: str
    key: str
    since: float
    next_look: float
    left_result: float | None = None
    """When we learnt that its result is there."""
    missing: float | None = None
    """Since when ECS has not known it."""
    told_began: bool = False
    told_stuck: bool = False


class Roster:
    """The tasks that are watched; not safe to use from several threads."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._watched: dict[str, _Watched] = {}
        self._by_key: dict[str, str] = {}
        self._early: set[str] = set()
        """Keys of results that were there before anybody had asked to watch their tasks."""

    def __len__(self) -> int:
        return len(self._watched)

    def add(self, arn: str, key: str, now: float) -> None:
        """Watch a task; `key` is the name that it leaves in its run's directory when it ends."""
        self._watched[arn] = _Watched(arn, key, now, now + self._waits.least)
        self._by_key[key] = arn
        if key in self._early:
            self._early.remove(key)
            self.left_results((key,), now)

    def remove(self, arn: str) -> None:
        """Watch a task no more."""
        if (watched := self._watched.pop(arn, None)) and self._by_key.get(watched.key) == arn:
            del self._by_key[watched.key]

    def hurry(self, arn: str, now: float) -> None:
        """Have a task looked at soon: something was done to it."""
        if watched := self._watched.get(arn):
            watched.since = now
            watched.next_look = min(watched.next_look, now + self._waits.least)

    def left_results(self, keys: Iterable[str], now: float) -> None:
        """Learn that the tasks of these keys have left their results, which one may before it is watched."""
        for key in keys:
            watched = self._watched.get(self._by_key.get(key, ""))
            if watched is None:
                self._early.add(key)
            elif watched.left_result is None:
                watched.left_result = watched.next_look = watched.since = now

    def due(self, now: float) -> tuple[str, ...]:
        """Return the tasks to ask ECS for now, at most as many as a call takes.

        Where one is due, others that will be soon come along: a call costs the same.
        """
        if not any(each.next_look <= now for each in self._watched.values()):
            return ()
        first = sorted(self._watched.values(), key=lambda each: each.next_look)[:BATCH]
        return tuple(each.arn for each in first if each.next_look <= now + self._waits.most / 2)

    def saw(self, tasks: Sequence[EcsTask], missing: Sequence[str], now: float) -> list[News]:
        """Take an answer of ECS's; return what is new. What is over, or lost, is watched no more."""
        news: list[News] = []
        for task in tasks:
            watched = self._watched.get(task.arn)
            if watched is None:
                continue
            watched.missing = None
            if task.over:
                self.remove(task.arn)
                news.append(Over(task))
                continue
            watched.next_look = now + self._interval(watched, now)
            if task.status == "RUNNING" and not watched.told_began:
                watched.told_began = True
                news.append(Began(task))
        news += [each for arn in missing if (each := self._is_missing(arn, now)) is not None]
        return news

    def failed(self, arns: Iterable[str], now: float) -> None:
        """Take it that ECS did not answer for these: that says nothing of any of them."""
        for arn in arns:
            if watched := self._watched.get(arn):
                watched.next_look = now + self._interval(watched, now)

    def overdue(self, now: float) -> list[News]:
        """Return which tasks have left their results long ago and still are not over, each once."""
        news: list[News] = []
        for watched in self._watched.values():
            left = watched.left_result
            if left is not None and not watched.told_stuck and now - left >= self._waits.stuck_after:
                watched.told_stuck = True
                news.append(Stuck(watched.arn))
        return news

    def _is_missing(self, arn: str, now: float) -> Lost | None:
        watched = self._watched.get(arn)
        if watched is None:
            return None
        if watched.missing is None:
            watched.missing = now
        if now - watched.missing >= self._waits.lost_after:
            self.remove(arn)
            return Lost(arn)
        watched.next_look = now + self._interval(watched, now)
        return None

    def _interval(self, watched: _Watched, now: float) -> float:
        """Return when to look again: a young task soon, an old one later, and nobody faster than the rate allows."""
        waits = self._waits
        by_age = min(waits.most, max(waits.least, (now - watched.since) / 6))
        return max(by_age, len(self._watched) / BATCH / waits.calls_per_second)
