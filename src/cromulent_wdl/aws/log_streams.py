"""A stream of CloudWatch Logs, read as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

__all__ = ["Page", "pages"]


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
