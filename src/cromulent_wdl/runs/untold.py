"""Why an execution ended that left no result, by what Step Functions keeps of it."""

from __future__ import annotations

import msgspec

from ..aws.executions import Execution

__all__ = ["said"]


def said(execution: Execution) -> tuple[str, str]:
    """Return in one sentence why an execution ended that left no result, and the ARN of its last head."""
    if execution.status == "ABORTED":
        return execution.cause or "it was stopped", ""
    if execution.status == "TIMED_OUT" or execution.error == "States.Timeout":
        return "it took longer than it may", ""
    try:
        said = msgspec.json.decode(execution.cause.encode())
    except msgspec.DecodeError:
        said = None
    if not isinstance(said, dict):
        return execution.cause or execution.error or execution.status, ""
    if failures := said.get("Failures"):
        return f"no head could be started: {failures[0].get('Reason', 'AWS does not say why')}", ""
    codes = [each["ExitCode"] for each in said.get("Containers") or () if each.get("ExitCode") is not None]
    status = f" (exit status {codes[0]})" if codes else ""
    reason = said.get("StoppedReason") or "AWS does not say why"
    return f"its head ended without a result{status}: {reason}", str(said.get("TaskArn", ""))
