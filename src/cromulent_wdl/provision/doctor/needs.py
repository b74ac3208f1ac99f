"""What IAM is asked to allow: to the head's role, to who runs workflows, and to who changes the deployment.

It is what the template gives to the head, and what `cromulent policy` prints, with the resources of the deployment
that is there in the place of patterns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ...aws.permissions import Need
from ...model.deployment import Deployment
from .. import permissions
from ..permissions import Place
from ..role_permissions import roles
from ..wishes import ROLES, Wishes

__all__ = ["of_caller", "of_head", "of_manager", "wishes_of"]

_MANAGING = {
    "Stack": ("cloudformation:CreateChangeSet", "cloudformation:DeleteStack", "cloudformation:ExecuteChangeSet"),
    "Roles": ("iam:DeleteRole", "iam:PutRolePolicy"),
}
"""What `up` and `down` need above all, by the statement of their policy: the whole would be hundreds of questions."""


_NOT_NEEDED = {"Prices"}
"""Statements of the policy for running without which runs run as well."""


def wishes_of(deployment: Deployment, parameters: Mapping[str, str]) -> Wishes:
    """Return a deployment that stands as somebody would have wished for it."""
    held = (deployment.execution_role, deployment.task_role, deployment.head_role, deployment.states_role, "")
    return Wishes(
        deployment.name,
        bucket=parameters.get("Bucket") or None,
        file_system=parameters.get("FileSystem") or None,
        kms_key=parameters.get("KmsKey") or None,
        roles=dict(zip(ROLES, held, strict=True)),
    )


def of_head(deployment: Deployment, wishes: Wishes) -> tuple[Need, ...]:
    """Return what the template lets heads do."""
    role = roles(wishes, _place(deployment), deployment)["head"]
    return _needs(deployment, [each for part in role["Policies"] for each in part["PolicyDocument"]["Statement"]])


def of_caller(deployment: Deployment, wishes: Wishes) -> tuple[Need, ...]:
    """Return what running workflows needs."""
    statements = permissions.policy("run", wishes, _place(deployment))["Statement"]
    return _needs(deployment, [each for each in statements if each["Sid"] not in _NOT_NEEDED])


def of_manager(deployment: Deployment) -> tuple[Need, ...]:
    """Return what `up` and `down` need above all."""
    statements = permissions.policy("deploy", Wishes(deployment.name), _place(deployment))["Statement"]
    return _needs(
        deployment, [{**each, "Action": _MANAGING[each["Sid"]]} for each in statements if each["Sid"] in _MANAGING]
    )


def _needs(deployment: Deployment, statements: Iterable[Mapping[str, Any]]) -> tuple[Need, ...]:
    known = _known(deployment)
    return tuple(
        Need(action, _real(resource, known), _context(statement, known))
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    )


def _context(statement: Mapping[str, Any], known: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return what a request says of itself that fulfils the statement's conditions."""
    pairs = [
        (key, _real(_listed(values)[0], known))
        for keys in statement.get("Condition", {}).values()
        for key, values in keys.items()
    ]
    return tuple(sorted(pairs))


def _real(pattern: str, known: Sequence[str]) -> str:
    """Return what the pattern is there for in this deployment, or else anything that fits it."""
    if "*" not in pattern or pattern == "*":
        return pattern
    return next((arn for arn in known if fnmatchcase(arn, pattern)), pattern.replace("*", "x"))


def _known(deployment: Deployment) -> tuple[str, ...]:
    """Return the ARNs that the deployment has, or would have of a task, an object, an execution."""
    place = _place(deployment)
    ecs, bucket = f"arn:{place.partition}:ecs:{place.region}:{place.account}", f"arn:{place.partition}:s3:::"
    return (
        f"{ecs}:cluster/{deployment.cluster}",
        f"{ecs}:task/{deployment.cluster}/x",
        f"{bucket}{deployment.bucket}",
        f"{bucket}{deployment.bucket}/x",
        deployment.head_role,
    )


def _place(deployment: Deployment) -> Place:
    return Place(deployment.state_machine.split(":")[1], deployment.region, deployment.account)


def _listed(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
