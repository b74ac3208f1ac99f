"""CloudWatch Logs' repair: requests are judged by streams where they are about streams.

Service Authorization Reference, page on CloudWatch Logs: some actions have a stream as their resource. All others
that name a group have its ARN with `:*` at the end, but for those on tags (API reference, LogGroup.arn).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from . import base

__all__ = ["repair"]

_OF_STREAMS = frozenset(("DeleteLogStream", "GetLogEvents", "PutLogEvents"))
_OF_TAGS = frozenset(("ListTagsForResource", "TagResource", "UntagResource"))


def repair() -> None:
    """Take the place of what finds a request's resource."""
    base.wrap(base.module("core.iam_actions"), "extract_resource_arn", _resource)


def _resource(original: Callable[..., str], service: str, method: str, path: str, *rest: Any) -> str:
    arn = original(service, method, path, *rest)
    headers, body = rest[:2]
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if service != "logs" or ":log-group:" not in arn or action in _OF_TAGS:
        return arn
    stream = json.loads(body).get("logStreamName") if action in _OF_STREAMS else None
    return f"{arn}:log-stream:{stream}" if stream else f"{arn}:*"
