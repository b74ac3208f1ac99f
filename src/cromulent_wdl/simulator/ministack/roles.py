"""Roles of ministack's IAM: whom they trust, and keys with which to act as one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...clock import SYSTEM
from ..ecs import Place
from . import base

__all__ = ["RoleKeys", "keys_of", "trusts"]

_LIFETIME = 6 * 3600.0
"""Seconds for which ECS's task credentials are good (Amazon ECS task IAM role page)."""


@dataclass(frozen=True)
class RoleKeys:
    """Keys that act as a role until they expire."""

    key: str
    secret: str
    token: str
    expiration: float


def trusts(place: Place, role_arn: str, service: str, source: str) -> bool:
    """Say whether the role exists and its trust policy lets the service assume it for a source, which is an ARN."""
    role = _role(place, role_arn)
    if role is None:
        return False
    statements = _listed(_document(role.get("AssumeRolePolicyDocument")).get("Statement"))
    effects = {each.get("Effect") for each in statements if _concerns(each, service, place, source)}
    return effects == {"Allow"}


def keys_of(place: Place, role_arn: str, session: str) -> RoleKeys | None:
    """Return keys that act as the role in a session of that name, or None where there is no such role."""
    role = _role(place, role_arn)
    if role is None:
        return None
    keys = RoleKeys(
        "ASIA" + secrets.token_hex(8).upper(),
        secrets.token_urlsafe(30),
        secrets.token_urlsafe(60),
        SYSTEM.now() + _LIFETIME,
    )
    name = role_arn.rsplit("/", 1)[-1]
    base.module("services.sts").register_session(
        keys.key,
        {
            "AccountId": place.account,
            "Arn": f"arn:aws:sts::{place.account}:assumed-role/{name}/{session}",
            "Expiration": keys.expiration,
            "PrincipalType": "AssumedRole",
            "SecretAccessKey": keys.secret,
            "SessionToken": keys.token,
            "UserId": f"{role.get('RoleId', '')}:{session}",
        },
    )
    return keys


def _role(place: Place, role_arn: str) -> dict[str, Any] | None:
    role: dict[str, Any] | None = base.module("services.iam")._roles.get_scoped(
        place.account, None, role_arn.rsplit("/", 1)[-1]
    )
    return role if role is not None and role.get("Arn") == role_arn else None


def _concerns(statement: dict[str, Any], service: str, place: Place, source: str) -> bool:
    """Say whether a statement speaks of the service, and its conditions hold for what the service says of itself."""
    principal = statement.get("Principal")
    named = _listed(principal.get("Service")) if isinstance(principal, dict) else _listed(principal)
    actions = {str(action).lower() for action in _listed(statement.get("Action"))}
    if not ({service, "*"} & set(named) and {"sts:assumerole", "sts:*", "*"} & actions):
        return False
    evaluator = base.module("core.iam_evaluator")
    context = evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=place.account,
        action="sts:AssumeRole",
        resource_arn="*",
        region=place.region,
        service_context={"aws:sourceaccount": place.account, "aws:sourcearn": source},
    )
    return bool(evaluator._conditions_met(statement.get("Condition") or {}, context))


def _document(value: object) -> dict[str, Any]:
    document = json.loads(value) if isinstance(value, str) else value
    return document if isinstance(document, dict) else {}


def _listed(value: object) -> Iterable[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
