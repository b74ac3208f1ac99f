"""Follows an ECS task to its end, and sees that it ends: when its run is stopped, when its time is over, when nobody
hears of it any more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ...aws.decode import EcsTask
from ...errors import CromulentError
from ...monitor import Began, Over, Ticket
from .cloud import Cloud
from .errand import Errand
from .survivors import key_of
from .wrapper import Attempt, find_attempt, revoke

__all__ = ["Followed", "Follower"]

_ASKED = 12
"""How often, within the patience that there is for it, a task that does not stop is asked."""
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
        self._pause = patience / _ASKED

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
        stop: _Stop | None = None
        overdue_at: float | None = None
        overdue = False
        with self._errand.cancelled.calling(ticket.wake):
            while True:
                now = clock.monotonic()
                if self._errand.cancelled and (stop is None or overdue):
                    stop, overdue = _Stop("The run was stopped", now, settings.stop_patience), False
                elif stop is None and overdue_at is not None and now >= overdue_at:
                    stop, overdue = _Stop("It takes longer than it may", now, settings.stop_patience), True
                if stop is not None and now >= stop.give_up:
                    _log.warning("%s: %s has not stopped in %g s", task.call, ticket.arn, settings.stop_patience)
                    return Followed(None, stopped=not overdue, overdue=overdue)
                if stop is not None and now >= stop.next:
                    self.stop(ticket.arn, self._errand.attempt, stop.why)
                    stop.asked(clock.monotonic())
                until = stop.next if stop is not None else overdue_at
                news = ticket.wait(None if until is None else max(0.0, until - clock.monotonic()))
                if isinstance(news, Began):
                    self._tell_began(news.task)
                    overdue_at = clock.monotonic() + task.timeout + settings.stuck_after if task.timeout else None
                elif isinstance(news, Over):
                    return Followed(news.task, stopped=stop is not None and not overdue, overdue=overdue)
                elif news is not None:
                    # Stuck (facts: stays RUNNING): the result counts, and the task is of no more use. Lost: should it
                    # live all the same, it shall not for long.
                    self.stop(ticket.arn, self._errand.attempt, "Its run hears no more of it")
                    return Followed(None, stopped=stop is not None and not overdue, overdue=overdue)

    def stop(self, arn: str, attempt: Attempt, why: str) -> None:
        """Have a task stopped; what cannot be said now is said again later.

        Its claim is revoked before: a shell that is the first process of a container does not hear a SIGTERM that
        comes before it listens, and it listens before it claims.
        """
        with suppress(OSError):
            revoke(attempt)
        try:
            self._cloud.ecs.stop(arn, why)
            self._cloud.monitor.hurry(arn)
        except CromulentError as error:
            _log.warning("%s: its task cannot be stopped now: %s", self._errand.task.call, error)

    def stop_and_wait(self, ecs: EcsTask) -> None:
        """Stop a task that another attempt takes the place of, and wait until it is over."""
        clock, patience = self._cloud.clock, self._cloud.settings.stop_patience
        stop = _Stop("Another attempt takes its place", clock.monotonic(), patience)
        attempt = find_attempt(self._errand.task.run_directory, key_of(ecs))
        with self._cloud.monitor.watching(ecs.arn, "") as ticket:
            while (now := clock.monotonic()) < stop.give_up:
                if now >= stop.next:
                    self.stop(ecs.arn, attempt, stop.why)
                    stop.asked(now)
                news = ticket.wait(max(0.0, stop.next - now))
                if news is not None and not isinstance(news, Began):
                    return
        _log.warning("%s: %s has not stopped yet; it has lost its claim", self._errand.task.call, ecs.arn)
