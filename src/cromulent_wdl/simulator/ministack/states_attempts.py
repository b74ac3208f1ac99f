"""Step Functions' attempts at a state: how long they may take, how long it is until the next, what is told of them.

A task that waits for a job is abandoned when its time is over, and its job cancelled ("Handling errors in Step
Functions workflows"; that the job is stopped, and in which words, was measured on AWS: floci-io/floci's tests).
"""

from __future__ import annotations

import contextvars
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Any

from . import base
from .states import Part, current_part, enter

__all__ = ["repair"]

_LONGEST = 31_622_400.0
"""Seconds that MaxDelaySeconds can say at most; without it there is no bound of its own."""
_DETAILS = frozenset(
    f"task{each}EventDetails" for each in ("Scheduled", "Started", "Submitted", "Succeeded", "Failed", "TimedOut")
)
_PREFIX = "arn:aws:states:::"

_pause: contextvars.ContextVar[float | None] = contextvars.ContextVar("pause", default=None)
"""The true time until the next attempt: ministack asks for a minute at most."""
_chances = random.Random()

State = Mapping[str, Any]


def repair() -> None:
    """Put the repairs into ministack's Step Functions."""
    states = base.module("services.stepfunctions")
    base.wrap(states, "_execute_task", _execute)
    base.replace(states, "_invoke_resource_with_timeout", _invoke)
    base.wrap(states, "_find_matching_retrier", _retrier)
    base.wrap(states, "_scaled_sleep", _sleep)
    base.wrap(states, "_add_event", _tell)


def _execute(original: Callable[..., Any], state: State, given: Any, execution: Any, context: Any) -> Any:
    """Let TimeoutSecondsPath say how long a task may take."""
    path = state.get("TimeoutSecondsPath")
    if path:
        states = base.module("services.stepfunctions")
        seconds = states._resolve_path(path, given)
        if not isinstance(seconds, (int, float)) or seconds <= 0:
            raise states._ExecutionError("States.Runtime", f"TimeoutSecondsPath {path} leads to no number of seconds")
        state = {**state, "TimeoutSeconds": seconds}
    return original(state, given, execution, context)


def _invoke(resource: str, given: Any, seconds: float) -> Any:
    """Carry out a task as a part that is abandoned when its time is over."""
    states = base.module("services.stepfunctions")
    whole = current_part()
    part = Part(whole.execution, whole)
    pool = ThreadPoolExecutor(1)
    context = contextvars.copy_context()
    future = pool.submit(context.run, enter, part, states._invoke_resource, resource, given)
    pool.shutdown(wait=False)
    try:
        return future.result(seconds)
    except Late:
        part.failure = states._ExecutionError("States.Timeout", "")
        raise part.failure from None


def _retrier(original: Callable[..., Any], retriers: Any, error: str, counts: Mapping[int, int]) -> Any:
    """Find the retrier, and note how long it wants to wait."""
    found, index = original(retriers, error, counts)
    if found is not None:
        pause = found.get("IntervalSeconds", 1) * found.get("BackoffRate", 2.0) ** counts.get(index, 0)
        pause = min(pause, found.get("MaxDelaySeconds", _LONGEST))
        _pause.set(_chances.uniform(0, pause) if found.get("JitterStrategy") == "FULL" else pause)
    return found, index


def _sleep(original: Callable[[float], None], seconds: float) -> None:
    pause = _pause.get()
    _pause.set(None)
    original(seconds if pause is None else pause)


def _tell(original: Callable[..., Any], execution: Any, kind: str, details: Mapping[str, Any] | None = None) -> Any:
    """Add an event to the history, with the resource in AWS's two parts; a timeout is an event of its own."""
    details = details or {}
    if kind == "TaskFailed" and details["taskFailedEventDetails"]["error"] == "States.Timeout":
        kind, details = "TaskTimedOut", {"taskTimedOutEventDetails": details["taskFailedEventDetails"]}
    name = f"{kind[:1].lower()}{kind[1:]}EventDetails"
    told = details.get(name) or {}
    if name in _DETAILS and str(told.get("resource", "")).startswith(_PREFIX):
        service, _, action = told["resource"].removeprefix(_PREFIX).rpartition(":")
        details = {name: {**told, "resourceType": service, "resource": action}}
    return original(execution, kind, details)
