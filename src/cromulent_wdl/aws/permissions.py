"""IAM's own judgement of what a user or role may do, without doing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

__all__ = ["Need", "denied"]


_LISTS = {"aws:CalledVia": "stringList"}
"""Condition keys that have several values."""


@dataclass(frozen=True)
class Need:
    """An action on a resource, as one wants to take it."""

    action: str
    resource: str = "*"
    context: tuple[tuple[str, str], ...] = ()
    """What the request would say of itself, by condition key."""


def denied(access: Access, principal: str, needs: Iterable[Need]) -> tuple[Need, ...]:
    """Return those of the needs that the user's or role's policies do not allow, in their order.

    Organisations' policies count, too; policies of resources (a bucket's, a key's) do not.
    """
    asked = list(needs)
    together: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for need in asked:
        together.setdefault((need.resource, need.context), []).append(need.action)
    refused = set()
    for (resource, context), actions in together.items():
        refused |= {
            Need(action, resource, context) for action in _refused(access, principal, resource, context, actions)
        }
    return tuple(need for need in asked if need in refused)


def _refused(
    access: Access, principal: str, resource: str, context: tuple[tuple[str, str], ...], actions: list[str]
) -> list[str]:
    entries: Any = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": _LISTS.get(key, "string")}
        for key, value in context
    ]
    with asking(f"asking IAM what {principal.rpartition('/')[2]} may do"):
        client: IAMClient = access.client("iam")
        pages = client.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=principal, ActionNames=actions, ResourceArns=[resource], ContextEntries=entries
        )
        answers: list[Mapping[str, Any]] = [each for page in pages for each in page["EvaluationResults"]]
    return [each["EvalActionName"] for each in answers if each["EvalDecision"] != "allowed"]
