"""Step Functions' reading and writing of objects, which ministack lacks.

`aws-sdk:s3:getObject` answers the content as text in `Body`; `putObject` takes what `Body` is, as JSON where it is
no text (Step Functions' samples read JSON by `States.StringToJson($.Body)`).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from . import base

__all__ = ["repair"]

_VERBS = {"getObject": "GET", "putObject": "PUT"}


def repair() -> None:
    """Put the two actions before those that ministack has."""
    base.wrap(base.module("services.stepfunctions"), "_dispatch_aws_sdk_rest_xml", _dispatch)


def _dispatch(original: Callable[..., Any], info: Any, service: str, action: str, given: Mapping[str, Any]) -> Any:
    if service != "s3" or action not in _VERBS:
        return original(info, service, action, given)
    states, app = base.module("services.stepfunctions"), base.module("app")
    region = base.module("core.responses").get_region()
    headers = {
        "host": f"s3.{region}.amazonaws.com",
        "authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/{region}/s3/aws4_request",
    }
    content = given.get("Body", "")
    body = (content if isinstance(content, str) else json.dumps(content)).encode()
    status, answered, text = app.call_service_handler_sync(
        app.SERVICE_HANDLERS["s3"], _VERBS[action], f"/{given['Bucket']}/{given['Key']}", headers, body, {}
    )
    said = text.decode() if isinstance(text, bytes) else text or ""
    if status >= 400:
        code, message = (re.search(f"<{name}>(.*?)</{name}>", said) for name in ("Code", "Message"))
        cause = f"{html.unescape(message[1]) if message else said} (Service: S3, Status Code: {status})"
        raise states._ExecutionError(f"S3.{code[1] if code else 'S3'}Exception", cause)
    tag = {name.lower(): value for name, value in answered.items()}.get("etag", "")
    return {"ETag": tag, "Body": said} if action == "getObject" else {"ETag": tag}
