"""Follows an ECS task to its end, and sees that it ends: when its run is stopped, when its time is over, when nobody
hears of it any more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from ...aws.decode import EcsTask
from ...monitor import Began, Over, Ticket
from .cloud import Cloud
from .errand import Errand
from .stopping import ASKED, stop

__all__ = ["Followed", "Follower"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Followed:
    """What has become of a task."""

    ecs: EcsTask | None
    """ECS's last record; None where it has none, or the result is there without it."""
    stopped: bool = False
    """Whether it was stopped with its run."""
    overdue: bool = False
    """Whether it was stopped because it took longer than it may, and did not notice itself."""


class _Stop:
    """Why and until when a task is being stopped."""

    def __init__(self, why: str, now: float, patience: float) -> None:
        self.why = why
        self.next = now
        self.give_up = now + patience
        self._pause = patience / ASKED

    def asked(self, now: float) -> None:
        self.next = now + self._pause


class Follower:
    """Follows the tasks of one attempt."""

    def __init__(self, cloud: Cloud, errand: Errand, began: Callable[[EcsTask], None]) -> None:
        self._cloud = cloud
        self._errand = errand
        self._tell_began = began

    def follow(self, ticket: Ticket) -> Followed:
        """Return when the task is over, or nobody can tell any more."""
        clock, settings, task = self._cloud.clock, self._cloud.settings, self._errand.task
        stopping: _Stop | None = None
        overdue_at: float | None = None
        overdue = False
        with self._errand.cancelled.calling(ticket.wake):
            while True:
                now = clock.monotonic()
                if self._errand.cancelled and (stopping is None or overdue):
                    stopping, overdue = _Stop("The run was stopped", now, settings.stop_patience), False
                elif stopping is None and overdue_at is not None and now >= overdue_at:
                    stopping, overdue = _Stop("It takes longer than it may", now, settings.stop_patience), True
                if stopping is not None and now >= stopping.give_up:
                    _log.warning("%s: %s has not stopped in %g s", task.call, ticket.arn, settings.stop_patience)
                    return Followed(None, stopped=not overdue, overdue=overdue)
                if stopping is not None and now >= stopping.next:
                    stop(self._cloud, ticket.arn, self._errand.attempt, stopping.why)
                    stopping.asked(clock.monotonic())
                until = stopping.next if stopping is not None else overdue_at
                news = ticket.wait(None if until is None else max(0.0, until - clock.monotonic()))
                if isinstance(news, Began):
                    self._tell_began(news.task)
                    overdue_at = clock.monotonic() + task.timeout + settings.stuck_after if task.timeout else None
                elif isinstance(news, Over):
                    return Followed(news.task, stopped=stopping is not None and not overdue, overdue=overdue)
                elif news is not None:
                    # Stuck (facts: stays RUNNING): the result counts, and the task is of no more use. Lost: should it
                    # live all the same, it shall not for long.
                    stop(self._cloud, ticket.arn, self._errand.attempt, "Its run hears no more of it")
                    return Followed(None, stopped=stopping is not None and not overdue, overdue=overdue)
