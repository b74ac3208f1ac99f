"""Who may mount a file system and write to it, where IAM is enforced.

EFS judges a client by the file system's policy and, where the mount goes by IAM, by the task role's; a file system
without a policy lets everybody (page "Using IAM to control access to file systems"). ClientRootAccess is not judged.
"""

from __future__ import annotations

from typing import Any

from ..ecs import FileAccess, Place
from . import base

__all__ = ["Mounts"]

_ACTIONS = (
    (FileAccess.READ, "elasticfilesystem:ClientMount"),
    (FileAccess.WRITE, "elasticfilesystem:ClientWrite"),
)


class Mounts:
    """Judges mounts."""

    def __init__(self) -> None:
        self._efs = base.module("services.efs")
        self._evaluator = base.module("core.iam_evaluator")
        self._scope = base.module("core.responses").request_scope

    def access(self, place: Place, role: str | None, file_system: str, access_point: str | None) -> FileAccess:
        """Return what a task may do on a file system; one without a role comes without IAM."""
        policy = (self._efs._file_systems.get_scoped(place.account, place.region, file_system) or {}).get(
            "FileSystemPolicy"
        )
        if not policy:
            return FileAccess.WRITE
        prefix = f"arn:aws:elasticfilesystem:{place.region}:{place.account}"
        context: dict[str, Any] = {"elasticfilesystem:accessedviamounttarget": "true"}
        if access_point is not None:
            context["elasticfilesystem:accesspointarn"] = f"{prefix}:access-point/{access_point}"
        allowed = FileAccess.NONE
        for access, action in _ACTIONS:
            arn = f"{prefix}:file-system/{file_system}"
            if not self._allows(place, role, (action, arn, context), policy):
                break
            allowed = access
        return allowed

    def _allows(self, place: Place, role: str | None, asked: tuple[str, str, dict[str, Any]], policy: str) -> bool:
        action, arn, context = asked
        name, identity, limits = (role or "").rpartition("/")[2], [], []
        with self._scope(place.account, place.region):
            if role is not None:
                identity = self._evaluator._gather_role_policies(name, place.account)
                known = base.module("services.iam")._roles
                limits = self._evaluator._permissions_boundary(known, name, place.account)
            request = self._evaluator.EvalContext(
                principal_arn=f"arn:aws:sts::{place.account}:assumed-role/{name}/task" if role else "",
                principal_type="AssumedRole" if role else "Anonymous",
                principal_account=place.account,
                action=action,
                resource_arn=arn,
                region=place.region,
                secure_transport=True,
                service_context=context,
            )
            own = self._evaluator.evaluate(request, identity, *limits)
            both = self._evaluator.combine_resource_policy(own, request, policy, place.account, limits=tuple(limits))
        return bool(both.decision == "Allow")
