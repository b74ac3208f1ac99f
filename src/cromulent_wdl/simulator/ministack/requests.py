"""What a request to another service than ECS asks for, and how that service words a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..ecs import ApiError
from . import base

__all__ = ["Request", "refusal", "request_of"]

_WORDS = {
    ("s3", "ThrottlingException"): ("SlowDown", "Please reduce your request rate.", 503),
    ("s3", "ServerException"): ("InternalError", "We encountered an internal error. Please try again.", 500),
    ("ec2", "ThrottlingException"): ("RequestLimitExceeded", "Request limit exceeded.", 503),
    ("ec2", "ServerException"): ("InternalError", "An internal error has occurred", 500),
}
"""Where a service has words of its own for what ECS calls so."""
_QUERY = frozenset(("cloudformation", "iam", "sns", "sqs", "sts"))


@dataclass(frozen=True)
class Request:
    """A service, and what is asked of it as IAM names it (`s3:PutObject`)."""

    service: str
    action: str
    headers: Mapping[str, str]


def request_of(
    method: str, path: str, headers: Mapping[str, str], query: Mapping[str, list[str]], body: bytes
) -> Request:
    """Return what a request asks for; the body is looked at only where a form carries the action."""
    parameters = base.module("app")._routing_params(method, path, headers, body, query)
    service = base.module("core.router").detect_service(method, path, headers, parameters)
    action = base.module("core.iam_actions").extract_iam_action(service, method, path, headers, body, parameters)
    return Request(str(service), str(action or f"{service}:{method}"), headers)


def refusal(request: Request, refused: ApiError) -> tuple[int, dict[str, str], bytes]:
    """Return a refusal as the service's protocol has it."""
    code, message, status = _words(request.service, refused)
    _, headers, body = base.module("core.iam_actions").access_denied_response(
        request.service, request.action, "", "0", error_code=code, message=message, headers=dict(request.headers)
    )
    shown: dict[str, Any] = dict(headers)
    return status, shown, body


def _words(service: str, refused: ApiError) -> tuple[str, str, int]:
    if (service, refused.code) in _WORDS:
        return _WORDS[(service, refused.code)]
    if refused.code == "ThrottlingException":
        return ("Throttling" if service in _QUERY else refused.code), refused.message, 400
    if refused.code == "ServerException":
        return "InternalFailure", "The request processing has failed because of an unknown error.", 500
    return refused.code, refused.message, refused.status
