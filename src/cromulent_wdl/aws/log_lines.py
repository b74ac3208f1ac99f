"""CloudWatch Logs: what one container said, to its last line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..clock import SYSTEM, Clock
from ..errors import AwsError, AwsThrottled
from .access import Access, asking

__all__ = ["drain"]

_PAUSE = 1.0
"""Between two looks: GetLogEvents is the account's, at 25 a second (unconfirmed)."""
_MOST = 10_000
"""Lines that are kept."""


def drain(
    access: Access, group: str, stream: str, *, until: float, clock: Clock = SYSTEM, stopping: Callable[[], bool]
) -> list[str]:
    """Return the lines of a stream, looking until nothing new comes and the time (of `clock.now`) is over.

    An equal token is the end for now (facts: CloudWatch Logs), but lines come late. A stream that is not there has no
    lines yet. Raises AwsError.
    """
    client: Any = access.client("logs")
    lines: list[str] = []
    token: dict[str, str] = {}
    while True:
        found = _page(client, group, stream, token)
        if found is not None:
            lines += [each["message"] for each in found["events"]]
            moved = token.get("nextToken") != found["nextForwardToken"]
            token = {"nextToken": found["nextForwardToken"]}
            if moved and len(lines) < _MOST:
                continue
        if clock.now() >= until or stopping() or len(lines) >= _MOST:
            return lines[-_MOST:]
        clock.sleep(_PAUSE)


def _page(client: Any, group: str, stream: str, token: dict[str, str]) -> Any:
    try:
        with asking("reading a task's log"):
            return client.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
    except AwsThrottled:
        return None
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
