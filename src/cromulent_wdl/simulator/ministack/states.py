"""Step Functions' repairs: executions that time out, branches that end with their siblings, errors nobody may catch.

A *part* is what runs at one time: an execution, or a branch of it while its siblings run. When its execution is
stopped or times out, or a sibling fails, a part is abandoned: whatever waits in it leaves by `Abandoned`.
"""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import base, states_s3

__all__ = ["Abandoned", "Part", "current_part", "enter", "repair"]

_UNCATCHABLE = ("States.Runtime", "States.DataLimitExceeded")
"""What States.ALL does not catch ("Handling errors in Step Functions workflows")."""

_part: contextvars.ContextVar[Part | None] = contextvars.ContextVar("part", default=None)


class Abandoned(SystemExit):
    """Ends the threads of what is abandoned without a word, past all that handles the machine's own errors."""


@dataclass
class Part:
    """What runs, and what it is a part of."""

    execution: Mapping[str, Any]
    whole: Part | None = None
    failure: BaseException | None = field(default=None)
    """The first failure among the branches."""

    def is_abandoned(self) -> bool:
        """Whether nobody waits for this any more."""
        return self.execution["status"] != "RUNNING" or self._has_failed_sibling()

    def _has_failed_sibling(self) -> bool:
        return self.failure is not None or (self.whole is not None and self.whole._has_failed_sibling())


def current_part() -> Part:
    """Return the part that this thread runs. Raises LookupError outside executions."""
    part = _part.get()
    if part is None:
        raise LookupError("no execution runs here")
    return part


def enter(part: Part, action: Callable[..., Any], *arguments: Any) -> Any:
    """Do something as a part, on a thread of its own."""
    _part.set(part)
    return action(*arguments)


def repair(waits: float = 1.0) -> None:
    """Put the repairs into ministack's Step Functions; `waits`: by what it is multiplied how long it waits."""
    states = base.module("services.stepfunctions")
    base.wrap(states, "_start_execution", _start_once)
    base.wrap(states, "_run_execution", _run_execution)
    base.wrap(states, "_fail_execution", _fail_execution)
    for name in ("_run_parallel_branches", "_run_map_items"):
        base.wrap(states, name, _run_siblings)
    base.wrap(states, "_run_sub_machine", _run_branch)
    base.wrap(states, "_error_matches", _matches)
    base.replace(states, "_scaled_sleep", lambda seconds: _sleep(seconds * waits))
    states_s3.repair()


def _start_once(original: Callable[[Any], Any], request: Mapping[str, Any]) -> Any:
    """Answer a name and an input that run already with that execution (Step Functions API, StartExecution)."""
    states = base.module("services.stepfunctions")
    machine = states._resolve_state_machine_arn(request.get("stateMachineArn", ""))
    arn = f"{machine}:{request.get('name')}".replace(":stateMachine:", ":execution:")
    there = states._executions.get(arn)
    if there is None or there["status"] != "RUNNING" or there["input"] != request.get("input", "{}"):
        return original(request)
    return states.json_response({"executionArn": arn, "startDate": there["startDate"]})


def _run_execution(original: Callable[[str], None], arn: str) -> None:
    states = base.module("services.stepfunctions")
    execution = states._executions.get(arn)
    if execution is None:
        return
    _part.set(Part(execution))
    deadline = _deadline(states, execution)
    try:
        original(arn)
    except Abandoned:
        pass
    finally:
        if deadline is not None:
            deadline.cancel()


def _deadline(states: Any, execution: dict[str, Any]) -> threading.Timer | None:
    """Start what ends the execution after its machine's TimeoutSeconds, if it has them."""
    machine = states._state_machines.get(execution["stateMachineArn"]) or {}
    try:
        seconds = json.loads(machine.get("definition", "{}")).get("TimeoutSeconds")
    except ValueError:
        return None
    if not seconds:
        return None
    context = contextvars.copy_context()
    timer = threading.Timer(seconds, lambda: context.run(_time_out, states, execution))
    timer.daemon = True
    timer.start()
    return timer


def _time_out(states: Any, execution: dict[str, Any]) -> None:
    if execution["status"] != "RUNNING":
        return
    execution["status"] = "TIMED_OUT"
    execution["stopDate"] = states.now_iso()
    states._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
    states._emit_execution_status_event(execution)


def _fail_execution(original: Callable[..., None], execution: Mapping[str, Any], error: str, cause: str) -> None:
    """Let an execution fail only once, and only while it runs: one that was stopped stays stopped."""
    if execution["status"] == "RUNNING":
        original(execution, error, cause)


def _run_siblings(original: Callable[..., Any], state: Any, raw: Any, execution: Any, context: Any) -> Any:
    """Run a state's branches as one part, which the first failure among them ends."""
    part = Part(execution, _part.get())
    token = _part.set(part)
    try:
        result = original(state, raw, execution, context)
    except base.module("services.stepfunctions")._ExecutionError as error:
        raise part.failure or error from None
    finally:
        _part.reset(token)
    if part.is_abandoned():
        raise Abandoned
    return result


def _run_branch(original: Callable[..., Any], *arguments: Any) -> Any:
    part = current_part()
    if part.is_abandoned():
        raise Abandoned
    try:
        return original(*arguments)
    except Exception as failure:
        if part.failure is None:
            part.failure = failure
        raise


def _matches(original: Callable[[Any, str], bool], names: Any, error: str) -> bool:
    if error in _UNCATCHABLE:
        return error in names and error != "States.Runtime"
    return original(names, error)


def _sleep(seconds: float) -> None:
    """Wait, unless what waits is abandoned; ministack would begin another attempt of a stopped execution."""
    part = current_part()
    pause = threading.Event()
    while seconds > 0:
        if part.is_abandoned():
            raise Abandoned
        pause.wait(min(seconds, 0.1))
        seconds -= 0.1
