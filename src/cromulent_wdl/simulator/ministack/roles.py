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


def trusts(place: Place, role_arn: str, service: str) -> bool:
    """Say whether the role exists and its trust policy lets the service assume it.

    Conditions of the trust policy are not judged.
    """
    role = _role(place, role_arn)
    return role is not None and any(
        _allows(each, service) for each in _listed(_document(role.get("AssumeRolePolicyDocument")).get("Statement"))
    )


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


def _allows(statement: dict[str, Any], service: str) -> bool:
    principal = statement.get("Principal")
    named = _listed(principal.get("Service")) if isinstance(principal, dict) else _listed(principal)
    actions = [str(action).lower() for action in _listed(statement.get("Action"))]
    return (
        statement.get("Effect") == "Allow"
        and (service in named or "*" in named)
        and bool({"sts:assumerole", "sts:*", "*"} & set(actions))
    )


def _document(value: object) -> dict[str, Any]:
    document = json.loads(value) if isinstance(value, str) else value
    return document if isinstance(document, dict) else {}


def _listed(value: object) -> Iterable[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
