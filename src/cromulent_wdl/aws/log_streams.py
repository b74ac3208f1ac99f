"""A stream of CloudWatch Logs, read as it grows, or to its last line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM, Clock
from ..errors import AwsError, AwsThrottled
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

__all__ = ["Looks", "Page", "drain", "pages"]

_MOST = 10_000
"""Lines that are kept."""


@dataclass(frozen=True)
class Looks:
    """Until when, by the clock, lines may come, and the seconds between two looks for them."""

    until: float
    pause: float = 1.0
    """GetLogEvents is the account's, at 25 a second (unconfirmed)."""


@dataclass(frozen=True)
class Page:
    """Some lines, and the token with which those that follow are asked for."""

    lines: tuple[str, ...]
    token: str


def pages(access: Access, group: str, stream: str, token: str = "") -> Iterator[Page]:
    """Yield what has come since a token, up to what is there now; a stream that is not there yet has nothing.

    An empty page is no end: the end is a token that comes back as it was (CloudWatch Logs, "GetLogEvents").
    """
    client: CloudWatchLogsClient = access.client("logs")
    while True:
        more: dict[str, Any] = {"nextToken": token} if token else {}
        try:
            with asking("reading the log"):
                answer = client.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **more)
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return
            raise
        page = Page(tuple(each["message"] for each in answer["events"]), answer["nextForwardToken"])
        if page.token == token:
            return
        token = page.token
        yield page


def drain(
    access: Access, group: str, stream: str, looks: Looks, *, clock: Clock = SYSTEM, stopping: Callable[[], bool]
) -> list[str]:
    """Return the lines of a stream, not too many, looking until nothing new comes and the time (of `clock`) is over.

    Lines come late, and a request that is one too many is made again. Raises AwsError.
    """
    lines: list[str] = []
    token = ""
    while True:
        try:
            for page in pages(access, group, stream, token):
                lines += page.lines
                token = page.token
                if len(lines) >= _MOST:
                    return lines[:_MOST]
        except AwsThrottled:
            pass  # what had come is kept
        if clock.now() >= looks.until or stopping():
            return lines
        clock.sleep(looks.pause)
