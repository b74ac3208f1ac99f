"""CloudFormation acts with its caller's permissions, when a simulator enforces IAM.

Without a service role CloudFormation makes all calls with the caller's credentials (page "CloudFormation service
role"). ministack makes resources within and asks nobody; here whoever asked for the stack's change is asked for first.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ..ecs import Place
from . import base
from .stack_calls import Call, Subject, calls

__all__ = ["caller", "repair"]

_caller: ContextVar[str] = ContextVar("cromulent_stack_caller", default="")
"""The access key of the request being served; what a request begins in the background inherits it."""


def caller() -> str:
    """Return the access key of the request being served; nothing where none is."""
    return _caller.get()


def repair() -> None:
    """Look at what the caller may do before a resource of a stack is made, changed or deleted."""
    base.wrap(base.module("core.iam_evaluator"), "pin_request_caller", _remember)
    stacks = base.module("services.cloudformation.stacks")
    base.wrap(stacks, "_provision_resource", _made)
    base.wrap(stacks, "_update_resource", _changed)
    base.wrap(stacks, "_delete_resource", _deleted)


def _remember(original: Callable[..., None], headers: Any, query: Any = None) -> None:
    _caller.set(base.module("core.router").extract_access_key_id(headers, query))
    original(headers, query)


def _made(original: Callable[..., Any], kind: str, logical: str, properties: Any, stack: str) -> Any:
    for operation in ("create", "read"):
        _check(Subject(kind, logical, properties, stack), operation)
    return original(kind, logical, properties, stack)


def _changed(original: Callable[..., Any], kind: str, physical: str, old: Any, new: Any, *rest: Any) -> Any:
    stack, logical = str(rest[0]), str(rest[1] if len(rest) > 1 else "")
    if old != new:
        subject = Subject(kind, logical, new, stack, physical)
        _check(subject, "update")
        _check(subject, "read")
    return original(kind, physical, old, new, *rest)


def _deleted(
    original: Callable[..., Any], kind: str, physical: str, properties: Any, stack: str = "", logical: str = ""
) -> Any:
    _check(Subject(kind, logical, properties, stack, physical), "delete")
    return original(kind, physical, properties, stack, logical)


def _check(subject: Subject, operation: str) -> None:
    """Raise ValueError, with the words that CloudFormation passes on, where the caller may not do it."""
    responses, evaluator = base.module("core.responses"), base.module("core.iam_evaluator")
    place = Place(responses.get_account_id(), responses.get_region())
    for call in calls(subject, operation, place):
        denied = evaluator.enforce(
            _caller.get(),
            call.action,
            call.action.partition(":")[0],
            place.region,
            resource_arn=call.resource,
            service_context=dict(call.conditions),
        )
        if denied is not None:
            raise ValueError(_words(denied, call))


def _words(denied: Any, call: Call) -> str:
    evaluator, actions = base.module("core.iam_evaluator"), base.module("core.iam_actions")
    if isinstance(denied, evaluator.AuthError):
        return str(denied.message)
    said = actions.identity_denial_message(call.action, denied.principal_arn, call.resource, denied.decision == "Deny")
    return f"{said} (Service: {call.action.partition(':')[0]}, Status Code: 403)"
