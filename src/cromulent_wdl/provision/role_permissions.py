"""What the five roles of a deployment need, read from the template itself. Pure.

`cromulent policy --roles` prints it for an administrator who makes the roles before there is a stack. Ids are not
known then: in their place stands what CloudFormation will make of them, with wildcards. Once the deployment stands,
the same command prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.deployment import Deployment
from . import parameters, template
from .permissions import Place
from .template_values import ABSENT, Values
from .wishes import ROLES, Wishes

__all__ = ["roles"]

_LOGICAL = dict(
    zip(ROLES, ("OwnExecutionRole", "OwnTaskRole", "OwnHeadRole", "OwnStatesRole", "OwnSweepRuleRole"), strict=True)
)
_PATTERNS = {"StringEquals": "StringLike", "StringNotEquals": "StringNotLike"}
"""What a comparison has to be where what it compares with is a pattern; those of ARNs take patterns as they are."""


def roles(wishes: Wishes, place: Place, deployment: Deployment | None = None) -> dict[str, Any]:
    """Return trust, policies and proposed name of each role, by the names that `up --roles` takes."""
    known = _known(wishes, place) | (_ids(deployment, place) if deployment is not None else {})
    values = Values(template.parsed(), parameters.usual(wishes), known)
    return {role: _role(role, wishes.name, values) for role in ROLES}


def _role(role: str, name: str, values: Values) -> dict[str, Any]:
    found = values.of(template.parsed()["Resources"][_LOGICAL[role]]["Properties"])
    policies = [
        {**each, "PolicyDocument": {**each["PolicyDocument"], "Statement": _statements(each["PolicyDocument"])}}
        for each in found["Policies"]
    ]
    return {"RoleName": f"{name}-{role}", **found, "Policies": policies}


def _statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_patterned(each) for each in document["Statement"]]


def _patterned(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return a statement whose comparisons with patterns are such.

    What may be any id cannot be told from others: a comparison that leaves it out is left out itself.
    """
    conditions: dict[str, dict[str, Any]] = {}
    for operator, keys in statement.get("Condition", {}).items():
        for key, value in keys.items():
            pattern = "*" in str(value)
            if not (pattern and operator == "StringNotEquals"):
                conditions.setdefault(_PATTERNS.get(operator, operator) if pattern else operator, {})[key] = value
    found = {key: value for key, value in statement.items() if key != "Condition"}
    return {**found, "Condition": conditions} if conditions else found


def _known(wishes: Wishes, place: Place) -> dict[str, str]:
    """Return what Ref and GetAtt will give, by logical id and, after a dot, attribute."""
    name, prefix = wishes.name, f"arn:{place.partition}"
    here = f"{place.region}:{place.account}"
    given = wishes.roles or {}
    own = {
        f"{_LOGICAL[role]}.Arn": given.get(role) or f"{prefix}:iam::{place.account}:role/{name}-{role}"
        for role in ROLES
    }
    return {
        "AWS::StackName": name,
        "AWS::Region": place.region,
        "AWS::AccountId": place.account,
        "AWS::Partition": place.partition,
        "Tasks": f"{name}-Tasks-*",
        "Tasks.Arn": f"{prefix}:ecs:{here}:cluster/{name}-Tasks-*",
        "Files": "*",
        "FilesAccess.Arn": f"{prefix}:elasticfilesystem:{here}:access-point/*",
        "Results": f"{name.lower()}-results-*",
        "Logs": f"/cromulent/{name}",
        "Logs.Arn": f"{prefix}:logs:{here}:log-group:/cromulent/{name}:*",
        "SweepMachine": f"{prefix}:states:{here}:stateMachine:{name}-sweep",
        "AWS::NoValue": ABSENT,
        **own,
    }


def _ids(deployment: Deployment, place: Place) -> dict[str, str]:
    """Return what of it is known of a deployment that stands."""
    here = f"{place.region}:{place.account}"
    return {
        "Tasks": deployment.cluster,
        "Tasks.Arn": f"arn:{place.partition}:ecs:{here}:cluster/{deployment.cluster}",
        "Files": deployment.file_system,
        "FilesAccess.Arn": f"arn:{place.partition}:elasticfilesystem:{here}:access-point/{deployment.access_point}",
        "Results": deployment.bucket,
        "OwnExecutionRole.Arn": deployment.execution_role,
        "OwnTaskRole.Arn": deployment.task_role,
        "OwnHeadRole.Arn": deployment.head_role,
    }
