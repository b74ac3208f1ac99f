"""IAM's policy simulator: what a principal may do, judged with the context that the request gives.

(botocore, SimulatePrincipalPolicy and SimulateCustomPolicy: every action is judged on every resource; context keys
that the policies look at and nobody gave are MissingContextValues.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from . import base

__all__ = ["repair"]

_DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny", "ImplicitDeny": "implicitDeny"}
_KNOWN = ("aws:securetransport", "aws:sourceip", "aws:currenttime", "aws:epochtime", "aws:requestedregion")

Request = Mapping[str, Any]
Statements = Sequence[Any]
"""A policy."""


class _Unknown(Exception):
    """There is no such principal."""


@dataclass(frozen=True)
class _Principal:
    """Whose requests are judged: its policies, and what bounds them."""

    arn: str
    policies: Sequence[Statements]
    limits: Sequence[Sequence[Statements]] = ()


def repair() -> None:
    """Take the simulator's place."""
    handlers = base.module("services.iam")._IAM_HANDLERS
    for name, whose in (("SimulatePrincipalPolicy", _named), ("SimulateCustomPolicy", _given)):
        handlers[name] = partial(_simulate, name, whose)


def _simulate(name: str, whose: Any, request: Request) -> Any:
    iam = base.module("services.iam")
    try:
        principal = whose(request)
    except _Unknown as unknown:
        return iam._error(404, "NoSuchEntity", str(unknown))
    context = _context(request)
    resources = list(_members(request, "ResourceArns")) or ["*"]
    results = "".join(
        _result(principal, action, resource, context)
        for action in _members(request, "ActionNames")
        for resource in resources
    )
    body = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    return iam._xml(200, f"{name}Response", f"<{name}Result>{body}</{name}Result>")


def _result(principal: _Principal, action: str, resource: str, context: Mapping[str, Any]) -> str:
    evaluator, responses = base.module("core.iam_evaluator"), base.module("core.responses")
    asked = evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type="AssumedRole" if ":role/" in principal.arn else "User",
        principal_account=responses.get_account_id(),
        action=action,
        resource_arn=resource,
        region=responses.get_region(),
        secure_transport=str(context.get("aws:securetransport", "true")).lower() == "true",
        service_context=dict(context),
    )
    decision = evaluator.evaluate(asked, principal.policies, *principal.limits).decision
    missing = sorted(_missing(principal, asked))
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalDecision>{_DECISIONS[decision]}</EvalDecision><MatchedStatements/>"
        f"<MissingContextValues>{''.join(f'<member>{escape(key)}</member>' for key in missing)}</MissingContextValues>"
        f"{_boundary(principal, asked)}</member>"
    )


def _boundary(principal: _Principal, asked: Any) -> str:
    if not principal.limits:
        return ""
    evaluator = base.module("core.iam_evaluator")
    allowed = all(evaluator.evaluate(asked, limit).decision == "Allow" for limit in principal.limits)
    detail = f"<AllowedByPermissionsBoundary>{str(allowed).lower()}</AllowedByPermissionsBoundary>"
    return f"<PermissionsBoundaryDecisionDetail>{detail}</PermissionsBoundaryDecisionDetail>"


def _missing(principal: _Principal, asked: Any) -> Iterator[str]:
    """Yield the keys that statements about the action look at and for which there is no value."""
    evaluator = base.module("core.iam_evaluator")
    about = [
        statement
        for policy in principal.policies
        for statement in policy
        if evaluator._action_matches(asked.action, statement.actions, statement.not_actions)
    ]
    keys = {key for each in about for operands in each.conditions.values() for key in operands}
    for key in keys:
        if key.lower() not in _KNOWN and evaluator._resolve_condition_key(key, asked) is None:
            yield key


def _named(request: Request) -> _Principal:
    """Return the user, group or role that the request names. Raises _Unknown."""
    evaluator, iam = base.module("core.iam_evaluator"), base.module("services.iam")
    account = base.module("core.responses").get_account_id()
    arn = iam._p(request, "PolicySourceArn")
    kind, _, path = arn.rpartition(":")[2].partition("/")
    name = path.rpartition("/")[2]
    if kind == "role":
        store, gather = iam._roles, evaluator._gather_role_policies
    else:
        store, gather = iam._users, evaluator._gather_user_policies
    if kind not in ("role", "user") or store.get(name) is None:
        raise _Unknown(f"The {kind} with name {name} cannot be found.")
    policies = [*gather(name, account), *_documents(request, "PolicyInputList")]
    return _Principal(arn, policies, evaluator._permissions_boundary(store, name, account))


def _given(request: Request) -> _Principal:
    """Return a principal of the policies in the request."""
    account = base.module("core.responses").get_account_id()
    bounds = list(_documents(request, "PermissionsBoundaryPolicyInputList"))
    limits = [bounds] if bounds else []
    return _Principal(f"arn:aws:iam::{account}:root", list(_documents(request, "PolicyInputList")), limits)


def _documents(request: Request, name: str) -> Iterator[Statements]:
    for document in _members(request, name):
        yield base.module("core.iam_evaluator").parse_policy_document(document)


def _context(request: Request) -> dict[str, Any]:
    """Return the context's values by their keys in small letters, as the evaluator has them."""
    context: dict[str, Any] = {}
    number = 1
    while key := _value(request, f"ContextEntries.member.{number}.ContextKeyName"):
        entry = f"ContextEntries.member.{number}."
        values = list(_members(request, f"{entry}ContextKeyValues"))
        is_list = _value(request, f"{entry}ContextKeyType").endswith("List")
        context[key.lower()] = values if is_list or len(values) != 1 else values[0]
        number += 1
    return context


def _members(request: Request, name: str) -> Iterator[str]:
    number = 1
    while value := _value(request, f"{name}.member.{number}"):
        yield value
        number += 1


def _value(request: Request, name: str) -> str:
    return str(base.module("services.iam")._p(request, name))
