"""Watches what CloudFormation does to a stack until it has done it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from ..aws import cloudformation
from ..aws.access import Access
from ..aws.cloudformation import ChangeSet, Event, Stack
from ..clock import Clock
from ..errors import ProvisionFailed

__all__ = ["Report", "follow", "latest", "worked_out"]

Report = Callable[[Event], None]
"""Told of each event of a stack, in the order of time."""

_SHORT, _LONG = 0.1, 3.0
"""Seconds between looks: short at first, for what is done at once; DescribeStackEvents is a call a look."""


def latest(access: Access, identity: str) -> str:
    """Return the id of the last thing that happened to a stack; nothing where nothing has yet."""
    return next((each.identity for each in cloudformation.events(access, identity)), "")


def follow(access: Access, identity: str, since: str | None, report: Report, clock: Clock) -> tuple[Stack, list[Event]]:
    """Return a stack when nothing goes on in it any more, and what happened after the event `since`, oldest first.

    Without `since`, what goes on at this moment is waited for. With it something was asked for, which CloudFormation
    may not yet have begun, so an event must have told of its end.
    """
    begun = since is not None
    mark = since if since is not None else latest(access, identity)
    seen: list[Event] = []
    pause = _SHORT
    while True:
        stack = cloudformation.find_stack(access, identity)
        for event in _after(access, identity, mark):
            seen.append(event)
            mark = event.identity
            report(event)
        if stack is None:
            raise ProvisionFailed(f"the stack {identity} is gone while it was being watched")
        if not stack.busy and (not begun or _told(seen, stack)):
            return stack, seen
        clock.sleep(pause)
        pause = min(2 * pause, _LONG)


def _after(access: Access, identity: str, mark: str) -> list[Event]:
    """Return the stack's events after the one of that id, the oldest first."""
    events = list(takewhile(lambda event: event.identity != mark, cloudformation.events(access, identity)))
    return events[::-1]


def _told(seen: list[Event], stack: Stack) -> bool:
    """Whether the last event about the stack itself says what the stack says."""
    own = [event.status for event in seen if event.physical == stack.identity]
    return bool(own) and own[-1] == stack.status


def worked_out(access: Access, identity: str, clock: Clock) -> ChangeSet:
    """Return a change set when CloudFormation has worked it out, for better or worse."""
    pause = _SHORT
    while True:
        change_set = cloudformation.describe_change_set(access, identity)
        if change_set.status not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            return change_set
        clock.sleep(pause)
        pause = min(2 * pause, _LONG)
