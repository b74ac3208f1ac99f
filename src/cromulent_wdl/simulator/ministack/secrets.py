"""Secrets of task definitions, fetched as the execution role (ECS page "Specifying sensitive data": valueFrom).

What AWS says where one cannot be fetched is known from public reports.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..ecs import ApiError, Place, SecretUnavailable
from . import base
from .authorization import Judge

__all__ = ["Secrets"]

_PREFIX = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
_PARTS = 7
"""Of a secret's ARN; key, stage and version may follow."""


class Secrets:
    """Fetches values from Secrets Manager and Systems Manager's parameters."""

    def __init__(self, judge: Judge | None) -> None:
        self._judge = judge
        self._scope = base.module("core.responses").request_scope

    def value(self, place: Place, role: str, value_from: str) -> str:
        """Return the value that a `valueFrom` names. Raises SecretUnavailable."""
        if ":secretsmanager:" in value_from:
            return self._secret(place, role, value_from)
        name = value_from.partition(":parameter")[2] or value_from
        arn = f"arn:aws:ssm:{place.region}:{place.account}:parameter/{name.lstrip('/')}"
        found = self._asked(place, role, ("ssm", "_get_parameter", "ssm:GetParameters"), arn, {"Name": name})
        return str(found["Parameter"]["Value"])

    def _secret(self, place: Place, role: str, value_from: str) -> str:
        parts = value_from.split(":")
        arn, rest = ":".join(parts[:_PARTS]), [*parts[_PARTS:], "", "", ""]
        key, stage, version = rest[:3]
        request = {"SecretId": arn}
        if stage:
            request["VersionStage"] = stage
        if version:
            request["VersionId"] = version
        call = ("secretsmanager", "_get_secret_value", "secretsmanager:GetSecretValue")
        self._check_key(place, role, arn)
        text = str(self._asked(place, role, call, arn, request).get("SecretString", ""))
        if not key:
            return text
        try:
            return str(json.loads(text)[key])
        except (ValueError, LookupError, TypeError) as error:
            raise SecretUnavailable(
                f"{_PREFIX}unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved "
                f"secret from Secrets Manager did not contain json key {key}"
            ) from error

    def _asked(
        self, place: Place, role: str, call: tuple[str, str, str], arn: str, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        service, function, action = call
        try:
            self._check(place, role, action, arn)
        except ApiError as refused:
            raise _unavailable(service, arn, refused.code, refused.message) from refused
        with self._scope(place.account, place.region):
            status, _, body = getattr(base.module(f"services.{service}"), function)(request)
        document: dict[str, Any] = json.loads(body)
        if status != 200:
            code = str(document.get("__type", "")).rpartition("#")[2]
            raise _unavailable(service, arn, code, str(document.get("message") or document.get("Message") or ""))
        return document

    def _check(self, place: Place, role: str, action: str, arn: str) -> None:
        if self._judge is not None:
            self._judge.check_role(role, action, arn, place)

    def _check_key(self, place: Place, role: str, arn: str) -> None:
        """Refuse a secret whose key, one of the user's own, the role may not use."""
        with self._scope(place.account, place.region):
            _, secret = base.module("services.secretsmanager")._resolve(arn)
        key = str((secret or {}).get("KmsKeyId") or "")
        if self._judge is None or not key.startswith("arn:"):
            return
        through = {"kms:ViaService": f"secretsmanager.{place.region}.amazonaws.com"}
        try:
            self._judge.check_role(role, "kms:Decrypt", key, place, through)
        except ApiError as refused:
            raise _unavailable("secretsmanager", arn, refused.code, refused.message) from refused


def _unavailable(service: str, arn: str, code: str, message: str) -> SecretUnavailable:
    if service == "ssm":
        return SecretUnavailable(
            f"{_PREFIX}unable to retrieve secrets from ssm: service call has been retried 1 time(s): {code}: {message}"
        )
    return SecretUnavailable(
        f"{_PREFIX}unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        f"{arn} from secrets manager: {code}: {message}"
    )
