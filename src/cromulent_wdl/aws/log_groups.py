"""CloudWatch Logs: what a log group holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

__all__ = ["stored"]


def stored(access: Access, name: str) -> int:
    """Return the bytes that a log group holds, as CloudWatch last counted them; 0 where it is not there."""
    client: CloudWatchLogsClient = access.client("logs")
    with asking(f"looking at log group {name}"):
        groups = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next((each.get("storedBytes", 0) for each in groups if each.get("logGroupName") == name), 0)
