"""IAM's repair: the permissions boundary of a role that a stack makes, which ministack's CloudFormation drops."""

from __future__ import annotations

from typing import Any

from . import base, cloudformation
from .cloudformation import Properties

__all__ = ["repair"]


def repair() -> None:
    """Let stacks give and take boundaries."""
    for operation in ("create", "update"):
        cloudformation.after("AWS::IAM::Role", operation, _bound)


def _bound(name: str, properties: Properties) -> dict[str, Any]:
    base.module("services.iam")._roles[name]["PermissionsBoundary"] = properties.get("PermissionsBoundary")
    return {}
