"""Has ECS tasks stopped, and waits until they are."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from ...aws.decode import EcsTask
from ...clock import Clock
from ...errors import CromulentError
from ...monitor import Began, Ticket
from .cloud import Cloud
from .survivors import key_of
from .wrapper import Attempt, find_attempt, revoke

__all__ = ["ASKED", "stop", "stop_all"]

ASKED = 12
"""How often, within the patience that there is for it, a task that does not stop is asked."""
_log = logging.getLogger(__name__)


def stop(cloud: Cloud, arn: str, attempt: Attempt | None, why: str) -> None:
    """Have a task stopped; what cannot be said now is said again later.

    Its claim is revoked before: a shell that is the first process of a container does not hear a SIGTERM that
    comes before it listens, and it listens before it claims. Without its attempt, which another task runs, it is not.
    """
    if attempt is not None:
        with suppress(OSError):
            revoke(attempt)
    try:
        cloud.ecs.stop(arn, why)
        cloud.monitor.hurry(arn)
    except CromulentError as error:
        _log.warning("%s cannot be stopped now: %s", arn, error)


def stop_all(cloud: Cloud, run: Path, tasks: Sequence[EcsTask], why: str) -> None:
    """Stop tasks of a run, and wait until they are over, as long as `stop_patience` says."""
    clock, patience = cloud.clock, cloud.settings.stop_patience
    end = clock.monotonic() + patience
    with ExitStack() as watching:
        left = {
            ecs.arn: (watching.enter_context(cloud.monitor.watching(ecs.arn, "")), find_attempt(run, key_of(ecs)))
            for ecs in tasks
        }
        while left and (now := clock.monotonic()) < end:
            for arn, (_, attempt) in left.items():
                stop(cloud, arn, attempt, why)
            again = now + patience / ASKED
            left = {arn: each for arn, each in left.items() if not _ends(each[0], again, clock)}
    for arn in left:
        _log.warning("%s has not stopped in %g s; it has lost its claim", arn, patience)


def _ends(ticket: Ticket, until: float, clock: Clock) -> bool:
    """Wait until a task is over, or the time is."""
    while True:
        news = ticket.wait(max(0.0, until - clock.monotonic()))
        if news is not None and not isinstance(news, Began):
            return True
        if clock.monotonic() >= until:
            return False
